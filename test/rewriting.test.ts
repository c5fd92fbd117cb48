// rewrite, return, set, if and break, as a client sees them.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answering } from '../src/testing/index.js';
import { ask, get, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

/** What follows `out:` tells what the request has become. */
const OUT = 'location /out { return 200 "out:$uri?$args"; }';

function serveServer(directives: string) {
  return serveConf(`
    server {
      listen 127.0.0.1:%PORT%;
      default_type text/plain;
      ${directives}
    }`);
}

describe('rewrite', () => {
  it.each([
    ['/(.*) /out/$1 last', '/a', 'out:/out/a?'],
    ['/(.*) /out/$1 last', '/a?x=1', 'out:/out/a?x=1'],
    ['/(.*) /out?q=$1 last', '/a?x=1', 'out:/out?q=a&x=1'],
    ['/(.*) /out?q=$1? last', '/a?x=1', 'out:/out?q=a'],
    ['/(.*) /out/$1? last', '/a?x=1', 'out:/out/a?'],
    ['/(.*) /out?a?b=$1 last', '/c', 'out:/out?a?b=c'],
    ['/(?<what>.*) /out/$what$arg_x last', '/a?x=1', 'out:/out/a1?x=1'],
    ['/(.*) "/out/a b/$1" last', '/c', 'out:/out/a b/c?'],
  ])('%s makes %s to %s', async (rule, target, became) => {
    const conf = await serveServer(`location / { rewrite ^${rule}; return 500; } ${OUT}`);
    expect((await get(conf, target)).body).toBe(became);
  });

  it('escapes what was escaped in the path where it becomes an argument, and nowhere else', async () => {
    const conf = await serveServer(`
      location /path/ { rewrite ^/path/(.*)$ /out/$1 last; }
      location /args/ { rewrite ^/args/(.*)$ /out?q=$1 last; }
      location /set/ { if ($uri ~ ^/set/(.*)$) { set $value $1; } return 200 "$value|$1"; }
      ${OUT}`);
    expect((await get(conf, '/path/a%20b%26c')).body).toBe('out:/out/a b&c?');
    expect((await get(conf, '/args/a%20b%26c')).body).toBe('out:/out?q=a%20b%26c');
    expect((await get(conf, '/args/a&c')).body).toBe('out:/out?q=a&c');
    expect((await get(conf, '/args/a+c')).body).toBe('out:/out?q=a%2Bc');
    expect((await get(conf, '/set/a%26c')).body).toBe('a%26c|a&c');
  });

  it.each([
    ['/(.*) /new/$1 redirect', '/a?x=1', 302, '/new/a?x=1'],
    ['/(.*) /new/$1? permanent', '/a?x=1', 301, '/new/a'],
    ['/(.*) /new?q=$1 permanent', '/a?x=1', 301, '/new?q=a&x=1'],
    ['/(.*) http://other/$1', '/a', 302, 'http://other/a'],
    ['/(.*) $scheme://other/$1 permanent', '/a', 301, 'http://other/a'],
    ['/(.*) http://other/$1', '/a%20b%41', 302, 'http://other/a%20bA'],
  ])('%s redirects %s by %d to %s', async (rule, target, status, location) => {
    const conf = await serveServer(`absolute_redirect off; rewrite ^${rule};`);
    const answer = await get(conf, target);
    expect([answer.status, answer.fields.location]).toEqual([status, location]);
  });

  it('looks for another location with last, stays with break, goes on with neither', async () => {
    const conf = await serveServer(`
      location /last { rewrite ^ /out/last last; return 500; }
      location /stay { rewrite ^ /out/stay break; return 500; }
      location /next { rewrite ^ /next/a; rewrite ^/next/(.) /out/$1; }
      location /until { rewrite ^ /out/until; break; return 500; }
      location /out { return 200 "out:$uri"; }
      root /nowhere;`);
    expect((await get(conf, '/last')).body).toBe('out:/out/last');
    expect((await get(conf, '/next')).body).toBe('out:/out/a');
    expect((await get(conf, '/stay')).status).toBe(404);
    expect((await get(conf, '/until')).status).toBe(404);
  });

  it('runs in the server before a location is looked for, and in a location ten times at most', async () => {
    const conf = await serveServer(`
      rewrite ^/server/(.*)$ /out/$1;
      location /turn { rewrite ^(.*)$ $1x last; }
      ${OUT}`);
    expect((await get(conf, '/server/a')).body).toBe('out:/out/a?');
    expect((await get(conf, '/turn')).status).toBe(500);
    expect(conf.log('error.log').matching(/rewrite or internal redirection cycle/)).toHaveLength(1);
  });

  it('tells of each match when rewrite_log is on, and refuses an empty path', async () => {
    const conf = await serveConf(`
      error_log error.log notice;
      server {
        listen 127.0.0.1:%PORT%;
        rewrite_log on;
        location /a { rewrite ^/b /c; rewrite ^/a(.*)$ /out$1?q last; }
        location /empty { rewrite ^/empty(.*)$ $1 last; }
        ${OUT}
      }`);
    await get(conf, '/a/1');
    const lines = conf.log('error.log').matching(/^.*\[notice\].*(?:match|rewritten)/);
    expect(lines.map((line) => /: \*?\d* ?(.*?), client/.exec(line)?.[1])).toEqual([
      '"^/b" does not match "/a/1"',
      '"^/a(.*)$" matches "/a/1"',
      'rewritten data: "/out/1", args: "q"',
    ]);
    expect((await get(conf, '/empty')).status).toBe(500);
    expect(conf.log('error.log').matching(/the rewritten URI has a zero length/)).toHaveLength(1);
  });
});

describe('return', () => {
  it.each([
    ['200', 200, '', undefined],
    ['200 "$uri!"', 200, '/x!', undefined],
    ['204', 204, '', undefined],
    ['301 /a$uri', 301, expect.stringContaining('301 Moved Permanently'), '/a/x'],
    ['http://other/', 302, expect.stringContaining('302 Found'), 'http://other/'],
    ['308 http://other/', 308, expect.anything(), 'http://other/'],
    ['403', 403, expect.stringContaining('403 Forbidden'), undefined],
    ['404 gone', 404, 'gone', undefined],
    ['599', 599, '', undefined],
  ])('return %s answers %d', async (how, status, body, location) => {
    const conf = await serveServer(`absolute_redirect off; location /x { return ${how}; }`);
    const answer = await get(conf, '/x');
    expect([answer.status, answer.body, answer.fields.location]).toEqual([status, body, location]);
  });

  it('gives a page of an error to error_page, but not a text', async () => {
    const conf = await serveServer(`
      error_page 404 =202 /page;
      location /page { return 200 page; }
      location /none { return 404; }
      location /text { return 404 text; }`);
    expect(await get(conf, '/none')).toMatchObject({ status: 202, body: 'page' });
    expect(await get(conf, '/text')).toMatchObject({ status: 404, body: 'text' });
  });

  it('closes without a word by 444', async () => {
    const conf = await serveServer('return 444;');
    const client = await conf.connect();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.readToEnd()).toBe('');
  });

  it('has the type of the extension, and knows its own status', async () => {
    const conf = await serveServer('location / { types { text/css css; } return 201 "$status"; }');
    const answer = await get(conf, '/a.css');
    expect([answer.fields['content-type'], answer.body]).toEqual(['text/css', '201']);
    expect((await get(conf, '/a.b')).fields['content-type']).toBe('text/plain');
  });
});

