// Connections that serve more than one request: pipelining and persistence towards clients, the pool towards
// origins, and what must never pass from one exchange into the next.
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  answering,
  type RawClient,
  type RawOrigin,
  type RawSocket,
  type TestProxy,
} from '../src/testing/index.js';
import { connect, describeReading, socketFolder, startOrigin, startProxy, waitForStall } from './scene.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

/** Answers with the request's target as the body. */
const echoTarget = answering((request) => {
  const target = request.startLine.split(' ')[1]!;
  return `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`;
});

describeReading('a client that pipelines', () => {
  test('gets 100 answers in order for 100 requests in one write', async () => {
    const proxy = await startProxy([await startOrigin(echoTarget)]);
    const client = await connect(proxy);
    let requests = '';
    for (let i = 0; i < 100; i++) requests += `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`;
    client.send(requests);
    for (let i = 0; i < 100; i++) expect((await client.readResponse()).text).toBe(`/${i}`);
  });

  test('gets them in order when bodies of both framings lie between', async () => {
    const origin = await startOrigin(
      answering((request) => {
        const body = `${request.startLine.split(' ')[1]!} ${request.text}`;
        return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      }),
    );
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(
      'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none' +
        'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n' +
        'POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthree\r\n0\r\n\r\n' +
        '\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    for (const body of ['/1 one', '/2 ', '/3 three', '/4 ']) {
      expect((await client.readResponse()).text).toBe(body);
    }
  });

  test('gets all answers when every byte of five requests comes alone', async () => {
    const proxy = await startProxy([await startOrigin(echoTarget)]);
    const client = await connect(proxy);
    for (let i = 0; i < 5; i++) {
      for (const byte of `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`) await client.send(byte);
    }
    for (let i = 0; i < 5; i++) expect((await client.readResponse()).text).toBe(`/${i}`);
  });

  test('gets the answers before a malformed request, then 400 and the end', async () => {
    const origin = await startOrigin(echoTarget);
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(
      'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n' +
        'GET /3 HTTP/1.1\r\nHost : a\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expect((await client.readResponse()).text).toBe('/1');
    expect((await client.readResponse()).text).toBe('/2');
    const refusal = await client.readResponse();
    expect(refusal.status).toBe(400);
    expect(refusal.field('connection')).toBe('close');
    expect(await client.readToEnd()).toBe('');
    expect(origin.connections.length).toBe(1);
    expect(origin.connections[0]!.peek()).toBe('');
  });

  test('is answered in order when the first answer takes long', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readRequest();
    client.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    client.send('GET /3 HTTP/1.1\r\nHost: a\r\n\r\n');
    for (const body of ['one', 'two', 'three']) {
      await upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      expect((await client.readResponse()).text).toBe(body);
      if (body !== 'three') await upstream.readRequest();
    }
    expect(origin.connections.length).toBe(1);
  });

  test('may send the rest of a pipelined request later, also when an upstream connection waits for it', async () => {
    const origin = await startOrigin(
      answering(
        (request) => `HTTP/1.1 200 OK\r\nContent-Length: ${request.body.length}\r\n\r\n${request.text}`,
      ),
    );
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(`${GET}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello`);
    expect((await client.readResponse()).text).toBe('');
    client.send('world');
    expect((await client.readResponse()).text).toBe('helloworld');
    expect(origin.connections.length).toBe(1);
  });

  test('is held back when it sends requests without reading answers', async () => {
    const page = 'x'.repeat(100_000);
    const proxy = await startProxy([
      await startOrigin(answering(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${page}`)),
    ]);
    const client = await connect(proxy);
    client.pause();
    const requests = Buffer.from(GET.repeat(20_000));
    let sentBytes = 0;
    const sendAll = async () => {
      for (let i = 0; i < 100; i++) {
        await client.send(requests);
        sentBytes += requests.length;
      }
    };
    void sendAll();
    await waitForStall(() => sentBytes);
    expect(sentBytes).toBeLessThan(32e6);
    client.reset();
  });

  test('that closes its side behind its requests gets all answers', async () => {
    const proxy = await startProxy([await startOrigin(echoTarget)]);
    const client = await connect(proxy);
    client.send(
      'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    client.end();
    for (let i = 1; i <= 3; i++) expect((await client.readResponse()).text).toBe(`/${i}`);
    expect(await client.readToEnd()).toBe('');
  });
});

describe('a client connection', () => {
  test.each([
    { version: '1.1', connection: '', answered: null, goesOn: true },
    { version: '1.1', connection: 'Connection: keep-alive\r\n', answered: null, goesOn: true },
    { version: '1.1', connection: 'Connection: close\r\n', answered: 'close', goesOn: false },
    { version: '1.1', connection: 'Connection: foo, ClOsE\r\n', answered: 'close', goesOn: false },
    { version: '1.0', connection: '', answered: 'close', goesOn: false },
    { version: '1.0', connection: 'Connection: Keep-Alive\r\n', answered: 'keep-alive', goesOn: true },
  ])(
    'of HTTP/$version with "$connection" goes on: $goesOn',
    async ({ version, connection, answered, goesOn }) => {
      const proxy = await startProxy([await startOrigin(echoTarget)]);
      const client = await connect(proxy);
      client.send(`GET /1 HTTP/${version}\r\nHost: a\r\n${connection}\r\n`);
      const first = await client.readResponse();
      expect(first.field('connection')).toBe(answered);
      expect(first.text).toBe('/1');
      if (!goesOn) {
        expect(await client.readToEnd()).toBe('');
        return;
      }
      client.send(`GET /2 HTTP/${version}\r\nHost: a\r\n${connection}\r\n`);
      expect((await client.readResponse()).text).toBe('/2');
    },
  );

  test('outlives answers that Sluice makes itself', async () => {
    const origin = await startOrigin(answering(() => null));
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    for (let i = 0; i < 3; i++) {
      client.send(GET);
      expect((await client.readResponse()).status).toBe(502);
    }
  });

  test('is closed after keepaliveMs without a request, and not before', async () => {
    const proxy = await startProxy([await startOrigin(echoTarget)], { timeouts: { keepaliveMs: 200 } });
    const client = await connect(proxy);
    client.send(GET);
    await client.readResponse();
    const startMs = performance.now();
    expect(await client.waitForEnd()).toBe('fin');
    expect(performance.now() - startMs).toBeGreaterThan(150);
    expect(proxy.accessLog.lines.length).toBe(1);
  });

  test('takes empty lines between requests', async () => {
    const proxy = await startProxy([await startOrigin(echoTarget)]);
    const client = await connect(proxy);
    client.send('\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.readResponse()).text).toBe('/1');
    client.send('\r\n');
    client.send('\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.readResponse()).text).toBe('/2');
  });
});

describe('the pool of upstream connections', () => {
  test('serves requests of several clients over one connection, one after the other', async () => {
    const origin = await startOrigin(echoTarget);
    const proxy = await startProxy([origin]);
    for (let i = 0; i < 3; i++) {
      const client = await connect(proxy);
      client.send(GET);
      await client.readResponse();
    }
    expect(origin.connections.length).toBe(1);
    expect(proxy.idleCount).toBe(1);
  });

  test('asks an HTTP/1.1 origin for no Connection field, and closes each connection without a pool', async () => {
    const heads: string[] = [];
    const origin = await startOrigin(
      answering((request) => {
        heads.push(request.head);
        return NO_CONTENT;
      }),
    );
    for (const keepaliveConnections of [8, 0]) {
      const proxy = await startProxy([origin], { keepaliveConnections });
      const client = await connect(proxy);
      client.send(GET);
      await client.readResponse();
    }
    expect(heads[0]).not.toMatch(/^connection:/im);
    expect(heads[1]).toMatch(/^connection: close\r$/im);
    expect(await origin.connections[1]!.waitForEnd()).toBe('fin');
  });

  /** Sends a request on each of `count` client connections, and answers each only when all have arrived. */
  async function fillPool(keepaliveConnections: number, count: number) {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { keepaliveConnections });
    const upstreams: RawSocket[] = [];
    for (let i = 0; i < count; i++) {
      const client = await connect(proxy);
      client.send(GET);
      const upstream = await origin.accept();
      await upstream.readRequest();
      upstreams.push(upstream);
    }
    for (const [i, upstream] of upstreams.entries()) {
      upstream.send(NO_CONTENT);
      await proxy.accessLog.waitFor(/./, i + 1);
    }
    return { origin, proxy, upstreams };
  }

  test('gives the connection used last first', async () => {
    const { proxy, upstreams } = await fillPool(8, 3);
    expect(proxy.idleCount).toBe(3);
    const client = await connect(proxy);
    client.send('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await upstreams[2]!.readRequest()).startLine).toBe('GET /again HTTP/1.1');
    expect(upstreams[0]!.peek() + upstreams[1]!.peek()).toBe('');
  });

  test('closes the connection idle longest when it is full', async () => {
    const { proxy, upstreams } = await fillPool(2, 3);
    expect(await upstreams[0]!.waitForEnd()).toBe('fin');
    expect(proxy.idleCount).toBe(2);
    expect(upstreams[1]!.isEnded).toBe(false);
  });

  test('closes a connection that was idle for its time', async () => {
    const origin = await startOrigin(echoTarget);
    const proxy = await startProxy([origin], { upstreamKeepaliveMs: 100 });
    const client = await connect(proxy);
    client.send(GET);
    await client.readResponse();
    expect(await origin.connections[0]!.waitForEnd()).toBe('fin');
    expect(proxy.idleCount).toBe(0);
    client.send(GET);
    expect((await client.readResponse()).status).toBe(200);
    expect(origin.connections.length).toBe(2);
  });

  test('drops a connection that the origin closed', async () => {
    const origin = await startOrigin(echoTarget);
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    await client.readResponse();
    origin.connections[0]!.end();
    expect(await origin.connections[0]!.waitForEnd()).toBe('fin');
    expect(proxy.idleCount).toBe(0);
    expect(proxy.errorLog.lines).toEqual([]);
  });

  test.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 0],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', 0],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n', 1],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, keep-alive\r\n\r\n', 1],
  ])('after %j keeps %i', async (answer, kept) => {
    const proxy = await startProxy([await startOrigin(answering(answer))]);
    const client = await connect(proxy);
    client.send(GET);
    expect((await client.readResponse()).status).toBe(200);
    expect(proxy.idleCount).toBe(kept);
  });

  test('closes an idle connection that brings bytes unasked, and they reach nobody', async () => {
    const origin = await startOrigin(async (connection, number) => {
      if (number === 1) {
        await connection.readRequest();
        connection.send(NO_CONTENT);
      } else await echoTarget(connection, number);
    });
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    await client.readResponse();
    origin.connections[0]!.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
    await proxy.errorLog.waitFor(/\[warn\].* sent 44 bytes unasked on an idle connection/);
    await origin.connections[0]!.waitForEnd();
    client.send('GET /mine HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.readResponse()).text).toBe('/mine');
  });

  test.each([
    ['by length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'ok'],
    ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'ok'],
    ['without a body', 'HTTP/1.1 304 Not Modified\r\n\r\n', ''],
  ])('does not keep a connection with bytes behind a response %s', async (_kind, answer, body) => {
    const origin = await startOrigin(async (connection, number) => {
      await connection.readRequest();
      connection.send(
        number === 1 ? `${answer}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison` : NO_CONTENT,
      );
    });
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    expect((await client.readResponse()).text).toBe(body);
    expect(proxy.idleCount).toBe(0);
    await proxy.errorLog.waitFor(/\[warn\].* bytes more than its response/);
    client.send(GET);
    expect((await client.readResponse()).status).toBe(204);
  });

  test('does not keep a connection that answered before it had the request', async () => {
    const origin = await startOrigin(async (connection, number) => {
      if (number === 2) return echoTarget(connection, number);
      await connection.readHead();
      await connection.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge');
    });
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome');
    const response = await client.readResponse();
    expect([response.status, response.text]).toEqual([413, 'large']);
    expect(await client.readToEnd()).toBe('');
    await origin.connections[0]!.waitForEnd();
    const next = await connect(proxy);
    next.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await next.readResponse()).text).toBe('/next');
    expect(origin.connections.length).toBe(2);
  });
});

describeReading('what waits in the proxy', () => {
  // A unix socket to a side that does not read takes 200 to 280 KB: the filler, and not all of what follows.
  const FILLER_BYTES = 150_000;
  const WAITING_BYTES = 200_000;

  /** Answers by a body of the target's letter, for a filler its size; the connection ends with the others. */
  const byLetter = (fields: string) =>
    answering(({ startLine }) => {
      const bytes = startLine.includes('filler') ? FILLER_BYTES : WAITING_BYTES;
      const body = startLine[5]!.repeat(bytes);
      return `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n${fields}\r\n${body}`;
    });

  /** A client on a unix socket that has asked for a filler it does not read. */
  async function connectFilled(proxy: TestProxy): Promise<RawClient> {
    const client = await connect(proxy);
    const loggedBefore = proxy.accessLog.lines.length;
    client.pause();
    client.send('GET /filler HTTP/1.1\r\nHost: a\r\n\r\n');
    await proxy.accessLog.waitFor(/./, loggedBefore + 1);
    return client;
  }

  async function startUnixProxy(origin: RawOrigin): Promise<TestProxy> {
    return startProxy([origin], {
      listen: [{ host: '', port: 0, path: join(await socketFolder(), 'proxy') }],
    });
  }

  test('(a response) lets further requests wait behind it', async () => {
    const proxy = await startUnixProxy(await startOrigin(byLetter('')));
    const client = await connectFilled(proxy);
    for (const letter of 'abcd') {
      client.send(`GET /${letter} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await delay(30);
    }
    // The first answer waits for the client, and all else behind it.
    expect(proxy.accessLog.lines.length).toBe(1);
    client.resume();
    await client.readResponse();
    for (const letter of 'abcd') {
      expect((await client.readResponse()).text).toBe(letter.repeat(WAITING_BYTES));
    }
  });

  test('(a response) stays whole when its upstream connection was closed and others are opened', async () => {
    // Over a unix socket a whole response is one read, so that it would run over all of another's.
    const path = join(await socketFolder(), 'origin');
    const proxy = await startUnixProxy(await startOrigin(byLetter('Connection: close\r\n'), path));
    const clients = [];
    for (const letter of 'abcdefgh') {
      const client = await connectFilled(proxy);
      client.send(`GET /${letter} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await delay(20);
      clients.push({ client, letter });
    }
    expect(proxy.accessLog.matching(/filler/).length).toBe(proxy.accessLog.lines.length);
    for (const { client, letter } of clients) {
      client.resume();
      await client.readResponse();
      expect((await client.readResponse()).text).toBe(letter.repeat(WAITING_BYTES));
    }
  });

  test('(the end of a request) stays whole when its client sends the next', async () => {
    const received: string[] = [];
    const script = answering(({ text }) => {
      received.push(text);
      return NO_CONTENT;
    });
    const origin = await startOrigin(
      async (connection, number) => {
        connection.pause();
        await delay(150);
        connection.resume();
        await script(connection, number);
      },
      join(await socketFolder(), 'origin'),
    );
    // Over a unix socket the end of the body is one read, so that some of it waits.
    const proxy = await startUnixProxy(origin);
    const client = await connect(proxy);
    const bodies = ['a', 'b'].map((letter) => letter.repeat(FILLER_BYTES + WAITING_BYTES));
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bodies[0]!.length}\r\n\r\n`);
    client.send(bodies[0]!.slice(0, FILLER_BYTES));
    await delay(30);
    client.send(bodies[0]!.slice(FILLER_BYTES));
    await delay(30);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bodies[1]!.length}\r\n\r\n${bodies[1]}`);
    for (let i = 0; i < 2; i++) expect((await client.readResponse()).status).toBe(204);
    expect(received.map((text) => text.length)).toEqual(bodies.map((text) => text.length));
    expect(received).toEqual(bodies);
  });
});

describe('responses that slow clients hold', () => {
  /** A body that names its request in every 64 bytes, so that a foreign byte anywhere shows. */
  function bodyFor(id: string, bytes: number): Buffer {
    const unit = createHash('sha256').update(id).digest('hex');
    return Buffer.from(unit.repeat(Math.ceil(bytes / unit.length)).slice(0, bytes));
  }

  test.each([
    ['by length', false, false],
    ['chunked', true, false],
    ["by length, clients read by 'data' events", false, true],
  ])(
    'stay whole while their upstream connections serve others (%s)',
    async (_kind, isChunked, isOnReadDisabled) => {
      const origin = await startOrigin(
        answering((request) => {
          const [, id, bytes] = request.startLine.split(/[ /]+/) as [string, string, string];
          const body = bodyFor(id, Number(bytes));
          const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
          const start = isChunked ? `${body.length.toString(16)}\r\n` : '';
          const end = isChunked ? '\r\n0\r\n\r\n' : '';
          return Buffer.concat([
            Buffer.from(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${start}`),
            body,
            Buffer.from(end),
          ]);
        }),
      );
      const proxy = await startProxy([origin], { isOnReadDisabled, keepaliveConnections: 4 });
      // Each fills the kernel's buffers with what it does not read, then holds the end of a response.
      const bodyBytes = [5_000, 20_000, 65_000, 131_000, 200_000, 700_000];
      const clients = await Promise.all(Array.from({ length: 24 }, () => connect(proxy)));
      for (const client of clients) client.pause();
      const asked = clients.map((_client, c) =>
        Array.from({ length: 40 }, (_, r) => ({
          id: `c${c}r${r}x${randomBytes(4).toString('hex')}`,
          bytes: bodyBytes[(c * 7 + r * 5) % bodyBytes.length]!,
        })),
      );
      for (const [c, client] of clients.entries()) {
        client.send(
          asked[c]!.map(({ id, bytes }) => `GET /${id}/${bytes} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''),
        );
      }
      // A quick one runs beside them, over the connections that the slow ones gave back.
      const quick = await connect(proxy);
      for (let i = 0; i < 200; i++) {
        const id = `quick${i}`;
        quick.send(`GET /${id}/${bodyBytes[i % 4]} HTTP/1.1\r\nHost: a\r\n\r\n`);
        const response = await quick.readResponse();
        expect(response.body.equals(bodyFor(id, bodyBytes[i % 4]!))).toBe(true);
        // Now and then a slow one takes a little.
        const slow = clients[i % clients.length]!;
        slow.resume();
        if (i % 3 !== 0) slow.pause();
      }
      for (const [c, client] of clients.entries()) {
        client.resume();
        for (const { id, bytes } of asked[c]!) {
          const response = await client.readResponse();
          expect(response.body.length).toBe(bytes);
          expect(response.body.equals(bodyFor(id, bytes)), `${id} is as it was sent`).toBe(true);
        }
      }
    },
  );
});
