// Several workers: what they share is exact, what they serve changes for all at once, and none is missed when it dies.
// On a Node that can't share ports one serves, and says why.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, test } from 'vitest';
import { canSharePorts } from '../src/process/settings.js';
import { RawClient, RawOrigin } from '../src/testing/index.js';
import { startOrigins } from './answering-origins.js';
import { freePort } from './free-port.js';
import { endWorker, startMortal } from './mortal-workers.js';
import { endPrograms } from './program.js';
import { SluiceProcess } from './sluice-process.js';
import { SteadyLoad } from './steady-load.js';

/** A reload or a start takes its time where many tests run at once. */
const SOON = { timeout: 15_000 };

let folder: string;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-workers-'));
  port = await freePort();
});
afterEach(async () => {
  await endPrograms();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const errorLog = () => readFileSync(at('error.log'), 'utf8');

function writeConf(workers: number, http: string, rest = ''): void {
  writeFileSync(
    at('nginx.conf'),
    `daemon off; worker_processes ${workers}; pid ${at('nginx.pid')}; error_log ${at('error.log')} notice;
events {}
http {
    access_log off;
    ${rest}
    server { listen 127.0.0.1:${port} backlog=511; ${http} }
}
`,
  );
}

async function start(): Promise<SluiceProcess> {
  const sluice = new SluiceProcess(['-p', `${folder}/`, '-c', 'nginx.conf', '-e', 'error.log']);
  await expect.poll(() => existsSync(at('nginx.pid')), SOON).toBe(true);
  return sluice;
}

const kill = (signal: NodeJS.Signals) => process.kill(Number(readFileSync(at('nginx.pid'), 'utf8')), signal);

/** On a connection of its own, so that any worker may answer. */
async function ask(path = '/'): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  return `${answer.status} ${await answer.text()}`;
}

async function askMany(count: number, path = '/'): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < count; i++) answers.push(await ask(path));
  return answers;
}

