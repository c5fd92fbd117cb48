// proxy_cache and upstream queues of several workers: what one of them stores, counts or waits for, all know of.
// On a Node that can't share ports between threads there is one worker, which test/cache.test.ts is about.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { canSharePorts } from '../src/process/settings.js';
import { answering, RawClient, RawOrigin } from '../src/testing/index.js';
import { type Answer, readAnswer } from './conf-scene.js';
import { folderOf } from './folder.js';
import { freePort } from './free-port.js';
import { endWorker, startMortal } from './mortal-workers.js';

/** What takes its time where many tests run at once. */
const SOON = { timeout: 15_000 };

let folder: string;
let port: number;

beforeEach(async () => {
  folder = await folderOf();
  port = await freePort();
});

const at = (name: string) => join(folder, name);
const errorLog = () => readFileSync(at('error.log'), 'utf8');

/** Every answer says which worker gave it: they number their connections in turns. */
function writeConf(workers: number, server: string, http: string): void {
  writeFileSync(
    at('nginx.conf'),
    `daemon off; worker_processes ${workers}; pid ${at('nginx.pid')}; error_log ${at('error.log')} notice;
events {}
http {
    access_log off;
    ${http}
    server {
        listen 127.0.0.1:${port} backlog=511;
        location /api { api write=on; }
        location /status { stub_status; }
        ${server}
    }
}
`,
  );
}

function writeCache(workers: number, origin: string, more = '', path = '', zone = 'one:1m'): void {
  writeConf(
    workers,
    `location / {
       proxy_pass http://${origin};
       proxy_cache one;
       add_header X-Cache $upstream_cache_status always;
       add_header X-Connection $connection always;
       ${more}
     }`,
    `proxy_cache_path ${at('cache')} keys_zone=${zone} ${path};`,
  );
}

/** On a connection of its own, so that any worker may answer. */
async function get(target: string, fields = ''): Promise<Answer> {
  const client = await RawClient.connect({ host: '127.0.0.1', port, path: null });
  await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`);
  return readAnswer(await client.readToEnd());
}

const seen = ({ fields, body }: Answer) => `${fields['x-cache']} ${body}`;
const ask = async (target: string, fields = '') => seen(await get(target, fields));

/** What each of the workers has, in no order: asks until all of them have answered. */
async function askAll(workers: number, target: string, fields = ''): Promise<Set<string>> {
  const answers = new Map<number, string>();
  for (let i = 0; answers.size < workers && i < 500; i++) {
    const answer = await get(target, fields);
    answers.set(Number(answer.fields['x-connection']) % workers, seen(answer));
  }
  expect(answers.size).toBe(workers);
  return new Set(answers.values());
}

/** Asks as often as that at once. */
const askMany = (count: number, target: string) =>
  Promise.all(Array.from({ length: count }, () => get(target)));

/** How many requests are under way, but for the one that asks. */
async function countActive(): Promise<number> {
  return Number(/Writing: (\d+)/.exec((await get('/status')).body)![1]) - 1;
}

const cacheStatus = async () => JSON.parse((await get('/api/9/http/caches/one')).body);

function filesOf(): string[] {
  return readdirSync(at('cache'), { recursive: true, encoding: 'utf8' }).map((name) => at(`cache/${name}`));
}

/** An origin whose answers have a number that grows, and what it was asked. */
async function startCounting(fields: (head: string) => string = () => 'Cache-Control: max-age=100\r\n') {
  const heads: string[] = [];
  const origin = await RawOrigin.start(
    answering(({ head }) => {
      heads.push(head);
      const body = `answer ${heads.length}`;
      return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields(head)}\r\n${body}`;
    }),
  );
  onTestFinished(() => origin.stop());
  return { name: `127.0.0.1:${origin.address.port}`, heads };
}

