// limit_req, limit_conn and limit_rate as clients and logs see them.
import { describe, expect, it } from 'vitest';
import { get, serveConf } from './conf-scene.js';
import { startOrigin, unusedAddress } from './scene.js';

/** What the clients of many requests at once are answered. */
async function statusesOf(count: number, request: () => Promise<{ status: number }>): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, request));
  return answers.map(({ status }) => status).sort();
}

/** Begins a request without waiting for its answer. */
async function begin(conf: Awaited<ReturnType<typeof serveConf>>, target: string) {
  const client = await conf.connect();
  await client.send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return client;
}

describe('limit_req', () => {
  it('refuses what is beyond rate and burst, with its status, and says why', async () => {
    const conf = await serveConf(`
      limit_req_zone $arg_key zone=one:1m rate=1r/m;
      server {
        listen %PORT%;
        location / { limit_req zone=one burst=2 nodelay; limit_req_status 429; empty_gif; }
      }`);
    expect(await statusesOf(5, () => get(conf, '/?key=a'))).toEqual([200, 200, 200, 429, 429]);
    expect(await statusesOf(1, () => get(conf, '/?key=b'))).toEqual([200]);
    expect(await statusesOf(9, () => get(conf, '/'))).toEqual(Array(9).fill(200));
    const lines = conf.log('error.log').matching(/limiting requests/);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /\[error\] .*: \*\d+ limiting requests, excess: \d\.\d{3} by zone "one", client: 127\.0\.0\.1, .*request: "GET \/\?key=a HTTP\/1\.1"/,
    );
  });

  it('delays what is beyond the rate, and lets go of a client that leaves meanwhile', async () => {
    const conf = await serveConf(`
      limit_req_zone $server_port zone=one:1m rate=2r/s;
      log_format status '$status $limit_req_status';
      access_log access.log status;
      server {
        listen %PORT%;
        limit_req zone=one burst=5;
        add_header X-Limit $limit_req_status always;
        location / { empty_gif; }
      }`);
    const startMs = performance.now();
    expect((await get(conf, '/')).fields['x-limit']).toBe('PASSED');
    const leaver = await begin(conf, '/');
    await conf.log('error.log').waitFor(/\[warn\] .*delaying request, excess: \d\.\d{3}, by zone "one"/);
    leaver.reset();
    await conf.log('access.log').waitFor(/499 DELAYED/);
    const delayed = await get(conf, '/');
    expect(delayed.fields['x-limit']).toBe('DELAYED');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(950);
  });

  it('counts a request in all of its zones or in none', async () => {
    const conf = await serveConf(`
      limit_req_zone $arg_a zone=wide:1m rate=1r/m;
      limit_req_zone $arg_b zone=narrow:1m rate=1r/m;
      server {
        listen %PORT%;
        location /both { limit_req zone=wide burst=1 nodelay; limit_req zone=narrow nodelay; empty_gif; }
        location /wide { limit_req zone=wide burst=1 nodelay; empty_gif; }
      }`);
    expect((await get(conf, '/both?a=1&b=1')).status).toBe(200);
    for (let i = 0; i < 3; i++) expect((await get(conf, '/both?a=1&b=1')).status).toBe(503);
    expect((await get(conf, '/wide?a=1')).status).toBe(200);
    expect((await get(conf, '/wide?a=1')).status).toBe(503);
  });

  it('with dry run only says what it would do', async () => {
    const conf = await serveConf(`
      limit_req_zone $server_port zone=one:1m rate=1r/m;
      limit_req_dry_run on;
      limit_req_log_level notice;
      server {
        listen %PORT%;
        limit_req zone=one burst=1;
        add_header X-Limit $limit_req_status always;
        location / { empty_gif; }
      }`);
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await get(conf, '/')).fields['x-limit']);
    expect(statuses).toEqual(['PASSED', 'DELAYED_DRY_RUN', 'REJECTED_DRY_RUN']);
    const log = conf.log('error.log');
    expect(log.matching(/\[info\] .*delaying request, dry run, excess: /)).toHaveLength(1);
    expect(log.matching(/\[notice\] .*limiting requests, dry run, excess: /)).toHaveLength(1);
  });

  it('limits a request once, also when it is redirected to another location', async () => {
    const conf = await serveConf(`
      limit_req_zone $server_port zone=one:1m rate=1r/m;
      limit_req zone=one;
      server {
        listen %PORT%;
        location / { return 404; error_page 404 = /page; }
        location /page { empty_gif; }
      }`);
    expect((await get(conf, '/')).status).toBe(200);
    const refused = await get(conf, '/');
    expect(refused.status).toBe(503);
  });

  it('goes on counting after a reload, as long as the key is the same', async () => {
    const text = (key: string, size = '1m') => `
      limit_req_zone ${key} zone=one:${size} rate=1r/m;
      server { listen %PORT%; location / { limit_req zone=one; empty_gif; } }`;
    const conf = await serveConf(text('$server_port'));
    expect((await get(conf, '/')).status).toBe(200);
    await conf.reload(text('$server_port'));
    expect((await get(conf, '/')).status).toBe(503);
    await expect(conf.reload(text('$host'))).rejects.toThrow(
      'limit_req "one" uses the "$host" key while previously it used the "$server_port" key',
    );
    await conf.reload(text('$server_port', '2m'));
    expect((await get(conf, '/')).status).toBe(200);
  });

  it.each([
    ['limit_req_zone $host zone=one rate=1r/s;', 'invalid zone size "zone=one"'],
    ['limit_req_zone $host zone=one:x rate=1r/s;', 'invalid zone size "zone=one:x"'],
    ['limit_req_zone $host zone=one:31k rate=1r/s;', 'zone "zone=one:31k" is too small'],
    ['limit_req_zone $host zone=:1m rate=1r/s;', '"limit_req_zone" must have "zone" parameter'],
    ['limit_req_zone $host zone=one:1m rate=0r/s;', 'invalid rate "rate=0r/s"'],
    ['limit_req_zone $host zone=one:1m rate=1r/h;', 'invalid rate "rate=1r/h"'],
    ['limit_req_zone $host zone=one:1m;', 'invalid number of arguments in "limit_req_zone" directive'],
    ['limit_req_zone $nothing zone=one:1m rate=1r/s;', 'unknown "nothing" variable'],
    [
      'limit_req_zone $host zone=a:1m rate=1r/s; limit_req_zone $uri zone=a:1m rate=1r/s;',
      'limit_req_zone "a" is already bound to key "$host"',
    ],
    [
      'limit_req_zone $host zone=a:1m rate=1r/s; limit_conn_zone $host zone=a:1m;',
      'the shared memory zone "a" is already declared for a different use',
    ],
    ['server { listen %PORT%; limit_req zone=none; }', 'zero size shared memory zone "none"'],
    ['server { listen %PORT%; limit_req burst=1; }', '"limit_req" must have "zone" parameter'],
    ['server { listen %PORT%; limit_req zone=a burst=0; }', 'invalid burst value "burst=0"'],
    ['server { listen %PORT%; limit_req zone=a delay=x; }', 'invalid delay value "delay=x"'],
    [
      'limit_req_zone $host zone=a:1m rate=1r/s; server { listen %PORT%; limit_req zone=a; limit_req zone=a; }',
      '"limit_req" directive is duplicate',
    ],
  ])('%s is refused in the words of nginx', async (text, words) => {
    await expect(serveConf(text)).rejects.toThrow(words);
  });
});

