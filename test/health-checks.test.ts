// Servers that are asked whether they are well.
import { expect, it, onTestFinished } from 'vitest';
import { answering, RawOrigin } from '../src/testing/index.js';
import { answer, startOrigins } from './answering-origins.js';
import { get, serveConf } from './conf-scene.js';

it('take a server out that fails them, and bring it back', async () => {
  let isWell = true;
  const sick = await RawOrigin.start(
    answering(() => (isWell ? answer('s') : 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')),
  );
  onTestFinished(() => sick.stop());
  const [b] = await startOrigins('b');
  const conf = await serveConf(`
    upstream app { zone app 64k; server ${sick.name}; server ${b!.name}; }
    match well { status 200; body ~ "^[sb]$"; }
    server { listen 127.0.0.1:%PORT%;
      location / { proxy_pass http://app; health_check interval=100ms uri=/well match=well; } }`);
  const seen = async () => new Set([(await get(conf, '/')).body, (await get(conf, '/')).body]);
  await expect.poll(seen).toEqual(new Set(['s', 'b']));
  isWell = false;
  await expect.poll(() => conf.log('error.log').matching(/is unhealthy/).length).toBe(1);
  expect(await seen()).toEqual(new Set(['b']));
  isWell = true;
  await expect.poll(seen).toEqual(new Set(['s', 'b']));
});

it('find out a server that accepts and never answers', async () => {
  const hung = await RawOrigin.start();
  onTestFinished(() => hung.stop());
  const [b] = await startOrigins('b');
  const conf = await serveConf(`
    upstream app { zone app 64k; server ${hung.name}; server ${b!.name}; }
    server { listen 127.0.0.1:%PORT%;
      location / { proxy_pass http://app; health_check interval=100ms; } }`);
  await expect
    .poll(() => conf.log('error.log').matching(/is unhealthy: it did not answer in time/).length)
    .toBe(1);
  for (let i = 0; i < 3; i++) expect((await get(conf, '/')).body).toBe('b');
});

it('that are mandatory keep a server from requests until it has passed', async () => {
  const hung = await RawOrigin.start();
  onTestFinished(() => hung.stop());
  const conf = await serveConf(`
    upstream app { zone app 64k; server ${hung.name}; }
    server { listen 127.0.0.1:%PORT%;
      location / { proxy_pass http://app; health_check interval=1h mandatory; } }`);
  expect((await get(conf, '/')).status).toBe(502);
});