describe('if', () => {
  it.each([
    ['$arg_a', ['a=1', 'a=x', 'a=00'], ['', 'a=', 'a=0']],
    ['$arg_a = 1', ['a=1'], ['a=2', '']],
    ['$arg_a != 1', ['a=2', ''], ['a=1']],
    ['$arg_a ~ ^x', ['a=x1'], ['a=X1', 'a=1x']],
    ['$arg_a ~* ^x', ['a=x1', 'a=X1'], ['a=1x']],
    ['$arg_a !~ ^x', ['a=X1', ''], ['a=x1']],
    ['$arg_a !~* ^x', ['a=1x'], ['a=X1']],
    [' $arg_a = "b c" ', [], ['a=b']],
    ['$arg_a = $arg_b', ['a=1&b=1', ''], ['a=1&b=2']],
  ])('(%s) is true for %j and false for %j', async (condition, yes, no) => {
    const conf = await serveServer(`location / { if (${condition}) { return 200 yes; } return 200 no; }`);
    for (const args of yes) expect((await get(conf, `/?${args}`)).body, args).toBe('yes');
    for (const args of no) expect((await get(conf, `/?${args}`)).body, args).toBe('no');
  });

  it('tests files by their kind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-if-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'file'), '');
    writeFileSync(join(folder, 'run'), '');
    chmodSync(join(folder, 'run'), 0o755);
    mkdirSync(join(folder, 'dir'));
    const tests = ['f', 'd', 'e', 'x'].flatMap((letter) => [
      `if (-${letter} ${folder}$uri) { set $found "\${found}${letter}"; }`,
      `if (!-${letter} ${folder}$uri) { set $found "\${found}-"; }`,
    ]);
    const conf = await serveServer(`set $found ''; location / { ${tests.join('\n')} return 200 $found; }`);
    expect((await get(conf, '/file')).body).toBe('f-e-');
    expect((await get(conf, '/run')).body).toBe('f-ex');
    expect((await get(conf, '/dir')).body).toBe('-dex');
    expect((await get(conf, '/nothing')).body).toBe('----');
    expect((await get(conf, '/file/below')).body).toBe('----');
  });

  it('is a place of its own within its location, and goes on with what follows', async () => {
    const conf = await serveServer(`
      location / {
        set $steps a;
        add_header X-Where outside always;
        if ($arg_in) {
          set $steps "\${steps}b";
          add_header X-Where inside always;
        }
        set $steps "\${steps}c";
        return 200 $steps;
      }`);
    const inside = await get(conf, '/?in=1');
    expect([inside.body, inside.fields['x-where']]).toEqual(['abc', 'inside']);
    const outside = await get(conf, '/');
    expect([outside.body, outside.fields['x-where']]).toEqual(['ac', 'outside']);
  });

  it('ends the steps around it by a break or a rewrite with a flag', async () => {
    const conf = await serveServer(`
      if ($arg_b) { set $server 1; break; set $server 2; }
      set $server "\${server}3";
      location / {
        if ($uri ~ ^/r) { rewrite ^ /out last; }
        return 200 "$server";
      }
      ${OUT}`);
    expect((await get(conf, '/?b=1')).body).toBe('1');
    expect((await get(conf, '/?b=')).body).toBe('3');
    expect((await get(conf, '/r')).body).toBe('out:/out?');
  });

  it('leaves no groups of an expression that does not match', async () => {
    const conf = await serveServer(`
      location ~ ^/(.) {
        if ($arg_a ~ (x)) { return 200 "in $1"; }
        return 200 "[$1]";
      }`);
    expect((await get(conf, '/p?a=x')).body).toBe('in x');
    expect((await get(conf, '/p?a=y')).body).toBe('[]');
  });
});

