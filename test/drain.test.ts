// The end of a proxy: what runs is finished, what waits is closed, and after the deadline everything is.
import { describe, expect, onTestFinished, test } from 'vitest';
import { answering, RawClient, RawOrigin } from '../src/testing/index.js';
import { connect, startOrigin, startProxy } from './scene.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

/** Milliseconds until `event`. */
async function timeOf(event: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await event;
  return performance.now() - startMs;
}

describe('drain', () => {
  test('ends at once when nothing runs, closing idle connections on both sides', async () => {
    const origin = await startOrigin(answering(NO_CONTENT));
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    await client.readResponse();
    expect(await timeOf(proxy.server.drain())).toBeLessThan(500);
    expect(await client.waitForEnd()).toBe('fin');
    await origin.connections[0]!.waitForEnd();
    expect(proxy.server.connectionCount).toBe(0);
    expect(proxy.deadlineCount).toBe(0);
  });

  test('waits a second for the first request of a connection that was accepted', async () => {
    const origin = await startOrigin(answering(NO_CONTENT));
    const proxy = await startProxy([origin]);
    const silent = await connect(proxy);
    const client = await connect(proxy);
    await expect.poll(() => proxy.server.connectionCount).toBe(2);
    const drained = proxy.server.drain();
    client.send(GET);
    expect((await client.readResponse()).field('connection')).toBe('close');
    client.close();
    expect(await timeOf(silent.waitForEnd())).toBeLessThan(2000);
    await drained;
  });

  test('lets a request finish, and tells its client that the connection ends', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    const upstream = await origin.accept();
    await upstream.readHead();
    const drained = proxy.server.drain();
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const response = await client.readResponse();
    expect([response.text, response.field('connection')]).toEqual(['ok', 'close']);
    expect(await client.waitForEnd()).toBe('fin');
    client.close();
    await drained;
    await upstream.waitForEnd();
    expect(proxy.accessLog.matching(/ 200 2 /).length).toBe(1);
  });

  test('answers a pipelined request that has come already', async () => {
    const proxy = await startProxy([await startOrigin(answering(NO_CONTENT))]);
    const client = await connect(proxy);
    // Goes on in the turn of the event loop in which the first answer was written.
    const logged = proxy.accessLog.waitFor(/ 204 /);
    client.send(`${GET}${GET}${GET}`);
    await logged;
    const drained = proxy.server.drain();
    expect((await client.readResponse()).field('connection')).not.toBe('close');
    expect((await client.readResponse()).field('connection')).toBe('close');
    expect(await client.readToEnd()).toBe('');
    client.close();
    await drained;
    expect(proxy.accessLog.matching(/ 204 /)).toHaveLength(2);
  });

  test('lets a body go on in both directions, and a head that has begun come', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    const late = await connect(proxy);
    await late.send('GET /late HTTP/1.1\r\n');
    const upstream = await origin.accept();
    await upstream.readUntil('hello');
    const drained = proxy.server.drain();
    client.send('world');
    late.send('Host: a\r\n\r\n');
    await upstream.readUntil('world');
    upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
    const lateUpstream = await origin.accept();
    await lateUpstream.readHead();
    lateUpstream.send(NO_CONTENT);
    upstream.send('2\r\nok\r\n0\r\n\r\n');
    expect((await client.readResponse()).text).toBe('okok');
    expect((await late.readResponse()).field('connection')).toBe('close');
    for (const each of [client, late]) {
      expect(await each.waitForEnd()).toBe('fin');
      each.close();
    }
    await drained;
  });

  test('answers none of the requests that were pipelined behind the running one', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET + GET);
    const upstream = await origin.accept();
    await upstream.readHead();
    const drained = proxy.server.drain();
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).field('connection')).toBe('close');
    expect(await client.readToEnd()).toBe('');
    client.close();
    await drained;
    expect(upstream.peek()).toBe('');
  });

  test('cuts what runs longer than drainMs, and still logs it', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts: { drainMs: 200 } });
    const waiting = await connect(proxy);
    waiting.send('GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n');
    await (await origin.accept()).readHead();
    const tunnelled = await connect(proxy);
    tunnelled.send('GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: demo\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: demo\r\n\r\n');
    await tunnelled.readHead();
    const tookMs = await timeOf(proxy.server.drain());
    expect(tookMs).toBeGreaterThan(150);
    expect(tookMs).toBeLessThan(1000);
    await waiting.waitForEnd();
    await tunnelled.waitForEnd();
    await upstream.waitForEnd();
    expect(proxy.server.connectionCount).toBe(0);
    expect(proxy.accessLog.matching(/GET \/waiting .* 499 /).length).toBe(1);
    expect(proxy.accessLog.matching(/GET \/tunnel .* 101 /).length).toBe(1);
  });

  test('refuses new connections from its beginning on, and frees the port', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    const upstream = await origin.accept();
    await upstream.readHead();
    const drained = proxy.server.drain();
    await expect(RawClient.connect(proxy.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    upstream.send(NO_CONTENT);
    await client.readResponse();
    client.close();
    await drained;
    const next = await RawOrigin.start(null, proxy.address.port);
    onTestFinished(() => next.stop());
    expect(next.address.port).toBe(proxy.address.port);
  });

  test('may be called twice, and followed by stop', async () => {
    const proxy = await startProxy([await startOrigin()]);
    await Promise.all([proxy.server.drain(), proxy.server.drain()]);
    await proxy.server.stop();
    await proxy.server.stop();
  });
});

test('stop ends everything at once, and logs what it cut', async () => {
  const origin = await startOrigin();
  const proxy = await startProxy([origin]);
  const client = await connect(proxy);
  client.send(GET);
  const upstream = await origin.accept();
  await upstream.readHead();
  expect(await timeOf(proxy.server.stop())).toBeLessThan(500);
  await client.waitForEnd();
  await upstream.waitForEnd();
  expect(proxy.accessLog.matching(/ 499 0 /).length).toBe(1);
  expect(proxy.server.connectionCount).toBe(0);
});
