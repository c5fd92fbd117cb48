// One side goes away in the middle: the other must learn it, neither too late nor wrongly, and a body that was
// cut must never look complete.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answering, type RawSocket } from '../src/testing/index.js';
import { serveConf } from './conf-scene.js';
import { connect, describeReading, silentAddress, startOrigin, startProxy } from './scene.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

/** The two ways of going away. */
const GOING: [string, (socket: RawSocket) => void][] = [
  ['closes', (socket) => socket.close()],
  ['resets', (socket) => socket.reset()],
];

describeReading('a client that goes away', () => {
  describe.each(GOING)('a client that %s', (how, leave) => {
    test('before it sent anything leaves no trace', async () => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      const other = await connect(proxy);
      leave(client);
      other.send(`${GET}`);
      await (await origin.accept()).readHead();
      await expect.poll(() => proxy.server.connectionCount).toBe(1);
      expect(proxy.accessLog.lines).toEqual([]);
      expect(proxy.errorLog.lines).toEqual([]);
    });

    test('in the middle of a head sends nothing upstream', async () => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n');
      await delay(20);
      leave(client);
      await expect.poll(() => proxy.server.connectionCount).toBe(0);
      expect(origin.connections.length).toBe(0);
      expect(proxy.accessLog.lines.length).toBe(how === 'closes' ? 1 : 0);
    });

    test('while the connection upstream is made cancels that', async () => {
      const proxy = await startProxy([{ address: await silentAddress() }]);
      const client = await connect(proxy);
      await client.send(GET);
      await delay(20);
      leave(client);
      expect(await proxy.accessLog.waitFor(/ 499 /)).toMatch(/ 499 0 .* ustatus=- .* uct=- /);
      expect(proxy.server.connectionCount).toBe(0);
      expect(proxy.deadlineCount).toBe(0);
    });

    test.each([
      ['by length', 'Content-Length: 10\r\n\r\nhello'],
      ['chunked', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ])('in the middle of a body %s takes the request back', async (_kind, rest) => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
      const upstream = await origin.accept();
      await upstream.readUntil('hello');
      leave(client);
      await upstream.waitForEnd();
      expect(upstream.peek()).not.toMatch(/0\r\n\r\n/);
      await proxy.accessLog.waitFor(/ 499 0 /);
      expect(proxy.server.connectionCount).toBe(0);
    });

    test('while it waits for the answer cancels the request', async () => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      client.send(GET);
      const upstream = await origin.accept();
      await upstream.readHead();
      leave(client);
      await upstream.waitForEnd();
      expect(await proxy.accessLog.waitFor(/ 499 /)).toMatch(
        /"GET \/ HTTP\/1.1" 499 0 .* ustatus=- .* uht=- urt=\d/,
      );
      expect(proxy.server.connectionCount).toBe(0);
    });

    test('while it waits for the second of two pipelined answers cancels that', async () => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      client.send(GET + GET);
      const upstream = await origin.accept();
      await upstream.readHead();
      upstream.send(NO_CONTENT);
      await client.readHead();
      await upstream.readHead();
      leave(client);
      await upstream.waitForEnd();
      await proxy.accessLog.waitFor(/ 499 0 /);
      expect(proxy.server.connectionCount).toBe(0);
    });

    test('in the middle of a response cancels the rest', async () => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      client.send(GET);
      const upstream = await origin.accept();
      await upstream.readHead();
      upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello');
      await client.readHead();
      leave(client);
      await upstream.waitForEnd();
      await proxy.accessLog.waitFor(/ 200 5 .* ustatus=200 /);
      expect(proxy.server.connectionCount).toBe(0);
      expect(proxy.idleCount).toBe(0);
    });

    test('in the middle of a response it does not read stops the origin', async () => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      client.pause();
      client.send(GET);
      const upstream = await origin.accept();
      await upstream.readHead();
      upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${48e6}\r\n\r\n`);
      upstream.send(Buffer.alloc(48e6));
      await delay(200);
      leave(client);
      await upstream.waitForEnd();
      await proxy.accessLog.waitFor(/ 200 \d+ /);
      expect(proxy.server.connectionCount).toBe(0);
    });
  });
});

test.each([false, true])(
  "a client that reset before it was accepted is not served: who it was can't be told (fallback: %s)",
  async (isOnReadDisabled) => {
    const origin = await startOrigin(answering(NO_CONTENT));
    const proxy = await startProxy([origin], { isOnReadDisabled });
    // The proxy can't accept before this process has run to its end.
    const code = `
      const socket = require('node:net').connect(${proxy.address.port}, '127.0.0.1');
      socket.write('GET /gone HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n', () => socket.resetAndDestroy());`;
    expect(spawnSync(process.execPath, ['-e', code]).status).toBe(0);
    const other = await connect(proxy);
    other.send(GET);
    expect((await other.readResponse()).status).toBe(204);
    expect(proxy.accessLog.lines.filter((line) => !line.startsWith('127.0.0.1 '))).toEqual([]);
    await expect.poll(() => proxy.server.connectionCount).toBe(1);
    expect(origin.connections.length).toBe(1);
  },
);

describe('a client that goes away where proxy_ignore_client_abort is on', () => {
  test.each([
    ['in memory', '16m'],
    ['in a file', '1k'],
  ])('leaves its request, whose body is %s, to be sent to its end', async (_where, bufferSize) => {
    const origin = await startOrigin();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-abort-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const conf = await serveConf(`
      access_log access.log;
      server { listen 127.0.0.1:%PORT%; client_max_body_size 0; client_body_buffer_size ${bufferSize};
        client_body_temp_path ${folder};
        location / { proxy_pass http://${origin.name}; proxy_ignore_client_abort on; } }`);
    const client = await conf.connect();
    const body = Buffer.alloc(12_000_000, 'x');
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    await client.send(body);
    const upstream = await origin.accept();
    upstream.pause();
    client.reset();
    await conf.log('access.log').waitFor(/ 499 /);
    upstream.resume();
    await upstream.readHead();
    expect((await upstream.readBytes(body.length)).equals(body)).toBe(true);
    await upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    upstream.end();
    expect(await upstream.waitForEnd()).toBe('fin');
  });
});

