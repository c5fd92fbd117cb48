// The status API: what it tells, in the shape of NGINX Plus's, and what it refuses.
import { describe, expect, it } from 'vitest';
import type { TestConf } from '../src/testing/index.js';
import { answer, startOrigins } from './answering-origins.js';
import { call } from './api-client.js';
import { ask, get, serveConf } from './conf-scene.js';
import { DnsServer } from './dns-server.js';
import { folderOf } from './folder.js';
import { startOrigin } from './scene.js';

const SERVERS = '/api/9/http/upstreams/app/servers';

function serveApi(group = 'server 127.0.0.1:1;', api = 'api write=on;', more = ''): Promise<TestConf> {
  return serveConf(`
    upstream app { zone app 64k; ${group} }
    upstream fixed { server 127.0.0.1:1; }
    server {
      listen 127.0.0.1:%PORT%;
      location / { proxy_pass http://app; }
      location /api { ${api} }
      ${more}
    }`);
}

describe('the API tells', () => {
  it('its versions, and what each of them has', async () => {
    const conf = await serveApi();
    expect((await call(conf, 'GET', '/api')).json).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await call(conf, 'GET', '/api/')).json).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const newest = (await call(conf, 'GET', '/api/9/')).json;
    expect(newest).toEqual(
      expect.arrayContaining(['nginx', 'connections', 'http', 'slabs', 'ssl', 'workers']),
    );
    expect(newest).not.toContain('stream');
    expect((await call(conf, 'GET', '/api/8')).json).not.toContain('workers');
    expect((await call(conf, 'GET', '/api/9/http')).json).toEqual(
      expect.arrayContaining(['requests', 'upstreams']),
    );
  });

  it('of the process and its configuration', async () => {
    const conf = await serveApi();
    const { json, fields } = await call(conf, 'GET', '/api/9/nginx');
    expect(json).toMatchObject({ address: '127.0.0.1', generation: 1, pid: process.pid, ppid: process.ppid });
    expect(json.build).toMatch(/^sluice-\d+\.\d+\.\d+/);
    expect(Date.parse(json.timestamp) - Date.parse(json.load_timestamp)).toBeGreaterThanOrEqual(0);
    expect(json.load_timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(fields).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    const text = `server { listen 127.0.0.1:${conf.address.port}; location /api { api; } }`;
    await conf.reload(text);
    await expect(
      conf.reload('server { listen 127.0.0.1:1; location / { proxy_pass nothing; } }'),
    ).rejects.toThrow();
    await conf.reload(text);
    expect((await call(conf, 'GET', '/api/9/nginx?fields=generation')).json).toEqual({ generation: 3 });
  });

  it('of connections and requests, which can begin anew', async () => {
    const conf = await serveApi();
    await call(conf, 'GET', '/api/9/nginx');
    const idle = await conf.connect();
    await expect
      .poll(async () => (await call(conf, 'GET', '/api/9/connections')).json)
      .toMatchObject({ dropped: 0, active: 1, idle: expect.any(Number) });
    const { accepted } = (await call(conf, 'GET', '/api/9/connections')).json;
    expect(accepted).toBeGreaterThanOrEqual(4);
    const { json } = await call(conf, 'GET', '/api/9/http/requests');
    expect(json.current).toBe(1);
    expect(json.total).toBeGreaterThanOrEqual(4);
    expect((await call(conf, 'DELETE', '/api/9/connections')).status).toBe(204);
    expect((await call(conf, 'DELETE', '/api/9/http/requests')).status).toBe(204);
    expect((await call(conf, 'GET', '/api/9/http/requests')).json).toEqual({ total: 1, current: 1 });
    expect((await call(conf, 'GET', '/api/9/connections')).json.accepted).toBeLessThan(accepted);
    expect((await call(conf, 'GET', '/api/9/workers/0')).json).toMatchObject({ id: 0, pid: process.pid });
    idle.close();
  });

  it('what became of the requests of each server', async () => {
    const [a] = await startOrigins('a');
    const busy = await startOrigin(async (connection) => {
      for (;;) {
        await connection.readRequest();
        await connection.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
      }
    });
    const conf = await serveApi(
      `server ${a!.name} max_conns=9; server ${busy.name} backup; queue 5 timeout=1s;`,
    );
    for (let i = 0; i < 3; i++) expect((await get(conf, '/')).body).toBe('a');
    const { json } = await call(conf, 'GET', '/api/9/http/upstreams/app');
    expect(json).toMatchObject({ zombies: 0, zone: 'app', queue: { size: 0, max_size: 5, overflows: 0 } });
    const [first, second] = json.peers;
    expect(first).toMatchObject({
      id: 0,
      server: a!.name,
      name: a!.name,
      backup: false,
      weight: 1,
      state: 'up',
      active: 0,
      max_conns: 9,
      requests: 3,
      responses: { '1xx': 0, '2xx': 3, '3xx': 0, '4xx': 0, '5xx': 0, codes: { 200: 3 }, total: 3 },
      received: 3 * answer('a').length,
      fails: 0,
      unavail: 0,
      health_checks: { checks: 0, fails: 0, unhealthy: 0 },
      downtime: 0,
    });
    expect(first.sent).toBeGreaterThan(3 * 'GET / HTTP/1.1\r\n\r\n'.length);
    expect(Math.abs(Date.parse(first.selected) - Date.now())).toBeLessThan(60_000);
    expect(second).toMatchObject({ id: 1, backup: true, requests: 0, responses: { codes: {}, total: 0 } });
    expect(second).not.toHaveProperty('selected');
    await call(conf, 'PATCH', `${SERVERS}/0`, { down: true });
    expect((await get(conf, '/')).status).toBe(503);
    expect((await call(conf, 'GET', '/api/9/http/upstreams/app')).json.peers).toMatchObject([
      { state: 'down' },
      { state: 'up', responses: { '5xx': 1, codes: { 503: 1 } } },
    ]);
    expect((await call(conf, 'DELETE', '/api/9/http/upstreams/app')).status).toBe(204);
    const [, anew] = (await call(conf, 'GET', '/api/9/http/upstreams/app')).json.peers;
    expect(anew).toMatchObject({ requests: 0, responses: { total: 0 }, received: 0 });
  });

  it('since when a server is out, and for how long', async () => {
    const gone = await startOrigin();
    const [b] = await startOrigins('b');
    const conf = await serveApi(`server ${gone.name} fail_timeout=1h; server ${b!.name};`);
    await gone.stop();
    for (let i = 0; i < 2; i++) expect((await get(conf, '/')).body).toBe('b');
    const [peer] = (await call(conf, 'GET', '/api/9/http/upstreams/app')).json.peers;
    expect(peer).toMatchObject({ state: 'unavail', fails: 1, unavail: 1, requests: 1 });
    expect(peer.downtime).toBeGreaterThanOrEqual(0);
    expect(Math.abs(Date.parse(peer.downstart) - Date.now())).toBeLessThan(60_000);
  });

  it('of groups that have a zone alone', async () => {
    const conf = await serveApi();
    expect((await call(conf, 'GET', '/api/9/http/upstreams?fields=')).json).toEqual(['app']);
    expect((await call(conf, 'GET', '/api/9/http/upstreams/?fields=zone,keepalive')).json).toEqual({
      app: { keepalive: 0, zone: 'app' },
    });
    expect((await call(conf, 'GET', '/api/9/http/upstreams/fixed')).json.error.code).toBe('UpstreamNotFound');
  });

  it('of status zones, limits, caches and resolvers, each of which can begin anew', async () => {
    const [a] = await startOrigins('a');
    const dns = await DnsServer.start({ 'app.test': ['A 127.0.0.1'] });
    const conf = await serveConf(`
      proxy_cache_path ${await folderOf()} keys_zone=pages:1m max_size=8m;
      limit_req_zone $arg_u zone=rate:1m rate=1r/m;
      limit_conn_zone $arg_u zone=conns:1m;
      resolver ${dns.name} ipv6=off status_zone=names;
      server {
        listen 127.0.0.1:%PORT%;
        status_zone site;
        location / {
          status_zone pages;
          limit_req zone=rate;
          limit_conn conns 1;
          proxy_cache pages;
          proxy_cache_valid 1h;
          set $name app.test;
          proxy_pass http://$name:${a!.address.port};
        }
        location /api { api write=on; }
      }`);
    expect((await get(conf, '/x?u=1')).body).toBe('a');
    expect((await get(conf, '/x?u=1')).status).toBe(503);
    expect((await get(conf, '/x?u=1&')).status).toBe(503);
    expect((await get(conf, '/x')).body).toBe('a');
    expect((await get(conf, '/x')).body).toBe('a');
    const read = async (path: string) => (await call(conf, 'GET', `/api/9${path}`)).json;
    expect((await read('/http/server_zones')).site).toMatchObject({
      processing: 1,
      responses: { '2xx': 3, '5xx': 2, codes: { 200: 3, 503: 2 } },
      discarded: 0,
    });
    expect(await read('/http/location_zones/pages?fields=requests,responses')).toMatchObject({
      requests: 5,
      responses: { '1xx': 0, '2xx': 3, '3xx': 0, '4xx': 0, '5xx': 2, total: 5 },
    });
    expect(await read('/http/limit_reqs/rate')).toEqual({
      passed: 1,
      delayed: 0,
      rejected: 2,
      delayed_dry_run: 0,
      rejected_dry_run: 0,
    });
    expect(await read('/http/limit_conns')).toEqual({
      conns: { passed: 1, rejected: 0, rejected_dry_run: 0 },
    });
    expect((await read('/http/caches')).pages).toMatchObject({
      max_size: 8 << 20,
      hit: { responses: 1, bytes: 1 },
      miss: { responses: 2, bytes: 2, responses_written: 2 },
      bypass: { responses: 0 },
    });
    expect((await read('/resolvers')).names).toMatchObject({
      requests: { name: 1, srv: 0, addr: 0 },
      responses: { noerror: 1, nxdomain: 0, timedout: 0 },
    });
    for (const path of [
      '/http/server_zones/site',
      '/http/location_zones/pages',
      '/http/limit_reqs/rate',
      '/http/limit_conns/conns',
      '/http/caches/pages',
      '/resolvers/names',
    ]) {
      expect((await call(conf, 'DELETE', `/api/9${path}`)).status).toBe(204);
    }
    expect((await read('/http/location_zones/pages')).requests).toBe(0);
    expect((await read('/http/limit_reqs/rate')).rejected).toBe(0);
    expect((await read('/http/caches/pages')).miss.responses).toBe(0);
    expect((await read('/resolvers/names')).requests.name).toBe(0);
    expect(await read('/http/server_zones/none')).toMatchObject({ error: { code: 'ServerZoneNotFound' } });
  });

  it('the same by HEAD, without its body', async () => {
    const conf = await serveApi();
    const { status, fields, body } = await call(conf, 'HEAD', '/api/9/ssl');
    expect([status, body]).toEqual([200, '']);
    expect(Number(fields['content-length'])).toBeGreaterThan(2);
  });

  it('it in locations of every kind', async () => {
    const more = 'location = /exact { api; } location ~ ^/by/regex { api; } location /slash/ { api; }';
    const conf = await serveApi(undefined, undefined, more);
    expect((await call(conf, 'GET', '/exact')).json).toHaveLength(9);
    expect((await call(conf, 'GET', '/by/regex/9/http/requests')).json).toHaveProperty('total');
    expect((await call(conf, 'GET', '/slash/9/http/requests')).json).toHaveProperty('total');
  });
});

