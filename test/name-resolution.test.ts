// Names that are resolved at run time: by an upstream that follows them, and by proxy_pass with variables.
import { expect, it, onTestFinished } from 'vitest';
import { RawOrigin } from '../src/testing/index.js';
import { startOrigins } from './answering-origins.js';
import { get, serveConf } from './conf-scene.js';
import { DnsServer } from './dns-server.js';

it('resolve follows a name as its addresses change', async () => {
  const [a] = await startOrigins('a');
  const dns = await DnsServer.start({ 'app.test': ['A 127.0.0.9'] });
  const conf = await serveConf(`
    resolver ${dns.name} valid=1s ipv6=off;
    upstream app { zone app 64k; server app.test:${a!.address.port} resolve; }
    server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://app; } }`);
  expect((await get(conf, '/')).status).toBe(502);
  dns.records.set('app.test', ['A 127.0.0.1']);
  await expect.poll(async () => (await get(conf, '/')).body, { timeout: 5000 }).toBe('a');
  dns.records.set('app.test', { code: 2 });
  await expect
    .poll(
      () => conf.log('error.log').matching(/app.test could not be resolved \(2: Server failure\)/).length,
      {
        timeout: 5000,
      },
    )
    .toBeGreaterThan(0);
  expect((await get(conf, '/')).body).toBe('a');
}, 20_000);

it('a request goes on to the servers of now when the one it waits for is no longer among them', async () => {
  const { port } = (await startOrigins('a'))[0]!.address;
  let isAsked = () => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const dying = await RawOrigin.start(
    async (connection, number) => {
      await connection.readRequest();
      if (number === 1) isAsked();
      else connection.close();
    },
    port,
    '127.0.0.2',
  );
  onTestFinished(() => dying.stop());
  const dns = await DnsServer.start({ 'app.test': ['A 127.0.0.2'] });
  const conf = await serveConf(`
    resolver ${dns.name} valid=1s ipv6=off;
    upstream app { zone app 64k; server app.test:${port} resolve; }
    server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://app; } }`);
  const waiting = get(conf, '/');
  await asked;
  dns.records.set('app.test', ['A 127.0.0.1']);
  await expect.poll(async () => (await get(conf, '/')).body, { timeout: 5000 }).toBe('a');
  await dying.stop();
  expect((await waiting).body).toBe('a');
});

it('service= takes hosts, ports and weights from SRV records, further priorities as backups', async () => {
  const [a, b] = await startOrigins('a', 'b');
  const dns = await DnsServer.start({
    '_http._tcp.app.test': [`SRV 1 2 ${a!.address.port} one.test`, `SRV 2 1 ${b!.address.port} two.test`],
    'one.test': ['A 127.0.0.1'],
    'two.test': ['A 127.0.0.1'],
  });
  const conf = await serveConf(`
    resolver ${dns.name} ipv6=off;
    upstream app { zone app 64k; server app.test resolve service=http; }
    server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://app; } }`);
  for (let i = 0; i < 3; i++) expect((await get(conf, '/')).body).toBe('a');
  await a!.stop();
  expect((await get(conf, '/')).body).toBe('b');
});

it('a name that only the request brings is looked up once, by TCP when its answer does not fit, and through aliases', async () => {
  const [a] = await startOrigins('a');
  const dns = await DnsServer.start({
    'alias.test': ['CNAME a.test'],
    'a.test': ['A 127.0.0.1'],
    'big.test': 'truncated',
  });
  const conf = await serveConf(`
    server { listen 127.0.0.1:%PORT%; resolver ${dns.name} ipv6=off;
      location / { proxy_pass http://$arg_host:${a!.address.port}; } }`);
  for (let i = 0; i < 2; i++) expect((await get(conf, '/?host=alias.test')).body).toBe('a');
  expect(dns.questions).toEqual(['A alias.test', 'A a.test']);
  expect((await get(conf, '/?host=none.test')).status).toBe(502);
  await get(conf, '/?host=big.test');
  expect(dns.questions).toContain('tcp A big.test');
});

it('a silent name server costs resolver_timeout and no more', async () => {
  const dns = await DnsServer.start({ 'a.test': 'silent' });
  const conf = await serveConf(`
    server { listen 127.0.0.1:%PORT%; resolver ${dns.name}; resolver_timeout 200ms;
      location / { proxy_pass http://$arg_host; } }`);
  expect((await get(conf, '/?host=a.test')).status).toBe(502);
});
