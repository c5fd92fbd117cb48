// Connections that switch protocols: WebSocket as programs use it, and the bytes of a tunnel one by one.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { answering, type RawClient, type RawSocket, type TestProxy } from '../src/testing/index.js';
import { connect, describeReading, startOrigin, startProxy, waitForStall } from './scene.js';

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: demo\r\nX-A: 1\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: demo\r\n\r\n';

/** A tunnel through a proxy: both its ends, with both heads read. */
async function openTunnel(
  options: Parameters<typeof startProxy>[1] = {},
): Promise<{ proxy: TestProxy; client: RawClient; upstream: RawSocket }> {
  const origin = await startOrigin();
  const proxy = await startProxy([origin], options);
  const client = await connect(proxy);
  client.send(UPGRADE);
  const upstream = await origin.accept();
  await upstream.readHead();
  upstream.send(SWITCHED);
  await client.readHead();
  return { proxy, client, upstream };
}

describe('WebSocket', () => {
  /** A server that echoes, a proxy before it, and a client of `ws`. */
  async function openWebSocket(): Promise<{ proxy: TestProxy; socket: WebSocket }> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    onTestFinished(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    await once(server, 'listening');
    server.on('connection', (peer) => {
      peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }));
    });
    const { port } = server.address() as { port: number };
    const proxy = await startProxy([], { peers: [{ address: { host: '127.0.0.1', port, path: null } }] });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.address.port}/chat`, { perMessageDeflate: false });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    return { proxy, socket };
  }

  test('carries many messages each way, in order', async () => {
    const { proxy, socket } = await openWebSocket();
    const received: string[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        if (received.push(String(data)) === 5000) resolve();
      });
    });
    const sent = Array.from({ length: 5000 }, (_, i) => `message ${i} ${'x'.repeat(i % 300)}`);
    for (const message of sent) socket.send(message);
    await done;
    expect(received).toEqual(sent);
    socket.close(1000, 'done');
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1000, 'done']);
    expect(await proxy.accessLog.waitFor(/GET \/chat/)).toMatch(/ 101 [1-9]\d+ .* ustatus=101 /);
  });

  test('carries messages of 8 MB each way', async () => {
    const { socket } = await openWebSocket();
    for (let i = 0; i < 3; i++) {
      const message = randomBytes(8 * 1024 * 1024);
      socket.send(message);
      const [echo] = (await once(socket, 'message')) as [Buffer];
      expect(echo.equals(message)).toBe(true);
    }
  });

  test('serves others meanwhile over connections of their own', async () => {
    const { proxy, socket } = await openWebSocket();
    const client = await connect(proxy);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.readResponse()).status).toBe(426);
    socket.send('still here');
    const [echo] = (await once(socket, 'message')) as [Buffer];
    expect(echo.toString()).toBe('still here');
  });
});

describe('a request to switch protocols', () => {
  test('reaches the origin with its Upgrade, and 101 reaches the client', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(UPGRADE);
    const upstream = await origin.accept();
    expect(await upstream.readHead()).toBe(
      'GET /chat HTTP/1.1\r\nHost: a\r\n' +
        'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n' +
        'Upgrade: demo\r\nConnection: upgrade\r\nX-A: 1\r\n\r\n',
    );
    upstream.send('HTTP/1.1 101 Sure\r\nX-B: 2\r\nConnection: Upgrade\r\nUpgrade: demo\r\n\r\n');
    expect(await client.readHead()).toBe(
      'HTTP/1.1 101 Sure\r\nX-B: 2\r\nUpgrade: demo\r\nConnection: upgrade\r\n\r\n',
    );
  });

  test('may be answered without switching, and both connections go on', async () => {
    const origin = await startOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'));
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) {
      client.send(UPGRADE);
      expect((await client.readResponse()).text).toBe('no');
    }
    expect(origin.connections.length).toBe(1);
  });

  test.each(['h2c', 'H2C', 'h2c, websocket', 'websocket,h2c'])(
    'to "%s" is passed on as a plain one',
    async (value) => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      client.send(
        `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${value}\r\nHTTP2-Settings: x\r\n\r\n`,
      );
      const upstream = await origin.accept();
      expect(await upstream.readHead()).not.toMatch(/upgrade|http2-settings/i);
    },
  );

  test.each([
    ['without Upgrade', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['with Upgrade that Connection does not name', 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: demo\r\n\r\n'],
    ['of HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: demo\r\n\r\n'],
  ])('%s answered 101 all the same gives 502', async (_which, request) => {
    const origin = await startOrigin(answering(`${SWITCHED}poison`));
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(request);
    const response = await client.readResponse();
    expect(response.status).toBe(502);
    expect(response.text).not.toMatch(/poison/);
    await proxy.errorLog.waitFor(/\[error\].* switched protocols unasked/);
  });
});

describeReading('a tunnel', () => {
  test('passes on what came right behind the request and right behind 101', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(`${UPGRADE}early`);
    const upstream = await origin.accept();
    await upstream.readHead();
    client.send(' birds');
    upstream.send(`${SWITCHED}and the worm`);
    await client.readHead();
    expect((await client.readBytes(12)).toString()).toBe('and the worm');
    expect((await upstream.readBytes(11)).toString()).toBe('early birds');
    client.send('GET / HTTP/1.1\r\n\r\n');
    expect((await upstream.readBytes(18)).toString()).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  test('keeps one direction open when the client ends the other', async () => {
    const { proxy, client, upstream } = await openTunnel();
    client.send('last words');
    client.end();
    expect(await upstream.readToEnd()).toBe('last words');
    upstream.send('an answer');
    expect((await client.readBytes(9)).toString()).toBe('an answer');
    upstream.end();
    expect(await client.readToEnd()).toBe('');
    await proxy.accessLog.waitFor(/ 101 9 /);
  });

  test('tells the origin that the client had ended its side before 101 came', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(UPGRADE);
    const upstream = await origin.accept();
    await upstream.readHead();
    client.end();
    await waitForStall(() => upstream.receivedBytes);
    upstream.send(SWITCHED);
    await client.readHead();
    expect(await upstream.readToEnd()).toBe('');
    upstream.send('an answer');
    upstream.end();
    expect(await client.readToEnd()).toBe('an answer');
    await proxy.accessLog.waitFor(/ 101 9 /);
  });

  test('keeps one direction open when the origin ends the other', async () => {
    const { proxy, client, upstream } = await openTunnel();
    upstream.send('last words');
    upstream.end();
    expect(await client.readToEnd()).toBe('last words');
    client.send('an answer');
    expect((await upstream.readBytes(9)).toString()).toBe('an answer');
    client.end();
    expect(await upstream.readToEnd()).toBe('');
    await proxy.accessLog.waitFor(/ 101 10 /);
  });

  test('is over for the origin when the client resets it, and the other way round', async () => {
    const first = await openTunnel();
    first.client.reset();
    await first.upstream.waitForEnd();
    await first.proxy.accessLog.waitFor(/ 101 0 /);
    expect(first.proxy.server.connectionCount).toBe(0);
    const second = await openTunnel();
    second.upstream.reset();
    await second.client.waitForEnd();
    await second.proxy.accessLog.waitFor(/ 101 0 /);
  });

  const BIG = randomBytes(24 * 1024 * 1024);

  test('delivers what a slow origin has yet to read when both sides have ended', async () => {
    const { client, upstream } = await openTunnel();
    upstream.end();
    await client.readToEnd();
    upstream.pause();
    const sent = client.send(BIG);
    client.end();
    await waitForStall(() => client.pendingBytes);
    upstream.resume();
    await sent;
    const received = Buffer.from(await upstream.readToEnd(), 'latin1');
    expect(received.length).toBe(BIG.length);
    expect(received.equals(BIG)).toBe(true);
  });

  test('delivers what a slow client has yet to read when both sides have ended', async () => {
    const { client, upstream } = await openTunnel();
    client.end();
    await upstream.readToEnd();
    client.pause();
    const sent = upstream.send(BIG);
    upstream.end();
    await waitForStall(() => upstream.pendingBytes);
    client.resume();
    await sent;
    const received = Buffer.from(await client.readToEnd(), 'latin1');
    expect(received.length).toBe(BIG.length);
    expect(received.equals(BIG)).toBe(true);
  });

  test.each(['client', 'origin'])(
    'delivers everything that a slow %s has yet to read when the other ends',
    async (slow) => {
      const { client, upstream } = await openTunnel();
      const [reader, writer] = slow === 'client' ? [client, upstream] : [upstream, client];
      reader.pause();
      const sent = writer.send(BIG);
      writer.end();
      await waitForStall(() => writer.pendingBytes);
      reader.resume();
      await sent;
      const received = Buffer.from(await reader.readToEnd(), 'latin1');
      expect(received.equals(BIG)).toBe(true);
    },
  );

  test('stops a fast side while the other does not read, in both directions at once', async () => {
    const { client, upstream } = await openTunnel();
    const blocks = 64;
    const block = randomBytes(1024 * 1024);
    const expected = createHash('sha256');
    for (let i = 0; i < blocks; i++) expected.update(block);
    const digest = expected.digest('hex');
    const sent = [0, 0];
    const sendAll = async (socket: RawSocket, which: number) => {
      for (let i = 0; i < blocks; i++) {
        await socket.send(block);
        sent[which]! += block.length;
      }
      socket.end();
    };
    client.pause();
    upstream.pause();
    const done = Promise.all([sendAll(client, 0), sendAll(upstream, 1)]);
    await waitForStall(() => sent[0]! + sent[1]!);
    expect(sent[0]).toBeLessThan(32e6);
    expect(sent[1]).toBeLessThan(32e6);
    const hashes = [client, upstream].map((socket) => {
      const hash = createHash('sha256');
      socket.divert((bytes) => hash.update(bytes));
      socket.resume();
      return { socket, hash };
    });
    await done;
    for (const { socket, hash } of hashes) {
      expect(await socket.waitForEnd()).toBe('fin');
      expect(hash.digest('hex')).toBe(digest);
    }
  });

  test('is closed when nothing moved for upstreamReadMs, and not while one side speaks', async () => {
    const { proxy, client, upstream } = await openTunnel({ timeouts: { upstreamReadMs: 200 } });
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      client.send('x');
      await upstream.readBytes(1);
    }
    const startMs = performance.now();
    expect(await client.waitForEnd()).toBe('fin');
    expect(await upstream.waitForEnd()).toBe('fin');
    expect(performance.now() - startMs).toBeGreaterThan(150);
    await proxy.accessLog.waitFor(/ 101 /);
  });
});