describe('the API refuses', () => {
  it.each([
    ['GET', '/api/10/nginx', 404, 'UnknownVersion'],
    ['GET', '/api/x', 404, 'UnknownVersion'],
    ['GET', '/api/9/nothing', 404, 'PathNotFound'],
    ['GET', '/api/9/stream', 404, 'PathNotFound'],
    ['GET', '/api/8/workers', 404, 'PathNotFound'],
    ['GET', '/api/9/slabs/app', 404, 'SlabNotFound'],
    ['GET', '/api/9/workers/7', 404, 'WorkerNotFound'],
    ['GET', '/api/9/http/upstreams/none/', 404, 'UpstreamNotFound'],
    ['GET', '/api/9/http/upstreams/none/servers', 404, 'UpstreamNotFound'],
    ['GET', `${SERVERS}/7`, 404, 'UpstreamServerNotFound'],
    ['GET', `${SERVERS}/first`, 400, 'UpstreamBadServerId'],
    ['DELETE', `${SERVERS}/7`, 404, 'UpstreamServerNotFound'],
    ['DELETE', '/api/9/nginx', 405, 'MethodDisabled'],
    ['PUT', SERVERS, 405, 'MethodDisabled'],
    ['OPTIONS', '/api', 405, 'MethodDisabled'],
  ])('%s %s with %i %s', async (method, target, status, code) => {
    const conf = await serveApi();
    const { status: got, json, fields } = await call(conf, method, target);
    expect(got).toBe(status);
    expect(json).toEqual({
      error: { status, text: expect.stringMatching(/./), code },
      request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      href: expect.stringMatching(/^https:/),
    });
    if (status === 405) expect(fields.allow).toMatch(/^GET, HEAD/);
  });

  it('every change without write=on, and says what is left', async () => {
    const conf = await serveApi(undefined, 'api;');
    for (const method of ['POST', 'PATCH', 'DELETE']) {
      const { status, json, fields } = await call(conf, method, `${SERVERS}/0`, { weight: 2 });
      expect([status, json.error.code, fields.allow]).toEqual([405, 'MethodDisabled', 'GET, HEAD']);
    }
    expect((await call(conf, 'GET', `${SERVERS}/0`)).json.weight).toBe(1);
  });

  it.each([
    [{}, 'UpstreamConfFormatError', /missing "server"/],
    [[], 'UpstreamConfFormatError', /a JSON object/],
    ['"127.0.0.1:2"', 'UpstreamConfFormatError', /a JSON object/],
    [{ server: '127.0.0.1:2', colour: 1 }, 'UpstreamConfFormatError', /unknown parameter "colour"/],
    ['{"server":"127.0.0.1:2","__proto__":{}}', 'UpstreamConfFormatError', /unknown parameter "__proto__"/],
    [{ server: '127.0.0.1:2', id: 4 }, 'UpstreamConfFormatError', /unknown parameter "id"/],
    [
      { server: '127.0.0.1:2', weight: { a: 1 } },
      'UpstreamConfFormatError',
      /nested object or list.*"weight"/,
    ],
    [
      { server: '127.0.0.1:2', weight: 0 },
      'UpstreamBadWeight',
      /invalid "weight": 0 is not a whole number from 1/,
    ],
    [{ server: '127.0.0.1:2', weight: '2' }, 'UpstreamBadWeight', /invalid "weight": "2"/],
    [{ server: '127.0.0.1:2', max_conns: -1 }, 'UpstreamBadMaxConns', /invalid "max_conns": -1/],
    [{ server: '127.0.0.1:2', max_fails: 1.5 }, 'UpstreamBadMaxFails', /invalid "max_fails": 1.5/],
    [{ server: '127.0.0.1:2', fail_timeout: 'soon' }, 'UpstreamBadFailTimeout', /"soon" is not a time/],
    [{ server: '127.0.0.1:2', slow_start: 5 }, 'UpstreamBadSlowStart', /invalid "slow_start": 5/],
    [{ server: '127.0.0.1:2', route: 'x'.repeat(33) }, 'UpstreamBadRoute', /too long/],
    [{ server: '127.0.0.1:2', down: 'yes' }, 'UpstreamConfFormatError', /"yes" is neither true nor false/],
    [{ server: '127.0.0.1:99999' }, 'UpstreamBadAddress', /invalid port/],
    [{ server: 'a b' }, 'UpstreamBadAddress', /"a b"/],
    [{ server: 7 }, 'UpstreamConfFormatError', /invalid "server": 7 is not a string/],
    [{ server: '127.0.0.1:2', service: 'http' }, 'UpstreamBadAddress', /may not have port/],
    [{ server: '127.0.0.1', service: 'http' }, 'UpstreamBadAddress', /requires domain name/],
    [{ server: '127.0.0.1:2', service: '' }, 'UpstreamBadService', /empty/],
  ])('a server of %j as %s', async (body, code, text) => {
    const conf = await serveApi();
    const { status, json } = await call(conf, 'POST', SERVERS, body);
    expect([status, json.error.code]).toEqual([400, code]);
    expect(json.error.text).toMatch(text);
    expect((await call(conf, 'GET', SERVERS)).json).toHaveLength(1);
  });

  it.each([
    [{ backup: true }, /"backup" can't be changed/],
    [{ service: 'http' }, /"service" can't be changed/],
    [{ id: 3 }, /"id" of server "0" can't be changed/],
  ])('a change of %j', async (body, text) => {
    const conf = await serveApi();
    const { status, json } = await call(conf, 'PATCH', `${SERVERS}/0`, body);
    expect([status, json.error.code]).toEqual([400, 'UpstreamConfFormatError']);
    expect(json.error.text).toMatch(text);
    expect(
      (await call(conf, 'PATCH', `${SERVERS}/0`, { id: 0, backup: false, server: '127.0.0.1:1' })).status,
    ).toBe(200);
  });

  it.each([
    ['cut short', '{"server":'],
    ['nothing', ''],
    ['deep', '['.repeat(60_000)],
    ['of other bytes', '\ud800'],
  ])('a body that is no JSON: %s', async (_, body) => {
    const conf = await serveApi();
    const { status, json } = await call(conf, 'POST', SERVERS, body);
    expect([status, json.error.code]).toEqual([415, 'JsonError']);
    expect(json.error.text).toMatch(/^the body is not JSON: ./);
  });

  it('a body beyond 64 kB, whether or not its length is told', async () => {
    const conf = await serveApi();
    const long = `"${'x'.repeat(65_536)}"`;
    expect(await call(conf, 'POST', SERVERS, long)).toMatchObject({
      status: 413,
      json: { error: { code: 'BodyTooLarge' } },
    });
    const head = `POST ${SERVERS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n`;
    const chunked = await ask(
      conf,
      `${head}Transfer-Encoding: chunked\r\n\r\n${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`,
    );
    expect(chunked.status).toBe(413);
    expect(JSON.parse(chunked.body).error.code).toBe('BodyTooLarge');
  });

  it.each(['', 'Content-Type: text/plain\r\n', 'Content-Type: application/x-www-form-urlencoded\r\n'])(
    'a body of another type: %j',
    async (fields) => {
      const conf = await serveApi();
      const { status, json } = await call(conf, 'POST', SERVERS, { server: '127.0.0.1:2' }, fields);
      expect([status, json.error.code]).toEqual([415, 'UnsupportedMediaType']);
      expect(json.error.text).toContain('application/json');
    },
  );

  it.each(['Origin: http://evil.example\r\n', 'Origin: null\r\n', 'Sec-Fetch-Site: cross-site\r\n'])(
    'what a page of another origin asks for: %j',
    async (fields) => {
      const conf = await serveApi();
      const { status, json } = await call(conf, 'DELETE', `${SERVERS}/0`, undefined, fields);
      expect([status, json.error.code]).toEqual([403, 'ForeignOrigin']);
      expect((await call(conf, 'GET', SERVERS)).json).toHaveLength(1);
    },
  );

  it('nothing that a page of its own origin asks for', async () => {
    const conf = await serveApi();
    const fields = 'Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n';
    expect((await call(conf, 'DELETE', `${SERVERS}/0`, undefined, fields)).status).toBe(200);
  });
});
