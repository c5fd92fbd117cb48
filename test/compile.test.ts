// From a configuration's text to servers, locations and sockets: what is refused, in whose words and at which line.
import { describe, expect, it } from 'vitest';
import { compileConf } from '../src/compile/compile-conf.js';
import { renderForLog, renderForPeople } from '../src/conf/diagnostics/render.js';
import { loadConf } from '../src/conf/load/load.js';
import { eventClock } from '../src/core/clock.js';
import { formatAddress } from '../src/net/address.js';
import { BUILT_IN, makeWheel } from '../src/server/start-proxy.js';
import { RecordingSink } from '../src/testing/index.js';

function compile(text: string) {
  const reader = { readFile: () => text, listFolder: () => [] };
  return compileConf(loadConf('/etc/nginx.conf', reader), BUILT_IN, {
    prefix: '/srv/',
    confPrefix: '/etc/',
    wheel: makeWheel(() => {}),
    clock: eventClock,
    onDefect: () => {},
    carried: new Map(),
    defaultErrorLog: 'stderr',
    openSink: () => new RecordingSink(),
  });
}

/** What is wrong with a server of this inside. */
function problemsOf(server: string): string[] {
  return compile(`http { server {\n${server}\n} }`).diagnostics.map(renderForLog);
}

describe('a configuration', () => {
  it.each([
    ['location = /a { location /a/b {} }', 'location "/a/b" cannot be inside the exact location "/a"'],
    ['location @a { location /b {} }', 'location "/b" cannot be inside the named location "@a"'],
    ['location /a { location @b {} }', 'named location "@b" can be on the server level only'],
    ['location /a { location /b {} }', 'location "/b" is outside location "/a"'],
    ['location /a {} location /a {}', 'duplicate location "/a"'],
    ['location ! /a {}', 'invalid location modifier "!"'],
    ['location ~ (a {}', 'pcre2_compile() failed: missing closing parenthesis in "(a"'],
    ['root /a$b;', 'unknown "b" variable'],
    ['error_page 200 /a;', 'value "200" must be between 300 and 599'],
    ['error_page 499 /a;', 'value "499" is not allowed'],
    ['error_page 404 =x /a;', 'invalid value "=x"'],
    ['listen 80; listen 80;', 'a duplicate listen 80'],
  ])('with %j is refused in the words of nginx', (server, words) => {
    expect(problemsOf(server)).toEqual([expect.stringContaining(`[emerg] ${words}`)]);
    expect(problemsOf(server)[0]).toMatch(/ in \/etc\/nginx\.conf:2$/);
  });

  it('tells of all mistakes at once, those of modules too', () => {
    expect(problemsOf('location /a {}\nlocation /a {}\nerror_page 1 /x;')).toEqual([
      '[emerg] duplicate location "/a" in /etc/nginx.conf:3',
      '[emerg] value "1" must be between 300 and 599 in /etc/nginx.conf:4',
    ]);
  });

  it('tells people the column, and what a misspelt variable may have meant', () => {
    const [first] = compile('http { server {\n  root /a$documentroot;\n} }').diagnostics;
    expect(renderForPeople(first!, { withSource: true })).toBe(
      '/etc/nginx.conf:2:3 unknown variable "$documentroot"; did you mean "$document_root"?\n' +
        '   2 |   root /a$documentroot;\n     |   ^^^^',
    );
  });

  it('with two default servers for one address is refused', () => {
    const two = 'server { listen 81 default_server; }';
    expect(compile(`http { ${two} ${two} }`).diagnostics.map(renderForLog)).toEqual([
      '[emerg] a duplicate default server for 81 in /etc/nginx.conf:1',
    ]);
  });

  it('with a server name that can be none is refused, where there are several servers', () => {
    const { diagnostics } = compile('http { server { server_name a.*.b; } server {} }');
    expect(diagnostics.map(renderForLog)).toEqual([
      '[emerg] invalid server name or wildcard "a.*.b" on 0.0.0.0:80 in /etc/nginx.conf:1',
    ]);
  });

  it('with a server name twice is served, and warned of', () => {
    const twice = 'server { listen 81; server_name a; }';
    const { cycle, diagnostics } = compile(`http { ${twice} ${twice} }`);
    expect(cycle).not.toBeNull();
    expect(diagnostics.map(renderForLog)).toEqual([
      '[warn] conflicting server name "a" on 0.0.0.0:81, ignored in /etc/nginx.conf:1',
    ]);
  });

  it('binds a wildcard address once for all addresses of its port, unless one has options of its own', () => {
    const { cycle } = compile(`http {
      server { listen 81; listen 127.0.0.1:81; listen 127.0.0.2:82; listen [::]:81; listen unix:/run/a; }
      server { listen 83; listen 127.0.0.1:83 bind; }
    }`);
    expect(cycle!.sockets.map(({ address }) => formatAddress(address))).toEqual([
      '0.0.0.0:81',
      '127.0.0.2:82',
      '[::]:81',
      'unix:/run/a',
      '0.0.0.0:83',
      '127.0.0.1:83',
    ]);
    expect([...cycle!.sockets[0]!.pointsByHost.keys()]).toEqual(['127.0.0.1']);
  });

  it('without http, and a fragment without anything around it, compile', () => {
    expect(compile('events {}').cycle!.sockets).toEqual([]);
    expect(compile('server { listen 8085-8087; }').cycle!.sockets.map(({ address }) => address.port)).toEqual(
      [8085, 8086, 8087],
    );
  });
});
