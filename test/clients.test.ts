// The HTTP clients people use, each with what it does in its own way, against the built proxy: no failures,
// and the bytes that were sent. What single messages may look like is tested elsewhere with raw bytes.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { endPrograms, hasTool, PYTHON, run, runWell } from './program.js';
import { type Sluice, startSluice } from './sluice-process.js';

const MB = 2 ** 20;

/** No frame, chunk or buffer size divides this. */
const LARGE = randomBytes(20 * MB + 12_345);

let origin: Server;
let sluice: Sluice;
let url: string;
let folder: string;
let largeFile: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-clients-'));
  largeFile = join(folder, 'large');
  writeFileSync(largeFile, LARGE);
  origin = createServer(serve).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  sluice = await startSluice([(origin.address() as AddressInfo).port]);
  ({ url } = sluice);
});

afterAll(async () => {
  await endPrograms();
  origin.close();
  origin.closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** /digest tells what came, /large sends 20 MB, /echo sends the body back as it comes, the rest says hello. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/digest') void answerDigest(request, response);
  else if (request.url === '/echo') request.pipe(response);
  else if (request.url === '/large') response.end(LARGE);
  else {
    request.resume();
    response.end('hello');
  }
}

async function answerDigest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  const framing = request.headers['transfer-encoding'] ?? request.headers['content-length'] ?? 'none';
  response.end(`${request.method} ${framing} ${bytes} ${hash.digest('hex')}`);
}

function digestOf(bytes: Buffer): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}

describe.skipIf(!hasTool('curl'))('curl', () => {
  const curl = (...args: string[]) => runWell('curl', ['-sS', '--max-time', '15', ...args]);

  it('gets, posts, and asks for the head alone', async () => {
    expect((await curl('-i', url)).stdout.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhello$/);
    expect((await curl('-d', 'a=1&b=2', `${url}/digest`)).stdout.toString()).toBe(
      `POST 7 ${digestOf(Buffer.from('a=1&b=2'))}`,
    );
    expect((await curl('-I', url)).stdout.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\n$/);
  });

  it('gets several in turn on one connection', async () => {
    const { stdout } = await curl('-w', ' %{num_connects}\n', url, url, url);
    expect(stdout.toString()).toBe('hello 1\nhello 0\nhello 0\n');
  });

  it('uploads a large file by length', async () => {
    const { stdout } = await curl('-T', largeFile, `${url}/digest`);
    expect(stdout.toString()).toBe(`PUT ${LARGE.length} ${digestOf(LARGE)}`);
  });

  it('uploads a large pipe in chunks', async () => {
    const args = ['-sS', '--max-time', '15', '-T', '-', `${url}/digest`];
    const { stdout } = await runWell('curl', args, { input: LARGE });
    expect(stdout.toString()).toBe(`PUT chunked ${digestOf(LARGE)}`);
  });

  it('gets back what it posts while it posts it', async () => {
    const { stdout } = await curl('-H', 'Expect:', '--data-binary', `@${largeFile}`, `${url}/echo`);
    expect(digestOf(stdout)).toBe(digestOf(LARGE));
  });

  it('downloads a large body, also slowed down', async () => {
    expect(digestOf((await curl(`${url}/large`)).stdout)).toBe(digestOf(LARGE));
    expect(digestOf((await curl('--limit-rate', '20M', `${url}/large`)).stdout)).toBe(digestOf(LARGE));
  });

  it('speaks HTTP/1.0', async () => {
    expect((await curl('-0', '-i', url)).stdout.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\nhello$/);
    expect(digestOf((await curl('-0', '--data-binary', `@${largeFile}`, `${url}/echo`)).stdout)).toBe(
      digestOf(LARGE),
    );
  });

  it('offers HTTP/2 by upgrade and goes on with HTTP/1.1', async () => {
    const { stdout } = await curl('--http2', '-w', ' %{http_version}', url);
    expect(stdout.toString()).toBe('hello 1.1');
  });

  it('gives up early without harm to the next', async () => {
    const early = await run('curl', ['-sS', '--max-filesize', '1000', '-o', '/dev/null', `${url}/large`]);
    expect(early.code).toBe(63);
    expect((await curl(url)).stdout.toString()).toBe('hello');
  });
});

