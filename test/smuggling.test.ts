// What an attacker would try at either end: to have one message read as two, to slip a field past the proxy, to
// have one client's answer reach another, to fill its memory. Written down as bytes in and bytes out.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect as openSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answering, type RawSocket } from '../src/testing/index.js';
import { connect, startOrigin, startProxy } from './scene.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** What a proxy adds to a request of a client on 127.0.0.1 for host "a". */
const FORWARDED = 'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n';

/** Sends each piece in a packet of its own, a while apart. */
async function sendSlowly(socket: RawSocket, ...pieces: string[]): Promise<void> {
  for (const piece of pieces) {
    await socket.send(piece);
    await delay(20);
  }
}

describe('requests', () => {
  /** The bytes that reach an origin which answers with 200 whatever comes; `count` requests are awaited. */
  async function bytesAtOrigin(...pieces: string[]): Promise<string> {
    const origin = await startOrigin();
    const client = await connect(await startProxy([origin]));
    void sendSlowly(client, ...pieces);
    const upstream = await origin.accept();
    let text = '';
    upstream.divert((bytes) => {
      text += bytes.toString('latin1');
      if (/(?:^|\r\n)0\r\n(?:.+\r\n)*\r\n$/.test(text) || !text.includes('chunked')) void upstream.send(OK);
    });
    expect((await client.readResponse()).status).toBe(200);
    return text;
  }

  /** A request that is refused: its client reads `status` and then the end, and no origin is asked. */
  async function refuse(bytes: string, status: number): Promise<void> {
    const origin = await startOrigin(answering(OK));
    const client = await connect(await startProxy([origin]));
    await client.send(bytes);
    expect((await client.readResponse()).status).toBe(status);
    expect(await client.readToEnd()).toBe('');
    expect(origin.connections).toHaveLength(0);
  }

  test('are passed on with line ends of CRLF, whatever ended their lines', async () => {
    expect(await bytesAtOrigin('GET /a HTTP/1.1\nHost: a\nB: c\r\nD:\te\t\n\n')).toBe(
      `GET /a HTTP/1.1\r\nHost: a\r\n${FORWARDED}B: c\r\nD: e\r\n\r\n`,
    );
  });

  test('are passed on without fields of this hop, named ones and those with odd names', async () => {
    const lines = [
      'Connection: keep-alive, X-Hop, X-Forwarded-For, Host, Cookie',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Upgrade: websocket',
      'X-Hop: 1',
      'x-hop: 2',
      'Cookie: c',
      'Content_Length: 5',
      'Transfer_Encoding: chunked',
      'X_Forwarded_For: 10.0.0.1',
      'Content.Length: 5',
      'X-Keep: \xe9',
      'Content-Length:\t0 \t',
    ];
    expect(await bytesAtOrigin(`GET / HTTP/1.1\r\nHost: a\r\n${lines.join('\r\n')}\r\n\r\n`)).toBe(
      `GET / HTTP/1.1\r\nHost: a\r\n${FORWARDED}Content-Length: 0\r\nCookie: c\r\nX-Keep: \xe9\r\n\r\n`,
    );
  });

  test('say where they came from behind what they claim, in one line each', async () => {
    const lines =
      'X-Forwarded-For: 1.1.1.1\r\nx-forwarded-for:\r\nX-Forwarded-For: 2.2.2.2\r\nX-Forwarded-Proto: https\r\n';
    expect(await bytesAtOrigin(`GET / HTTP/1.1\r\nHost: a\r\n${lines}X-Forwarded-Host: b\r\n\r\n`)).toBe(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1\r\n' +
        'X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n',
    );
  });

  test('of the absolute form go to the host in their target, whatever Host says', async () => {
    expect(await bytesAtOrigin('GET http://u:p@a/b HTTP/1.1\r\nHost: evil\r\nC: d\r\n\r\n')).toBe(
      `GET /b HTTP/1.1\r\nHost: a\r\n${FORWARDED}C: d\r\n\r\n`,
    );
  });

  test('do not carry HTTP into a tunnel', async () => {
    const lines =
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket, h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
    expect(await bytesAtOrigin(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`)).toBe(
      `GET / HTTP/1.1\r\nHost: a\r\n${FORWARDED}\r\n`,
    );
  });

  test('have their chunks written anew: no extensions, no trailer that frames or routes', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n';
    const body =
      '003;a=b\r\nabc\r\n1;c="d"\r\nd\r\n0;e\r\nHost: evil\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\n' +
      'X-Forwarded-For: 1.1.1.1\r\nCookie: f\r\nX_Sum: 1\r\nX-Sum:  2 \r\n\r\n';
    const sent = `POST / HTTP/1.1\r\nHost: a\r\n${FORWARDED}Transfer-Encoding: chunked\r\n\r\n`;
    expect(await bytesAtOrigin(head + body)).toBe(`${sent}4\r\nabcd\r\n0\r\nX-Sum: 2\r\n\r\n`);
    // In packets of a few bytes: what they hold of the payload becomes a chunk each.
    const pieces = body.match(/[\s\S]{1,7}/g)!;
    const text = await bytesAtOrigin(head, ...pieces);
    expect(text.slice(0, sent.length)).toBe(sent);
    expect(text.slice(sent.length)).toMatch(/^(?:\d\r\n[abcd]+\r\n)+0\r\nX-Sum: 2\r\n\r\n$/);
    expect(text.slice(sent.length).replace(/\d\r\n|\r\n/g, '')).toMatch(/^abcd/);
  });

  test.each([
    [
      'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n1\r\na\r\n0\r\n\r\n',
      400,
    ],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\ncontent-length: 5\r\n\r\nabcde', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 501],
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\n\ra\r\n0\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n', 400],
    [
      `GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(1025)}\r\na\r\n0\r\n\r\n`,
      400,
    ],
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n', 400],
    [
      'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\nGET /x HTTP/1.1\r\n\r\n',
      400,
    ],
    ['CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 405],
    [`GET /${'a'.repeat(8200)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    [`GET / HTTP/1.1\r\nHost: a\r\nB: ${'b'.repeat(8200)}\r\n\r\n`, 400],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'A:\r\n'.repeat(1000)}\r\n`, 400],
    [`GET / HTTP/1.1\r\nHost: a\r\n${`B: ${'b'.repeat(8000)}\r\n`.repeat(5)}\r\n`, 400],
    ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['\rGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ])('like %j are refused with %i, and nothing goes upstream', async (bytes, status) => {
    await refuse(bytes, status);
  });

  test('may stand behind empty lines, but not behind half of one, however that is split', async () => {
    const origin = await startOrigin(answering(OK));
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    await sendSlowly(client, '\r', '\n\r\n\n\r', `\n${GET}`);
    expect((await client.readResponse()).text).toBe('ok');
    await sendSlowly(client, '\r\n\r', GET);
    expect((await client.readResponse()).status).toBe(400);
    expect(await client.readToEnd()).toBe('');
  });

  test('before a malformed one are answered, those behind it never seen', async () => {
    const origin = await startOrigin(
      answering((request) => OK.replace('ok', request.startLine[5]!.repeat(2))),
    );
    const client = await connect(await startProxy([origin]));
    const request = (name: string) => `GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n`;
    await client.send(`${request('1')}${request('2')}GET /3 HTTP/1.1\r\n\r\n${request('4')}`);
    expect((await client.readResponse()).text).toBe('11');
    expect((await client.readResponse()).text).toBe('22');
    expect((await client.readResponse()).status).toBe(400);
    expect(await client.readToEnd()).toBe('');
    expect(origin.connections).toHaveLength(1);
  });

  test('whose body turns out malformed are cut off at the origin, never ended', async () => {
    const origin = await startOrigin();
    const client = await connect(await startProxy([origin]));
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    const upstream = await origin.accept();
    const head = await upstream.readHead();
    expect(head).toContain('Transfer-Encoding: chunked');
    expect(await upstream.readUntil('abc\r\n')).toBe('3\r\nabc\r\n');
    await client.send('3\r\nabcd\r\n0\r\n\r\n');
    await upstream.waitForEnd();
    expect(upstream.peek()).toBe('');
    expect((await client.readResponse()).status).toBe(400);
    expect(await client.readToEnd()).toBe('');
  });

  test('of HTTP/1.0 without Host to a unix socket have the name of the group', async () => {
    const hosts: (string | null)[] = [];
    const origin = await startOrigin(
      answering((request) => {
        hosts.push(request.field('host'));
        return OK;
      }),
    );
    const folder = mkdtempSync(join(tmpdir(), 'sluice-smuggling-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'origin.sock');
    const { port, host } = origin.address;
    const relay = createServer((socket) => socket.pipe(openSocket(port, host)).pipe(socket)).listen(path);
    onTestFinished(() => void relay.close());
    await once(relay, 'listening');
    const client = await connect(await startProxy([], { peers: [{ address: { host: '', port: 0, path } }] }));
    await client.send('GET / HTTP/1.0\r\n\r\n');
    expect((await client.readResponse()).status).toBe(200);
    expect(hosts).toEqual(['default']);
  });

  test('behind one whose answer nobody reads are not read without end', async () => {
    const body = 'b'.repeat(60_000);
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const client = await connect(await startProxy([await startOrigin(answering(answer))]));
    client.pause();
    // One at a time, until an answer that the proxy has whole waits for room in the sockets: 18 MB are enough.
    for (let i = 0; i < 300; i++) {
      await client.send(GET);
      await delay(2);
    }
    const block = GET.repeat(40_000);
    let takenBlocks = 0;
    const flood = async () => {
      for (; takenBlocks < 60 && !client.isClosed; takenBlocks++) {
        await client.send(block);
        await turn();
      }
    };
    void flood();
    await delay(500);
    const stalledAt = takenBlocks;
    await delay(700);
    expect(takenBlocks).toBe(stalledAt);
  });
});

describe('responses', () => {
  /** What a client gets when its origin answers `answer`, and what a second one gets after it. */
  async function answerWith(answer: string, request = GET): Promise<{ client: RawSocket; other: RawSocket }> {
    const origin = await startOrigin(async (connection, number) => {
      for (let first = number === 1; ; first = false) {
        await connection.readRequest();
        await connection.send(first ? answer : OK);
      }
    });
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    await client.send(request);
    return { client, other: await connect(proxy) };
  }

  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

  test.each([
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\x00\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(9000)}\r\nContent-Length: 0\r\n\r\n`,
    `${CHUNKED}2\r\nok!\r\n0\r\n\r\n`,
    `${CHUNKED}-2\r\nok\r\n0\r\n\r\n`,
    `${CHUNKED}2;\n\r\nok\r\n0\r\n\r\n`,
    `${CHUNKED}2\r\nok\r\n0\r\nA\r\n\r\n`,
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/9.9 200 OK\r\n\r\n',
  ])('like %j are a 502 for the client', async (answer) => {
    const { client } = await answerWith(answer);
    let response = await client.readResponse();
    if (response.status === 100) response = await client.readResponse();
    expect(response.status).toBe(502);
    expect(response.head).not.toContain('Set-Cookie');
    expect(response.text).toContain('502 Bad Gateway');
  });

  test('are passed on with line ends of CRLF and without fields of this hop', async () => {
    const { client } = await answerWith(
      'HTTP/1.1 200 Fine\nA:  b \nConnection: X-Hop\r\nX-Hop: c\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(await client.readUntil('ok')).toBe('HTTP/1.1 200 Fine\r\nA: b\r\nContent-Length: 2\r\n\r\nok');
  });

  test('have their chunks written anew: no extensions, no trailer that frames or routes', async () => {
    const { client } = await answerWith(
      `${CHUNKED}1;a="b"\r\no\r\n01\r\nk\r\n0\r\nContent-Length: 9\r\nSet-Cookie: a\r\nX-Sum: 1\r\n\r\n`,
    );
    expect(await client.readUntil('\r\n\r\n')).toBe(CHUNKED);
    expect(await client.readUntil('\r\n\r\n')).toBe('2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n');
  });

  test.each([
    ['HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', 'evil'],
    ['HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', CHUNKED, '4\r\nevil\r\n0\r\n\r\n'],
    [GET, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n', 'evil'],
    [GET, 'HTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
    [GET, OK, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
    [GET, `${CHUNKED}2\r\nok\r\n0\r\n\r\n`, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
  ])('end where they say: to %j after %j nobody gets %j', async (request, answer, extra) => {
    const { client, other } = await answerWith(answer + extra, request);
    await client.send(GET);
    await other.send(GET);
    const method = request.slice(0, request.indexOf(' '));
    expect((await client.readResponse(method)).text).not.toContain('evil');
    expect((await client.readResponse()).text).toBe('ok');
    expect((await other.readResponse()).text).toBe('ok');
    expect(client.peek() + other.peek()).toBe('');
  });

  test('of 204 with a length are the last of their connection, since a body may follow', async () => {
    const origin = await startOrigin(answering('HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n'));
    const proxy = await startProxy([origin]);
    const client = await connect(proxy);
    await client.send(GET);
    expect((await client.readResponse()).field('content-length')).toBeNull();
    expect(proxy.idleCount).toBe(0);
  });

  test('of 1xx lose what frames a body, and may not fill the memory when the client reads nothing', async () => {
    const interim = `HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\nA: ${'b'.repeat(8000)}\r\n\r\n`;
    let sentBytes = 0;
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      const flood = interim.repeat(16);
      for (; !connection.isClosed; sentBytes += flood.length) {
        await connection.send(flood);
        await turn();
      }
    });
    const client = await connect(await startProxy([origin]));
    await client.send(GET);
    const first = await client.readHead();
    expect(first).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nA: b+\r\n\r\n$/);
    client.pause();
    await delay(400);
    const stalledAt = sentBytes;
    await delay(400);
    expect(sentBytes).toBe(stalledAt);
  });

  test.each(['1\r\nx\r\n2\r\nyz', 'A\r\nx', '5;a\r\nabcde\r\n'])(
    'to HTTP/1.0 whose chunks break off after %j end in a reset, not as if they were whole',
    async (body) => {
      const origin = await startOrigin(async (connection) => {
        await connection.readRequest();
        await connection.send(CHUNKED + body);
        await delay(50);
        connection.end();
      });
      const client = await connect(await startProxy([origin]));
      await client.send('GET / HTTP/1.0\r\n\r\n');
      expect(await client.waitForEnd()).toBe('reset');
    },
  );

  test('whose chunks turn out malformed later break off without a last chunk', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      await sendSlowly(connection, `${CHUNKED}2\r\nab\r\n`, '2\r\ncde\r\n0\r\n\r\n');
    });
    const client = await connect(await startProxy([origin]));
    await client.send(GET);
    expect(await client.readToEnd()).toBe(`${CHUNKED}2\r\nab\r\n`);
  });
});