describe('limit_conn', () => {
  const conf = (origin: string, more = '') => `
    limit_conn_zone $arg_key zone=addr:1m;
    limit_conn_zone $server_port zone=all:1m;
    log_format status '$status $limit_conn_status';
    ${more}
    server {
      listen %PORT%;
      location / {
        access_log access.log status;
        limit_conn addr 1;
        limit_conn all 3;
        proxy_pass http://${origin};
      }
    }`;

  it('counts requests under way, refuses more, and counts them no more when they are over', async () => {
    const origin = await startOrigin();
    const served = await serveConf(conf(origin.name));
    const first = await begin(served, '/?key=a');
    const upstream = await origin.accept();
    await upstream.readRequest();
    expect((await get(served, '/?key=a')).status).toBe(503);
    await served
      .log('error.log')
      .waitFor(
        /\[error\] .*limiting connections by zone "addr", client: 127\.0\.0\.1, .*request: "GET \/\?key=a/,
      );
    await begin(served, '/?key=b');
    await (await origin.accept()).readRequest();
    await upstream.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    await first.readResponse();
    await begin(served, '/?key=a');
    await (await origin.accept()).readRequest();
    expect(served.log('access.log').lines).toEqual(['503 REJECTED', '200 PASSED']);
  });

  it('lets go of clients that break off', async () => {
    const origin = await startOrigin();
    const served = await serveConf(conf(origin.name));
    for (let i = 0; i < 5; i++) {
      const client = await begin(served, '/?key=a');
      await (await origin.accept()).readRequest();
      client.reset();
      await served.log('access.log').waitFor(/499 PASSED/, i + 1);
    }
  });

  it('has no place taken by a client that closed its connection, when that comes again', async () => {
    const origin = await startOrigin();
    const served = await serveConf(conf(origin.name));
    const leaver = await begin(served, '/?key=a');
    await (await origin.accept()).readRequest();
    leaver.end();
    const again = await begin(served, '/?key=a');
    const upstream = await origin.accept();
    await upstream.readRequest();
    await upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await again.readResponse()).text).toBe('ok');
  });

  it('releases what it took in one zone when another refuses', async () => {
    const origin = await startOrigin();
    const served = await serveConf(conf(origin.name));
    for (const key of ['a', 'b', 'c']) {
      await begin(served, `/?key=${key}`);
      await (await origin.accept()).readRequest();
    }
    for (let i = 0; i < 3; i++) expect((await get(served, '/?key=d')).status).toBe(503);
    expect(served.log('error.log').matching(/limiting connections by zone "all"/)).toHaveLength(3);
    expect(served.log('error.log').matching(/by zone "addr"/)).toHaveLength(0);
  });

  it('with dry run only says what it would do', async () => {
    const origin = await startOrigin();
    const served = await serveConf(conf(origin.name, 'limit_conn_dry_run on; limit_conn_log_level info;'));
    await begin(served, '/?key=a');
    await (await origin.accept()).readRequest();
    const second = await begin(served, '/?key=a');
    const upstream = await origin.accept();
    await upstream.readRequest();
    await upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect((await second.readResponse()).status).toBe(200);
    await served.log('access.log').waitFor(/200 REJECTED_DRY_RUN/);
    await served.log('error.log').waitFor(/\[info\] .*limiting connections, dry run, by zone "addr"/);
  });

  it('keeps its counts over a reload', async () => {
    const origin = await startOrigin();
    const served = await serveConf(conf(origin.name));
    const first = await begin(served, '/?key=a');
    const upstream = await origin.accept();
    await upstream.readRequest();
    await served.reload(conf(origin.name));
    expect((await get(served, '/?key=a')).status).toBe(503);
    await upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await first.readResponse();
    await served.log('access.log').waitFor(/200 PASSED/);
    const next = await begin(served, '/?key=a');
    await (await origin.accept()).readRequest();
    next.close();
    await served.log('access.log').waitFor(/499 PASSED/);
  });

  it.each([
    ['limit_conn none 1;', 'zero size shared memory zone "none"'],
    ['limit_conn addr 0;', 'invalid number of connections "0"'],
    ['limit_conn addr 65536;', 'connection limit must be less 65536'],
    ['limit_conn addr 1; limit_conn addr 2;', '"limit_conn" directive is duplicate'],
    ['limit_conn_status 200;', 'value must be between 400 and 599'],
  ])('%s is refused in the words of nginx', async (directives, words) => {
    const text = `limit_conn_zone $host zone=addr:1m; server { listen %PORT%; ${directives} }`;
    await expect(serveConf(text)).rejects.toThrow(words);
  });
});