describe.skipIf(!hasTool('ab'))('ab', () => {
  it.each([
    ['a connection each', []],
    ['kept connections', ['-k']],
  ])('sends 2000 requests on 16 connections at a time: %s', async (_how, flags) => {
    const { stdout } = await runWell('ab', ['-q', '-n', '2000', '-c', '16', ...flags, `${url}/`]);
    const report = stdout.toString();
    expect(report).toMatch(/^Complete requests: +2000$/m);
    expect(report).toMatch(/^Failed requests: +0$/m);
    expect(report).toMatch(/^HTML transferred: +10000 bytes$/m);
    expect(report).not.toMatch(/Non-2xx|Write errors/);
    if (flags.length > 0) expect(report).toMatch(/^Keep-Alive requests: +2000$/m);
  });

  it('posts a file of 100 kB', async () => {
    const body = join(folder, 'posted');
    writeFileSync(body, LARGE.subarray(0, 100_000));
    const args = ['-q', '-n', '200', '-c', '8', '-k', '-p', body, '-T', 'application/octet-stream'];
    const report = (await runWell('ab', [...args, `${url}/digest`])).stdout.toString();
    const answer = `POST 100000 ${digestOf(LARGE.subarray(0, 100_000))}`;
    expect(report).toMatch(/^Failed requests: +0$/m);
    expect(report).toMatch(new RegExp(`^Document Length: +${answer.length} bytes$`, 'm'));
  });
});

describe.skipIf(!hasTool('wrk'))('wrk', () => {
  it('gets what the origin says each time, on 32 connections for a second', async () => {
    const script = join(folder, 'compare.lua');
    writeFileSync(
      script,
      `local threads = {}
       function setup(thread) table.insert(threads, thread) end
       function init() good = 0; bad = 0 end
       function response(status, headers, body)
         if status == 200 and body == "hello" then good = good + 1 else bad = bad + 1 end
       end
       function done(summary)
         local e = summary.errors
         local good, bad = 0, 0
         for _, thread in ipairs(threads) do good = good + thread:get("good"); bad = bad + thread:get("bad") end
         print("good=" .. good .. " bad=" .. bad .. " errors=" .. e.connect + e.read + e.write + e.status + e.timeout)
       end`,
    );
    const { stdout } = await runWell('wrk', ['-t', '1', '-c', '32', '-d', '1s', '-s', script, url]);
    const [, good] = /good=(\d+) bad=0 errors=0$/m.exec(stdout.toString()) ?? [];
    expect(Number(good), stdout.toString()).toBeGreaterThan(100);
  });
});

describe.skipIf(!hasTool('h2load'))('h2load in HTTP/1.1 mode', () => {
  it('sends 2000 requests on 16 connections', async () => {
    const { stdout } = await runWell('h2load', ['--h1', '-n', '2000', '-c', '16', url]);
    const report = stdout.toString();
    expect(report).toMatch(/2000 succeeded, 0 failed, 0 errored, 0 timeout/);
    expect(report).toMatch(/^status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx$/m);
    expect(report).toMatch(/\(10000\) data$/m);
  });
});

describe("Node's fetch", () => {
  it('gets and posts, many at a time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const body = randomBytes(1000 * i);
        const answer = await fetch(`${url}/digest`, { method: 'POST', body });
        return {
          status: answer.status,
          text: await answer.text(),
          expected: `POST ${body.length} ${digestOf(body)}`,
        };
      }),
    );
    for (const { status, text, expected } of answers) {
      expect(status).toBe(200);
      expect(text).toBe(expected);
    }
  });

  it('streams a body both ways', async () => {
    async function* pieces() {
      for (let at = 0; at < LARGE.length; at += 50_021) yield LARGE.subarray(at, at + 50_021);
    }
    const init = { method: 'POST', body: ReadableStream.from(pieces()), duplex: 'half' };
    const answer = await fetch(`${url}/echo`, init as RequestInit);
    expect(digestOf(Buffer.from(await answer.arrayBuffer()))).toBe(digestOf(LARGE));
  });

  it('cancels without harm to the next', async () => {
    const answer = await fetch(`${url}/large`);
    await answer.body!.cancel();
    expect(await (await fetch(url)).text()).toBe('hello');
  });
});

