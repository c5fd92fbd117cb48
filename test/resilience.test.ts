// What goes wrong around a process that serves: mistakes in its file, full disks, no descriptors, dead upstreams and name
// servers. It serves on, says what happened, and recovers.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { startOrigins } from './answering-origins.js';
import { DnsServer } from './dns-server.js';
import { endPrograms, startScript } from './program.js';
import { startOrigin } from './scene.js';
import { ServedFolder } from './served-folder.js';
import { WORKER_COUNTS } from './worker-counts.js';

afterEach(endPrograms);

const file = (http: string, main = '') =>
  `${main} error_log error.log notice; events {} http { access_log off; ${http} }`;
const server = (content: string) => `server { listen 127.0.0.1:%PORT%; ${content} }`;

it.each(WORKER_COUNTS)(
  '24 configurations with mistakes in a row leave the one serving that has none, with workers: %d',
  async (workers) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    onTestFinished(() => void taken.close());
    const { port: takenPort } = taken.address() as { port: number };
    const main = `worker_processes ${workers};`;
    const served = await ServedFolder.start(file(server('location / { return 200 good; }'), main));
    const good = server('location / { return 200 bad; }');
    const mistakes = [
      'http {',
      'http { } }',
      'nonsense',
      file('nonsense on;'),
      file(server('location / { proxy_pas http://a; }')),
      file(`${good} gzip maybe;`),
      file(server('listen 127.0.0.1:99999;')),
      file(server(`listen 127.0.0.1:${takenPort};`)),
      file(`${good} ${server(`listen 127.0.0.1:${takenPort} default_server;`)}`),
      file(server('listen 203.0.113.1:80;')),
      file(server('location / { proxy_pass http://$nosuch; }')),
      file(server('location / { } location / { }')),
      file(server('location ~ "(" { }')),
      file(`${good} include nosuch.conf;`),
      file(`${good} include nginx.conf;`),
      file(`${good} upstream a { }`),
      file(`${good} upstream a { server 127.0.0.1:1; } upstream a { server 127.0.0.1:1; }`),
      file(`${good} limit_req_zone $remote_addr zone=a:1m;`),
      file(server('limit_req zone=nosuch; location / { return 200 bad; }')),
      file(`${good} log_format combined x;`),
      file(server('access_log nosuch/access.log;')),
      file(good, 'error_log nosuch/error.log;'),
      file(`${good} proxy_cache_path cache keys_zone=a;`),
      file(server('location / { return 200 "bad; }')),
    ];
    expect(mistakes).toHaveLength(24);
    for (const [i, mistake] of mistakes.entries()) {
      served.write(`${main} ${mistake}`);
      const before = served.read('error.log').match(/\[emerg\]/g)?.length ?? 0;
      served.signal('SIGHUP');
      await served.logged(/SIGHUP received/, i + 1);
      await served.logged(/\[emerg\]/, before + 1);
      for (let i = 0; i < workers * 3; i++)
        expect([mistake, await served.get('/')]).toEqual([mistake, '200 good']);
    }
    served.write(file(server('location / { return 200 better; }'), main));
    served.signal('SIGHUP');
    await expect.poll(() => served.get('/')).toBe('200 better');
    expect(served.read('error.log')).not.toMatch(/\[alert\]/);
  },
  60_000,
);

describe.each(WORKER_COUNTS)('logs on a disk that is full, with workers: %d,', (workers) => {
  const main = `worker_processes ${workers};`;

  it('cost no answer', async () => {
    const served = await ServedFolder.start(
      `${main} error_log /dev/full info; events {} http { access_log /dev/full; ${server(
        'location / { return 200 ok; } location /no { proxy_pass http://127.0.0.1:1; }',
      )} }`,
    );
    for (let i = 0; i < 20; i++) expect(await served.get('/')).toBe('200 ok');
    expect(await served.get('/no')).toMatch(/^502 /);
    served.signal('SIGQUIT');
    expect((await served.program.ended).code).toBe(0);
  });

  const small = mkdtempSync(join(tmpdir(), 'sluice-small-'));
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'none', small]).status === 0;
  if (!isMounted) process.stderr.write('skipped: a small disk needs the right to mount one\n');
  afterAll(() => {
    if (isMounted) spawnSync('umount', [small]);
    rmSync(small, { recursive: true });
  });

  it.skipIf(!isMounted)('get the lines that were held once there is room', async () => {
    const served = await ServedFolder.start(
      file(server(`access_log ${small}/access.log; location / { return 200 ok; }`), main),
    );
    expect(() => writeFileSync(join(small, 'filler'), Buffer.alloc(64 * 1024))).toThrow('ENOSPC');
    for (let i = 0; i < 20; i++) expect(await served.get(`/${i}`)).toBe('200 ok');
    expect(readFileSync(join(small, 'access.log'), 'latin1')).not.toContain('/19 ');
    rmSync(join(small, 'filler'));
    await expect
      .poll(() => readFileSync(join(small, 'access.log'), 'latin1').match(/"GET \/\d+ /g)?.length, {
        timeout: 5000,
      })
      .toBe(20);
  });
});

