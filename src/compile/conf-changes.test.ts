import { describe, expect, it } from 'vitest';
import { loadConf } from '../conf/load/load.js';
import { checkConf } from '../conf/schema/check.js';
import { REGISTRY } from '../modules/registry.js';
import { describeChanges } from './conf-changes.js';
import { mainScope } from './cycle.js';

function changes(before: string, after: string): string[] {
  const scopeOf = (text: string) => {
    const files: Readonly<Record<string, string>> = { 'nginx.conf': text, 'more.conf': 'gzip on;' };
    const readFile = (path: string) => files[path] ?? { code: 'ENOENT', number: 2 };
    const { directives, diagnostics } = checkConf(
      loadConf('nginx.conf', { readFile, listFolder: () => null }),
      REGISTRY,
    );
    expect(diagnostics).toEqual([]);
    return mainScope(directives);
  };
  return describeChanges(scopeOf(before), scopeOf(after));
}

const http = (text: string) => `events { } http { ${text} }`;

describe('the changes from one configuration to another', () => {
  it('are none where only the layout, quotes, comments and files differ', () => {
    const before = http('gzip on; server { listen 80; location / { return 200 "a b"; } }');
    const after = http(`
      include more.conf; # as before
      server { listen "80";
        location / { return 200 'a b'; } }`);
    expect(changes(before, after)).toEqual([]);
  });

  it('name directives of the main level, of http and of events', () => {
    expect(changes(http('gzip on;'), `worker_processes 2; ${http('gzip off; sendfile on;')}`)).toEqual([
      'main level changed: worker_processes',
      'http changed: gzip, sendfile',
    ]);
    expect(changes('events { } http { }', 'events { worker_connections 9; } http { }')).toEqual([
      'events changed: worker_connections',
    ]);
  });

  it('name servers and locations that came, went or say something else', () => {
    const before = http(`
      server { server_name a; root /a; location / { expires 1d; } location ~ x { return 403; } }
      server { listen 81; }`);
    const after = http(`
      server { server_name a; root /b; location / { expires 2d; add_header A b; } location = /new { } }
      server { server_name c; }`);
    expect(changes(before, after)).toEqual([
      'server "a" changed: root',
      'location "/" of server "a" changed: expires, add_header',
      'location "= /new" of server "a" added',
      'location "~ x" of server "a" removed',
      'server "c" added',
      'server "81" removed',
    ]);
  });

  it('tell servers of the same name apart by their order, and locations in locations', () => {
    const one = 'server { listen 80; server_name a; }';
    const two = (size: string) =>
      `server { listen 81; server_name a; location /x { location /x/y { client_max_body_size ${size}; } } }`;
    expect(changes(http(one + two('1m')), http(one + two('2m')))).toEqual([
      'location "/x/y" of location "/x" of server "a" (2) changed: client_max_body_size',
    ]);
  });

  it('name groups, their servers and the parameters of these', () => {
    const before = http(
      'upstream app { server 10.0.0.1; server 10.0.0.2 weight=2 backup; } upstream old { server a; }',
    );
    const after = http(
      'upstream app { least_conn; server 10.0.0.2 weight=3; server 10.0.0.3; } upstream new { server a; }',
    );
    expect(changes(before, after)).toEqual([
      'upstream "app" changed: least_conn',
      'server "10.0.0.2" of upstream "app" changed: weight=3, no backup',
      'server "10.0.0.3" of upstream "app" added',
      'server "10.0.0.1" of upstream "app" removed',
      'upstream "new" added',
      'upstream "old" removed',
    ]);
  });

  it('see into blocks of lines and conditions', () => {
    const conf = (value: string, code: number) =>
      http(`map $uri $x { default ${value}; } server { listen 80; if ($x) { return ${code}; } }`);
    expect(changes(conf('0', 403), conf('1', 403))).toEqual(['http changed: map']);
    expect(changes(conf('0', 403), conf('0', 404))).toEqual(['server "80" changed: if']);
  });

  it('mind the order of regular expressions, not that of other locations', () => {
    const conf = (locations: string) => http(`server { listen 80; ${locations} }`);
    expect(changes(conf('location /a { } location /b { }'), conf('location /b { } location /a { }'))).toEqual(
      [],
    );
    expect(
      changes(conf('location ~ a { } location ~ b { }'), conf('location ~ b { } location ~ a { }')),
    ).toEqual(['locations of server "80" changed: the order of regular expressions']);
  });

  it('are cut where there are too many to read', () => {
    const servers = Array.from({ length: 100 }, (_, i) => `server { server_name s${i}; }`).join('');
    const lines = changes(http(''), http(servers));
    expect(lines.length).toBe(30);
    expect(lines[29]).toBe('and 71 more changes');
  });
});
