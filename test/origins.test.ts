// The servers people put behind a proxy, each as it speaks HTTP, behind the built one: GET, POST, bodies that
// come bit by bit, connections that are kept or closed, and what isn't there.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../src/testing/index.js';
import { endPrograms, hasPythonModule, hasTool, Program, PYTHON } from './program.js';
import { startSluice } from './sluice-process.js';

const FILE = randomBytes(5_000_011);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-origins-'));
  writeFileSync(join(folder, 'file'), FILE);
});

afterAll(async () => {
  await endPrograms();
  rmSync(folder, { recursive: true });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function getBytes(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

async function post(url: string, body: Buffer): Promise<Buffer> {
  const answer = await fetch(url, { method: 'POST', body });
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

/** An origin that ends its answer to /stream only when /go is asked for: the beginning must come before. */
async function expectStreaming(url: string): Promise<void> {
  const answer = await fetch(`${url}/stream`);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toBe('first');
  await (await fetch(`${url}/go`)).text();
  let rest = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) rest += read.value;
  expect(rest).toBe('last');
}

describe.skipIf(!hasPythonModule('uvicorn'))('uvicorn', () => {
  let url: string;

  beforeAll(async () => {
    writeFileSync(
      join(folder, 'app.py'),
      `
import asyncio
go = asyncio.Event()

async def answer(send, status, *pieces, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    path = scope["path"]
    if path == "/echo":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})
    elif path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await go.wait()
        await send({"type": "http.response.body", "body": b"last"})
    elif path == "/go":
        go.set()
        await answer(send, 204)
    elif path == "/who":
        seen = {name.decode(): value.decode() for name, value in scope["headers"]}
        text = f'{scope["client"][1]} {seen["x-forwarded-for"]} {seen["x-forwarded-proto"]} {seen["host"]}'
        await answer(send, 200, text.encode(), headers=[(b"content-length", str(len(text)).encode())])
    else:
        await answer(send, 404, b"nothing at " + path.encode())
`,
    );
    const args = ['-m', 'uvicorn', 'app:app', '--app-dir', folder, '--host', '127.0.0.1', '--port', '0'];
    const program = new Program(PYTHON, [...args, '--no-proxy-headers']);
    const [, port] = await program.said(/running on http:\/\/127\.0\.0\.1:(\d+)/);
    ({ url } = await startSluice([Number(port)]));
  });

  it('echoes a body of 5 MB', async () => {
    expect(sha256(await post(`${url}/echo`, FILE))).toBe(sha256(FILE));
  });

  it('streams', () => expectStreaming(url));

  it('answers many requests on one kept connection and is told for whom', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) seen.add((await getBytes(`${url}/who`)).toString());
    expect(seen.size).toBe(1);
    expect([...seen][0]).toMatch(/^\d+ 127\.0\.0\.1 http 127\.0\.0\.1:\d+$/);
  });

  it('answers 404', async () => {
    const answer = await fetch(`${url}/missing`);
    expect([answer.status, await answer.text()]).toEqual([404, 'nothing at /missing']);
  });
});

describe.skipIf(!hasTool(PYTHON))("Python's http.server", () => {
  async function startBefore(...args: string[]): Promise<string> {
    const program = new Program(PYTHON, ['-u', ...args], { cwd: folder });
    const [, port] = await program.said(/Serving HTTP on 127\.0\.0\.1 port (\d+)/);
    return (await startSluice([Number(port)])).url;
  }

  it.each(['HTTP/1.0', 'HTTP/1.1'])('serves files, listings, 404 and 501 by %s', async (protocol) => {
    const url = await startBefore('-m', 'http.server', '0', '--bind', '127.0.0.1', '--protocol', protocol);
    for (let i = 0; i < 3; i++) expect(sha256(await getBytes(`${url}/file`))).toBe(sha256(FILE));
    expect((await getBytes(`${url}/`)).toString()).toContain('<a href="file">');
    const head = await fetch(`${url}/file`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(FILE.length));
    expect((await fetch(`${url}/missing`)).status).toBe(404);
    expect((await fetch(`${url}/file`, { method: 'POST', body: 'no' })).status).toBe(501);
    // The connection is as good as before.
    expect(sha256(await getBytes(`${url}/file`))).toBe(sha256(FILE));
  });

  it('answers by handlers of its own: POST, and bodies that only the end of the connection ends', async () => {
    const url = await startBefore(
      '-c',
      `
import http.server, threading
go = threading.Event()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        if self.path == "/stream":
            self.wfile.write(b"first")
            go.wait()
            self.wfile.write(b"last")
        else:
            go.set()
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("Serving HTTP on 127.0.0.1 port", server.server_port)
server.serve_forever()
`,
    );
    expect(sha256(await post(`${url}/echo`, FILE))).toBe(sha256(FILE));
    await expectStreaming(url);
  });
});

describe('Express 5', () => {
  let server: Server;
  let url: string;
  let port: number;

  beforeAll(async () => {
    const app = express();
    let go = () => {};
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    app.set('trust proxy', true);
    app.get('/who', ({ ip, protocol, hostname, socket }, response) => {
      response.json({ ip, protocol, hostname, port: socket.remotePort });
    });
    app.post('/json', express.json(), (request, response) => {
      response.status(201).json({ got: request.body });
    });
    app.post('/echo', (request, response) => {
      request.pipe(response);
    });
    app.get('/stream', async (_request, response) => {
      response.write('first');
      await gone;
      response.end('last');
    });
    app.get('/go', (_request, response) => {
      go();
      response.sendStatus(204);
    });
    app.get('/file', (_request, response) => response.sendFile(join(folder, 'file')));
    app.get('/elsewhere', (_request, response) => response.redirect('/who'));
    server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ url, port } = await startSluice([(server.address() as AddressInfo).port]));
  });

  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  it('is told who asks, and by which name', async () => {
    const answer = await (await fetch(`${url}/who`)).json();
    expect(answer).toMatchObject({ ip: '127.0.0.1', protocol: 'http', hostname: '127.0.0.1' });
  });

  it('parses JSON and echoes a body of 5 MB', async () => {
    const body = JSON.stringify({ name: 'ёж', list: [1, 2, 3] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/json`, { method: 'POST', body, headers });
    expect([answer.status, await answer.json()]).toEqual([201, { got: JSON.parse(body) }]);
    expect(sha256(await post(`${url}/echo`, FILE))).toBe(sha256(FILE));
  });

  it('streams', () => expectStreaming(url));

  it('sends files, parts of them, and 304', async () => {
    expect(sha256(await getBytes(`${url}/file`))).toBe(sha256(FILE));
    const part = await fetch(`${url}/file`, { headers: { range: 'bytes=1000-1999' } });
    expect(part.status).toBe(206);
    expect(sha256(Buffer.from(await part.arrayBuffer()))).toBe(sha256(FILE.subarray(1000, 2000)));
    // Not by fetch, which adds fields that ask for all of it.
    const client = await RawClient.connect({ host: '127.0.0.1', port, path: null });
    const etag = part.headers.get('etag');
    await client.send(`GET /file HTTP/1.1\r\nHost: a\r\nIf-None-Match: ${etag}\r\n\r\n`);
    expect((await client.readResponse()).head).toMatch(/^HTTP\/1\.1 304 Not Modified\r\n/);
    await client.send('GET /missing HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.readResponse()).head).toMatch(/^HTTP\/1\.1 404 /);
    client.close();
  });

  it('keeps the connection', async () => {
    const ports = new Set<number>();
    for (let i = 0; i < 20; i++) ports.add(JSON.parse((await getBytes(`${url}/who`)).toString()).port);
    expect(ports.size).toBe(1);
  });

  it('redirects and answers 404', async () => {
    const answer = await fetch(`${url}/elsewhere`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/who']);
    expect((await fetch(`${url}/missing`)).status).toBe(404);
  });
});

describe.skipIf(!hasTool('nginx'))('nginx', () => {
  let url: string;

  beforeAll(async () => {
    for (const name of ['logs', 'put']) mkdirSync(join(folder, name), { recursive: true });
    const text = 'compress me, '.repeat(20_000);
    writeFileSync(join(folder, 'text.txt'), text);
    const socket = join(folder, 'nginx.sock');
    // By a unix socket: no port to be found, and unix peers have a test with a real server.
    writeFileSync(
      join(folder, 'nginx.conf'),
      `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 100; }
http {
  access_log off;
  client_body_temp_path tmp-body; proxy_temp_path tmp-proxy; fastcgi_temp_path tmp-f;
  uwsgi_temp_path tmp-u; scgi_temp_path tmp-s;
  types { text/plain txt; }
  gzip on;
  gzip_types text/plain;
  client_max_body_size 10m;
  server {
    listen unix:${socket};
    root ${folder};
    location /who { return 200 "$connection $connection_requests $http_x_forwarded_for $host"; }
    location /put/ { dav_methods PUT; }
    location /teapot { return 418; }
  }
}
`,
    );
    const args = ['-p', `${folder}/`, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
    const program = new Program(hasTool('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx', args);
    await program.said(/nginx\/\d.*\n|using the "epoll" event method/);
    ({ url } = await startSluice([`unix:${socket}`]));
  });

  it('sends a file by length, and a compressed one in chunks', async () => {
    expect(sha256(await getBytes(`${url}/file`))).toBe(sha256(FILE));
    const text = await fetch(`${url}/text.txt`);
    expect(text.headers.get('content-encoding')).toBe('gzip');
    expect(await text.text()).toBe('compress me, '.repeat(20_000));
  });

  it('stores what is put, by length and in chunks, and gives it back', async () => {
    expect((await fetch(`${url}/put/a`, { method: 'PUT', body: FILE })).status).toBe(201);
    expect(sha256(await getBytes(`${url}/put/a`))).toBe(sha256(FILE));
    const body = new Blob([FILE.subarray(0, 700_000)]).stream();
    const init = { method: 'PUT', body, duplex: 'half' } as RequestInit;
    expect((await fetch(`${url}/put/b`, init)).status).toBe(201);
    expect(sha256(await getBytes(`${url}/put/b`))).toBe(sha256(FILE.subarray(0, 700_000)));
  });

  it('keeps the connection', async () => {
    const first = (await getBytes(`${url}/who`)).toString().split(' ');
    const second = (await getBytes(`${url}/who`)).toString().split(' ');
    expect(second).toEqual([first[0], String(Number(first[1]) + 1), '127.0.0.1', '127.0.0.1']);
  });

  it('refuses a body that is too large before it has come, and says so', async () => {
    const answer = await fetch(`${url}/put/large`, { method: 'PUT', body: Buffer.alloc(20_000_000) });
    expect(answer.status).toBe(413);
  });

  it('answers 404 and what it likes', async () => {
    expect((await fetch(`${url}/missing`)).status).toBe(404);
    expect((await fetch(`${url}/teapot`)).status).toBe(418);
  });
});
