// Configurations with mistakes, and all that is said of them: for people, with line and caret, and in nginx's
// words for its log. Each `<` line is for people, each `>` line for the log, sorted as nginx would find them.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderForLog, renderForPeople } from '../src/conf/diagnostics/render.js';
import { loadConf } from '../src/conf/load/load.js';
import { checkConf } from '../src/conf/schema/check.js';
import { sampleRegistry } from './sample-registry.js';

function check(files: Record<string, string>) {
  const reader = {
    readFile: (path: string) => files[path] ?? { code: 'ENOENT', number: 2 },
    listFolder: () => null,
  };
  const probeFile = (path: string) => (path in files ? null : { code: 'EACCES', number: 13 });
  return checkConf(loadConf('nginx.conf', reader), sampleRegistry, { probeFile });
}

function sayAll(text: string): string {
  const { diagnostics } = check({ 'nginx.conf': text });
  const people = diagnostics.map((one) =>
    renderForPeople(one, { withSource: false }).replaceAll('\n', '\n  '),
  );
  const log = diagnostics.map((one) => renderForLog(one));
  return [...people.map((line) => `< ${line}`), ...log.map((line) => `> ${line}`)].join('\n');
}

const http = (text: string) => `http {\n${text}\n}\n`;
const server = (text: string) => `http { server {\n${text}\n} }\n`;