describeReading('a client that only ended its own side', () => {
  test('still gets its answer', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    client.end();
    const upstream = await origin.accept();
    await upstream.readHead();
    await delay(300);
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(await client.readToEnd()).toBe(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    );
    await proxy.accessLog.waitFor(/ 200 2 /);
    expect(proxy.idleCount).toBe(1);
  });

  test('gets all of an answer that takes several seconds, as long as it comes', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    client.end();
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n');
    for (let i = 0; i < 4; i++) {
      await delay(600);
      upstream.send('ok');
    }
    expect((await client.readResponse()).text).toBe('okokokok');
  });

  test('gets an early answer whole, also when its body was not', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.pause();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello`);
    const upstream = await origin.accept();
    await upstream.readHead();
    const bytes = 12e6;
    upstream.send(`HTTP/1.1 413 Content Too Large\r\nContent-Length: ${bytes}\r\n\r\n`);
    const sent = upstream.send(Buffer.alloc(bytes));
    await delay(200);
    client.end();
    client.resume();
    await sent;
    expect((await client.readResponse()).body.length).toBe(bytes);
  });
});

describe('an origin that goes away in the middle of a response', () => {
  const leaving = GOING.map(([how, leave]) => ({ how, leave }));
  const bodies = [
    { kind: 'by length', head: 'Content-Length: 10\r\n', sent: 'hello', passed: 'hello' },
    {
      kind: 'chunked',
      head: 'Transfer-Encoding: chunked\r\n',
      sent: '5\r\nhello\r\n',
      passed: '5\r\nhello\r\n',
    },
    {
      kind: 'chunked, inside of a chunk',
      head: 'Transfer-Encoding: chunked\r\n',
      sent: 'a\r\nhello',
      passed: '5\r\nhello\r\n',
    },
    {
      kind: 'chunked, before the end of the trailer',
      head: 'Transfer-Encoding: chunked\r\n',
      sent: '5\r\nhello\r\n0\r\nX-Sum: 1\r\n',
      passed: '5\r\nhello\r\n',
    },
  ];

  test.each(leaving.flatMap((way) => bodies.map((body) => ({ ...way, ...body }))))(
    '($how, $kind) leaves its client with a body that is not complete',
    async ({ leave, head, sent, passed }) => {
      const origin = await startOrigin();
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      client.send(GET);
      const upstream = await origin.accept();
      await upstream.readHead();
      upstream.send(`HTTP/1.1 200 OK\r\n${head}\r\n${sent}`);
      await client.readHead();
      expect((await client.readBytes(passed.length)).toString()).toBe(passed);
      leave(upstream);
      expect(await client.readToEnd()).toBe('');
      await proxy.errorLog.waitFor(/\[error\].* while reading upstream/);
      await proxy.accessLog.waitFor(new RegExp(` 200 ${passed.length} `));
    },
  );

  test('(resets, until close) leaves an HTTP/1.1 client without the last chunk', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send(GET);
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 200 OK\r\n\r\nhello');
    await client.readUntil('hello\r\n');
    upstream.reset();
    expect(await client.readToEnd()).toBe('');
  });

  test.each([
    ['resets, until close', 'HTTP/1.1 200 OK\r\n\r\nhello', 'reset'],
    ['resets, chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'reset'],
    ['closes, chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'close'],
  ])('(%s) resets an HTTP/1.0 client, which knows no other end than a close', async (_how, answer, way) => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    client.send('GET / HTTP/1.0\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send(answer);
    await client.readUntil('hello');
    if (way === 'reset') upstream.reset();
    else upstream.close();
    expect(await client.waitForEnd()).toBe('reset');
  });

  test('lets a slow HTTP/1.0 client have all that came before the reset', async () => {
    const origin = await startOrigin();
    const conf = await serveConf(
      `access_log access.log; server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://${origin.name}; } }`,
    );
    const client = await conf.connect();
    client.send('GET / HTTP/1.0\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    const chunk = `40000\r\n${'x'.repeat(0x40000)}\r\n`;
    upstream.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await client.readHead();
    client.pause();
    // More than the client's system holds of it, and less than it and ours together.
    await upstream.send(chunk.repeat(8));
    upstream.close();
    await conf.log('access.log').waitFor(/GET/);
    client.resume();
    expect((await client.readBytes(8 * 0x40000)).every((byte) => byte === 0x78)).toBe(true);
    expect(await client.waitForEnd()).toBe('reset');
  });

  test('(closes, chunked) closes an HTTP/1.0 client of a unix socket, which has no resets', async () => {
    const origin = await startOrigin();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-abort-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'sluice.sock');
    const proxy = await startProxy([origin], { listen: [{ host: '', port: 0, path }] });
    const client = await connect(proxy);
    client.send('GET / HTTP/1.0\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await client.readUntil('hello');
    upstream.close();
    await client.waitForEnd();
    await proxy.accessLog.waitFor(/ 200 5 /);
  });
});

