// Every timeout with what it answers, and what it must leave alone: slow is not dead, and a time that one side
// takes is not held against the other.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { answering, type RawSocket } from '../src/testing/index.js';
import { connect, startOrigin, startProxy } from './scene.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

/** Milliseconds until `event`. */
async function timeOf(event: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await event;
  return performance.now() - startMs;
}

/**
 * Reads a little now and then, until `isDone`; then as fast as it comes. No slower, since kernels let a sender
 * know of room only when a third of their buffers, of megabytes here, is free.
 */
async function readSlowly(socket: RawSocket, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    const before = socket.receivedBytes;
    socket.resume();
    await Promise.race([socket.waitForBytes(before + 1), socket.waitForEnd()]);
    socket.pause();
    await delay(5);
  }
  socket.resume();
}

describe('clientHeaderMs', () => {
  const timeouts = { clientHeaderMs: 200, keepaliveMs: 60_000 };

  test('closes a connection that sends nothing, without a word', async () => {
    const proxy = await startProxy([await startOrigin()], { timeouts });
    const client = await connect(proxy);
    const tookMs = await timeOf(client.readToEnd().then((text) => expect(text).toBe('')));
    expect(tookMs).toBeGreaterThan(150);
    expect(tookMs).toBeLessThan(1000);
    expect(proxy.accessLog.lines).toEqual([]);
  });

  test('answers 408 to part of a head, on the first request and on a later one', async () => {
    const proxy = await startProxy([await startOrigin(answering(NO_CONTENT))], { timeouts });
    const client = await connect(proxy);
    client.send(GET);
    await client.readResponse();
    await delay(300);
    client.send('GET / HTTP/1.1\r\nHo');
    const response = await client.readResponse();
    expect([response.status, response.field('connection')]).toEqual([408, 'close']);
    expect(await client.readToEnd()).toBe('');
    expect(proxy.accessLog.lines[1]).toMatch(/ 408 /);
  });

  test('cuts a head that comes a byte at a time', async () => {
    const proxy = await startProxy([await startOrigin()], { timeouts });
    const client = await connect(proxy);
    const trickle = (async () => {
      for (const byte of `GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(20)}`) {
        if (client.isEnded) return;
        client.send(byte);
        await delay(20);
      }
    })();
    const tookMs = await timeOf(client.readResponse().then((response) => expect(response.status).toBe(408)));
    expect(tookMs).toBeLessThan(1000);
    await trickle;
  });

  test('cuts empty lines that come a byte at a time', async () => {
    const proxy = await startProxy([await startOrigin()], { timeouts });
    const client = await connect(proxy);
    let isOver = false;
    const trickle = (async () => {
      while (!isOver) {
        client.send('\r\n');
        await delay(20);
      }
    })();
    expect(await timeOf(client.waitForEnd())).toBeLessThan(1000);
    isOver = true;
    await trickle;
  });
});

describe('clientBodyMs', () => {
  const timeouts = { clientBodyMs: 200 };

  test.each(['Content-Length: 10\r\n\r\nhello', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhel'])(
    'answers 408 when a body stands still (%j), and takes the request back from the origin',
    async (rest) => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin], { timeouts });
      const client = await connect(proxy);
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
      const upstream = await origin.accept();
      const response = await client.readResponse();
      expect([response.status, response.field('connection')]).toEqual([408, 'close']);
      await upstream.waitForEnd();
      expect(proxy.accessLog.lines[0]).toMatch(/ 408 .* ustatus=- /);
      await proxy.errorLog.waitFor(/\[info\].* client timed out \(110: Connection timed out\)/);
    },
  );

  test.each(['Content-Length: 30', 'Transfer-Encoding: chunked'])(
    'is idle, not total (%s)',
    async (field) => {
      const proxy = await startProxy([await startOrigin(answering(NO_CONTENT))], { timeouts });
      const client = await connect(proxy);
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
      for (let i = 0; i < 6; i++) {
        await delay(100);
        client.send(field.startsWith('C') ? 'xxxxx' : '5\r\nxxxxx\r\n');
      }
      if (field.startsWith('T')) client.send('0\r\n\r\n');
      expect((await client.readResponse()).status).toBe(204);
    },
  );

  test('breaks off a response that has begun when the body stands still', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
    await client.readHead();
    expect(await client.readToEnd()).toBe('2\r\nok\r\n');
    await upstream.waitForEnd();
  });

  test('resets an HTTP/1.0 client then, for which the end would look like the end of the body', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send('POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\nhello');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 200 OK\r\n\r\nok');
    await client.readHead();
    expect(await client.waitForEnd()).toBe('reset');
  });

  test('does not count while the origin is what holds the body up', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    const bytes = 24e6;
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    const upstream = await origin.accept();
    upstream.pause();
    const sent = client.send(Buffer.alloc(bytes));
    await delay(700);
    expect(client.receivedBytes).toBe(0);
    upstream.resume();
    await sent;
    expect((await upstream.readRequest()).body.length).toBe(bytes);
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).status).toBe(204);
  });
});