/** An origin that answers when it is told to, in the order in which it was asked. */
async function startWaiting() {
  const origin = await RawOrigin.start();
  onTestFinished(() => origin.stop());
  const name = `127.0.0.1:${origin.address.port}`;
  const answerNext = async (fields: string, body: string) => {
    const connection = await origin.accept();
    await connection.readRequest();
    await connection.send(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`);
  };
  return { name, origin, answerNext };
}

function makeSignal() {
  let tell = () => {};
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return { told, tell };
}

describe.skipIf(!canSharePorts()).each([2, 8])('a cache of %d workers', (workers) => {
  it('has an answer at once in all of them that one has stored, with all that is known of it', async () => {
    const origin = await startCounting(() => 'Cache-Control: max-age=100\r\nVary: Accept-Language\r\n');
    writeCache(workers, origin.name);
    await startMortal(folder);
    for (const language of ['en', 'de']) {
      const fields = `Accept-Language: ${language}\r\n`;
      const first = await ask('/a', fields);
      expect(first).toBe(`MISS answer ${origin.heads.length}`);
      expect(await askAll(workers, '/a', fields)).toEqual(new Set([first.replace('MISS', 'HIT')]));
    }
    expect(origin.heads.length).toBe(2);
    expect(await cacheStatus()).toMatchObject({ miss: { responses: 2, responses_written: 2 } });
  });

  it('has one of a hundred requests at once fetch an answer, and wakes the others', async () => {
    const { name, origin, answerNext } = await startWaiting();
    writeCache(workers, name, 'proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_lock_age 60s;');
    await startMortal(folder);
    const asked = askMany(100, '/');
    await expect.poll(countActive, SOON).toBe(100);
    await answerNext('Cache-Control: max-age=100\r\n', 'body');
    const answers = await asked;
    expect(answers.map(seen).sort()).toEqual([...Array(99).fill('HIT body'), 'MISS body']);
    expect(origin.connections.length).toBe(1);
    const askedOf = new Set(answers.map(({ fields }) => Number(fields['x-connection']) % workers));
    expect(askedOf.size).toBeGreaterThan(1);
  });

  it('lets waiting requests go on by proxy_cache_lock_timeout and _age, wherever they wait', async () => {
    const { name, origin, answerNext } = await startWaiting();
    writeCache(
      workers,
      name,
      'proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_lock_age 300ms;',
    );
    await startMortal(folder);
    const asked = askMany(20, '/');
    const first = await origin.accept();
    await first.readRequest();
    // Who has the lock takes too long: one other, and no more, tries it too.
    await answerNext('Cache-Control: max-age=100\r\n', 'second');
    await expect.poll(countActive, SOON).toBe(1);
    await first.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst');
    const answers = (await asked).map(seen).sort();
    expect(answers).toEqual([...Array(18).fill('HIT second'), 'MISS first', 'MISS second']);
    expect(origin.connections.length).toBe(2);
  });

  it('counts uses of all of them for proxy_cache_min_uses', async () => {
    const origin = await startCounting();
    writeCache(workers, origin.name, 'proxy_cache_min_uses 3;');
    await startMortal(folder);
    const answers = [];
    for (let i = 0; i < 20; i++) answers.push(await ask('/'));
    expect(answers).toEqual([
      'MISS answer 1',
      'MISS answer 2',
      'MISS answer 3',
      ...Array(17).fill('HIT answer 3'),
    ]);
  });

  it('is not blocked by a worker that dies while it fetches an answer', async () => {
    const { name, origin, answerNext } = await startWaiting();
    writeCache(workers, name, 'proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_lock_age 60s;');
    await startMortal(folder);
    const answers: string[] = [];
    const note = (answer: Answer) => answers.push(seen(answer));
    // Who is the first decides which worker has the lock; its own clients go with it.
    const first = await RawClient.connect({ host: '127.0.0.1', port, path: null });
    await first.send('GET /number HTTP/1.1\r\nHost: a\r\n\r\n');
    await answerNext('', 'number');
    const number = await first.readResponse();
    const holder = (Number(/X-Connection: (\d+)/i.exec(number.head)![1]) - 1) % workers;
    await first.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const fetching = await origin.accept();
    await fetching.readRequest();
    const asked = Array.from({ length: 60 }, () => get('/').then(note, () => answers.push('gone')));
    await expect.poll(countActive, SOON).toBe(61);
    endWorker(holder);
    await answerNext('Cache-Control: max-age=100\r\n', 'body');
    await Promise.all(asked);
    const served = answers.filter((answer) => answer !== 'gone').sort();
    expect(served.length).toBeGreaterThan(0);
    expect(served).toEqual([...Array(served.length - 1).fill('HIT body'), 'MISS body']);
    expect(origin.connections.length).toBe(3);
  });
});

describe.skipIf(!canSharePorts())('a cache of several workers', () => {
  const workers = 2;

  it('has one of them revalidate, and all know for how long that holds', async () => {
    let validated = 0;
    const origin = await RawOrigin.start(
      answering(({ head }) => {
        if (!/If-None-Match: "1"/i.test(head))
          return 'HTTP/1.1 200 OK\r\nETag: "1"\r\nCache-Control: max-age=1\r\nContent-Length: 2\r\n\r\nok';
        validated++;
        return 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nCache-Control: max-age=100\r\n\r\n';
      }),
    );
    onTestFinished(() => origin.stop());
    writeCache(workers, `127.0.0.1:${origin.address.port}`, 'proxy_cache_revalidate on;');
    await startMortal(folder);
    expect(await ask('/')).toBe('MISS ok');
    await expect.poll(() => ask('/'), SOON).toBe('REVALIDATED ok');
    expect(await askAll(workers, '/')).toEqual(new Set(['HIT ok']));
    expect(validated).toBe(1);
  });

  it('is updated by one of them, while the others serve what is stale', async () => {
    const updating = makeSignal();
    const released = makeSignal();
    const heads: string[] = [];
    const origin = await RawOrigin.start(async (connection) => {
      const { head } = await connection.readRequest();
      heads.push(head);
      const [age, body] = heads.length === 1 ? [1, 'old'] : [100, 'new'];
      if (heads.length === 2) {
        updating.tell();
        await released.told;
      }
      await connection.send(
        `HTTP/1.1 200 OK\r\nCache-Control: max-age=${age}\r\nContent-Length: 3\r\n\r\n${body}`,
      );
    });
    onTestFinished(() => origin.stop());
    writeCache(workers, `127.0.0.1:${origin.address.port}`, 'proxy_cache_use_stale updating;');
    await startMortal(folder);
    expect(await ask('/')).toBe('MISS old');
    let asked: Promise<string>;
    do asked = ask('/');
    while (await Promise.race([asked.then(() => true), updating.told.then(() => false)]));
    expect(await askAll(workers, '/')).toEqual(new Set(['UPDATING old']));
    released.tell();
    expect(await asked).toBe('EXPIRED new');
    expect(await askAll(workers, '/')).toEqual(new Set(['HIT new']));
    expect(heads.length).toBe(2);
  });

  it('is within max_size whoever stores, and all tell its size', async () => {
    const body = 'x'.repeat(2000);
    const origin = await RawOrigin.start(
      answering(() => `HTTP/1.1 200 OK\r\nCache-Control: max-age=100\r\nContent-Length: 2000\r\n\r\n${body}`),
    );
    onTestFinished(() => origin.stop());
    writeCache(workers, `127.0.0.1:${origin.address.port}`, '', 'max_size=20k');
    await startMortal(folder);
    for (let i = 0; i < 40; i++) {
      await get(`/${i}`);
      const bytes = filesOf().reduce((sum, path) => sum + statSync(path).size, 0);
      expect(bytes).toBeLessThanOrEqual(20_480);
    }
    expect(filesOf().length).toBe(9);
    for (let i = 0; i < 10; i++) expect((await cacheStatus()).size).toBe(9 * statSync(filesOf()[0]!).size);
    expect(await ask('/39')).toMatch(/^HIT/);
    expect(await ask('/20')).toMatch(/^MISS/);
  });

  it('lets go of what was used longest ago when its keys_zone is full', async () => {
    const origin = await startCounting();
    writeCache(workers, origin.name, '', '', 'one:32k');
    await startMortal(folder);
    for (let i = 0; i < 300; i++) {
      await get(`/${i}`);
      if (i % 50 === 0) await get('/0');
    }
    const { length } = filesOf();
    expect(length).toBeGreaterThan(200);
    expect(length).toBeLessThan(250);
    expect(await ask('/0')).toBe('HIT answer 1');
    expect(await ask('/299')).toBe('HIT answer 300');
    expect(await ask('/1')).toMatch(/^MISS/);
  });

  it('lets go of what none of them uses, and keeps what any does', async () => {
    const origin = await startCounting();
    writeCache(workers, origin.name, '', 'inactive=3s');
    await startMortal(folder);
    await get('/used');
    await get('/unused');
    await expect
      .poll(async () => {
        expect(await askAll(workers, '/used')).toEqual(new Set(['HIT answer 1']));
        return filesOf().length;
      }, SOON)
      .toBe(1);
    expect(await ask('/unused')).toMatch(/^MISS/);
  });

  it('lives on when the configuration is loaded again, but not in another folder', async () => {
    const origin = await startCounting();
    writeCache(workers, origin.name, 'proxy_cache_min_uses 2;');
    const proxy = await startMortal(folder);
    await expect.poll(async () => (await cacheStatus()).cold, SOON).toBe(false);
    expect(await ask('/')).toBe('MISS answer 1');
    writeCache(workers, origin.name, 'proxy_cache_min_uses 2;', 'max_size=1m');
    await proxy.reload();
    expect(await cacheStatus()).toMatchObject({ cold: false });
    expect(await ask('/')).toBe('MISS answer 2');
    expect(await askAll(workers, '/')).toEqual(new Set(['HIT answer 2']));
    const text = readFileSync(at('nginx.conf'), 'utf8');
    writeFileSync(at('nginx.conf'), text.replace(at('cache'), at('other')));
    await proxy.reload();
    expect(errorLog()).toContain(
      `cache "one" uses the "${at('other')}" cache path while previously it used the "${at('cache')}" cache path`,
    );
    expect(await askAll(workers, '/')).toEqual(new Set(['HIT answer 2']));
  });

  it('knows again what is stored when a worker has died in the middle of a change of what is known', async () => {
    const origin = await startCounting();
    writeCache(workers, origin.name);
    await startMortal(folder);
    expect(await ask('/')).toBe('MISS answer 1');
    const { size } = await cacheStatus();
    endWorker(1, /^proxy_cache /);
    await expect.poll(errorLog, SOON).toMatch(/\[alert\].*worker 1 exited with code 9/);
    expect(await ask('/')).toBe('HIT answer 1');
    await expect.poll(cacheStatus, SOON).toMatchObject({ cold: false, size });
  });
});

describe.skipIf(!canSharePorts())('the queue of an upstream', () => {
  it.each([2, 8])(
    'has one limit for %d workers, and a server that is free in one serves who waits in another',
    async (workers) => {
      const { name, origin } = await startWaiting();
      writeConf(
        workers,
        'location / { proxy_pass http://app; }',
        `upstream app { zone app 64k; server ${name} max_conns=1; queue 5 timeout=60s; }`,
      );
      await startMortal(folder);
      const statuses: number[] = [];
      const first = get('/');
      const connection = await origin.accept();
      await connection.readRequest();
      const asked = Array.from({ length: 40 }, () => get('/').then(({ status }) => statuses.push(status)));
      await expect.poll(() => statuses.length, SOON).toBe(35);
      expect(new Set(statuses)).toEqual(new Set([502]));
      const { queue } = JSON.parse((await get('/api/9/http/upstreams/app')).body);
      expect(queue).toEqual({ size: 5, max_size: 5, overflows: 35 });
      const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
      await connection.send(answer);
      expect((await first).status).toBe(200);
      for (let i = 0; i < 5; i++) {
        const next = await origin.accept();
        await next.readRequest();
        await next.send(answer);
      }
      await Promise.all(asked);
      expect(statuses.slice(35)).toEqual(Array(5).fill(200));
      const after = JSON.parse((await get('/api/9/http/upstreams/app')).body);
      expect(after.queue).toMatchObject({ size: 0 });
    },
  );
});