it.each(WORKER_COUNTS)(
  'a name server that goes away leaves the addresses that it gave, and is believed again when it is back, with workers: %d',
  async (workers) => {
    const [a] = await startOrigins('a');
    const dns = await DnsServer.start({ 'app.test': ['A 127.0.0.1'] });
    const served = await ServedFolder.start(
      file(
        `resolver ${dns.name} valid=1s ipv6=off; resolver_timeout 200ms;
        upstream app { zone app 64k; server app.test:${a!.address.port} resolve; }
        ${server('location / { proxy_pass http://app; }')}`,
        `worker_processes ${workers};`,
      ),
    );
    /** What all workers answer, each of which looks names up for itself. */
    const answers = async () => {
      const all = await Promise.all(Array.from({ length: workers * 4 }, () => served.get('/')));
      return [...new Set(all.map((answer) => answer.slice(0, '200 a'.length)))];
    };
    await expect.poll(answers, { timeout: 10_000 }).toEqual(['200 a']);
    await dns.stop();
    await served.logged(/app\.test could not be resolved/, 2 * workers);
    expect(await answers()).toEqual(['200 a']);
    dns.records.set('app.test', ['A 127.0.0.9']);
    await dns.comeBack();
    await expect.poll(answers, { timeout: 10_000 }).toEqual(['502 <']);
    dns.records.set('app.test', ['A 127.0.0.1']);
    await expect.poll(answers, { timeout: 10_000 }).toEqual(['200 a']);
  },
  40_000,
);

describe('an upstream server that is killed', () => {
  const APP = `
    import { createServer } from 'node:http';
    const server = createServer((request, response) => setTimeout(() => response.end(process.argv[1]), 5));
    server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening on ' + server.address().port));`;

  it('costs no request that may be asked again, nobody when it is back, and 502 only when all are gone', async () => {
    const [one, two] = [await startScript(APP, ['one', 0]), await startScript(APP, ['two', 0])];
    const served = await ServedFolder.start(
      file(`upstream app { server 127.0.0.1:${one.port} fail_timeout=1s; server 127.0.0.1:${two.port} fail_timeout=1s; }
        ${server('location / { proxy_pass http://app; }')}`),
    );
    const seen = new Map<string, number>();
    let isEnding = false;
    const ask = async () => {
      while (!isEnding) {
        const answer = await served.get('/');
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
    };
    const asking = Array.from({ length: 8 }, ask);
    await expect.poll(() => seen.size).toBe(2);
    await one.program.kill();
    seen.clear();
    await expect.poll(() => seen.get('200 two') ?? 0).toBeGreaterThan(100);
    const back = await startScript(APP, ['one', one.port]);
    await expect.poll(() => seen.get('200 one') ?? 0, { timeout: 5000 }).toBeGreaterThan(10);
    isEnding = true;
    await Promise.all(asking);
    expect([...seen.keys()].sort()).toEqual(['200 one', '200 two']);
    await Promise.all([back.program.kill(), two.program.kill()]);
    expect(await served.get('/')).toMatch(/^502 /);
    await startScript(APP, ['two', two.port]);
    await expect.poll(() => served.get('/'), { timeout: 5000 }).toBe('200 two');
  });
});

describe('the end of a process', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const START = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfi';

  async function startBusy(main = '') {
    const origin = await startOrigin();
    const served = await ServedFolder.start(
      file(server(`access_log access.log; location / { proxy_pass http://${origin.name}; }`), main),
    );
    const client = await served.connect();
    await client.send(GET);
    const upstream = await origin.accept();
    await upstream.readHead();
    await upstream.send(START);
    await client.readUntil('fi');
    return { served, client, upstream };
  }

  it('by QUIT waits for what runs, and says how much that is', async () => {
    const { served, client, upstream } = await startBusy();
    served.signal('SIGQUIT');
    await served.logged(/\[notice\].* 1 request or tunnel left after 1 s; TERM cuts them off now$/);
    expect(served.program.child.exitCode).toBeNull();
    await upstream.send('ne');
    await client.readUntil('ne');
    client.close();
    expect((await served.program.ended).code).toBe(0);
    expect(served.read('access.log')).toMatch(/"GET \/ HTTP\/1.1" 200 4 /);
  });

  it('by TERM cuts it off, by TERM behind QUIT too', async () => {
    for (const signals of [['SIGTERM'], ['SIGQUIT', 'SIGTERM']] as const) {
      const { served, client } = await startBusy();
      for (const signal of signals) {
        served.signal(signal);
        await served.logged(new RegExp(`${signal} received`));
      }
      await client.waitForEnd();
      expect((await served.program.ended).code).toBe(0);
      expect(served.read('access.log')).toMatch(/"GET \/ HTTP\/1.1" 200 2 /);
    }
  });

  it('by QUIT takes no longer than worker_shutdown_timeout', async () => {
    const { served, client } = await startBusy('worker_shutdown_timeout 300ms;');
    const startMs = performance.now();
    served.signal('SIGQUIT');
    await client.waitForEnd();
    expect((await served.program.ended).code).toBe(0);
    expect(performance.now() - startMs).toBeGreaterThan(250);
    expect(performance.now() - startMs).toBeLessThan(3000);
    expect(served.read('access.log')).toMatch(/"GET \/ HTTP\/1.1" 200 2 /);
  });
});
