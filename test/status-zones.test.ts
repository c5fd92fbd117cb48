// status_zone: what is counted for servers and locations, and that it outlives a reload.
import { expect, it } from 'vitest';
import type { ZoneSnapshot } from '../src/metrics/zone-counters.js';
import type { TestConf } from '../src/testing/index.js';
import { ask, get, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

function zone(conf: TestConf, kind: 'servers' | 'locations', name: string): ZoneSnapshot {
  return conf.server.cycle.context.statusZones[kind].get(name)!.snapshot();
}

it('counts the requests of a server by status, and their bytes each way', async () => {
  const conf = await serveConf(`
    server { listen %PORT%; server_name a; status_zone site; location / { return 200 hello; } location /no { deny all; } }
    server { listen %PORT%; server_name b; status_zone site; return 302 /; }
    server { listen %PORT%; server_name c; return 204; }`);
  const answers = [
    await get(conf, '/', '', 'a'),
    await get(conf, '/', '', 'b'),
    await get(conf, '/no', '', 'a'),
    await get(conf, '/missing/../..', '', 'a'),
  ];
  await get(conf, '/', '', 'c');
  expect(answers.map(({ status }) => status)).toEqual([200, 302, 403, 400]);
  const { sent, received, ...counts } = zone(conf, 'servers', 'site');
  expect(counts).toEqual({
    processing: 0,
    requests: 4,
    responses: {
      '1xx': 0,
      '2xx': 1,
      '3xx': 1,
      '4xx': 2,
      '5xx': 0,
      codes: { 200: 1, 302: 1, 400: 1, 403: 1 },
      total: 4,
    },
    discarded: 0,
  });
  expect(sent).toBe(answers.reduce((sum, { head, body }) => sum + head.length + body.length, 0));
  const fields = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'.length;
  expect(received).toBe('GET / GET / GET /no GET /missing/../.. '.length + 4 * fields);
});

it('counts a head that is no request for the default server, and an unanswered request as discarded', async () => {
  const conf = await serveConf(`
    server { listen %PORT%; status_zone first; return 444; }
    server { listen %PORT%; server_name b; status_zone second; return 204; }`);
  await ask(conf, 'GET / HTTP/1.1\r\nHost: b\r\nContent-Length: x\r\n\r\n');
  const client = await conf.connect();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await client.readToEnd()).toBe('');
  expect(zone(conf, 'servers', 'first')).toMatchObject({
    processing: 0,
    requests: 2,
    responses: { codes: { 400: 1 }, total: 1 },
    discarded: 1,
  });
  expect(zone(conf, 'servers', 'second').requests).toBe(0);
});

it('has a request in processing until its answer is out, and goes on counting after a reload', async () => {
  const origin = await startOrigin();
  const text = (more: string) => `
    server { listen %PORT%; status_zone site; ${more}
      location / { proxy_pass http://127.0.0.1:${origin.address.port}; }
      location /now { return 204; } }`;
  const conf = await serveConf(text(''));
  await get(conf, '/now');
  const client = await conf.connect();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const exchange = await origin.accept();
  await exchange.readHead();
  expect(zone(conf, 'servers', 'site')).toMatchObject({
    processing: 1,
    requests: 2,
    responses: { total: 1 },
  });
  await conf.reload(text('add_header X-New yes;'));
  expect(zone(conf, 'servers', 'site')).toMatchObject({ processing: 1, requests: 2 });
  await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  await client.readToEnd();
  await get(conf, '/now');
  expect(zone(conf, 'servers', 'site')).toMatchObject({
    processing: 0,
    requests: 3,
    responses: { '2xx': 3 },
  });
});

it('counts for the location where a request ends, and for those inside of one that has a zone, but for off', async () => {
  const conf = await serveConf(`
    server {
      listen %PORT%;
      status_zone site;
      location /api {
        status_zone api;
        location /api/quiet { status_zone off; return 204; }
        location /api/v1 { if ($arg_x) { status_zone odd; return 400; } return 200 one; }
        return 200 api;
      }
      location /old { rewrite ^ /api/new; }
      location / { return 204; }
    }`);
  for (const target of ['/api', '/api/quiet', '/api/v1', '/api/v1?x=1', '/old', '/']) await get(conf, target);
  expect(zone(conf, 'servers', 'site').requests).toBe(6);
  expect(zone(conf, 'locations', 'api')).toMatchObject({ requests: 3, responses: { '2xx': 3, total: 3 } });
  expect(zone(conf, 'locations', 'odd')).toMatchObject({ requests: 1, responses: { codes: { 400: 1 } } });
  expect([...conf.server.cycle.context.statusZones.locations.keys()]).toEqual(['api', 'odd']);
});

it('says what is wrong with a zone without a name', async () => {
  await expect(serveConf('server { listen %PORT%; status_zone ""; }')).rejects.toThrow(
    'invalid zone name ""',
  );
});
