// Servers of a group that are added, changed, drained and removed while it serves, and the file that keeps them.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { RawOrigin, type TestConf } from '../src/testing/index.js';
import { answer, startOrigins } from './answering-origins.js';
import { call } from './api-client.js';
import { get, serveConf } from './conf-scene.js';
import { DnsServer } from './dns-server.js';
import { folderOf } from './folder.js';
import { unusedAddress } from './scene.js';
import { SteadyLoad } from './steady-load.js';

const SERVERS = '/api/9/http/upstreams/app/servers';

function confOf(group: string, location = '', http = ''): string {
  return `${http}
    upstream app { zone app 64k; ${group} }
    server {
      listen 127.0.0.1:%PORT%;
      location / { proxy_pass http://app; ${location} }
      location /api { api write=on; }
    }`;
}

/** Who answers so many requests. */
async function answerers(conf: TestConf, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push((await get(conf, '/')).body);
  return names;
}

it('a server that is added gets requests, and one that is removed gets no more', async () => {
  const [a, b] = await startOrigins('a', 'b');
  const conf = await serveConf(confOf(`server ${a!.name};`));
  const added = await call(conf, 'POST', SERVERS, { server: b!.name, weight: 2, max_conns: 7 });
  expect(added.status).toBe(201);
  expect(added.fields.location).toMatch(new RegExp(`${SERVERS}/1$`));
  expect(added.json).toEqual({
    id: 1,
    server: b!.name,
    weight: 2,
    max_conns: 7,
    max_fails: 1,
    fail_timeout: '10s',
    slow_start: '0s',
    route: '',
    backup: false,
    down: false,
  });
  expect((await answerers(conf, 6)).sort()).toEqual(['a', 'a', 'b', 'b', 'b', 'b']);
  const left = await call(conf, 'DELETE', `${SERVERS}/0`);
  expect(left).toMatchObject({ status: 200, json: [{ id: 1, server: b!.name }] });
  expect(await answerers(conf, 3)).toEqual(['b', 'b', 'b']);
  expect((await call(conf, 'GET', `${SERVERS}/0`)).json.error.code).toBe('UpstreamServerNotFound');
  expect(
    conf.log('error.log').matching(/api: in upstream "app" server ".*" was added, client: /),
  ).toHaveLength(1);
});

it('a group may begin and end with no server at all', async () => {
  const [a] = await startOrigins('a');
  const conf = await serveConf(confOf(''));
  expect((await get(conf, '/')).status).toBe(502);
  await call(conf, 'POST', SERVERS, { server: a!.name });
  expect((await get(conf, '/')).body).toBe('a');
  expect((await call(conf, 'DELETE', `${SERVERS}/0/`)).json).toEqual([]);
  expect((await get(conf, '/')).status).toBe(502);
});

it('a change holds from the next request on, and says nothing of what it does not name', async () => {
  const [a, b] = await startOrigins('a', 'b');
  const conf = await serveConf(confOf(`server ${a!.name} max_fails=3; server ${b!.name};`));
  expect(
    (await call(conf, 'PATCH', `${SERVERS}/0`, { down: true, fail_timeout: '1m30s' })).json,
  ).toMatchObject({
    down: true,
    max_fails: 3,
    fail_timeout: '90s',
  });
  expect(await answerers(conf, 3)).toEqual(['b', 'b', 'b']);
  await call(conf, 'PATCH', `${SERVERS}/0`, { down: false, weight: 3 });
  expect((await answerers(conf, 4)).sort()).toEqual(['a', 'a', 'a', 'b']);
});

it('a change of address keeps the number', async () => {
  const [a, b] = await startOrigins('a', 'b');
  const conf = await serveConf(confOf(`server ${a!.name} weight=4;`));
  expect((await call(conf, 'PATCH', `${SERVERS}/0`, { server: b!.name })).json).toMatchObject({
    id: 0,
    server: b!.name,
    weight: 4,
  });
  expect(await answerers(conf, 2)).toEqual(['b', 'b']);
});