const GOLDEN: readonly (readonly [what: string, text: string, said: string])[] = [
  [
    'a misspelled name',
    server('location / {\n    proxy_pas http://a;\n}'),
    `< nginx.conf:3:5 unknown directive "proxy_pas"; did you mean "proxy_pass"?
> [emerg] unknown directive "proxy_pas" in nginx.conf:3`,
  ],
  [
    'a name in capitals',
    http('Server { }'),
    `< nginx.conf:2:1 unknown directive "Server"; did you mean "server"?
> [emerg] unknown directive "Server" in nginx.conf:2`,
  ],
  [
    'a name like no other',
    'frobnicate_everything on;',
    `< nginx.conf:1:1 unknown directive "frobnicate_everything"
> [emerg] unknown directive "frobnicate_everything" in nginx.conf:1`,
  ],
  [
    'directives of nginx and of others that are not supported',
    http('xslt_stylesheet a.xsl;\nmore_set_headers "A: b";'),
    `< nginx.conf:2:1 "xslt_stylesheet" directive is not supported by sluice yet; it belongs to ngx_http_xslt_filter_module
< nginx.conf:3:1 "more_set_headers" directive is not supported by sluice yet; it belongs to headers-more-nginx-module
> [emerg] "xslt_stylesheet" directive is not supported by sluice yet in nginx.conf:2
> [emerg] "more_set_headers" directive is not supported by sluice yet in nginx.conf:3`,
  ],
  [
    'directives in the wrong place, and what is wrong within',
    'server {\n    listen 80;\n    gzip yes;\n}\nhttp { proxy_pass http://a; }',
    `< nginx.conf:1:1 "server" is not allowed in the main part of the file; it belongs in "http", "upstream", "upstream" in "stream", "stream"
< nginx.conf:3:10 Cannot parse flag "yes": use on or off
< nginx.conf:5:8 "proxy_pass" is not allowed in "http"; it belongs in "location", "if" in "location", "limit_except", "server" in "stream"
> [emerg] "server" directive is not allowed here in nginx.conf:1
> [emerg] invalid value "yes" in "gzip" directive, it must be "on" or "off" in nginx.conf:3
> [emerg] "proxy_pass" directive is not allowed here in nginx.conf:5`,
  ],
  [
    'wrong numbers of arguments',
    'user;\nuser a b c;\ninclude;\nhttp { server_tokens; gzip on off; error_page 404; }',
    `< nginx.conf:1:1 "user" takes 1 or 2 arguments, none given
< nginx.conf:2:10 "user" takes 1 or 2 arguments, 3 given
< nginx.conf:3:1 "include" takes one argument, none given
< nginx.conf:4:8 "server_tokens" directive is not supported by sluice yet; it belongs to ngx_http_core_module
< nginx.conf:4:31 "gzip" takes one argument, 2 given
< nginx.conf:4:36 "error_page" takes at least 2 arguments, 1 given
> [emerg] invalid number of arguments in "user" directive in nginx.conf:1
> [emerg] invalid number of arguments in "user" directive in nginx.conf:2
> [emerg] invalid number of arguments in "include" directive in nginx.conf:3
> [emerg] "server_tokens" directive is not supported by sluice yet in nginx.conf:4
> [emerg] invalid number of arguments in "gzip" directive in nginx.conf:4
> [emerg] invalid number of arguments in "error_page" directive in nginx.conf:4`,
  ],
  [
    'a semicolon forgotten at the end of a line',
    server('root /srv\nindex index.html;\nlisten 80\nlocation / {\n}'),
    `< nginx.conf:3:1 "root" takes one argument, 3 given; is a ";" missing after "/srv"?
< nginx.conf:4:1 "listen" takes no block; is a ";" missing after "80"?
> [emerg] invalid number of arguments in "root" directive in nginx.conf:3
> [emerg] directive "listen" is not terminated by ";" in nginx.conf:5`,
  ],
  [
    'a semicolon forgotten before a brace',
    'http {\n    server { listen 80 }\n    server { listen 81}\n}\n',
    `< nginx.conf:2:21 directive "listen" does not end; put a ";" after it
< nginx.conf:3:21 directive "listen" does not end; is a ";" missing before the "}"?
< nginx.conf:5:1 the file ends within the block "http"; a "}" is missing
  nginx.conf:1:1 note: "http" was opened here
> [emerg] unexpected "}" in nginx.conf:2
> [emerg] unexpected "}" in nginx.conf:4
> [emerg] unexpected end of file, expecting "}" in nginx.conf:5`,
  ],
  [
    'a brace that belongs to the word before it',
    server('listen 80};'),
    `< nginx.conf:2:8 Cannot parse address "80}": host not found; use PORT, HOST, HOST:PORT, [IPV6]:PORT or unix:/PATH; is a ";" missing before the "}"?
> [emerg] host not found in "80}" of the "listen" directive in nginx.conf:2`,
  ],
  [
    'blocks where there are none, and none where there must be',
    'http;\nuser a { }\ninclude b { }\n',
    `< nginx.conf:1:1 "http" needs a block; follow it with "{ ... }"
< nginx.conf:2:1 "user" takes no block; end it with ";"
< nginx.conf:3:1 "include" takes no block; end it with ";"
> [emerg] directive "http" has no opening "{" in nginx.conf:1
> [emerg] directive "user" is not terminated by ";" in nginx.conf:2
> [emerg] directive "include" is not terminated by ";" in nginx.conf:3`,
  ],
  [
    'duplicates and rivals',
    server('gzip on;\ngzip off;\nlocation / {\n  root /a;\n  alias /b;\n}'),
    `< nginx.conf:3:1 "gzip" stands here twice; keep one of them
  nginx.conf:2:1 note: "gzip" stands here
< nginx.conf:6:3 "alias" cannot stand beside "root"; keep one of them
  nginx.conf:5:3 note: "root" stands here
> [emerg] "gzip" directive is duplicate in nginx.conf:3
> [emerg] "alias" directive is duplicate, "root" directive was specified earlier in nginx.conf:6`,
  ],
  [
    'values that are none',
    http(`client_max_body_size 10mb;
client_body_buffer_size 1g;
keepalive_requests -1;
gzip_comp_level 10;
send_timeout 1y;
satisfy some;
server {
    listen 99999 backlog=many;
    listen 80 defualt_server;
    rewrite ^/a(b /c;
    rewrite "^/\\d+\\p{Q}" /c;
    return 301 https://\${host;
    set $a b$;
}
upstream u { server :80 weight=0; }`),
    `< nginx.conf:2:22 Cannot parse size "10mb": unknown unit "mb"; use k, m or g
< nginx.conf:3:25 Cannot parse size "1g": unknown unit "g"; use k or m
< nginx.conf:4:20 Cannot parse number "-1": write a whole number such as 10
< nginx.conf:5:17 Cannot take number "10": use 1 to 9
< nginx.conf:6:14 Cannot parse time "1y": unknown unit "y"; use ms, s, m, h, d or w
< nginx.conf:7:9 Cannot take "some": use all, any
< nginx.conf:9:12 Cannot parse address "99999": invalid port; use PORT, HOST, HOST:PORT, [IPV6]:PORT or unix:/PATH
< nginx.conf:9:26 Cannot parse number "many": write a whole number such as 10
< nginx.conf:10:15 Cannot take parameter "defualt_server": use default_server, backlog=
< nginx.conf:11:18 Cannot use regex "^/a(b": missing closing parenthesis
< nginx.conf:12:19 Cannot use regex "^/\\d+\\p{Q}": JavaScript has no Unicode property "Q"
< nginx.conf:13:24 Cannot parse "https://\${host": "\${host" has no closing brace
< nginx.conf:14:13 Cannot parse "b$": no name of a variable follows "$"
< nginx.conf:16:21 Cannot parse address ":80": no host; use HOST, HOST:PORT, [IPV6]:PORT or unix:/PATH
< nginx.conf:16:32 Cannot take number "0": use at least 1
> [emerg] "client_max_body_size" directive invalid value in nginx.conf:2
> [emerg] "client_body_buffer_size" directive invalid value in nginx.conf:3
> [emerg] "keepalive_requests" directive invalid number in nginx.conf:4
> [emerg] value must be between 1 and 9 in nginx.conf:5
> [emerg] "send_timeout" directive invalid value in nginx.conf:6
> [emerg] invalid value "some" in nginx.conf:7
> [emerg] invalid port in "99999" of the "listen" directive in nginx.conf:9
> [emerg] "listen" directive invalid number in nginx.conf:9
> [emerg] invalid parameter "defualt_server" in nginx.conf:10
> [emerg] pcre2_compile() failed: missing closing parenthesis in "^/a(b" in nginx.conf:11
> [emerg] Cannot use regex "^/\\d+\\p{Q}": JavaScript has no Unicode property "Q" in nginx.conf:12
> [emerg] the closing bracket in "host" variable is missing in nginx.conf:13
> [emerg] invalid variable name in nginx.conf:14
> [emerg] no host in upstream ":80" in nginx.conf:16
> [emerg] value must be equal to or greater than 1 in nginx.conf:16`,
  ],
  [
    'lines that are no directives',
    http('types { a/b c; a/d { e f; } }\nmap $a $b { hostnames; c d; e; include none; }'),
    `< nginx.conf:2:20 unexpected "{"; no block can stand here
< nginx.conf:3:29 a line of "map" has two values
< nginx.conf:3:40 cannot open "none": No such file or directory
> [emerg] unexpected "{" in nginx.conf:2
> [emerg] invalid number of the map parameters in nginx.conf:3
> [emerg] open() "none" failed (2: No such file or directory) in nginx.conf:3`,
  ],
  [
    'a regular expression that is cut in two by its brace',
    server('location ~ ^/[a-z]{2}/ { root /a; } }'),
    `< nginx.conf:2:20 unknown directive "2}/"; a regular expression with "{" in it needs quotes
> [emerg] unknown directive "2}/" in nginx.conf:2`,
  ],
  [
    'a file that must be there',
    http('ssl_certificate a.pem;'),
    `< nginx.conf:2:17 cannot open "a.pem": Permission denied
> [emerg] open() "a.pem" failed (13: Permission denied) in nginx.conf:2`,
  ],
  [
    'what web pages and editors put into a text',
    '\ufeffuser a;\nuser\u00a0a;\nevents\u200b {}\npid \u201ca b\u201d;\n',
    `< nginx.conf:1:1 unknown directive "<BOM>user"; the file begins with a byte order mark; save it without one
< nginx.conf:2:1 unknown directive "user\u00a0a"; it contains a no-break space; write a plain space
< nginx.conf:3:1 unknown directive "events\u200b"; it contains an invisible character; type it anew
< nginx.conf:4:8 "pid" takes one argument, 2 given; it contains typographic quotes; use " or '
> [emerg] unknown directive "\ufeffuser" in nginx.conf:1
> [emerg] unknown directive "user\u00a0a" in nginx.conf:2
> [emerg] unknown directive "events\u200b" in nginx.conf:3
> [emerg] invalid number of arguments in "pid" directive in nginx.conf:4`,
  ],
  [
    'syntax errors, with what can still be checked around them',
    'user "a"b;\nevents { worker_connection 1; ;\n}\n}\nhttp { gzip onn; {} server { listen "80; } }\n',
    `< nginx.conf:1:9 unexpected "b"; a blank, ";" or "{" must follow a closing quote
< nginx.conf:2:10 unknown directive "worker_connection"; did you mean "worker_connections"?
< nginx.conf:2:31 unexpected ";"; remove it
< nginx.conf:4:1 unexpected "}"; no block is open here
< nginx.conf:5:13 Cannot parse flag "onn": use on or off
< nginx.conf:5:18 unexpected "{"; a block needs a name before it
< nginx.conf:5:37 this " is never closed
> [emerg] unexpected "b" in nginx.conf:1
> [emerg] unknown directive "worker_connection" in nginx.conf:2
> [emerg] unexpected ";" in nginx.conf:2
> [emerg] unexpected "}" in nginx.conf:4
> [emerg] invalid value "onn" in "gzip" directive, it must be "on" or "off" in nginx.conf:5
> [emerg] unexpected "{" in nginx.conf:5
> [emerg] unexpected end of file, expecting ";" or "}" in nginx.conf:6`,
  ],
  ['nothing', '', ''],
  [
    'no mistake',
    `user www;
events { worker_connections 64; }
http {
    map $http_upgrade $connection { default close; '' ""; }
    upstream app { server 127.0.0.1:9001 weight=2; server unix:/run/a.sock backup; }
    server {
        listen 80 default_server; listen [::]:80;
        server_name example.com *.example.com;
        location ~* \\.(?:png|jpe?g)$ { root /srv; }
        location / { proxy_pass http://app$request_uri; limit_except GET { deny all; } }
        if ($host = "b") { return 301 https://a$request_uri; }
    }
}
stream { upstream u { server a:53; } server { listen 53 udp; proxy_pass u; } }
`,
    '',
  ],
];

