// SSI: what commands do, and answers made of several: in order whatever comes first, and what becomes of errors,
// waits, HEAD and clients that go away.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answering, type RawOrigin, type TestConf } from '../src/testing/index.js';
import { ask, get, readAnswer, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

/** A server whose root has these files, with SSI on, and these locations. */
async function servePages(pages: Record<string, string>, locations = ''): Promise<TestConf> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-ssi-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(pages)) await writeFile(join(root, name), text, 'latin1');
  return serveConf(`
    server {
      listen 127.0.0.1:%PORT%;
      root ${root};
      default_type text/html;
      ssi on;
      set $amp "1&2";
      set $three 3;
      location / {}
      ${locations}
    }`);
}

function proxyTo(origin: RawOrigin): string {
  return `proxy_pass http://127.0.0.1:${origin.address.port};`;
}

function answerOf(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const ERROR = '[an error occurred while processing the directive]';

describe('SSI commands', () => {
  it.each([
    ['<!--#echo var="amp" -->', '1&amp;2'],
    ['<!--#echo var="arg_none" -->', '(none)'],
    ['<!--#echo var="arg_none" default="d" -->', 'd'],
    ['<!--#echo var="arg_none" default="" -->', ''],
    ['<!--#echo encoding="none" var="AMP" --><!--# echo var="amp"-->', '1&21&2'],
    ['<!--#set var="x" value="a b<" --><!--#echo var="x" encoding="url" -->', 'a%20b%3C'],
    ['<!--#set var="X" value="$three-$' + '{amp}" --><!--#echo var="x" encoding="none" -->', '3-1&2'],
    ["<!--#set var='x' value='\\'\\$a\\'' --><!--#echo var='x' -->", "'$a'"],
    ['<!--#set var="1" value="own" --><!--#echo var="1" -->', 'own'],
    ['<!--#if expr="$three = 3" -->yes<!--#else -->no<!--#endif -->', 'yes'],
    ['<!--#if expr="$three != 3" -->yes<!--#elif expr="$amp" -->elif<!--#endif -->', 'elif'],
    [
      '<!--#if expr="$amp = /^(.).(?<last>.)\\$/" --><!--#echo var="1" --><!--#echo var="last" --><!--#endif -->',
      '12',
    ],
    [
      '<!--#if expr="$arg_none" -->no<!--#if expr="1" -->no<!--#endif -->no<!--#else -->yes<!--#endif -->',
      'yes',
    ],
    ['<!--#if expr="$three" -->a<!--#if expr="" -->no<!--#else -->b<!--#endif -->c<!--#endif -->', 'abc'],
    ['<!--#config timefmt="%Y" --><!--#if expr="$date_gmt = /^2[0-9]+\\$/" -->ok<!--#endif -->', 'ok'],
    ['<!--#config errmsg="oops" --><!--#nosuch -->', 'oops'],
    ['<!--#echo -->', ERROR],
    ['<!--#echo var="a" nosuch="b" -->', ERROR],
    ['<!--#echo var="a" var="b" -->', ERROR],
    ['<!--#endif -->', ERROR],
    ['<!--#if expr="a" --><!--#else --><!--#else -->', ERROR],
    ['<!--#if expr="a ~ b" -->', ERROR],
    ['<!--#set var="x" value="$" -->', ERROR],
    ['<!--#set var="x" value="${a" -->', ERROR],
    ['<!--#echo var=a -->', ERROR],
    [`<!--#echo var="${'v'.repeat(256)}" -->`, ERROR],
    ['<!--#include virtual="../../etc/passwd" -->', ERROR],
    ['<!--#include -->', ERROR],
    ['<!--#include virtual="/a" stub="none" -->', ERROR],
    ['<!-- a comment --><!--#', '<!-- a comment -->'],
    ['a<!-', 'a<!-'],
    ['<<!--#echo var="three" --><!---#x', '<3<!---#x'],
  ])('%s', async (text, expected) => {
    const conf = await servePages({ 'p.html': text });
    expect((await get(conf, '/p.html')).body).toBe(expected);
  });

  it('are the same however the body is cut', async () => {
    const text =
      'a<<!--#set var="x" value="1" -->b<!--#if expr="$x" --><!--#echo var="x" --><!--#endif -->c<!--d<!--#block name="k" -->B<!--#echo var="x" --><!--#endblock -->e';
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n');
      for (const byte of text) await connection.send(byte);
      connection.end();
    });
    const conf = await servePages({}, `location = /cut { ${proxyTo(origin)} }`);
    expect((await get(conf, '/cut')).body).toBe('a<b1c<!--de');
  });

  it('say nothing of errors with ssi_silent_errors, and all to the log', async () => {
    const conf = await servePages({ 'p.html': 'a<!--#nosuch -->b' }, 'ssi_silent_errors on;');
    expect((await get(conf, '/p.html')).body).toBe('ab');
    expect(conf.log('error.log').matching(/invalid SSI command: "nosuch"/)).toHaveLength(1);
  });

  it('leave other types alone, and drop what no longer fits a changed body', async () => {
    const conf = await servePages(
      { 'p.html': '<!--#echo var="three" -->', 'p.txt': '<!--#echo var="three" -->' },
      'location = /p.txt { default_type text/plain; } location = /kept { alias /nowhere; }',
    );
    expect((await get(conf, '/p.txt')).body).toBe('<!--#echo var="three" -->');
    const { fields } = await get(conf, '/p.html');
    for (const name of ['content-length', 'last-modified', 'etag', 'accept-ranges']) {
      expect(fields).not.toHaveProperty(name);
    }
  });
});