describe('limit_rate', () => {
  it('holds a response to the bytes of a second, from when limit_rate_after says', async () => {
    const body = Array.from({ length: 5000 }, (_, i) => i)
      .join(',')
      .slice(0, 20_000);
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    const served = await serveConf(`
      server {
        listen %PORT%;
        limit_rate $arg_rate;
        limit_rate_after $arg_after;
        location / { proxy_pass http://${origin.name}; }
        location /set { set $limit_rate 8k; proxy_pass http://${origin.name}; }
      }`);
    const timed = async (target: string) => {
      const startMs = performance.now();
      const answer = await get(served, target);
      expect(answer.body).toBe(body);
      return performance.now() - startMs;
    };
    const [slow, late, unlimited, set] = await Promise.all(
      ['/?rate=8k', '/?rate=1&after=20k', '/', '/set'].map(timed),
    );
    expect(slow).toBeGreaterThan(1900);
    expect(set).toBeGreaterThan(1900);
    expect(late).toBeLessThan(1500);
    expect(unlimited).toBeLessThan(1500);
  });

  it('is not waited for when its client closes', async () => {
    const served = await serveConf(`
      access_log access.log;
      server { listen %PORT%; limit_rate 50; location / { return 200 ${'x'.repeat(1000)}; } }`);
    const client = await begin(served, '/');
    await client.readHead();
    const closedMs = performance.now();
    client.end();
    await served.log('access.log').waitFor(/"GET \/ HTTP\/1.1" 200 /);
    // Twenty seconds would be its time, and a second what a client has that ends its side and still reads.
    expect(performance.now() - closedMs).toBeLessThan(900);
  });

  it('leaves no deadline behind when its client goes', async () => {
    const served = await serveConf(`
      access_log access.log;
      server { listen %PORT%; limit_rate 500; location / { return 200 ${'x'.repeat(1000)}; } }`);
    const before = served.deadlineCount;
    const client = await begin(served, '/');
    await client.readHead();
    expect(served.deadlineCount).toBeGreaterThan(before);
    client.reset();
    await served.log('access.log').waitFor(/"GET \/ HTTP\/1.1" 200 \d{3} /);
    expect(served.deadlineCount).toBe(before);
  });

  it('is refused when it is no size', async () => {
    await expect(serveConf('server { listen %PORT%; limit_rate 1x; }')).rejects.toThrow(
      '"limit_rate" directive invalid value',
    );
  });
});

it('limits hold for what an upstream could not answer', async () => {
  const { port } = await unusedAddress();
  const served = await serveConf(`
    limit_conn_zone $server_port zone=all:1m;
    server { listen %PORT%; limit_conn all 1; location / { proxy_pass http://127.0.0.1:${port}; } }`);
  for (let i = 0; i < 3; i++) expect((await get(served, '/')).status).toBe(502);
});