it('a server that drains gets the requests of its sessions alone', async () => {
  const [a, b] = await startOrigins('a', 'b');
  const conf = await serveConf(
    confOf(`server ${a!.name} route=a; server ${b!.name} route=b; sticky cookie who;`),
  );
  const first = await get(conf, '/');
  const cookie = `Cookie: ${first.fields['set-cookie']!.split(';')[0]}\r\n`;
  const id = first.body === 'a' ? 0 : 1;
  expect((await call(conf, 'PATCH', `${SERVERS}/${id}`, { drain: true })).json.drain).toBe(true);
  const group = await call(conf, 'GET', '/api/9/http/upstreams/app');
  expect(group.json.peers[id].state).toBe('draining');
  expect((await get(conf, '/', cookie)).body).toBe(first.body);
  for (const name of await answerers(conf, 3)) expect(name).not.toBe(first.body);
});

it('a server that drains is told as draining, though it has failed', async () => {
  const { port } = await unusedAddress();
  const [b] = await startOrigins('b');
  const conf = await serveConf(confOf(`server 127.0.0.1:${port}; server ${b!.name};`));
  await answerers(conf, 2);
  const state = async () => (await call(conf, 'GET', '/api/9/http/upstreams/app')).json.peers[0].state;
  expect(await state()).toBe('unavail');
  await call(conf, 'PATCH', `${SERVERS}/0`, { drain: true });
  expect(await state()).toBe('draining');
  await call(conf, 'PATCH', `${SERVERS}/0`, { drain: false });
  expect(await state()).not.toBe('draining');
});