describe.skipIf(!hasTool(PYTHON))("Python's http.client", () => {
  it('gets, posts by length and in chunks on one connection', async () => {
    const code = `
import hashlib, http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", ${sluice.port}, timeout=10)
def ask(method, path, **rest):
    connection.request(method, path, **rest)
    response = connection.getresponse()
    body = response.read()
    print(response.status, response.version, body.decode() if len(body) < 200 else hashlib.sha256(body).hexdigest())
data = bytes(range(256)) * 4000
ask("GET", "/")
socket = connection.sock
ask("HEAD", "/")
ask("POST", "/digest", body=data)
ask("POST", "/digest", body=(data[i:i + 7777] for i in range(0, len(data), 7777)), encode_chunked=True,
    headers={"Transfer-Encoding": "chunked"})
ask("POST", "/echo", body=data)
ask("GET", "/large")
print(socket is connection.sock)
`;
    const { stdout } = await runWell(PYTHON, ['-c', code]);
    const data = Buffer.alloc(
      256 * 4000,
      Uint8Array.from({ length: 256 }, (_, i) => i),
    );
    const digest = digestOf(data);
    expect(stdout.toString().split('\n')).toEqual([
      '200 11 hello',
      '200 11 ',
      `200 11 POST ${data.length} ${digest}`,
      `200 11 POST chunked ${digest}`,
      `200 11 ${digest.split(' ')[1]}`,
      `200 11 ${digestOf(LARGE).split(' ')[1]}`,
      'True',
      '',
    ]);
  });
});

describe('a WebSocket client (ws)', () => {
  let sockets: WebSocketServer;

  beforeAll(() => {
    sockets = new WebSocketServer({ noServer: true, maxPayload: 32 * MB });
    origin.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        // In the same packet as the 101, most likely.
        webSocket.send(`welcome to ${request.url}`);
        webSocket.on('message', (data, isBinary) => {
          if (data.toString() === 'close') webSocket.close(4001, 'as you wish');
          else webSocket.send(data, { binary: isBinary });
        });
      });
    });
  });

  async function open(path: string): Promise<WebSocket> {
    const client = new WebSocket(`ws://127.0.0.1:${sluice.port}${path}`);
    const [welcome] = await once(client, 'message');
    expect(welcome.toString()).toBe(`welcome to ${path}`);
    return client;
  }

  async function ask(client: WebSocket, message: string | Buffer): Promise<Buffer> {
    const answered = once(client, 'message');
    client.send(message);
    return (await answered)[0] as Buffer;
  }

  it('sends text, a large binary message and a ping, and is told why it is closed', async () => {
    const client = await open('/socket');
    expect((await ask(client, 'good day')).toString()).toBe('good day');
    expect(digestOf(await ask(client, LARGE))).toBe(digestOf(LARGE));
    const ponged = once(client, 'pong');
    client.ping('still there?');
    expect((await ponged)[0].toString()).toBe('still there?');
    const closed = once(client, 'close');
    client.send('close');
    const [code, reason] = await closed;
    expect([code, reason.toString()]).toEqual([4001, 'as you wish']);
  });

  it('is one of 50 that talk at the same time', async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, (_, i) => open(`/${i}`)));
    for (let round = 0; round < 5; round++) {
      const texts = await Promise.all(clients.map((client, i) => ask(client, `${i} in round ${round}`)));
      expect(texts.map(String)).toEqual(clients.map((_, i) => `${i} in round ${round}`));
    }
    await Promise.all(
      clients.map((client) => {
        const closed = once(client, 'close');
        client.close();
        return closed;
      }),
    );
    await expect.poll(() => sockets.clients.size).toBe(0);
  });

  it('learns that the origin wants none', async () => {
    const listeners = origin.listeners('upgrade');
    origin.removeAllListeners('upgrade');
    const client = new WebSocket(`ws://127.0.0.1:${sluice.port}/plain`);
    const [, response] = await once(client, 'unexpected-response');
    expect(response.statusCode).toBe(200);
    client.on('error', () => {});
    client.terminate();
    for (const listener of listeners) origin.on('upgrade', listener as () => void);
  });
});
