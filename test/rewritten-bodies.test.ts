// Bodies that are changed on their way: sub_filter and charset, alone and together.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { answering, type RawOrigin } from '../src/testing/index.js';
import { ask, get, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

/** An origin that sends these pieces, each when the one before was taken, and closes. */
function startPieces(pieces: readonly string[], fields = 'Content-Type: text/html\r\n'): Promise<RawOrigin> {
  return startOrigin(async (connection) => {
    await connection.readRequest();
    await connection.send(`HTTP/1.1 200 OK\r\nConnection: close\r\n${fields}\r\n`);
    for (const piece of pieces) await connection.send(Buffer.from(piece, 'latin1'));
    connection.end();
  });
}

function proxyTo(origin: RawOrigin): string {
  return `proxy_pass http://127.0.0.1:${origin.address.port};`;
}

function serve(directives: string, before = '') {
  return serveConf(`http {
    error_log error.log info;
    ${before}
    server { listen 127.0.0.1:%PORT%; default_type text/html; ${directives} }
  } events {}`);
}

describe('sub_filter', () => {
  it('replaces what comes in pieces, with variables on both sides', async () => {
    const origin = await startPieces([...'xx FOO-1 yy foo-1 zz foo']);
    const conf = await serve(`
      sub_filter foo-$arg_n "<$arg_n>";
      sub_filter_once off;
      location / { ${proxyTo(origin)} }`);
    expect((await get(conf, '/?n=1')).body).toBe('xx <1> yy <1> zz foo');
  });

  it('replaces each text once by default, and takes the whole list from where it stands', async () => {
    const conf = await serve(`
      sub_filter a 1; sub_filter b 2;
      location / { return 200 "a b a b"; }
      location /own { sub_filter c 3; return 200 "a b c"; }`);
    expect((await get(conf, '/')).body).toBe('1 2 a b');
    expect((await get(conf, '/own')).body).toBe('a b 3');
  });

  it('drops the length and Last-Modified, or keeps the latter with a weak ETag', async () => {
    const fields =
      'ETag: "e"\r\nLast-Modified: Mon, 28 Sep 1970 06:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 1\r\n';
    const origin = await startOrigin(answering(`HTTP/1.1 200 OK\r\n${fields}\r\na`));
    const conf = await serve(`
      sub_filter a bb;
      location / { ${proxyTo(origin)} }
      location /kept { sub_filter_last_modified on; ${proxyTo(origin)} }`);
    const dropped = await get(conf, '/');
    expect(dropped.body).toBe('bb');
    for (const name of ['content-length', 'etag', 'last-modified'])
      expect(dropped.fields).not.toHaveProperty(name);
    const kept = await get(conf, '/kept');
    expect(kept.fields).toMatchObject({ etag: 'W/"e"', 'last-modified': 'Mon, 28 Sep 1970 06:00:00 GMT' });
  });

  it('leaves other types, and HEAD', async () => {
    const conf = await serve(`
      sub_filter a b;
      location /css { default_type text/css; return 200 a; }
      location /all { default_type text/css; sub_filter_types text/x-y text/css; return 200 a; }`);
    expect((await get(conf, '/css')).body).toBe('a');
    expect((await get(conf, '/all')).body).toBe('b');
    const head = await ask(conf, 'HEAD /all HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(head.body).toBe('');
    expect(head.fields).not.toHaveProperty('content-length');
  });

  it('sends what it made of one piece as one, however much was replaced', async () => {
    const conf = await serve(`
      sub_filter a b;
      sub_filter_once off;
      location / { return 200 "${'ax'.repeat(1000)}"; }`);
    const client = await conf.connect();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.readHead();
    expect(await client.readToEnd()).toBe(`7d0\r\n${'bx'.repeat(1000)}\r\n0\r\n\r\n`);
  });

  it('replaces before it is compressed', async () => {
    const { gunzipSync } = await import('node:zlib');
    const conf = await serve(`
      gzip on; gzip_min_length 0;
      sub_filter cat dog;
      location / { return 200 "a cat"; }`);
    const answer = await get(conf, '/', 'Accept-Encoding: gzip\r\n');
    expect(gunzipSync(Buffer.from(answer.body, 'latin1')).toString()).toBe('a dog');
  });

  it.each([
    ['sub_filter "" a;', /empty search pattern/],
    ['sub_filter a;', /invalid number of arguments in "sub_filter" directive/],
    ['sub_filter $nosuch a;', /unknown "nosuch" variable/],
  ])('refuses %s', async (directives, problem) => {
    await expect(serve(directives)).rejects.toThrow(problem);
  });
});

describe('charset', () => {
  const koi8 = 'charset_map koi8-r utf-8 { C1 D0B0; C2 D0B1; }';

  it('is named for its types, but not in redirects', async () => {
    const conf = await serve(`
      charset utf-8;
      location /html { return 200 a; }
      location /plain { default_type text/plain; return 200 a; }
      location /css { default_type text/css; return 200 a; }
      location /moved { return 301 /; }
      location /off { charset off; return 200 a; }
      location /var { charset $arg_c; return 200 a; }`);
    const typeOf = async (target: string) => (await get(conf, target)).fields['content-type'];
    expect(await typeOf('/html')).toBe('text/html; charset=utf-8');
    expect(await typeOf('/plain')).toBe('text/plain; charset=utf-8');
    expect(await typeOf('/css')).toBe('text/css');
    expect(await typeOf('/moved')).toBe('text/html');
    expect(await typeOf('/off')).toBe('text/html');
    expect(await typeOf('/var?c=x')).toBe('text/html; charset=x');
  });

  it('is converted to UTF-8 and back, characters cut anywhere', async () => {
    const from = await startPieces(['a\xc1', '\xc2\xc3']);
    const to = await startPieces(
      [...'a\xd0\xb0\xd0\xb1\xe2\x82\xac\xff\xd0!\xf0\x9f\x98\x80'],
      'Content-Type: text/html; charset=utf-8\r\n',
    );
    const conf = await serve(
      `location /from { charset utf-8; source_charset koi8-r; ${proxyTo(from)} }
       location /to { charset koi8-r; override_charset on; ${proxyTo(to)} }
       location /kept { charset koi8-r; ${proxyTo(to)} }`,
      koi8,
    );
    const converted = await get(conf, '/from');
    expect(converted.fields['content-type']).toBe('text/html; charset=utf-8');
    expect(converted.body).toBe('a\xd0\xb0\xd0\xb1?');
    const back = await get(conf, '/to');
    expect(back.fields['content-type']).toBe('text/html; charset=koi8-r');
    expect(back.body).toBe('a\xc1\xc2&#8364;??!&#128512;');
    expect((await get(conf, '/kept')).fields['content-type']).toBe('text/html; charset=utf-8');
  });

  it('keeps the length where bytes stay bytes', async () => {
    const origin = await startOrigin(
      answering('HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=A\r\nContent-Length: 3\r\n\r\nXx\xff'),
    );
    const conf = await serve(
      `location / { charset B; override_charset on; ${proxyTo(origin)} }`,
      'charset_map A B { 58 59; }',
    );
    const answer = await get(conf, '/');
    expect(answer.fields).toMatchObject({ 'content-type': 'text/html; charset=B', 'content-length': '3' });
    expect(answer.body).toBe('Yx?');
  });

  it('of an included page becomes that of the page', async () => {
    const origin = await startOrigin(
      answering(
        'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Length: 1\r\n\r\n\xc1',
      ),
    );
    const conf = await serve(
      `location = / { ssi on; charset utf-8; return 200 '[<!--#include virtual="/in" -->]'; }
       location = /in { ${proxyTo(origin)} }`,
      koi8,
    );
    expect((await get(conf, '/')).body).toBe('[\xd0\xb0]');
  });

  it('is what X-Accel-Charset says', async () => {
    const origin = await startOrigin(
      answering(
        'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Accel-Charset: b\r\nContent-Length: 1\r\n\r\nX',
      ),
    );
    const conf = await serve(
      `source_charset A; location / { ${proxyTo(origin)} }`,
      'charset_map A B { 58 59; }',
    );
    const answer = await get(conf, '/');
    expect(answer.fields['content-type']).toBe('text/html; charset=b');
    expect(answer.body).toBe('Y');
  });

  it.each([
    ['charset_map a A {}', /"charset_map" between the same charsets "a" and "A"/],
    ['charset_map utf-8 a {}', /"charset_map" with "utf-8" charset should be given in the second column/],
    ['charset_map a b {} charset_map B A {}', /duplicate "charset_map" between "B" and "A"/],
    ['charset_map a b { 100 1; }', /invalid value "100"/],
    ['charset_map a b { C0 D0B0; }', /invalid value "D0B0"/],
    ['charset_map a utf-8 { C0 D0; }', /invalid value "D0"/],
    ['charset_map a b { C0; }', /invalid parameters number/],
    ['charset a; source_charset b;', /no "charset_map" between the charsets "b" and "a"/],
  ])('refuses %s', async (directives, problem) => {
    await expect(serve('', directives)).rejects.toThrow(problem);
  });
});

it('the configuration of docs/response-filters.md runs', async () => {
  const docs = await readFile(new URL('../docs/response-filters.md', import.meta.url), 'utf8');
  const [, text] = /```nginx\n([\s\S]*?)```/.exec(docs)!;
  await serveConf(text!.replace('listen 8080', 'listen 127.0.0.1:%PORT%'));
});
