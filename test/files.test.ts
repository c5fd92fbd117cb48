// Files as answers: which, with what fields, whole or in parts, at whatever pace they are read and whatever happens
// to them meanwhile.
import {
  appendFileSync,
  chmodSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { TestConf } from '../src/testing/index.js';
import { type Answer, ask, get, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';

const MB = 2 ** 20;
const LINES = Array.from({ length: 100 }, (_, i) => `line ${String(i).padStart(3, '0')} `).join('');

/** Serves one server with this inside, with the folder as its root. */
function serve(folder: string, inside = '', http = ''): Promise<TestConf> {
  return serveConf(`http { ${http} server { listen 127.0.0.1:%PORT%; root ${folder}; ${inside} } }`);
}

/** A request with another method. */
function send(conf: TestConf, method: string, target: string, fields = ''): Promise<Answer> {
  return ask(conf, `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${fields}\r\n`);
}

describe('a file', () => {
  it('is sent with its length, time, tag and type', async () => {
    const folder = await folderOf({ 'a.html': 'hello', b: 'x', 'c.JPG': 'y', '.html': 'z' });
    utimesSync(`${folder}/a.html`, 0x5e0d5da5, 0x5e0d5da5);
    const conf = await serve(folder);
    const { status, fields, body } = await get(conf, '/a.html');
    expect([status, body]).toEqual([200, 'hello']);
    expect(fields).toMatchObject({
      'content-type': 'text/html',
      'content-length': '5',
      'last-modified': 'Thu, 02 Jan 2020 03:04:05 GMT',
      etag: '"5e0d5da5-5"',
      'accept-ranges': 'bytes',
    });
    expect((await get(conf, '/b')).fields['content-type']).toBe('text/plain');
    expect((await get(conf, '/c.JPG')).fields['content-type']).toBe('image/jpeg');
    expect((await get(conf, '/.html')).fields['content-type']).toBe('text/plain');
  });

  it('is sent without a body for HEAD, and whole if it is empty', async () => {
    const conf = await serve(await folderOf({ a: 'hello', empty: '' }));
    const head = await send(conf, 'HEAD', '/a');
    expect([head.status, head.fields['content-length'], head.body]).toEqual([200, '5', '']);
    const empty = await get(conf, '/empty');
    expect([empty.status, empty.fields['content-length'], empty.body]).toEqual([200, '0', '']);
  });

  it('may have any bytes in its name', async () => {
    const conf = await serve(await folderOf({ 'na me\xff%?"\n': 'odd', '\xd1\x84/\xc3\xa9': 'utf-8' }));
    expect((await get(conf, '/na%20me%ff%25%3F%22%0A')).body).toBe('odd');
    expect((await get(conf, '/%d1%84/%C3%A9')).body).toBe('utf-8');
  });

  it('is answered with 405 for methods that it has not', async () => {
    const conf = await serve(await folderOf({ 'a/b': 'x' }));
    const statuses = [];
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      statuses.push((await send(conf, method, '/a/b')).status);
    // A POST to a folder is redirected as a GET is.
    statuses.push((await send(conf, 'POST', '/a')).status, (await send(conf, 'POST', '/nowhere')).status);
    expect(statuses).toEqual([405, 405, 405, 405, 301, 404]);
  });

  it('that is a folder is redirected to it, with its arguments', async () => {
    const conf = await serve(await folderOf({ 'a b/c': '' }), 'absolute_redirect off;');
    const { status, fields } = await get(conf, '/a%20b?x=1&y');
    expect([status, fields.location]).toEqual([301, '/a%20b/?x=1&y']);
  });

  it('that is not there is told of in the words of nginx, unless log_not_found is off', async () => {
    const folder = await folderOf({ a: '' });
    const conf = await serve(folder, 'location /quiet { log_not_found off; }');
    const targets = ['/none', '/a/', '/a/b', `/${'n'.repeat(300)}`, '/quiet'];
    const statuses = [];
    for (const target of targets) statuses.push((await get(conf, target)).status);
    expect(statuses).toEqual([404, 404, 404, 404, 404]);
    const told = conf.log('error.log').matching(/\[error\]/);
    expect(told).toHaveLength(4);
    expect(told[0]).toContain(
      `open() "${folder}/none" failed (2: No such file or directory), client: 127.0.0.1`,
    );
    expect(told[1]).toContain(`"${folder}/a/index.html" is not found (20: Not a directory)`);
    expect(told[2]).toContain(`open() "${folder}/a/b" failed (20: Not a directory)`);
    expect(told[3]).toContain('failed (36: File name too long)');
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read is answered with 403', async () => {
    const folder = await folderOf({ secret: 'x' });
    chmodSync(`${folder}/secret`, 0);
    const conf = await serve(folder);
    expect((await get(conf, '/secret')).status).toBe(403);
    expect(conf.log('error.log').matching(/\(13: Permission denied\)/)).toHaveLength(1);
  });

  it('is found below an alias, by prefix and by regular expression', async () => {
    const folder = await folderOf({ 'real/a': 'A' });
    const conf = await serve(
      folder,
      `location /p/ { alias ${folder}/real/; } location ~ ^/r/(\\w+)$ { alias ${folder}/real/$1; }
       location = /e { alias ${folder}/real/a; }`,
    );
    for (const target of ['/p/a', '/r/a', '/e']) expect((await get(conf, target)).body).toBe('A');
  });

  it('cannot be found below an alias when a rewrite has changed the path', async () => {
    const folder = await folderOf({ a: 'A' });
    const text = `location /p/ { rewrite ^ /x break; alias ${folder}/; }`;
    const conf = await serveConf(`server { listen 127.0.0.1:%PORT%; error_log log crit; ${text} }`);
    expect((await get(conf, '/p/a')).status).toBe(500);
    expect(conf.log('log').matching(/"alias" cannot be used in location "\/p\/"/)).toHaveLength(1);
  });

  it('that is a page for an error has no time, and takes its status', async () => {
    const conf = await serve(
      await folderOf({ 'e.html': 'sorry' }),
      'error_page 404 /e.html; error_page 405 =200 /e.html;',
    );
    const { status, fields, body } = await get(conf, '/none', 'If-None-Match: *\r\n');
    expect([status, fields['last-modified'], body]).toEqual([404, undefined, 'sorry']);
    expect(await send(conf, 'POST', '/e.html')).toMatchObject({ status: 200, body: 'sorry' });
  });
});

describe('conditions', () => {
  const DATE = 'Thu, 02 Jan 2020 03:04:05 GMT';
  const EARLIER = 'Thu, 02 Jan 2019 03:04:05 GMT';
  const LATER = 'Thu, 02 Jan 2025 03:04:05 GMT';
  const TAG = '"5e0d5da5-1"';

  it.each([
    [304, `If-Modified-Since: ${DATE}`],
    [200, `If-Modified-Since: ${LATER}`],
    [200, `If-Modified-Since: ${EARLIER}`],
    [200, 'If-Modified-Since: yesterday'],
    [304, `If-None-Match: ${TAG}`],
    [304, `If-None-Match: W/${TAG}`],
    [304, `If-None-Match: "a,b" , ${TAG}`],
    [304, 'If-None-Match: *'],
    [200, `If-None-Match: ${TAG}x`],
    [200, `If-None-Match: "x"\r\nIf-Modified-Since: ${DATE}`],
    [200, `If-Match: ${TAG}`],
    [412, `If-Match: W/${TAG}`],
    [412, 'If-Match: "x"'],
    [200, `If-Unmodified-Since: ${DATE}`],
    [412, `If-Unmodified-Since: ${EARLIER}`],
  ])('%d for %s', async (status, field) => {
    const folder = await folderOf({ a: 'x' });
    utimesSync(`${folder}/a`, 0x5e0d5da5, 0x5e0d5da5);
    const answer = await get(await serve(folder), '/a', `${field}\r\n`);
    expect(answer.status).toBe(status);
    if (status === 304) {
      expect(answer.body).toBe('');
      expect(answer.fields).toMatchObject({ etag: TAG, 'last-modified': DATE });
      expect(answer.fields['content-length']).toBeUndefined();
    }
  });

  it('by if_modified_since take later times too, or none', async () => {
    const folder = await folderOf({ a: 'x', b: 'x' });
    const inside =
      'location /a { if_modified_since before; } location /b { if_modified_since off; etag off; }';
    const conf = await serve(folder, inside);
    const later = 'If-Modified-Since: Tue, 19 Jan 2038 03:14:07 GMT\r\n';
    expect((await get(conf, '/a', later)).status).toBe(304);
    const { status, fields } = await get(conf, '/b', later);
    expect([status, fields.etag]).toEqual([200, undefined]);
  });
});

describe('ranges', () => {
  it.each([
    ['bytes=0-8', 'bytes 0-8/900', LINES.slice(0, 9)],
    ['bytes=-10', 'bytes 890-899/900', LINES.slice(-10)],
    ['bytes=890-', 'bytes 890-899/900', LINES.slice(890)],
    ['bytes=890-5000', 'bytes 890-899/900', LINES.slice(890)],
    ['bytes=-5000', 'bytes 0-899/900', LINES],
    ['BYTES= 1 - 2 ', 'bytes 1-2/900', LINES.slice(1, 3)],
    ['bytes=0-9223372036854775807', 'bytes 0-899/900', LINES],
    ['bytes=900-,5-6', 'bytes 5-6/900', LINES.slice(5, 7)],
  ])('%s is one part', async (range, contentRange, body) => {
    const answer = await get(await serve(await folderOf({ a: LINES })), '/a', `Range: ${range}\r\n`);
    expect(answer).toMatchObject({ status: 206, body });
    expect(answer.fields['content-range']).toBe(contentRange);
    expect(answer.fields['accept-ranges']).toBeUndefined();
  });

  it.each([
    [416, 'bytes=900-'],
    [416, 'bytes=x'],
    [416, 'bytes=1-2,x'],
    [416, 'bytes=10'],
    [416, 'bytes=0-9223372036854775808'],
    [200, 'lines=0-1'],
    [200, 'bytes=0-899,0-0'],
    [200, `bytes=${Array.from({ length: 30 }, (_, i) => `${i}-${i}`).join(',')}`],
  ])('%d for %s', async (status, range) => {
    const answer = await get(await serve(await folderOf({ a: LINES })), '/a', `Range: ${range}\r\n`);
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.body).toBe(LINES);
    else expect(answer.fields['content-range']).toBe('bytes */900');
  });

  it('several are parts of one answer, in the order asked for', async () => {
    const folder = await folderOf({ 'a.html': LINES });
    const conf = await serve(folder, 'location = /text { return 200 "0123456789"; }');
    const { status, fields, body } = await get(conf, '/a.html', 'Range: bytes=890-, 0-8\r\n');
    expect(status).toBe(206);
    expect(Number(fields['content-length'])).toBe(body.length);
    const boundary = /^multipart\/byteranges; boundary=(\d{20})$/.exec(fields['content-type']!)![1];
    const heading = (range: string) =>
      `\r\n--${boundary}\r\nContent-Type: text/html\r\nContent-Range: bytes ${range}/900\r\n\r\n`;
    const parts = heading('890-899') + LINES.slice(890) + heading('0-8') + LINES.slice(0, 9);
    expect(body).toBe(`${parts}\r\n--${boundary}--\r\n`);
    // A text of the configuration allows none.
    expect((await get(conf, '/text', 'Range: bytes=0-1\r\n')).status).toBe(200);
  });

  it('are bounded by max_ranges', async () => {
    const inside = 'location /a { max_ranges 1; } location /b { max_ranges 0; }';
    const conf = await serve(await folderOf({ a: LINES, b: LINES }), inside);
    expect((await get(conf, '/a', 'Range: bytes=0-1\r\n')).status).toBe(206);
    expect((await get(conf, '/a', 'Range: bytes=0-1,3-4\r\n')).status).toBe(200);
    const none = await get(conf, '/b', 'Range: bytes=0-1\r\n');
    expect([none.status, none.fields['accept-ranges']]).toEqual([200, undefined]);
  });

  it.each([
    [206, (tag: string) => tag],
    [200, () => '"x"'],
    [200, (tag: string) => `W/${tag}`],
    [206, (_: string, date: string) => date],
    [200, () => 'Thu, 02 Jan 2020 03:04:05 GMT'],
  ])('%d by If-Range', async (status, condition) => {
    const conf = await serve(await folderOf({ a: LINES }));
    const { fields } = await get(conf, '/a');
    const value = condition(fields.etag!, fields['last-modified']!);
    expect((await get(conf, '/a', `Range: bytes=0-1\r\nIf-Range: ${value}\r\n`)).status).toBe(status);
  });

  it('of a large file are read where they are, not up to there', async () => {
    const folder = await folderOf({ large: '' });
    truncateSync(`${folder}/large`, 8 * 1024 * MB);
    appendFileSync(`${folder}/large`, 'the end');
    const conf = await serve(folder);
    const end = await get(conf, '/large', 'Range: bytes=-7\r\n');
    expect(end).toMatchObject({ status: 206, body: 'the end' });
    const three = await get(conf, '/large', `Range: bytes=-3, 0-1, ${4096 * MB}-${4097 * MB - 1}\r\n`);
    expect(three.status).toBe(206);
    expect(three.body.length).toBe(Number(three.fields['content-length']));
    expect(three.body).toContain('\r\n\r\nend\r\n');
  });
});

describe('a large file', () => {
  it('takes little memory however slowly it is read', async () => {
    const size = 200 * MB;
    const folder = await folderOf({ large: '' });
    truncateSync(`${folder}/large`, size);
    const conf = await serve(folder);
    const client = await conf.connect();
    await client.send('GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await client.readHead()).toContain(`Content-Length: ${size}\r\n`);
    const used = () => process.memoryUsage().arrayBuffers;
    // What is garbage already does not count, however late it is collected.
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    client.pause();
    // Until the sockets' buffers are full, and a little longer.
    for (let i = 0; i < 200; i++) await turn();
    collectGarbage();
    const before = used();
    let received = client.pendingBytes;
    let peak = 0;
    client.divert((bytes) => {
      received += bytes.length;
    });
    while (received < size) {
      client.resume();
      await turn();
      client.pause();
      if (used() - before > 16 * MB) collectGarbage();
      peak = Math.max(peak, used());
    }
    expect(received).toBe(size);
    expect(peak - before).toBeLessThan(32 * MB);
    client.close();
  });

  it('that becomes shorter meanwhile is broken off, and told of', async () => {
    const folder = await folderOf({ large: '' });
    truncateSync(`${folder}/large`, 50 * MB);
    const conf = await serve(folder);
    const client = await conf.connect();
    await client.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readHead();
    client.pause();
    truncateSync(`${folder}/large`, MB);
    let received = client.pendingBytes;
    client.divert((bytes) => {
      received += bytes.length;
    });
    client.resume();
    await client.waitForEnd();
    expect(received).toBeLessThan(50 * MB);
    expect(conf.log('error.log').matching(/large" was truncated at \d+, client/)).toHaveLength(1);
  });

  it('that becomes longer meanwhile is sent as far as it was', async () => {
    const folder = await folderOf({ large: Buffer.alloc(MB, 'a') });
    const conf = await serve(folder);
    const client = await conf.connect();
    await client.send('GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    appendFileSync(`${folder}/large`, 'more');
    const { body } = await client.readResponse();
    expect(body.length - MB).toBeGreaterThanOrEqual(0);
    expect(await client.readToEnd()).toBe('');
  });

  it('lets go of its descriptor when the client goes away', async () => {
    const folder = await folderOf({ large: '' });
    truncateSync(`${folder}/large`, 50 * MB);
    const conf = await serve(folder);
    const client = await conf.connect();
    await client.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readHead();
    client.pause();
    client.reset();
    const again = await get(conf, '/large', 'Range: bytes=0-0\r\n');
    expect(again.status).toBe(206);
  });
});

describe('disable_symlinks', () => {
  it('refuses links, all of them or those behind a beginning', async () => {
    const folder = await folderOf({ 'real/a': 'A', 'real/deep/b': 'B' });
    symlinkSync(`${folder}/real`, `${folder}/link`);
    symlinkSync('a', `${folder}/real/alink`);
    const conf = await serve(
      folder,
      `location /off/ { alias ${folder}/; }
       location /on/ { alias ${folder}/; disable_symlinks on; }
       location /from/ { alias ${folder}/link/; disable_symlinks on from=${folder}/link; }
       location /own/ { alias ${folder}/; disable_symlinks if_not_owner; }`,
    );
    const answers: Record<string, number> = {};
    for (const target of [
      '/off/link/a',
      '/on/real/a',
      '/on/real/deep/b',
      '/on/real/alink',
      '/from/a',
      '/from/alink',
    ])
      answers[target] = (await get(conf, target)).status;
    expect(answers).toEqual({
      '/off/link/a': 200,
      '/on/real/a': 200,
      '/on/real/deep/b': 200,
      '/on/real/alink': 403,
      '/from/a': 200,
      '/from/alink': 403,
    });
    // Both belong to whoever runs the test.
    expect((await get(conf, '/own/link/alink')).body).toBe('A');
  });
});

describe('open_file_cache', () => {
  it('keeps what it knows for a while, and looks again when that is over', async () => {
    const folder = await folderOf({ a: 'first', b: 'first' });
    const conf = await serve(
      folder,
      'location /b { open_file_cache_valid 0; } open_file_cache max=10; open_file_cache_errors on;',
    );
    expect((await get(conf, '/a')).body + (await get(conf, '/b')).body).toBe('firstfirst');
    expect((await get(conf, '/c')).status).toBe(404);
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(`${folder}/new`, 'second');
      renameSync(`${folder}/new`, `${folder}/${name}`);
    }
    expect((await get(conf, '/a')).body).toBe('first');
    expect((await get(conf, '/b')).body).toBe('second');
    expect((await get(conf, '/c')).status).toBe(404);
  });

  it('needs a bound', async () => {
    const promise = serveConf('server { listen 127.0.0.1:%PORT%; open_file_cache inactive=1m; }');
    await expect(promise).rejects.toThrow('"open_file_cache" must have the "max" parameter');
  });
});
