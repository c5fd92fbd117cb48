// What the configuration adds to answers (add_header, expires, add_trailer), and answers of a few modules that need no
// files: empty_gif, stub_status; and files that are compressed already.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { TestConf } from '../src/testing/index.js';
import { ask, get, readAnswer, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';

function serve(inside: string): Promise<TestConf> {
  return serveConf(`server { listen 127.0.0.1:%PORT%; ${inside} }`);
}

describe('add_header', () => {
  it('adds to answers of success and redirects, with "always" to all', async () => {
    const conf = await serve(
      `add_header X-A $uri; add_header X-B "b c" always; add_header X-Empty "";
       location /ok { return 200; } location /moved { return 302 /x; } location /bad { return 400; }`,
    );
    const answers: Record<string, unknown> = {};
    for (const path of ['/ok', '/moved', '/bad', '/none']) {
      const { fields } = await get(conf, path);
      answers[path] = [fields['x-a'], fields['x-b'], fields['x-empty']];
    }
    expect(answers).toEqual({
      '/ok': ['/ok', 'b c', undefined],
      '/moved': ['/moved', 'b c', undefined],
      '/bad': [undefined, 'b c', undefined],
      '/none': [undefined, 'b c', undefined],
    });
  });

  it('is inherited by a level that has none, or as add_header_inherit says', async () => {
    const conf = await serve(
      `add_header X-A outer; return 200;
       location /on { return 200; location /on/own { add_header X-B b; return 200; } }
       location /off { add_header_inherit off; return 200; }
       location /merge { add_header_inherit merge; add_header X-A inner; return 200;
         location /merge/deep { add_header X-A deep; return 200; } }`.replace('return 200;', ''),
    );
    const values: Record<string, string> = {};
    for (const path of ['/on', '/on/own', '/off', '/merge', '/merge/deep']) {
      const { fields } = await get(conf, path);
      values[path] = `${fields['x-a'] ?? '-'} / ${fields['x-b'] ?? '-'}`;
    }
    expect(values).toEqual({
      '/on': 'outer / -',
      '/on/own': '- / b',
      '/off': '- / -',
      '/merge': 'inner, outer / -',
      '/merge/deep': 'deep, inner, outer / -',
    });
  });

  it('replaces or removes what there can be but one of', async () => {
    const folder = await folderOf({ a: 'x' });
    const conf = await serve(
      `root ${folder}; location /a { add_header ETag '"mine"'; add_header Last-Modified $arg_date; }`,
    );
    const date = 'Mon, 28 Sep 1970 06:00:00 GMT';
    const dated = await get(conf, `/a?date=${encodeURIComponent(date)}`);
    expect(dated.fields.etag).toBe('"mine"');
    const bare = await get(conf, '/a');
    expect([bare.fields['last-modified'], bare.head.match(/ETag/g)]).toEqual([undefined, ['ETag']]);
  });

  it.each([
    ['add_header X-A b sometimes;', 'invalid'],
    ['add_header X-A $nothing;', 'unknown "nothing" variable'],
    ['expires modified @1h;', 'daily time cannot be used with "modified" parameter'],
    ['expires @25h;', 'daily time value must be less than 24 hours'],
    ['expires soon;', 'invalid value'],
    ['expires since 1h;', 'invalid value'],
  ])('or its like, as %s, is refused', async (directive, words) => {
    await expect(serve(directive)).rejects.toThrow(words);
  });
});

describe('expires', () => {
  const secondsUntil = (date: string) => Math.round((Date.parse(date) - Date.now()) / 1000);

  it.each([
    ['epoch', 'no-cache', 'Thu, 01 Jan 1970 00:00:01 GMT'],
    ['max', 'max-age=315360000', 'Thu, 31 Dec 2037 23:55:55 GMT'],
    ['off', undefined, undefined],
  ])('%s', async (value, cacheControl, date) => {
    const { fields } = await get(await serve(`expires ${value}; location / { return 200; }`), '/');
    expect([fields['cache-control'], fields.expires]).toEqual([cacheControl, date]);
  });

  it.each([
    ['2h', 'max-age=7200', 7200],
    ['+1m', 'max-age=60', 60],
    ['-1d', 'no-cache', -86_400],
    ['0', 'max-age=0', 0],
    ['$arg_e', 'max-age=90', 90],
  ])('%s is so long from now', async (value, cacheControl, seconds) => {
    const { fields } = await get(await serve(`expires ${value}; location / { return 200; }`), '/?e=1m30s');
    expect(fields['cache-control']).toBe(cacheControl);
    expect(Math.abs(secondsUntil(fields.expires!) - seconds)).toBeLessThan(30);
  });

  it('@ is the next time of the day', async () => {
    const { fields } = await get(await serve('expires @15h30m33s; location / { return 200; }'), '/');
    const date = new Date(fields.expires!);
    expect([date.getHours(), date.getMinutes(), date.getSeconds()]).toEqual([15, 30, 33]);
    expect(secondsUntil(fields.expires!)).toBeGreaterThan(-30);
    expect(secondsUntil(fields.expires!)).toBeLessThanOrEqual(90_000);
  });

  it('modified counts from the change of the file', async () => {
    const folder = await folderOf({ a: 'x' });
    const { fields } = await get(await serve(`root ${folder}; expires modified 1h;`), '/a');
    expect(Date.parse(fields.expires!) - Date.parse(fields['last-modified']!)).toBe(3_600_000);
  });

  it.each(['', '?e=off', '?e=bad'])('of a variable that says nothing adds nothing: %j', async (args) => {
    const conf = await serve('expires $arg_e; location / { return 200; }');
    expect((await get(conf, `/${args}`)).fields.expires).toBeUndefined();
  });

  it('is for success alone', async () => {
    const conf = await serve('expires 1h; location / { return 403; }');
    expect((await get(conf, '/')).fields['cache-control']).toBeUndefined();
  });
});

describe('add_trailer', () => {
  it('follows the body of HTTP/1.1, which then comes in chunks', async () => {
    const folder = await folderOf({ a: 'hello' });
    const conf = await serve(`root ${folder}; add_trailer X-T $uri; add_trailer X-Empty "";`);
    const client = await conf.connect();
    await client.send('GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const text = await client.readToEnd();
    expect(text).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\nX-T: \/a\r\n\r\n$/);
    expect(text).not.toContain('Content-Length');
    const old = await ask(conf, 'GET /a HTTP/1.0\r\n\r\n');
    expect([old.fields['content-length'], old.body]).toEqual(['5', 'hello']);
    const range = await get(conf, '/a', 'Range: bytes=1-2\r\n');
    expect([range.status, range.body]).toEqual([206, 'el']);
  });
});

describe('empty_gif', () => {
  it('is one transparent pixel', async () => {
    const conf = await serve('location / { empty_gif; }');
    const { status, fields, body } = await get(conf, '/');
    expect([status, fields['content-type'], fields['last-modified']]).toEqual([
      200,
      'image/gif',
      'Mon, 28 Sep 1970 06:00:00 GMT',
    ]);
    expect([body.length, body.slice(0, 10), body.at(-1)]).toEqual([43, 'GIF89a\x01\0\x01\0', ';']);
    expect((await ask(conf, 'PUT / HTTP/1.0\r\n\r\n')).status).toBe(405);
  });
});

describe('stub_status', () => {
  it('counts connections by what they do, and requests', async () => {
    const conf = await serve('add_header X-Waiting $connections_waiting; location /s { stub_status; }');
    const show = async () => {
      const client = await conf.connect();
      await client.send('GET /s HTTP/1.0\r\n\r\n');
      const { body } = readAnswer(await client.readToEnd());
      client.close();
      return body;
    };
    expect(await show()).toBe(
      'Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 Waiting: 0 \n',
    );
    const idle = await conf.connect();
    const reading = await conf.connect();
    await reading.send('GET /s HT');
    await expect.poll(show).toMatch(/^Active connections: 3 \n.*\n.*\nReading: 1 Writing: 1 Waiting: 1 \n$/);
    await reading.send('TP/1.1\r\nHost: a\r\n\r\n');
    const { head } = await reading.readResponse();
    expect(head).toMatch(/X-Waiting: [12]\r\n/);
    await expect.poll(show).toMatch(/Reading: 0 Writing: 1 Waiting: 2 \n$/);
    idle.close();
    reading.close();
    await expect.poll(show).toMatch(/^Active connections: 1 \n/);
  });

  it('counts on when the configuration is replaced', async () => {
    const conf = await serve('location / { stub_status; }');
    await get(conf, '/');
    await conf.reload('server { listen 127.0.0.1:%PORT%; location / { stub_status; } }');
    expect((await get(conf, '/')).body).toContain('\n 2 2 2 \n');
  });
});

describe('gzip_static', () => {
  it('sends the file beside the one asked for to those who take it', async () => {
    const packed = gzipSync('hello');
    const folder = await folderOf({
      'a.html': 'hello',
      'a.html.gz': packed,
      'b.html': 'plain',
      'only.html.gz': packed,
    });
    const conf = await serve(
      `root ${folder}; gzip_vary on; gzip_static on; location /only.html { gzip_static always; }`,
    );
    const accept = 'Accept-Encoding: gzip\r\n';
    const compressed = await get(conf, '/a.html', accept);
    expect(compressed.fields).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/html',
      'content-length': String(packed.length),
      vary: 'Accept-Encoding',
    });
    expect(compressed.body).toBe(packed.toString('latin1'));
    const plain = await get(conf, '/a.html');
    expect([plain.body, plain.fields.vary]).toEqual(['hello', 'Accept-Encoding']);
    const without = await get(conf, '/b.html', accept);
    expect([without.body, without.fields.vary]).toEqual(['plain', undefined]);
    expect((await get(conf, '/only.html')).fields['content-encoding']).toBe('gzip');
  });
});
