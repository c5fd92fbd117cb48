// A client's body that nobody wants any more, while the client still sends it: what it is answered must reach it whole.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { answering } from '../src/testing/index.js';
import { readAnswer, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

const CHUNK = `400\r\n${'x'.repeat(1024)}\r\n`;
const PAGE = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntoo large';

it.each(['on', 'off'])(
  'answers a chunked body that is too large with the page that an upstream makes (proxy_request_buffering %s)',
  async (buffering) => {
    const pages = await startOrigin();
    const origin = await startOrigin();
    const conf = await serveConf(`
      server {
        listen %PORT%;
        client_max_body_size 1500;
        error_page 413 /page;
        location / { proxy_request_buffering ${buffering}; proxy_pass http://${origin.name}; }
        location = /page { client_max_body_size 0; proxy_pass http://${pages.name}; }
      }`);
    const client = await conf.connect();
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK}`);
    await delay(50);
    await client.send(CHUNK);
    const page = await pages.accept();
    expect(await page.readHead()).toMatch(/^GET \/page /);
    await client.send(CHUNK);
    await delay(50);
    await page.send(PAGE);
    expect(readAnswer(await client.readToEnd())).toMatchObject({ status: 413, body: 'too large' });
  },
);

it('answers a body that is no body with the page that an upstream makes', async () => {
  const pages = await startOrigin(answering(PAGE));
  const conf = await serveConf(`
    server {
      listen %PORT%;
      error_page 400 /page;
      location / { proxy_pass http://127.0.0.1:1; }
      location = /page { proxy_pass http://${pages.name}; }
    }`);
  const client = await conf.connect();
  await client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK}`);
  await delay(50);
  await client.send('no chunk\r\n');
  expect(readAnswer(await client.readToEnd())).toMatchObject({ status: 400, body: 'too large' });
});

it('has an error page with a mirror wait for no body that has failed', async () => {
  const pages = await startOrigin(answering(PAGE));
  const conf = await serveConf(`
    server {
      listen %PORT%;
      error_page 400 /page;
      location / { proxy_pass http://127.0.0.1:1; }
      location = /page { mirror /mirror; proxy_pass http://${pages.name}; }
      location = /mirror { return 204; }
    }`);
  const client = await conf.connect();
  await client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK}`);
  await delay(50);
  await client.send('no chunk\r\n');
  expect(readAnswer(await client.readToEnd())).toMatchObject({ status: 400, body: 'too large' });
});

it('goes on with an upstream that sends more interim answers than a client takes at once', async () => {
  const origin = await startOrigin();
  const conf = await serveConf(`
    server { listen %PORT%; location / { proxy_pass http://${origin.name}; } }`);
  const client = await conf.connect();
  client.pause();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const upstream = await origin.accept();
  await upstream.readHead();
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(1000)}>\r\n\r\n`;
  const sent = upstream.send(hint.repeat(12_000) + PAGE);
  await delay(300);
  client.resume();
  await sent;
  expect(await client.readToEnd()).toMatch(/too large$/);
});

it('refuses a body that is no body behind one that was thrown away', async () => {
  const conf = await serveConf('server { listen %PORT%; location / { return 200 ok; } }');
  const client = await conf.connect();
  await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
  expect(await client.readUntil('\r\n\r\nok')).toMatch(/^HTTP\/1.1 200 /);
  await client.send('hello');
  await client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n');
  expect(readAnswer(await client.readToEnd()).status).toBe(400);
});