describe('a malformed response', () => {
  test.each([
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX-A: b\0c\r\n\r\n',
    'HTTP/1.1 200 OK\r\n folded\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(40_000)}\r\n\r\n`,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n',
  ])('%j gives 502, and the connection to the client goes on', async (answer) => {
    const origin = await startOrigin(answering(answer));
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) {
      client.send(GET);
      const response = await client.readResponse();
      expect(response.status).toBe(502);
      expect(response.text).not.toMatch(/hello/);
    }
    expect(proxy.idleCount).toBe(0);
    expect(proxy.errorLog.matching(/\[error\].* upstream sent /).length).toBe(2);
  });

  test.each([
    ['a chunk size', '5\r\nhello\r\nfoo\r\n'],
    ['the end of a chunk', '5\r\nhelloXX'],
  ])(
    'with %s malformed in the middle leaves the client with a body that is not complete',
    async (_which, rest) => {
      const origin = await startOrigin(async (connection) => {
        await connection.readHead();
        await connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
        await delay(30);
        await connection.send(rest);
      });
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      client.send(GET);
      await client.readHead();
      expect(await client.readToEnd()).not.toMatch(/0\r\n\r\n$/);
      await proxy.errorLog.waitFor(/\[error\].* upstream sent /);
      await origin.connections[0]!.waitForEnd();
    },
  );
});

describeReading('a client that still sends a large body', () => {
  const bytes = 30e6;

  /** Sends a request with a large body and only then reads. */
  async function upload(client: RawSocket, body = Buffer.alloc(bytes)): Promise<void> {
    client.pause();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    await client.send(body);
    client.resume();
  }

  test('gets an early answer of the origin, and no reset', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      await connection.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge');
    });
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    await upload(client);
    const response = await client.readResponse();
    expect([response.status, response.text, response.field('connection')]).toEqual([413, 'large', 'close']);
    expect(await client.waitForEnd()).toBe('fin');
  });

  test('gets the answer of an origin that answers and goes, and no reset', async () => {
    for (let i = 0; i < 20; i++) {
      const origin = await startOrigin(async (connection) => {
        await connection.readHead();
        await connection.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge');
        connection.close();
      });
      const proxy = await startProxy([origin]);
      const client = await connect(proxy);
      await upload(client);
      const response = await client.readResponse();
      expect([response.status, response.text]).toEqual([413, 'large']);
      expect(await client.waitForEnd()).toBe('fin');
    }
  });

  test('gets 502 when the origin resets the connection, and no reset', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      connection.reset();
    });
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    await upload(client);
    const response = await client.readResponse();
    expect([response.status, response.field('connection')]).toEqual([502, 'close']);
    expect(await client.waitForEnd()).toBe('fin');
  });

  test('gets 400 when it is malformed, and no reset', async () => {
    const proxy = await startProxy([await startOrigin()]);
    const client = await connect(proxy);
    client.pause();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nXYZ\r\n');
    await client.send(Buffer.alloc(bytes));
    client.resume();
    expect((await client.readResponse()).status).toBe(400);
    expect(await client.waitForEnd()).toBe('fin');
  });

  test('gets 400 for a head that is too large, and no reset', async () => {
    const proxy = await startProxy([await startOrigin()]);
    const client = await connect(proxy);
    client.pause();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(6000)}`);
    await client.send(Buffer.alloc(bytes));
    client.resume();
    expect((await client.readResponse()).status).toBe(400);
    expect(await client.waitForEnd()).toBe('fin');
  });
});