it('no request fails while servers come and go under load', async () => {
  const [a, b, c] = await startOrigins('a', 'b', 'c');
  const conf = await serveConf(confOf(`server ${a!.name}; server ${b!.name};`));
  const load = new SteadyLoad(conf.address, 8, () => 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  for (let round = 0; round < 5; round++) {
    const { json } = await call(conf, 'POST', SERVERS, { server: c!.name });
    await load.waitFor('c', 20);
    await call(conf, 'PATCH', `${SERVERS}/1`, { down: round % 2 === 0 });
    await call(conf, 'PATCH', `${SERVERS}/${json.id}`, { drain: true });
    await load.waitFor('a', 20);
    expect((await call(conf, 'DELETE', `${SERVERS}/${json.id}`)).status).toBe(200);
    await load.waitFor('a', 20);
  }
  await load.stop();
  expect(load.failures).toEqual([]);
}, 30_000);

it('a request that a removed server has goes on to its end, and is told of as a zombie until then', async () => {
  const slow = await RawOrigin.start();
  onTestFinished(() => slow.stop());
  const conf = await serveConf(confOf(`server ${slow.name};`));
  const waiting = get(conf, '/');
  const connection = await slow.accept();
  await connection.readRequest();
  await call(conf, 'DELETE', `${SERVERS}/0`);
  const during = (await call(conf, 'GET', '/api/9/http/upstreams/app?fields=zombies,peers')).json;
  expect(during).toEqual({ zombies: 1, peers: [] });
  await connection.send(answer('late'));
  expect((await waiting).body).toBe('late');
  expect((await call(conf, 'GET', '/api/9/http/upstreams/app?fields=zombies')).json).toEqual({ zombies: 0 });
});

it('changes that come at once are all made, and of the same server only one', async () => {
  const conf = await serveConf(confOf(''));
  const ports = Array.from({ length: 20 }, (_, i) => 9000 + Math.floor(i / 2));
  const results = await Promise.all(
    ports.map((port) => call(conf, 'POST', SERVERS, { server: `127.0.0.1:${port}` })),
  );
  expect(results.filter(({ status }) => status === 201)).toHaveLength(10);
  expect(results.filter(({ status }) => status === 409).map(({ json }) => json.error.code)).toEqual(
    Array(10).fill('EntryExists'),
  );
  const { json } = await call(conf, 'GET', SERVERS);
  expect(new Set(json.map(({ id }: { id: number }) => id)).size).toBe(10);
});

it('health checks ask a server that is added before it gets its first request', async () => {
  const [a] = await startOrigins('a');
  const hung = await RawOrigin.start();
  onTestFinished(() => hung.stop());
  const conf = await serveConf(confOf(`server ${a!.name};`, 'health_check interval=50ms mandatory;'));
  await expect.poll(async () => (await get(conf, '/')).body).toBe('a');
  await call(conf, 'POST', SERVERS, { server: hung.name });
  expect(await answerers(conf, 3)).toEqual(['a', 'a', 'a']);
  const peer = async () => (await call(conf, 'GET', '/api/9/http/upstreams/app')).json.peers[1];
  await expect.poll(async () => (await peer()).state).toBe('unhealthy');
  expect((await peer()).health_checks).toMatchObject({ unhealthy: 1, last_passed: false });
  await call(conf, 'DELETE', `${SERVERS}/1`);
});

it('a name that is added is followed, and its addresses are told behind it', async () => {
  const [a] = await startOrigins('a');
  const { port } = a!.address;
  const dns = await DnsServer.start({ 'app.test': ['A 127.0.0.1'] });
  const conf = await serveConf(confOf('', '', `resolver ${dns.name} valid=1s ipv6=off;`));
  const server = `app.test:${port}`;
  expect((await call(conf, 'POST', SERVERS, { server, max_fails: 0 })).json).toMatchObject({ id: 0, server });
  await expect.poll(async () => (await get(conf, '/')).body).toBe('a');
  expect((await call(conf, 'GET', SERVERS)).json).toMatchObject([
    { id: 0, server, max_fails: 0 },
    { id: 1, server: a!.name, max_fails: 0, parent: '0', host: 'app.test' },
  ]);
  expect((await call(conf, 'DELETE', `${SERVERS}/1`)).json.error).toMatchObject({
    status: 400,
    code: 'UpstreamServerImmutable',
  });
  await call(conf, 'PATCH', `${SERVERS}/0`, { down: true });
  expect((await get(conf, '/')).status).toBe(502);
  dns.records.set('app.test', ['A 127.0.0.1', 'A 127.0.0.2']);
  await expect
    .poll(async () => (await call(conf, 'GET', SERVERS)).json.map((each: { down: boolean }) => each.down), {
      timeout: 5000,
    })
    .toEqual([true, true, true]);
  expect((await call(conf, 'DELETE', `${SERVERS}/0`)).json).toEqual([]);
}, 20_000);

it('a name without a resolver is refused', async () => {
  const conf = await serveConf(confOf(''));
  expect((await call(conf, 'POST', SERVERS, { server: 'app.test' })).json.error.code).toBe(
    'UpstreamConfNoResolver',
  );
});

it.each([
  ['backup', 'UpstreamNoBackup', { backup: true }],
  ['slow_start', 'UpstreamBadSlowStart', { slow_start: '10s' }],
])('%s is refused where the way of choosing knows none', async (_, code, said) => {
  const conf = await serveConf(confOf('hash $uri; server 127.0.0.1:1;'));
  expect((await call(conf, 'POST', SERVERS, { server: '127.0.0.1:2', ...said })).json.error.code).toBe(code);
});

it('state keeps the servers over a reload and a start', async () => {
  const [a, b] = await startOrigins('a', 'b');
  const file = join(await folderOf(), 'app.servers');
  const text = confOf(`state ${file};`);
  const conf = await serveConf(text);
  await call(conf, 'POST', SERVERS, { server: a!.name, weight: 3, route: 'x;y', fail_timeout: '1500ms' });
  await call(conf, 'POST', SERVERS, { server: b!.name, down: true, slow_start: '30s', max_conns: 5 });
  await call(conf, 'POST', SERVERS, { server: '127.0.0.1:1', backup: true, max_fails: 0 });
  const { json } = await call(conf, 'GET', SERVERS);
  expect(readFileSync(file, 'utf8').split('\n').slice(1)).toEqual([
    `server ${a!.name} weight=3 fail_timeout=1500ms "route=x;y";`,
    `server ${b!.name} max_conns=5 slow_start=30s down;`,
    'server 127.0.0.1:1 max_fails=0 backup;',
    '',
  ]);
  await conf.reload(text.replaceAll('%PORT%', String(conf.address.port)));
  expect((await call(conf, 'GET', SERVERS)).json).toEqual(json);
  expect(await answerers(conf, 2)).toEqual(['a', 'a']);
  const again = await serveConf(text);
  expect((await call(again, 'GET', SERVERS)).json).toEqual(json);
  expect(await answerers(again, 2)).toEqual(['a', 'a']);
});

it('without state a reload goes back to what the configuration says', async () => {
  const [a, b] = await startOrigins('a', 'b');
  const text = confOf(`server ${a!.name};`);
  const conf = await serveConf(text);
  await call(conf, 'POST', SERVERS, { server: b!.name });
  await conf.reload(text.replaceAll('%PORT%', String(conf.address.port)));
  expect(await answerers(conf, 3)).toEqual(['a', 'a', 'a']);
});

it('state keeps a name as a name', async () => {
  const [a] = await startOrigins('a');
  const dns = await DnsServer.start({ 'app.test': ['A 127.0.0.1'] });
  const file = join(await folderOf(), 'app.servers');
  const text = confOf(`state ${file};`, '', `resolver ${dns.name} ipv6=off;`);
  const conf = await serveConf(text);
  await call(conf, 'POST', SERVERS, { server: `app.test:${a!.address.port}` });
  await expect.poll(async () => (await get(conf, '/')).body).toBe('a');
  await call(conf, 'PATCH', `${SERVERS}/0`, { weight: 2 });
  expect(readFileSync(file, 'utf8')).toMatch(/^server app\.test:\d+ weight=2 resolve;$/m);
  const again = await serveConf(text);
  await expect.poll(async () => (await get(again, '/')).body).toBe('a');
});

it('a change that can not be kept is not made', async () => {
  const folder = await folderOf({ 'app.servers': 'server 127.0.0.1:1;' });
  const file = join(folder, 'app.servers');
  const conf = await serveConf(confOf(`state ${file};`));
  rmSync(folder, { recursive: true });
  for (const [method, target, body] of [
    ['POST', SERVERS, { server: '127.0.0.1:2' }],
    ['PATCH', `${SERVERS}/0`, { weight: 5 }],
    ['PATCH', `${SERVERS}/0`, { server: '127.0.0.1:3' }],
    ['DELETE', `${SERVERS}/0`, undefined],
  ] as const) {
    const { status, json } = await call(conf, method, target, body);
    expect([status, json.error.code]).toEqual([500, 'StateNotSaved']);
    expect(json.error.text).toMatch(/can't be kept in ".*": No such file or directory; nothing was changed/);
  }
  expect((await call(conf, 'GET', SERVERS)).json).toMatchObject([
    { id: 0, server: '127.0.0.1:1', weight: 1 },
  ]);
});

it.each([
  ['zone app 64k; state /tmp/no-such-file; server 127.0.0.1:1;', /"state" is the place of all servers/],
  ['state /tmp/no-such-file;', /"state" in upstream "app" needs a zone/],
  [
    'zone app 64k; state /no/such/folder/file;',
    /no state can be kept in "\/no\/such\/folder\/file": cannot write to the folder/,
  ],
])('a configuration with "%s" is refused', async (group, why) => {
  await expect(
    serveConf(
      `upstream app { ${group} } server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://app; } }`,
    ),
  ).rejects.toThrow(why);
});

it.each([
  ['server 127.0.0.1:1 wieght=2;', /invalid parameter "wieght=2" in .*app\.servers:1/],
  ['server 127.0.0.1:1;\nlisten 80;', /"listen" has no place in a state file.* in .*app\.servers:2/],
  ['server 127.0.0.1:1', /unexpected end of file.* in .*app\.servers:1/],
])('what is wrong with a state file is told where it stands: %j', async (content, why) => {
  const file = join(await folderOf(), 'app.servers');
  writeFileSync(file, content);
  await expect(serveConf(confOf(`state ${file};`))).rejects.toThrow(why);
});
