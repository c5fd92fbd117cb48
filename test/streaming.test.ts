// Bodies through the proxy: every framing in both directions, byte for byte and as they come. Who reads slowly
// stops who writes fast. All of it with both ways of reading from clients.
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { answering, type RawMessage, type RawSocket } from '../src/testing/index.js';
import { connect, startOrigin, startProxy, waitForStall } from './scene.js';

const MIB = 1024 * 1024;

const GIB = 1024 * MIB;

/** What kernels may hold between a writer and a reader that stands still: two sockets' buffers, twice. */
const KERNEL_BYTES = 32 * MIB;

const BLOCK_BYTES = 64 * 1024;

/** Blocks of noise of which no two are the same, so that a lost, doubled or swapped one changes the hash. */
class Noise {
  readonly #block = randomBytes(BLOCK_BYTES);
  readonly #hash = createHash('sha256');
  sentBytes = 0;
  isStopped = false;

  next(bytes = BLOCK_BYTES): Buffer {
    const block = Buffer.from(this.#block.subarray(0, bytes));
    block.writeDoubleLE(this.sentBytes, 0);
    this.#hash.update(block);
    return block;
  }

  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Sends `blocks` blocks unless stopped, each when the kernel took the one before; `isChunked` in chunks of a block. */
  async sendTo(socket: RawSocket, blocks: number, isChunked: boolean): Promise<void> {
    for (let i = 0; i < blocks && !this.isStopped; i++) {
      const block = this.next();
      const framed = isChunked
        ? Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')])
        : block;
      await socket.send(framed);
      this.sentBytes += block.length;
    }
    if (isChunked) await socket.send('0\r\n\r\n');
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe.each([
  { reading: 'onread', isOnReadDisabled: false },
  { reading: "'data' events", isOnReadDisabled: true },
])('streaming, clients read by $reading', ({ isOnReadDisabled }) => {
  /** Sends `request` through a proxy; gives what the origin got. */
  async function requestAtOrigin(request: string): Promise<RawMessage> {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { isOnReadDisabled });
    const client = await connect(proxy);
    client.send(request);
    const upstream = await origin.accept();
    const received = await upstream.readRequest();
    upstream.send('HTTP/1.1 204 No Content\r\n\r\n');
    expect((await client.readResponse()).status).toBe(204);
    return received;
  }

  /** Has an origin answer `answer` and close when `closes`; gives what the client got, to the last byte. */
  async function responseAtClient(answer: string, request: string, closes = false): Promise<string> {
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      await connection.send(answer);
      if (closes) connection.end();
    });
    const proxy = await startProxy([origin], { isOnReadDisabled });
    const client = await connect(proxy);
    client.send(request);
    return client.readToEnd();
  }

  describe('requests', () => {
    test('a body by length arrives by length', async () => {
      const received = await requestAtOrigin(
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world',
      );
      expect(received.field('content-length')).toBe('11');
      expect(received.field('transfer-encoding')).toBeNull();
      expect(received.text).toBe('hello world');
    });

    test('an empty body by length arrives as such', async () => {
      const received = await requestAtOrigin('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
      expect(received.field('content-length')).toBe('0');
    });

    test('a chunked body arrives chunked, its extensions dropped', async () => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      client.send(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '5;name=value\r\nhello\r\n06;quoted="a;b"\r\n world\r\n000;last\r\n\r\n',
      );
      const upstream = await origin.accept();
      const head = await upstream.readHead();
      expect(head).toMatch(/\r\nTransfer-Encoding: chunked\r\n/);
      expect(await upstream.readUntil('0\r\n\r\n')).toBe('b\r\nhello world\r\n0\r\n\r\n');
    });

    test('an empty chunked body arrives as such', async () => {
      const received = await requestAtOrigin(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      );
      expect(received.field('transfer-encoding')).toBe('chunked');
      expect(received.body.length).toBe(0);
    });

    test('a chunked body sent byte by byte arrives whole', async () => {
      const origin = await startOrigin(answering('HTTP/1.1 204 No Content\r\n\r\n'));
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      const request =
        'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\n';
      for (const byte of request) {
        await client.send(byte);
        await delay(0);
      }
      expect((await client.readResponse()).status).toBe(204);
    });

    test('trailers arrive, but for those that frame, route or authorise', async () => {
      const received = await requestAtOrigin(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n' +
          '1\r\nx\r\n0\r\nX-Sum: 42\r\nContent-Length: 7\r\nHost: evil\r\nAuthorization: evil\r\nTransfer-Encoding: x\r\n\r\n',
      );
      expect(received.trailers).toBe('X-Sum: 42\r\n');
      expect(received.field('trailer')).toBe('X-Sum');
    });

    test.each([
      ['by length', 'Content-Length: 10', 'hello', 'world', 'hello', 'world'],
      [
        'chunked',
        'Transfer-Encoding: chunked',
        '5\r\nhello\r\n',
        '5\r\nworld\r\n0\r\n\r\n',
        '5\r\nhello\r\n',
        '5\r\nworld\r\n0\r\n\r\n',
      ],
    ])('bytes of a body %s reach the origin before the client is done', async (_kind, field, ...parts) => {
      const [first, second, firstAtOrigin, secondAtOrigin] = parts as [string, string, string, string];
      const origin = await startOrigin();
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n${first}`);
      const upstream = await origin.accept();
      await upstream.readHead();
      expect((await upstream.readBytes(firstAtOrigin.length)).toString()).toBe(firstAtOrigin);
      client.send(second);
      expect((await upstream.readBytes(secondAtOrigin.length)).toString()).toBe(secondAtOrigin);
      upstream.send('HTTP/1.1 204 No Content\r\n\r\n');
      expect((await client.readResponse()).status).toBe(204);
    });
  });

  describe('responses', () => {
    test.each(['0', '1'])('a body by length arrives by length at an HTTP/1.%s client', async (minor) => {
      const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Kept: yes\r\n\r\nhello';
      const request = `GET / HTTP/1.${minor}\r\nHost: a\r\nConnection: close\r\n\r\n`;
      expect(await responseAtClient(answer, request)).toBe(
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Kept: yes\r\nConnection: close\r\n\r\nhello',
      );
    });

    test('a chunked body arrives chunked, its extensions dropped, with its trailers', async () => {
      const answer =
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1;c="d"\r\n!\r\n0;e\r\n' +
        'X-Sum: 42\r\nContent-Length: 9\r\nSet-Cookie: evil\r\n\r\n';
      expect(await responseAtClient(answer, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toBe(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n' +
          '6\r\nhello!\r\n0\r\nX-Sum: 42\r\n\r\n',
      );
    });

    test('a chunked body arrives until close at an HTTP/1.0 client, without trailers', async () => {
      const answer =
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 42\r\n\r\n';
      expect(await responseAtClient(answer, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')).toBe(
        'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello!',
      );
    });

    test('a body until close arrives chunked, and the connection goes on', async () => {
      const origin = await startOrigin(async (connection) => {
        await connection.readHead();
        await connection.send('HTTP/1.1 200 OK\r\n\r\nhello');
        connection.end();
      });
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      for (let i = 0; i < 2; i++) {
        client.send(GET);
        const response = await client.readResponse();
        expect(response.fieldLines).toEqual(['Transfer-Encoding: chunked']);
        expect(response.text).toBe('hello');
      }
    });

    test('a body until close arrives until close at an HTTP/1.0 client', async () => {
      expect(await responseAtClient('HTTP/1.0 200 OK\r\n\r\nhello', 'GET / HTTP/1.0\r\n\r\n', true)).toBe(
        'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello',
      );
    });

    test.each([
      ['HEAD', '200 OK', 'Content-Length: 5\r\n'],
      ['GET', '204 No Content', ''],
      ['GET', '304 Not Modified', 'Content-Length: 5\r\n'],
    ])('%s answered %s has no body, and both connections go on', async (method, status, length) => {
      const origin = await startOrigin(answering(`HTTP/1.1 ${status}\r\n${length}\r\n`));
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      for (let i = 0; i < 3; i++) {
        client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
        expect((await client.readResponse(method)).head).toBe(`HTTP/1.1 ${status}\r\n${length}\r\n`);
      }
      expect(origin.connections.length).toBe(1);
    });

    test('HEAD answered with a chunked head has no body, and both connections go on', async () => {
      const origin = await startOrigin(answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      for (let i = 0; i < 2; i++) {
        client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
        expect((await client.readResponse('HEAD')).status).toBe(200);
      }
      expect(origin.connections.length).toBe(1);
    });

    test('a Content-Length on 204 is dropped: no body can follow', async () => {
      const answer = 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n';
      expect(await responseAtClient(answer, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toBe(
        'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n',
      );
    });

    test.each([
      ['by length', 'Content-Length: 10\r\n', 'hello', 'hello'],
      ['chunked', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n', '5\r\nhello\r\n'],
      ['until close', '', 'hello', '5\r\nhello\r\n'],
    ])(
      'bytes of a body %s reach the client before the origin is done',
      async (_kind, field, sent, received) => {
        const origin = await startOrigin();
        const proxy = await startProxy([origin], { isOnReadDisabled });
        const client = await connect(proxy);
        client.send(GET);
        const upstream = await origin.accept();
        await upstream.readHead();
        upstream.send(`HTTP/1.1 200 OK\r\n${field}\r\n`);
        await client.readHead();
        upstream.send(sent);
        expect((await client.readBytes(received.length)).toString()).toBe(received);
      },
    );

    test('a response sent byte by byte arrives whole', async () => {
      const origin = await startOrigin(async (connection) => {
        await connection.readHead();
        const answer =
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n5\r\nhello\r\n0\r\nT: u\r\n\r\n';
        for (const byte of answer) {
          await connection.send(byte);
          await delay(0);
        }
      });
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      client.send(GET);
      const response = await client.readResponse();
      expect(response.fieldLines).toEqual(['X-A: b', 'Transfer-Encoding: chunked']);
      expect(response.text).toBe('hello');
      expect(response.trailers).toBe('T: u\r\n');
    });
  });

  test('both bodies go on at once: an origin that echoes chunk by chunk', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      connection.divert((bytes) => void connection.send(bytes));
    });
    const proxy = await startProxy([origin], { isOnReadDisabled });
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.readHead();
    for (let i = 0; i < 50; i++) {
      const chunk = `7\r\nround${i.toString().padStart(2, '0')}\r\n`;
      client.send(chunk);
      expect((await client.readBytes(chunk.length)).toString()).toBe(chunk);
    }
    client.send('0\r\n\r\n');
    expect((await client.readBytes(5)).toString()).toBe('0\r\n\r\n');
    expect(await proxy.accessLog.waitFor(/POST/)).toMatch(/ 200 605 /);
  });

  test('an answer that begins before the body is whole leaves the connection for the next request', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      connection.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
      connection.send(await connection.readBytes(6));
      await connection.readHead();
      connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
    });
    const proxy = await startProxy([origin], { isOnReadDisabled });
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    const head = await client.readHead();
    expect(head).not.toMatch(/^Connection: close/im);
    client.send('def');
    expect((await client.readBytes(6)).toString()).toBe('abcdef');
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.readResponse()).text).toBe('next');
  });

  test('both bodies stand still when the client does not read its echo, and go on with it', async () => {
    const noise = new Noise();
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      connection.divert((received) => {
        connection.pause();
        void connection.send(received).then(() => connection.resume());
      });
    });
    const proxy = await startProxy([origin], { isOnReadDisabled });
    const client = await connect(proxy);
    client.pause();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    // As much as it takes: the kernel's buffers on all four ways hold what its settings say.
    let hasSent = false;
    const sent = noise.sendTo(client, GIB / BLOCK_BYTES, true).then(() => {
      hasSent = true;
    });
    await waitForStall(() => noise.sentBytes);
    expect(hasSent).toBe(false);
    noise.isStopped = true;
    client.resume();
    await sent;
    expect(sha256((await client.readResponse()).body)).toBe(noise.digest);
    expect(proxy.idleCount).toBe(1);
  }, 60_000);

  describe.each([
    ['by length', false],
    ['chunked', true],
  ])('large bodies %s', (_kind, isChunked) => {
    const blocks = 800;
    const field = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${blocks * BLOCK_BYTES}`;

    test('50 MB come down byte for byte', async () => {
      const noise = new Noise();
      const origin = await startOrigin(async (connection) => {
        await connection.readHead();
        await connection.send(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
        await noise.sendTo(connection, blocks, isChunked);
      });
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      client.send(GET);
      const response = await client.readResponse();
      expect(response.body.length).toBe(blocks * BLOCK_BYTES);
      expect(sha256(response.body)).toBe(noise.digest);
    });

    test('50 MB go up byte for byte', async () => {
      const noise = new Noise();
      let received = '';
      const origin = await startOrigin(
        answering((request) => {
          received = sha256(request.body);
          return 'HTTP/1.1 204 No Content\r\n\r\n';
        }),
      );
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
      await noise.sendTo(client, blocks, isChunked);
      expect((await client.readResponse()).status).toBe(204);
      expect(received).toBe(noise.digest);
    });

    test('an origin is stopped by a client that does not read, and goes on with it', async () => {
      const noise = new Noise();
      const manyBlocks = 1600;
      const length = isChunked ? field : `Content-Length: ${manyBlocks * BLOCK_BYTES}`;
      const origin = await startOrigin(async (connection) => {
        await connection.readHead();
        await connection.send(`HTTP/1.1 200 OK\r\n${length}\r\n\r\n`);
        await noise.sendTo(connection, manyBlocks, isChunked);
      });
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      const rssBefore = process.memoryUsage().rss;
      client.pause();
      client.send(GET);
      await waitForStall(() => noise.sentBytes);
      expect(noise.sentBytes).toBeGreaterThan(0);
      expect(noise.sentBytes).toBeLessThan(KERNEL_BYTES);
      expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * MIB);
      client.resume();
      const response = await client.readResponse();
      expect(sha256(response.body)).toBe(noise.digest);
    });

    test('a client is stopped by an origin that does not read, and goes on with it', async () => {
      const noise = new Noise();
      const manyBlocks = 1600;
      const length = isChunked ? field : `Content-Length: ${manyBlocks * BLOCK_BYTES}`;
      const origin = await startOrigin();
      const proxy = await startProxy([origin], { isOnReadDisabled });
      const client = await connect(proxy);
      const rssBefore = process.memoryUsage().rss;
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n`);
      const upstream = await origin.accept();
      upstream.pause();
      const sent = noise.sendTo(client, manyBlocks, isChunked);
      await waitForStall(() => noise.sentBytes);
      expect(noise.sentBytes).toBeGreaterThan(0);
      expect(noise.sentBytes).toBeLessThan(KERNEL_BYTES);
      expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * MIB);
      upstream.resume();
      await sent;
      const received = await upstream.readRequest();
      expect(sha256(received.body)).toBe(noise.digest);
      upstream.send('HTTP/1.1 204 No Content\r\n\r\n');
      expect((await client.readResponse()).status).toBe(204);
    });
  });
});