describe('SSI includes', () => {
  it('stand in order, whichever answers first', async () => {
    const origin = await startOrigin();
    const conf = await servePages(
      { 'p.html': '1<!--#include virtual="/o/a" -->2<!--#include virtual="/o/b?c=d" -->3' },
      `location /o/ { ${proxyTo(origin)} }`,
    );
    const client = await conf.connect();
    await client.send('GET /p.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const [one, other] = [await origin.accept(), await origin.accept()];
    const heads = new Map([
      [(await one.readHead()).split(' ')[1], one],
      [(await other.readHead()).split(' ')[1], other],
    ]);
    expect([...heads.keys()].sort()).toEqual(['/o/a', '/o/b?c=d']);
    await heads.get('/o/b?c=d')!.send(answerOf('B'.repeat(300_000)));
    await heads.get('/o/a')!.send(answerOf('AA'));
    expect(readAnswer(await client.readToEnd()).body).toBe(`1AA2${'B'.repeat(300_000)}3`);
  });

  it('nest, relative to the page they stand in', async () => {
    const conf = await servePages({
      'p.html': '[<!--#include file="q.html" -->][<!--#include virtual="/q.html" -->]',
      'q.html': '(<!--#include virtual="r.html?x=1" -->)',
      'r.html': '<!--#echo var="arg_x" --><!--#set var="y" value="2" -->',
    });
    expect((await get(conf, '/p.html')).body).toBe('[(1)][(1)]');
  });

  it('share variables, in time when they are waited for', async () => {
    const conf = await servePages({
      'p.html': '<!--#include virtual="/q.html" wait="yes" --><!--#echo var="y" -->',
      'q.html': '<!--#set var="y" value="2" -->',
      'late.html': '<!--#include virtual="/q.html" --><!--#echo var="y" -->',
    });
    expect((await get(conf, '/p.html')).body).toBe('2');
    expect((await get(conf, '/late.html')).body).toBe('(none)');
  });

  it('can be kept in a variable, and only when they are no error', async () => {
    const conf = await servePages({
      'p.html':
        '<!--#include virtual="/q.html" set="v" --><!--#include virtual="/nosuch" set="w" -->[<!--#echo var="v" -->][<!--#echo var="w" -->]',
      'q.html': 'kept',
    });
    expect((await get(conf, '/p.html')).body).toBe('[kept][]');
  });

  it('break the answer off when one to be kept is too large', async () => {
    const conf = await servePages(
      { 'p.html': '<!--#include virtual="/q.html" set="v" -->', 'q.html': 'x'.repeat(100) },
      'subrequest_output_buffer_size 99;',
    );
    const client = await conf.connect();
    await client.send('GET /p.html HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.readToEnd().catch(() => '')).not.toContain('200 OK');
    expect(conf.log('error.log').matching(/too big subrequest response/)).toHaveLength(1);
  });

  it('show the page of an error, or a stub instead, and a stub for an empty one', async () => {
    const conf = await servePages({
      'p.html':
        '<!--#block name="s" -->stub <!--#echo var="uri" --><!--#endblock -->' +
        '<!--#include virtual="/nosuch" -->|<!--#include virtual="/nosuch2" stub="s" -->|<!--#include virtual="/empty" stub="s" -->|<!--#include virtual="/q.html" stub="s" -->',
      empty: '',
      'q.html': 'q',
    });
    const parts = (await get(conf, '/p.html')).body.split('|');
    expect(parts[0]).toContain('404 Not Found');
    expect(parts.slice(1)).toEqual(['stub /nosuch2', 'stub <!--#echo var="uri" -->', 'q']);
  });

  it('see what an upstream that fails is answered for', async () => {
    const origin = await startOrigin();
    const where = proxyTo(origin);
    await origin.stop();
    const conf = await servePages(
      { 'p.html': '1<!--#include virtual="/o" -->2' },
      `location = /o { ${where} error_page 502 = /sorry; } location = /sorry { return 200 sorry; }`,
    );
    expect((await get(conf, '/p.html')).body).toBe('1sorry2');
  });

  it('break the answer off when an upstream breaks off in the middle', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      connection.close();
    });
    const conf = await servePages(
      { 'p.html': '1<!--#include virtual="/o" -->2' },
      `location = /o { ${proxyTo(origin)} }`,
    );
    const client = await conf.connect();
    await client.send('GET /p.html HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.readToEnd().catch(() => '')).endsWith('0\r\n\r\n')).toBe(false);
  });

  it('end when they include each other', async () => {
    const conf = await servePages({ 'p.html': '.<!--#include virtual="/p.html" -->' });
    const { body } = await get(conf, '/p.html');
    expect(body).toBe(`${'.'.repeat(51)}${ERROR}`);
    expect(conf.log('error.log').matching(/subrequests cycle while processing "\/p.html"/)).toHaveLength(1);
  });

  it('open internal locations, and obey no access rules of their own', async () => {
    const conf = await servePages(
      { 'p.html': '<!--#include virtual="/i" --><!--#include virtual="/d" -->' },
      'location = /i { internal; return 200 i; } location = /d { deny all; return 200 d; }',
    );
    expect((await get(conf, '/p.html')).body).toBe('id');
    expect((await get(conf, '/i')).status).toBe(404);
  });

  it('are not made for HEAD', async () => {
    const origin = await startOrigin(answering(answerOf('x')));
    const conf = await servePages(
      { 'p.html': '<!--#include virtual="/o" -->' },
      `location = /o { ${proxyTo(origin)} }`,
    );
    const answer = await ask(conf, 'HEAD /p.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('');
    expect(origin.connections).toHaveLength(0);
  });

  it('take the body of a POST that was read, by GET', async () => {
    const asked: string[] = [];
    const origin = await startOrigin(
      answering(({ startLine, text }) => {
        asked.push(`${startLine.split(' ').slice(0, 2).join(' ')} ${text}`);
        const body = startLine.includes('/main') ? '[<!--#include virtual="/o/sub" -->]' : 'sub';
        return answerOf(body).replace('\r\n', '\r\nContent-Type: text/html\r\n');
      }),
    );
    const conf = await servePages({}, `location /o/ { ${proxyTo(origin)} }`);
    const { body } = await ask(
      conf,
      'POST /o/main HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndata',
    );
    expect(body).toBe('[sub]');
    expect(asked).toEqual(['POST /o/main data', 'GET /o/sub data']);
  });

  it('let a client that reads slowly stop the upstreams', async () => {
    const size = 32_000_000;
    const origins = await Promise.all(
      ['A', 'B'].map((letter) => startOrigin(answering(answerOf(letter.repeat(size))))),
    );
    const [a, b] = origins as [RawOrigin, RawOrigin];
    const conf = await servePages(
      { 'p.html': '<!--#include virtual="/a" --><!--#include virtual="/b" -->' },
      `location = /a { ${proxyTo(a)} } location = /b { ${proxyTo(b)} }`,
    );
    const client = await conf.connect();
    client.pause();
    await client.send('GET /p.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await expect.poll(() => b.connections.length, { timeout: 10_000 }).toBe(1);
    // Neither got rid of all of it: what waits is in their sockets, not with the proxy.
    await expect
      .poll(() => a.connections[0]!.pendingBytes > 0 && b.connections[0]!.pendingBytes > 0, {
        timeout: 10_000,
      })
      .toBe(true);
    client.resume();
    const { body } = readAnswer(await client.readToEnd());
    expect(body === 'A'.repeat(size) + 'B'.repeat(size)).toBe(true);
  }, 60_000);

  it('are broken off with the client', async () => {
    const origin = await startOrigin();
    const conf = await servePages(
      { 'p.html': '1<!--#include virtual="/o" --><!--#include virtual="/o" wait="yes" -->2' },
      `location = /o { ${proxyTo(origin)} }`,
    );
    const client = await conf.connect();
    await client.send('GET /p.html HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstreams = [await origin.accept(), await origin.accept()];
    for (const upstream of upstreams) await upstream.readHead();
    client.reset();
    for (const upstream of upstreams) expect(await upstream.waitForEnd()).toBeDefined();
  });

  it('serve the next request of a connection', async () => {
    const conf = await servePages({ 'p.html': '1<!--#include virtual="/q.html" -->2', 'q.html': 'q' });
    const client = await conf.connect();
    await client.send('GET /p.html HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    for (let i = 0; i < 3; i++) expect((await client.readResponse()).text).toBe('1q2');
  });
});

describe('addition', () => {
  it('puts answers before and behind one of the right type', async () => {
    const conf = await servePages(
      { 'p.html': 'page', 'p.txt': 'text', 'before.html': '<', 'after.html': '>' },
      `add_before_body /before.html;
       add_after_body /after.html;
       location = /p.txt { default_type text/plain; }
       location = /none { add_before_body ""; return 200 none; }
       location = /sub { sub_filter pagex y; sub_filter page P; alias /dev/null; }`,
    );
    const answer = await get(conf, '/p.html');
    expect(answer.body).toBe('<page>');
    expect(answer.fields).not.toHaveProperty('content-length');
    expect((await get(conf, '/p.txt')).body).toBe('text');
    expect((await get(conf, '/none')).body).toBe('none>');
    expect((await get(conf, '/nosuch')).body).toContain('404 Not Found');
  });

  it('comes behind what another filter still held', async () => {
    const conf = await servePages(
      { 'p.html': 'abcf', 'after.html': 'after' },
      'add_after_body /after.html; sub_filter foo bar;',
    );
    expect((await get(conf, '/p.html')).body).toBe('abcfafter');
  });
});
