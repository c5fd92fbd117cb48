// gzip, brotli, zstd and gunzip: who gets what compressed, and that what comes through the codecs' threads stays in
// order, bounded, and ends as it should.
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { answering, type RawOrigin } from '../src/testing/index.js';
import { ask, get, readAnswer, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

const TEXT = 'lorem ipsum '.repeat(20);
const GZIP = 'Accept-Encoding: gzip\r\n';

/** A server whose locations are these; `/text` is a page of text. */
function serveLocations(locations: string) {
  return serveConf(`
    server {
      listen 127.0.0.1:%PORT%;
      location = /text { default_type text/html; return 200 "${TEXT}"; }
      ${locations}
    }`);
}

function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}

function addressOf(origin: RawOrigin): string {
  return `127.0.0.1:${origin.address.port}`;
}

function startBodyOrigin(body: Buffer, fields = 'Content-Type: text/html\r\n'): Promise<RawOrigin> {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n`;
  return startOrigin(answering(Buffer.concat([bytesOf(head), body])));
}

describe('gzip', () => {
  it('compresses for who accepts it: weak ETag, no length, no ranges, Vary', async () => {
    const body = Buffer.from(TEXT);
    const origin = await startBodyOrigin(
      body,
      'Content-Type: text/html; charset=utf-8\r\nETag: "a"\r\nAccept-Ranges: bytes\r\n',
    );
    const conf = await serveLocations(`
      gzip on;
      gzip_vary on;
      location / { proxy_pass http://${addressOf(origin)}; }`);
    const answer = await get(conf, '/', GZIP);
    expect(answer.fields).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/html; charset=utf-8',
      etag: 'W/"a"',
      vary: 'Accept-Encoding',
      'transfer-encoding': 'chunked',
    });
    expect(answer.fields).not.toHaveProperty('content-length');
    expect(answer.fields).not.toHaveProperty('accept-ranges');
    expect(zlib.gunzipSync(bytesOf(answer.body))).toEqual(body);
    const plain = await get(conf, '/');
    expect(plain.fields).toMatchObject({
      etag: '"a"',
      'content-length': `${body.length}`,
      vary: 'Accept-Encoding',
    });
    expect(plain.body).toBe(TEXT);
  });

  it.each([
    ['no Accept-Encoding', ''],
    ['a weight of nothing', 'Accept-Encoding: gzip;q=0\r\n'],
    ['another coding', 'Accept-Encoding: xgzip, deflate\r\n'],
    ['a proxy on the way', `${GZIP}Via: 1.1 other\r\n`],
    ['an old browser', `${GZIP}User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows 98)\r\n`],
    ['a disabled one', `${GZIP}User-Agent: oldBOT/1\r\n`],
  ])('leaves it with %s', async (_, fields) => {
    const conf = await serveLocations('gzip on; gzip_disable msie6 "^oldbot/";');
    const answer = await get(conf, '/text', fields);
    expect(answer.fields).not.toHaveProperty('content-encoding');
    expect(answer.body).toBe(TEXT);
  });

  it.each([
    ['gzip_proxied any;', 'Via: x\r\n', true],
    ['gzip_proxied auth;', 'Via: x\r\nAuthorization: Basic YTpi\r\n', true],
    ['gzip_proxied auth;', 'Via: x\r\n', true],
    ['gzip_proxied auth; add_header Cache-Control max-age=3;', 'Via: x\r\n', false],
    ['gzip_proxied no-store; add_header Cache-Control "max-age=3, no-store";', 'Via: x\r\n', true],
    ['gzip_proxied expired; expires -1;', 'Via: x\r\n', true],
    ['gzip_proxied expired; expires 1h;', 'Via: x\r\n', false],
    ['gzip_proxied no_etag expired;', 'Via: x\r\n', true],
    ['gzip_min_length 1000;', '', false],
    ['gzip_types text/css;', '', true],
    ['gzip_proxied auth no-store; add_header Cache-Control no-store;', 'Via: x\r\n', true],
    ['gzip_types *;', '', true],
  ])('obeys %s with %j', async (directives, fields, isCompressed) => {
    const conf = await serveLocations(`gzip on; ${directives}`);
    const answer = await get(conf, '/text', GZIP + fields);
    expect(answer.fields['content-encoding']).toBe(isCompressed ? 'gzip' : undefined);
  });

  it('compresses each of gzip_types, and what is listed twice once', async () => {
    for (const type of ['css', 'x-a', 'x-b']) {
      const origin = await startBodyOrigin(Buffer.from(TEXT), `Content-Type: text/${type}\r\n`);
      const proxy = await serveLocations(`
        gzip on;
        gzip_types text/css text/x-a;
        gzip_types text/X-B text/css;
        location / { proxy_pass http://${addressOf(origin)}; }`);
      expect((await get(proxy, '/', GZIP)).fields['content-encoding'], type).toBe('gzip');
    }
  });

  it('asks for HTTP/1.1 unless gzip_http_version says 1.0', async () => {
    const request = 'GET /text HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n';
    expect((await ask(await serveLocations('gzip on;'), request)).fields).not.toHaveProperty(
      'content-encoding',
    );
    const conf = await serveLocations('gzip on; gzip_http_version 1.0;');
    expect((await ask(conf, request)).fields['content-encoding']).toBe('gzip');
  });

  it('says the same for HEAD', async () => {
    const conf = await serveLocations('gzip on; gzip_vary on;');
    const answer = await ask(conf, `HEAD /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${GZIP}\r\n`);
    expect(answer.fields).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(answer.fields).not.toHaveProperty('content-length');
    expect(answer.body).toBe('');
  });

  it('tells the ratio to the log', async () => {
    const conf = await serveConf(`
      log_format ratio '$uri $gzip_ratio';
      server {
        listen 127.0.0.1:%PORT%;
        access_log ratio.log ratio;
        gzip on;
        location / { default_type text/html; return 200 "${TEXT}"; }
      }`);
    await get(conf, '/a', GZIP);
    await get(conf, '/b');
    await expect.poll(() => conf.log('ratio.log').lines.length).toBe(2);
    const [compressed, plain] = conf.log('ratio.log').lines;
    expect(compressed).toMatch(/^\/a \d+\.\d\d$/);
    expect(plain).toBe('/b -');
  });

  it('keeps a large body whole for a client that reads slowly', async () => {
    const body = Buffer.from(randomBytes(3_000_000).toString('base64'));
    const origin = await startBodyOrigin(body);
    const conf = await serveLocations(`gzip on; location / { proxy_pass http://${addressOf(origin)}; }`);
    const client = await conf.connect();
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${GZIP}\r\n`);
    await client.readHead();
    client.pause();
    for (let i = 0; i < 50; i++) await turn();
    client.resume();
    const answer = readAnswer(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${await client.readToEnd()}`,
    );
    expect(zlib.gunzipSync(bytesOf(answer.body)).equals(body)).toBe(true);
  });

  it('flushes at each pause of an unbuffered upstream', async () => {
    const origin = await startOrigin();
    const conf = await serveLocations(`
      gzip on;
      gzip_http_version 1.0;
      location / { proxy_buffering off; proxy_pass http://${addressOf(origin)}; }`);
    const client = await conf.connect();
    await client.send('GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    await upstream.send('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nfirst part');
    expect(await client.readHead()).toContain('Content-Encoding: gzip');
    let received = Buffer.alloc(0);
    client.divert((bytes) => {
      received = Buffer.concat([received, bytes]);
    });
    const decoded = () =>
      zlib.gunzipSync(received, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString('latin1');
    await expect.poll(() => (received.length > 10 ? decoded() : '')).toBe('first part');
    await upstream.send(' second part');
    await expect.poll(decoded).toBe('first part second part');
    upstream.end();
  });

  it('lets go of all when the client is gone', async () => {
    const origin = await startOrigin();
    const conf = await serveLocations(`gzip on; location / { proxy_pass http://${addressOf(origin)}; }`);
    const client = await conf.connect();
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${GZIP}\r\n`);
    const upstream = await origin.accept();
    await upstream.readHead();
    await upstream.send('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n');
    await upstream.send(randomBytes(200_000).toString('base64'));
    await client.readHead();
    client.reset();
    await upstream.readToEnd().catch(() => '');
    await expect.poll(() => origin.openCount).toBe(0);
  });

  it('breaks off where the upstream does', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      const half = randomBytes(50_000).toString('base64');
      await connection.send(
        `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000\r\n\r\n${half}`,
      );
      connection.close();
    });
    const conf = await serveLocations(`gzip on; location / { proxy_pass http://${addressOf(origin)}; }`);
    const client = await conf.connect();
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${GZIP}\r\n`);
    const received = await client.readToEnd().catch(() => '');
    expect(received.endsWith('0\r\n\r\n')).toBe(false);
  });
});

describe('brotli and zstd', () => {
  it('brotli goes before gzip for who accepts both', async () => {
    const conf = await serveLocations('gzip on; brotli on; brotli_types text/plain; brotli_comp_level 4;');
    const both = await get(conf, '/text', 'Accept-Encoding: gzip, br\r\n');
    expect(both.fields['content-encoding']).toBe('br');
    expect(zlib.brotliDecompressSync(bytesOf(both.body)).toString()).toBe(TEXT);
    const one = await get(conf, '/text', 'Accept-Encoding: br;q=0, gzip\r\n');
    expect(one.fields['content-encoding']).toBe('gzip');
  });

  it('brotli keeps a large body whole', async () => {
    const body = Buffer.from(randomBytes(500_000).toString('base64'));
    const origin = await startBodyOrigin(body);
    const conf = await serveLocations(`
      brotli on; brotli_comp_level 1;
      location / { proxy_pass http://${addressOf(origin)}; }`);
    const answer = await get(conf, '/', 'Accept-Encoding: br\r\n');
    expect(zlib.brotliDecompressSync(bytesOf(answer.body)).equals(body)).toBe(true);
  });

  it('zstd works where Node has it, and says so where it has not', async () => {
    const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer };
    if (zstdDecompressSync === undefined) {
      await expect(serveLocations('zstd on;')).rejects.toThrow(/"zstd" cannot be used with Node/);
      return;
    }
    const conf = await serveLocations('zstd on; gzip on;');
    const answer = await get(conf, '/text', 'Accept-Encoding: gzip, zstd\r\n');
    expect(answer.fields['content-encoding']).toBe('zstd');
    expect(zstdDecompressSync(bytesOf(answer.body)).toString()).toBe(TEXT);
  });
});

describe('gunzip', () => {
  const body = Buffer.from(randomBytes(400_000).toString('hex'));
  const fields = 'Content-Type: text/html\r\nContent-Encoding: gzip\r\nETag: "a"\r\n';

  it('decompresses for who does not accept it', async () => {
    const origin = await startBodyOrigin(zlib.gzipSync(body), fields);
    const conf = await serveLocations(`
      gunzip on; gzip_vary on;
      location / { proxy_pass http://${addressOf(origin)}; }`);
    const answer = await get(conf, '/');
    expect(answer.fields).toMatchObject({ etag: 'W/"a"', vary: 'Accept-Encoding' });
    expect(answer.fields).not.toHaveProperty('content-encoding');
    expect(bytesOf(answer.body).equals(body)).toBe(true);
    const coded = await get(conf, '/', GZIP);
    expect(coded.fields).toMatchObject({ etag: '"a"', 'content-encoding': 'gzip' });
    expect(zlib.gunzipSync(bytesOf(coded.body)).equals(body)).toBe(true);
  });

  it('breaks off, and says why, where what comes is no gzip', async () => {
    const origin = await startBodyOrigin(Buffer.from('this is no gzip at all'), fields);
    const conf = await serveLocations(`gunzip on; location / { proxy_pass http://${addressOf(origin)}; }`);
    const client = await conf.connect();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const received = await client.readToEnd().catch(() => '');
    expect(received.endsWith('0\r\n\r\n')).toBe(false);
    await expect.poll(() => conf.log('error.log').matching(/inflate\(\) failed/).length).toBe(1);
  });

  it('breaks off where the gzip ends too early', async () => {
    const origin = await startBodyOrigin(zlib.gzipSync(body).subarray(0, 1000), fields);
    const conf = await serveLocations(`gunzip on; location / { proxy_pass http://${addressOf(origin)}; }`);
    const client = await conf.connect();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const received = await client.readToEnd().catch(() => '');
    expect(received.endsWith('0\r\n\r\n')).toBe(false);
  });
});
