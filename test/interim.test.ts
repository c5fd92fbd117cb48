// Interim responses (RFC 9110 section 15.2) and what a client that expects one is told (section 10.1.1).
import { describe, expect, test } from 'vitest';
import { answering } from '../src/testing/index.js';
import { get, serveConf } from './conf-scene.js';
import { connect, startOrigin, startProxy, waitForStall } from './scene.js';

const EXPECTING = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

describe('Expect: 100-continue', () => {
  test("is passed on, and the origin's 100 comes back before the body goes", async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(EXPECTING);
    const upstream = await origin.accept();
    expect(await upstream.readHead()).toMatch(/\r\nExpect: 100-continue\r\n/);
    upstream.send(CONTINUE);
    expect(await client.readHead()).toBe(CONTINUE);
    client.send('hello');
    expect((await upstream.readBytes(5)).toString()).toBe('hello');
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).status).toBe(204);
  });

  test('is answered by Sluice after a second when the origin is silent, and only once', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    const startMs = performance.now();
    client.send(EXPECTING);
    const upstream = await origin.accept();
    await upstream.readHead();
    expect(await client.readHead()).toBe(CONTINUE);
    const tookMs = performance.now() - startMs;
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(3000);
    upstream.send(CONTINUE);
    client.send('hello');
    await upstream.readBytes(5);
    upstream.send(NO_CONTENT);
    expect((await client.readHead()).split('\r\n')[0]).toBe('HTTP/1.1 204 No Content');
  });

  test('is answered by a final response instead, which says that the connection ends', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(EXPECTING);
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
    const response = await client.readResponse();
    expect([response.status, response.text]).toEqual([401, 'no']);
    // Whether the body still comes can't be known: only a close tells what follows from a request.
    expect(response.field('connection')).toBe('close');
    expect(await client.readToEnd()).toBe('');
    expect(await upstream.waitForEnd()).toBe('fin');
  });

  test('is answered by a final response that takes long itself, without a 100 in its midst', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(EXPECTING);
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nno');
    expect(await client.readHead()).toMatch(/^HTTP\/1.1 401 .*\r\nConnection: close\r\n/s);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    upstream.send('pe');
    expect(await client.readToEnd()).toBe('nope');
  });

  test('sends no 100 to a client that did not wait for it, unless the origin does', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(`${EXPECTING}hel`);
    const upstream = await origin.accept();
    await upstream.readHead();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(client.receivedBytes).toBe(0);
    upstream.send(CONTINUE);
    expect(await client.readHead()).toBe(CONTINUE);
    client.send('lo');
    expect((await upstream.readBytes(5)).toString()).toBe('hello');
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).status).toBe(204);
  });

  test('gets its 100 at once for a body of no bytes', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n');
    expect((await client.readResponse()).status).toBe(100);
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).status).toBe(204);
  });

  test('means nothing from an HTTP/1.0 client, and is not passed on', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send('POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    const upstream = await origin.accept();
    expect(await upstream.readHead()).not.toMatch(/expect/i);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    client.send('hello');
    await upstream.readBytes(5);
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).status).toBe(204);
  });

  test('of another kind is left out, as nginx leaves it out', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n');
    const upstream = await origin.accept();
    expect(await upstream.readHead()).not.toMatch(/expect/i);
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).status).toBe(204);
  });

  test('is honoured again for the next request of a connection', async () => {
    const origin = await startOrigin(async (connection) => {
      for (;;) {
        await connection.readHead();
        await connection.send(CONTINUE);
        await connection.readBytes(5);
        await connection.send(NO_CONTENT);
      }
    });
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    for (let i = 0; i < 3; i++) {
      client.send(EXPECTING);
      expect(await client.readHead()).toBe(CONTINUE);
      client.send('hello');
      expect((await client.readResponse()).status).toBe(204);
    }
    expect(origin.connections.length).toBe(1);
  });
});

describe('interim responses of an origin', () => {
  test('are passed on as they come, without what belongs to one hop', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n');
    expect(await client.readHead()).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
    upstream.send(
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Len',
    );
    expect(await client.readHead()).toBe('HTTP/1.1 102 Processing\r\n\r\n');
    expect(await client.readHead()).toBe('HTTP/1.1 103 Early Hints\r\n\r\n');
    upstream.send('gth: 2\r\n\r\nok');
    expect((await client.readResponse()).text).toBe('ok');
    expect(proxy.idleCount).toBe(1);
  });

  test.each([
    ['', false],
    ['early_hints 0 $arg_none;', false],
    ['early_hints 0 $arg_hints;', true],
  ])('of the kind 103 reach the client only by early_hints: %j, %j', async (line, isPassed) => {
    const origin = await startOrigin(
      answering('HTTP/1.1 103 \r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    const conf = await serveConf(`
      server { listen 127.0.0.1:%PORT%; ${line}
        location / { proxy_pass http://${origin.name}; location /off { early_hints 0; proxy_pass http://${origin.name}; } } }`);
    const { head, body } = await get(conf, '/?hints=1');
    const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
    if (isPassed) expect(head + body).toMatch(new RegExp(`^${hint}HTTP/1.1 200 OK\r\n`));
    else expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect((await get(conf, '/off?hints=1')).status).toBe(200);
  });

  test('are swallowed before an HTTP/1.0 client', async () => {
    const proxy = await startProxy([
      await startOrigin(
        answering(
          `${CONTINUE}HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
        ),
      ),
    ]);
    const client = await connect(proxy);
    client.send('GET / HTTP/1.0\r\n\r\n');
    expect(await client.readToEnd()).toBe(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    );
  });

  test('without end stop when the client does not read them', async () => {
    const hint = `HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(4000)}>\r\n\r\n`.repeat(16);
    let sentBytes = 0;
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      for (let i = 0; i < 1500; i++) {
        await connection.send(hint);
        sentBytes += hint.length;
      }
    });
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitForStall(() => sentBytes);
    expect(sentBytes).toBeLessThan(32e6);
  });
});
