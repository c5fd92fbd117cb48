import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EchoAnswer } from './echo-answer.js';
import { type EchoServer, startEchoServer } from './echo-server.js';

let server: EchoServer;
let origin: string;

beforeEach(async () => {
  server = await startEchoServer({ host: '127.0.0.1', port: 0, path: null });
  origin = `http://127.0.0.1:${server.address.port}`;
});
afterEach(() => server.stop());

describe('startEchoServer', () => {
  it('answers with the request as indented JSON, and its own address in X-Echo-Server', async () => {
    const response = await fetch(`${origin}/p?a=1`, { method: 'POST', body: 'тело' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('x-echo-server')).toBe(`127.0.0.1:${server.address.port}`);
    const json = await response.text();
    expect(json.startsWith('{\n  "method": "POST",\n  "path": "/p",\n')).toBe(true);
    expect(JSON.parse(json)).toMatchObject({ query_params: { a: '1' }, body: 'тело', body_bytes: 8 });
  });

  it('answers HEAD with the head alone', async () => {
    const response = await fetch(origin, { method: 'HEAD' });
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(50);
    expect(await response.text()).toBe('');
  });

  it('takes an upload of any size, by length and chunked, and counts it', async () => {
    const bytes = 20 * 1024 * 1024;
    for (const headers of [{ 'Content-Length': bytes }, { 'Transfer-Encoding': 'chunked' }]) {
      const answer = await new Promise<EchoAnswer>((resolve, reject) => {
        const upload = request(origin, { method: 'PUT', headers }, (response) => {
          text(response).then((json) => resolve(JSON.parse(json)), reject);
        });
        upload.on('error', reject);
        for (let sent = 0; sent < bytes; sent += 1024 * 1024) upload.write(Buffer.alloc(1024 * 1024, 'x'));
        upload.end();
      });
      expect(answer).toMatchObject({ body_bytes: bytes, body_truncated: true });
      expect(answer.body).toHaveLength(1024 * 1024);
    }
  });

  it('goes on after a client that leaves in the middle of its body', async () => {
    const socket = connect(server.address.port, '127.0.0.1');
    await new Promise<void>((resolve) => {
      socket.write('POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n');
      // The interim answer proves that the request was taken up.
      socket.once('data', () => resolve());
    });
    socket.resetAndDestroy();
    expect((await fetch(origin)).status).toBe(200);
  });

  it('rejects with the code of the system when the port is taken', async () => {
    await expect(startEchoServer(server.address)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('drain finishes what runs and refuses new connections', async () => {
    const upload = request(origin, { method: 'POST', headers: { Expect: '100-continue' } });
    const answered = new Promise<number | undefined>((resolve) => {
      upload.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
    });
    await new Promise((resolve) => upload.once('continue', resolve));
    const drained = server.drain();
    await expect(fetch(origin)).rejects.toThrow();
    upload.end('done');
    expect(await answered).toBe(200);
    await drained;
  });
});