describe('diagnostics', () => {
  it.each(GOLDEN)('%s', (_, text, said) => {
    expect(sayAll(text)).toBe(said);
  });

  it('are those that the documentation shows', () => {
    const page = readFileSync(new URL('../docs/configuration-language.md', import.meta.url), 'utf8');
    const [text, people, log] = [...page.matchAll(/```(?:nginx|text)\n(.*?)```/gs)].map((match) => match[1]!);
    const { diagnostics } = check({ 'nginx.conf': text! });
    expect(diagnostics.map((one) => `${renderForPeople(one, { withSource: true })}\n`).join('')).toBe(people);
    expect(diagnostics.map((one) => `${renderForLog(one)}\n`).join('')).toBe(log);
  });

  it('name the file that the mistake is in, once however often it is included', () => {
    const { diagnostics } = check({
      'nginx.conf': 'http {\n  include p;\n  server { include p; }\n  oops;\n}',
      p: 'gzip on;\ngzipp on;',
    });
    expect(diagnostics.map(renderForLog)).toEqual([
      '[emerg] unknown directive "gzipp" in p:2',
      '[emerg] unknown directive "oops" in nginx.conf:4',
    ]);
  });

  it('find duplicates across includes and not across blocks', () => {
    const { diagnostics } = check({
      'nginx.conf': 'http { gzip on; include p; server { include p; } }',
      p: 'gzip on;',
    });
    expect(diagnostics.map(renderForLog)).toEqual(['[emerg] "gzip" directive is duplicate in p:1']);
  });
});