/** A call about the servers of `app`, answered by any worker. */
async function api(method: string, target = '', body?: unknown) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/9/http/upstreams/app/servers${target}`, {
    method,
    headers: { connection: 'close', 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: whatever it says is what a test looks at
  return { status: answer.status, json: (await answer.json()) as any };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const request = (path: string) => () => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

test.skipIf(canSharePorts())(
  'where threads cannot share a port one worker serves, and says why',
  async () => {
    writeConf(4, 'return 200 "$pid";');
    await start();
    expect(await ask()).toMatch(/^200 \d+$/);
    expect(errorLog()).toMatch(
      /\[warn\].* worker_processes 4: one worker serves, since Node \S+ can't share a port between threads; use 22\.12/,
    );
  },
);

describe.skipIf(!canSharePorts())('workers', () => {
  it('count requests together, whichever of them shows the metrics', async () => {
    writeConf(3, 'location / { return 204; } location /metrics { metrics; }');
    await start();
    await askMany(20);
    for (const page of await askMany(6, '/metrics'))
      expect(page).toContain('\nsluice_http_requests_total{zone="-",location="/",class="2xx"} 20\n');
  });

  it('are shown together on the dashboard, whichever of them answers', async () => {
    writeConf(
      3,
      'location / { return 204; } location = /no { return 500; } location /dashboard/ { dashboard; }',
    );
    await start();
    await askMany(20);
    await askMany(5, '/no');
    const shown = async () => JSON.parse((await ask('/dashboard/data')).slice('200 '.length));
    const answers = ({ history }: { history: number[][] }) =>
      [7, 10].map((column) => history.reduce((sum, row) => sum + row[column]!, 0));
    await expect.poll(async () => answers(await shown()), SOON).toEqual([20, 5]);
    for (let i = 0; i < 6; i++) {
      const snapshot = await shown();
      expect(answers(snapshot)).toEqual([20, 5]);
      expect(snapshot).toMatchObject({ workers: 3, pid: Number(readFileSync(at('nginx.pid'), 'utf8')) });
      expect(snapshot.recent.failed).toHaveLength(5);
    }
  });

  it.each([1, 2, 8])('of a number of %d let as many requests through as limit_req says', async (workers) => {
    writeConf(
      workers,
      `location / { limit_req zone=z; root ${folder}; }`,
      'limit_req_zone $server_port zone=z:1m rate=20r/s; limit_req_status 429; limit_req_log_level info; error_log off;',
    );
    writeFileSync(at('index.html'), 'through');
    await start();
    const load = new SteadyLoad({ port }, 24, request('/'));
    await load.waitFor('through', 1);
    const startedMs = performance.now();
    await load.waitFor('through', 40);
    const seconds = (performance.now() - startedMs) / 1000;
    await load.stop();
    // 40 more at 20 a second: two seconds, within one request.
    expect(seconds).toBeGreaterThan(39 / 20 - 0.02);
    expect(seconds).toBeLessThan(41 / 20 + 0.25);
    expect(load.served.size).toBe(2);
    expect(load.failures.every((head) => head.startsWith('HTTP/1.1 429 '))).toBe(true);
  });

  it('limit connections together, and count them together', async () => {
    const origin = await RawOrigin.start(async (connection) => {
      await connection.readHead();
    });
    onTestFinished(() => origin.stop());
    writeConf(
      4,
      `location / { limit_conn z 5; proxy_pass http://127.0.0.1:${origin.address.port}; }
       location = /status { stub_status; }`,
      'limit_conn_zone $server_port zone=z:1m;',
    );
    await start();
    const waiting = new AbortController();
    onTestFinished(() => waiting.abort());
    const statuses: number[] = [];
    for (let i = 0; i < 20; i++) {
      const asked = fetch(`http://127.0.0.1:${port}/`, { signal: waiting.signal });
      asked.then(
        ({ status }) => statuses.push(status),
        () => {},
      );
    }
    await expect.poll(() => statuses.length, SOON).toBe(15);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(origin.connections.length).toBe(5);
    const status = await ask('/status');
    expect(status).toMatch(/server accepts handled requests\n (\d+) \1 21 \n/);
    expect(status).toMatch(/Writing: 6 /);
  });

  it('know of a server that is down as soon as one of them does', async () => {
    const origin = await RawOrigin.start(async (connection) => {
      for (;;) {
        await connection.readHead();
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      }
    });
    onTestFinished(() => origin.stop());
    const nobody = await freePort();
    writeConf(
      4,
      'location / { proxy_pass http://app; }',
      `upstream app { zone app 64k; server 127.0.0.1:${nobody} fail_timeout=60s; server 127.0.0.1:${origin.address.port}; }`,
    );
    await start();
    expect(new Set(await askMany(40))).toEqual(new Set(['200 ok']));
    expect(errorLog().match(/connect\(\) failed/g)?.length).toBe(1);
  });

  it('keep bodies in one folder', async () => {
    const origin = await RawOrigin.start(async (connection) => {
      const { body } = await connection.readRequest();
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    onTestFinished(() => origin.stop());
    writeConf(
      4,
      `client_body_buffer_size 1k; client_body_temp_path ${at('bodies')};
       location / { proxy_pass http://127.0.0.1:${origin.address.port}; }`,
    );
    await start();
    const clients = await Promise.all(
      Array.from({ length: 12 }, () => RawClient.connect({ host: '127.0.0.1', port, path: null })),
    );
    for (const client of clients) {
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n${'x'.repeat(2000)}`);
      onTestFinished(() => client.close());
    }
    await expect.poll(() => errorLog().match(/is buffered to a temporary file/g)?.length, SOON).toBe(12);
    for (const [i, client] of clients.entries()) client.send(String.fromCharCode(97 + i));
    const answers = await Promise.all(clients.map(async (client) => (await client.readResponse()).text));
    expect(answers.map((text) => text.slice(1999))).toEqual(
      clients.map((_, i) => `x${String.fromCharCode(97 + i)}`),
    );
  });

  it('all change the servers that one of them is told to change, and count together what they do', async () => {
    const [a, b] = await startOrigins('a', 'b');
    writeConf(
      3,
      'location / { proxy_pass http://app; } location /api { api write=on; }',
      `upstream app { zone app 64k; state ${at('app.servers')}; }`,
    );
    await start();
    for (const { name } of [a!, b!]) expect((await api('POST', '', { server: name })).status).toBe(201);
    const list = async () => (await api('GET')).json;
    await expect.poll(async () => new Set(await askMany(20)), SOON).toEqual(new Set(['200 a', '200 b']));
    for (let i = 0; i < 10; i++) expect(await list()).toMatchObject([{ id: 0 }, { id: 1 }]);
    expect((await api('PATCH', '/1', { down: true, max_fails: 7 })).status).toBe(200);
    expect(new Set(await askMany(20))).toEqual(new Set(['200 a']));
    for (let i = 0; i < 10; i++)
      expect(await list()).toMatchObject([{ max_fails: 1 }, { max_fails: 7, down: true }]);
    const adding = Array.from({ length: 12 }, (_, i) =>
      api('POST', '', { server: `127.0.0.1:${i + 1}`, backup: true }),
    );
    const ids = (await Promise.all(adding)).map(({ json }) => json.id);
    expect(new Set(ids).size).toBe(12);
    expect(await list()).toHaveLength(14);
    for (const id of [0, ...ids]) expect((await api('DELETE', `/${id}`)).status).toBe(200);
    expect((await api('PATCH', '/1', { down: false })).status).toBe(200);
    await expect.poll(async () => new Set(await askMany(20)), SOON).toEqual(new Set(['200 b']));
    const group = await fetch(`http://127.0.0.1:${port}/api/9/http/upstreams/app`);
    const [peer] = ((await group.json()) as { peers: { requests: number; responses: { total: number } }[] })
      .peers;
    expect(peer!.requests).toBeGreaterThanOrEqual(30);
    expect(peer!.responses.total).toBe(peer!.requests);
    kill('SIGHUP');
    await expect.poll(async () => (await api('GET')).json, SOON).toMatchObject([{ id: 0, server: b!.name }]);
    expect(errorLog()).not.toMatch(/\[alert\]/);
  });

  it('give a server that is added to those of the configuration a number of its own', async () => {
    const [a, b, c, d] = await startOrigins('a', 'b', 'c', 'd');
    writeConf(
      2,
      'location / { proxy_pass http://app; } location /api { api write=on; }',
      `upstream app { zone app 64k; server ${a!.name}; server ${b!.name}; }`,
    );
    await start();
    expect(await api('POST', '', { server: c!.name })).toMatchObject({
      status: 201,
      json: { id: 2, server: c!.name },
    });
    expect((await api('DELETE', '/0')).json).toMatchObject([{ id: 1 }, { id: 2 }]);
    expect((await api('POST', '', { server: d!.name })).json).toMatchObject({ id: 3, server: d!.name });
    const servers = [b!, c!, d!].map(({ name }, i) => ({ id: i + 1, server: name }));
    for (let i = 0; i < 10; i++) expect((await api('GET')).json).toMatchObject(servers);
    await expect
      .poll(async () => new Set(await askMany(20)), SOON)
      .toEqual(new Set(['200 b', '200 c', '200 d']));
  });

  it('serve a new configuration all at once, without a request lost', async () => {
    writeConf(3, 'return 200 before;');
    await start();
    const load = new SteadyLoad({ port }, 16, request('/'));
    await load.waitFor('before', 50);
    for (const name of ['first', 'second', 'third']) {
      writeConf(3, `return 200 ${name};`);
      kill('SIGHUP');
      await load.waitFor(name, 50);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(new Set(await askMany(20))).toEqual(new Set(['200 third']));
  });

  it('serve on as before when a new configuration has an address that somebody else has', async () => {
    writeConf(2, 'return 200 before;');
    await start();
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    onTestFinished(() => void other.close());
    const { port: taken } = other.address() as { port: number };
    writeConf(2, `listen 127.0.0.1:${taken}; return 200 after;`);
    kill('SIGHUP');
    await expect
      .poll(errorLog, SOON)
      .toMatch(new RegExp(`\\[emerg\\].*127\\.0\\.0\\.1:${taken}.*EADDRINUSE`));
    expect(new Set(await askMany(10))).toEqual(new Set(['200 before']));
  });

  it('open their logs anew, end what runs at QUIT, and are more or fewer after a reload', async () => {
    const log = at('access.log');
    writeConf(3, `access_log ${log}; return 200 ok;`);
    const sluice = await start();
    await askMany(6);
    renameSync(log, `${log}.1`);
    kill('SIGUSR1');
    await expect.poll(() => existsSync(log), SOON).toBe(true);
    await askMany(30);
    const lines = (path: string) => readFileSync(path, 'utf8').split('\n').length - 1;
    // The thread that makes the file anew may be a moment before the others.
    await expect.poll(() => lines(`${log}.1`) + lines(log), SOON).toBe(36);
    expect(lines(log)).toBeGreaterThan(20);
    writeConf(2, 'return 200 two;');
    kill('SIGHUP');
    await expect.poll(() => askMany(5), SOON).toEqual(Array(5).fill('200 two'));
    writeConf(4, 'return 200 four;');
    kill('SIGHUP');
    await expect.poll(() => askMany(5), SOON).toEqual(Array(5).fill('200 four'));
    kill('SIGQUIT');
    expect((await sluice.ended).code).toBe(0);
    expect(existsSync(at('nginx.pid'))).toBe(false);
  });

  it('keep their limits when one is too many, and are as many again once it has finished', async () => {
    const origin = await RawOrigin.start();
    onTestFinished(() => origin.stop());
    const http = `location / { limit_conn z 2; proxy_pass http://127.0.0.1:${origin.address.port}; }
       location = /number { return 200 $connection; }`;
    const zone = 'limit_conn_zone $server_port zone=z:1m;';
    writeConf(3, http, zone);
    const sluice = await start();
    /** A request that waits for its answer at one worker. */
    const waitAt = async (index: number) => {
      for (let tries = 0; tries < 200; tries++) {
        const client = await RawClient.connect({ host: '127.0.0.1', port, path: null });
        await client.send(request('/number')());
        const { body } = await client.readResponse();
        if ((Number(body) - 1) % 3 !== index) {
          client.close();
          continue;
        }
        await client.send(request('/')());
        return { client, asked: await origin.accept() };
      }
      throw new Error(`worker ${index} serves nobody`);
    };
    const threads = () => {
      const tasks = `/proc/${sluice.pid}/task`;
      return readdirSync(tasks).filter((id) =>
        readFileSync(`${tasks}/${id}/comm`, 'utf8').startsWith('sluice worker'),
      ).length;
    };
    await waitAt(0);
    const { client, asked } = await waitAt(2);
    expect(await ask()).toMatch(/^503/);
    writeConf(2, http, zone);
    kill('SIGHUP');
    const served = () => errorLog().match(/#0: serving/g)?.length;
    await expect.poll(served, SOON).toBe(2);
    expect(await ask()).toMatch(/^503/);
    // Asked for again before it has finished.
    writeConf(3, http, zone);
    kill('SIGHUP');
    await expect.poll(served, SOON).toBe(3);
    await asked.send('HTTP/1.1 204 No Content\r\n\r\n');
    expect(await client.readToEnd()).toMatch(/^HTTP\/1.1 204/);
    await expect.poll(errorLog, SOON).toMatch(/start worker 2/);
    await expect.poll(threads, SOON).toBe(3);
    // One is left of the two, so there may be one more.
    const more = await RawClient.connect({ host: '127.0.0.1', port, path: null });
    await more.send(request('/')());
    await origin.accept();
    expect(await ask()).toMatch(/^503/);
  });

  it('end at once by TERM, though what runs is being waited for', async () => {
    const origin = await RawOrigin.start();
    onTestFinished(() => origin.stop());
    writeConf(2, `location / { proxy_pass http://127.0.0.1:${origin.address.port}; }`);
    const sluice = await start();
    const client = await RawClient.connect({ host: '127.0.0.1', port, path: null });
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await (await origin.accept()).readHead();
    kill('SIGQUIT');
    await expect.poll(errorLog, SOON).toContain('SIGQUIT received');
    const startedMs = performance.now();
    kill('SIGTERM');
    expect((await sluice.ended).code).toBe(0);
    // A worker that does not obey is ended after five seconds.
    expect(performance.now() - startedMs).toBeLessThan(4000);
  });

  it('are followed by those of a new program on the same sockets', async () => {
    writeConf(2, 'return 200 $pid;');
    const sluice = await start();
    // Each on a connection of its own: one that waits for its next request is closed by a program that ends.
    const load = new SteadyLoad({ port }, 8, () => 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const { pid } = sluice;
    await load.waitFor(String(pid), 20);
    kill('SIGUSR2');
    await expect
      .poll(() => existsSync(at('nginx.pid.oldbin')) && existsSync(at('nginx.pid')), SOON)
      .toBe(true);
    const next = Number(readFileSync(at('nginx.pid'), 'utf8'));
    try {
      await load.waitFor(String(next), 20);
      process.kill(pid, 'SIGQUIT');
      await expect.poll(() => isAlive(pid), SOON).toBe(false);
      await load.waitFor(String(next), 50);
      await load.stop();
    } finally {
      process.kill(next, 'SIGKILL');
    }
    expect(load.failures).toEqual([]);
  });
});

describe.skipIf(!canSharePorts())('a worker that dies', () => {
  it('has a successor that knows what servers there are', async () => {
    const [a, b] = await startOrigins('a', 'b');
    writeFileSync(at('app.servers'), `server ${a!.name};`);
    writeConf(
      2,
      'location / { proxy_pass http://app; } location = /number { return 200 $connection; } location /api { api write=on; }',
      `upstream app { zone app 64k; state ${at('app.servers')}; }`,
    );
    await startMortal(folder);
    expect((await api('POST', '', { server: b!.name, max_fails: 9 })).json.id).toBe(1);
    await api('DELETE', '/0');
    endWorker(1, /^(limit_req|peers) /);
    await expect.poll(errorLog, SOON).toMatch(/\[notice\].*start worker 1/);
    await expect
      .poll(
        async () => new Set((await askMany(10, '/number')).map((text) => Number(text.slice(4)) % 2)),
        SOON,
      )
      .toEqual(new Set([0, 1]));
    for (let i = 0; i < 10; i++) {
      expect((await api('GET')).json).toMatchObject([{ id: 1, server: b!.name, max_fails: 9 }]);
      expect(await ask()).toBe('200 b');
    }
  });

  it('stops no other, even with locks in its hands, and another one takes its place', async () => {
    writeConf(
      2,
      'location / { limit_req zone=z; proxy_pass http://app; } location = /number { return 200 $connection; }',
      `limit_req_zone $request_id zone=z:1m rate=1r/s;
       upstream app { zone app 64k; server 127.0.0.1:${await freePort()}; server 127.0.0.1:${await freePort()}; }
       server { listen 127.0.0.1:${await freePort()}; }`,
    );
    await startMortal(folder);
    endWorker(1, /^(limit_req|peers) /);
    await expect.poll(errorLog, SOON).toMatch(/\[alert\].*worker 1 exited with code 9/);
    const startedMs = performance.now();
    for (let i = 0; i < 5; i++) expect(await ask('/x')).toMatch(/^50\d /);
    // Waiting for a holder that nobody knows to be dead takes two seconds.
    expect(performance.now() - startedMs).toBeLessThan(1500);
    await expect.poll(errorLog, SOON).toMatch(/\[notice\].*start worker 1/);
    // Both number their connections in turns.
    await expect
      .poll(
        async () => new Set((await askMany(10, '/number')).map((text) => Number(text.slice(4)) % 2)),
        SOON,
      )
      .toEqual(new Set([0, 1]));
  });
});

describe.skipIf(!canSharePorts())('a worker that can not be started', () => {
  it('keeps a reload from nothing: the others serve the new configuration, and the next too', async () => {
    writeConf(2, 'return 200 one;');
    const proxy = await startMortal(folder, 2);
    for (const name of ['two', 'three']) {
      writeConf(3, `return 200 ${name};`);
      await proxy.reload();
      expect(new Set(await askMany(10))).toEqual(new Set([`200 ${name}`]));
    }
    expect(errorLog()).toMatch(/\[alert\].*worker 2 can't serve/);
    expect(errorLog()).not.toContain('[emerg]');
  });
});