describe('upstreamReadMs', () => {
  const timeouts = { upstreamReadMs: 200 };

  test('gives 504 when the origin says nothing, and closes the connection to it', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send(GET);
    const tookMs = await timeOf(client.readResponse().then((response) => expect(response.status).toBe(504)));
    expect(tookMs).toBeGreaterThan(150);
    expect(tookMs).toBeLessThan(1000);
    await origin.connections[0]!.waitForEnd();
  });

  test.each([
    ['Content-Length: 30', 'xxxxx', ''],
    ['Transfer-Encoding: chunked', '5\r\nxxxxx\r\n', '0\r\n\r\n'],
  ])('is idle, not total (%s)', async (field, part, end) => {
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      for (const bytes of [
        'HTTP/1.1 200 OK\r\n',
        `${field}\r\n\r\n`,
        part,
        part,
        part,
        part,
        part,
        part,
        end,
      ]) {
        await delay(100);
        await connection.send(bytes);
      }
    });
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send(GET);
    expect((await client.readResponse()).text).toBe('x'.repeat(30));
  });

  test.each([
    ['Content-Length: 30', 'xxxxx', 'fin'],
    ['Transfer-Encoding: chunked', '5\r\nxxxxx\r\n', 'fin'],
  ])('breaks off a body that stands still (%s)', async (field, part) => {
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      await connection.send(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n${part}`);
    });
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send(GET);
    await client.readHead();
    expect(await client.readToEnd()).toBe(part);
    await proxy.errorLog.waitFor(/\[error\].* upstream timed out /);
  });

  test('does not count while the client reads nothing', async () => {
    const bytes = 24e6;
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
      await connection.send(Buffer.alloc(bytes));
    });
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.pause();
    client.send(GET);
    await delay(900);
    client.resume();
    expect((await client.readResponse()).body.length).toBe(bytes);
  });

  test('does not count while the request is on its way, also after a 100', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 100 Continue\r\n\r\n');
    await client.readHead();
    await delay(500);
    client.send('hello');
    await upstream.readBytes(5);
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).status).toBe(204);
  });

  test('does not count while the request is on its way, also after part of the response', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nre');
    await client.readHead();
    await delay(500);
    client.send('hello');
    await upstream.readBytes(5);
    upstream.send('ad');
    expect((await client.readBytes(4)).toString()).toBe('read');
  });

  test('counts once the request has been sent, whatever came before', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel');
    await (await origin.accept()).readHead();
    await delay(300);
    client.send('lo');
    const tookMs = await timeOf(client.readResponse().then((response) => expect(response.status).toBe(504)));
    expect(tookMs).toBeGreaterThan(150);
  });
});

describe('upstreamSendMs', () => {
  const timeouts = { upstreamSendMs: 500 };
  const bytes = 64e6;

  test('gives 504 when the origin takes nothing of a request', async () => {
    const origin = await startOrigin((connection) => connection.pause());
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    client.send(Buffer.alloc(bytes));
    const tookMs = await timeOf(
      client
        .readResponse()
        .then((response) => expect([response.status, response.field('connection')]).toEqual([504, 'close'])),
    );
    expect(tookMs).toBeLessThan(5000);
    await proxy.errorLog.waitFor(/\[error\].* upstream timed out /);
  });

  test('leaves an origin alone that reads slowly', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    const sent = client.send(Buffer.alloc(bytes));
    const upstream = await origin.accept();
    upstream.pause();
    const startMs = performance.now();
    await readSlowly(upstream, () => performance.now() - startMs > 2000);
    await sent;
    expect((await upstream.readRequest()).body.length).toBe(bytes);
    upstream.send(NO_CONTENT);
    expect((await client.readResponse()).status).toBe(204);
  });
});

describe('sendMs', () => {
  const timeouts = { sendMs: 500 };
  const bytes = 64e6;
  const page = answering(
    Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`), Buffer.alloc(bytes)]),
  );

  test('ends a client that reads nothing of a response under way, and the exchange with the origin', async () => {
    const origin = await startOrigin(page);
    const proxy = await startProxy([origin], { timeouts });
    const client = await connect(proxy);
    client.pause();
    client.send(GET);
    const tookMs = await timeOf(
      proxy.errorLog.waitFor(/\[info\].* client timed out \(110: Connection timed out\)/),
    );
    expect(tookMs).toBeLessThan(950);
    await proxy.accessLog.waitFor(/ 200 \d+ /);
    expect(proxy.server.connectionCount).toBe(0);
    await origin.connections[0]!.waitForEnd();
  });

  test('ends a client that reads nothing of a response whose upstream is done', async () => {
    const small = Buffer.alloc(60_000);
    const proxy = await startProxy(
      [
        await startOrigin(
          answering(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n'), small])),
        ),
      ],
      { timeouts },
    );
    const client = await connect(proxy);
    client.pause();
    client.send(GET.repeat(1000));
    await proxy.errorLog.waitFor(/\[info\].* client timed out \(110: Connection timed out\)/);
    expect(proxy.idleCount).toBe(1);
  });

  test('leaves a client alone that reads slowly', async () => {
    const proxy = await startProxy([await startOrigin(page)], { timeouts });
    const client = await connect(proxy);
    client.pause();
    client.send(GET);
    const startMs = performance.now();
    await readSlowly(client, () => performance.now() - startMs > 2000);
    expect((await client.readResponse()).body.length).toBe(bytes);
  });
});