describe('set', () => {
  it('assigns to variables of its own, of families and to some of nginx', async () => {
    const conf = await serveServer(`
      location / {
        set $mine "$arg_a-$arg_b";
        set $arg_a new;
        set $args "x=1&$args";
        return 200 "$mine|$arg_a|$args|$arg_x|$request_uri";
      }`);
    expect((await get(conf, '/?a=1&b=2')).body).toBe('1-2|new|x=1&a=1&b=2|1|/?a=1&b=2');
  });

  it('warns of what is read before it has a value, unless told not to', async () => {
    const conf = await serveServer(`
      location /warn { if ($arg_x) { set $late 1; } return 200 "[$late]"; }
      location /silent { uninitialized_variable_warn off; return 200 "[$late]"; }`);
    expect((await get(conf, '/silent')).body).toBe('[]');
    expect(conf.log('error.log').matching(/using uninitialized/)).toEqual([]);
    expect((await get(conf, '/warn')).body).toBe('[]');
    expect(conf.log('error.log').matching(/using uninitialized "late" variable/)).toHaveLength(1);
  });

  it('lasts through an internal redirect', async () => {
    const conf = await serveServer(`
      location / { set $from "$uri"; error_page 404 /page; return 404; }
      location /page { return 200 "from $from"; }`);
    expect((await get(conf, '/a')).body).toBe('from /a');
  });
});

describe('the rewrite module refuses', () => {
  it.each([
    ['set x 1;', 'invalid variable name "x"'],
    ['set $uri 1;', 'the duplicate "uri" variable'],
    ['location ~ (?<uri>.) { }', 'the duplicate "uri" variable'],
    ['rewrite (?<Args_Own>.)(?<host>.) /;', 'the duplicate "host" variable'],
    ['return 1000;', 'invalid return code "1000"'],
    ['return /path;', 'invalid return code "/path"'],
    ['return http://a b;', 'invalid return code "http://a"'],
    ['rewrite ^ "";', 'empty replacement'],
    ['rewrite ^ /a now;', 'invalid parameter "now"'],
    ['if $uri { }', 'invalid condition "$uri"'],
    ['if ($uri { }', 'invalid condition "($uri"'],
    ['if (text) { }', 'invalid condition "text"'],
    ['if ($uri = ) { }', 'invalid condition "$uri"'],
    ['if ($uri is 1) { }', 'unexpected "is" in condition'],
    ['if (-q /a) { }', 'invalid condition "-q"'],
    ['return 200 $nosuch;', 'unknown "nosuch" variable'],
  ])('%s', async (directive, words) => {
    await expect(serveServer(directive)).rejects.toThrow(words);
  });
});

describe('a text in a configuration', () => {
  it('may name what is defined further down, by set, map or a named group', async () => {
    const conf = await serveConf(`
      map $later $first { default "map of $later"; }
      server {
        listen 127.0.0.1:%PORT%;
        default_type text/plain;
        location /a { return 200 "$first|$group"; }
        location ~ ^/b/(?<group>.*)$ { set $later "l"; rewrite ^ /a last; }
      }`);
    expect((await get(conf, '/b/1')).body).toBe('map of l|1');
  });

  it('serves requests of one connection with values of their own', async () => {
    const conf = await serveServer('location / { set $mine $arg_a; return 200 "[$mine$1]"; }');
    const answer = await ask(
      conf,
      'GET /?a=1 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer.body).toMatch(/^\[1\]HTTP\/1\.1 200[\s\S]*\[\]$/);
  });
});

describe('line breaks of a client', () => {
  it('begin no field of an answer and no request to an upstream', async () => {
    let asked = '';
    const origin = await startOrigin(
      answering(({ head }) => {
        asked = head;
        return 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
      }),
    );
    const conf = await serveServer(`
      location /to/ { return 301 http://other$uri; }
      location /field/ { add_header X-Path $uri always; return 200; }
      location /up/ { proxy_set_header X-Path $uri; proxy_pass http://127.0.0.1:${origin.address.port}$uri; }`);
    const target = (path: string) => `/${path}/a%0D%0AX-Bad:%201`;
    const redirect = await get(conf, target('to'));
    expect(redirect.fields).toMatchObject({ location: 'http://other/to/a%0D%0AX-Bad: 1' });
    expect(redirect.fields).not.toHaveProperty('x-bad');
    const field = await get(conf, target('field'));
    expect(field.fields).toMatchObject({ 'x-path': '/field/a X-Bad: 1' });
    await get(conf, target('up'));
    expect(asked).toContain('GET /up/a%0D%0AX-Bad:%201 HTTP/1.1\r\n');
    expect(asked).not.toContain('\r\nX-Bad');
  });
});
