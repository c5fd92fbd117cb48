// What `sluice explain` says of a request is what the server then does with it: every configuration of examples/ is
// served, is asked made-up requests, and the two are compared by an access log, the origin's view and the answer.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../fuzz/random.js';
import { loadConf } from '../src/conf/load/load.js';
import { explain } from '../src/explain/explain.js';
import type { Explanation } from '../src/explain/explanation.js';
import { BUILT_IN } from '../src/server/start-proxy.js';
import { answering, type TestConf } from '../src/testing/index.js';
import { serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';
import { startOrigin } from './scene.js';

const EXAMPLES = new URL('../examples/', import.meta.url).pathname;
/** What the examples don't have, in one. */
const CROWDED = `events {}
http {
    map $arg_v $picked { default ''; ~^(?<kind>[ab])(\\d+)$ $kind-$2; hostnames; *.x.test wild; }
    geo $near { default 0; 127.0.0.0/8 1; }
    upstream two { hash $uri; server 127.0.0.1:3000; server 127.0.0.1:3001; }
    upstream sticky { least_conn; server 127.0.0.1:3002; sticky cookie srv; }
    add_header X-Picked $picked;
    server {
        listen 80;
        server_name one.example *.one.example;
        root /srv/app;
        error_page 404 =200 /index.html;
        error_page 403 @forbidden;
        location / { try_files $uri $uri/ @two; }
        location @two { proxy_pass http://two; proxy_set_header X-Near $near; }
        location @forbidden { return 403 "no $uri"; }
        location /api {
            rewrite ^/api/old/(.+)$ /api/new/$1?was=$1 last;
            location ~ /new/(?<rest>.*)$ { proxy_pass http://sticky; proxy_set_header X-Rest $rest; proxy_method PUT; }
            location /api/users { limit_except GET HEAD { deny all; } proxy_pass http://two/v2/users; }
            proxy_pass http://sticky/base/;
        }
        location ^~ /assets/ { expires 1h; gzip on; gzip_types *; charset utf-8; types { text/plain js; } }
        location ~ ^/wp-(\\w+) { set $what $1; if ($request_method = POST) { return 405; } return 302 /$what?$args; }
        location = /login { auth_request /check; auth_request_set $seen $upstream_status; proxy_pass http://two; }
        location = /check { internal; proxy_pass http://sticky/subrequest; proxy_pass_request_body off; }
        location /folder { alias /srv/app/folder; index index.html; sub_filter inner outer; }
        location /admin { satisfy any; deny all; auth_basic "x"; auth_basic_user_file admin.htpasswd; return 204; }
        location = /status { if ($near) { return 418 "near"; } stub_status; }
    }
    server {
        listen 80 default_server;
        server_name ~^(?<tenant>\\w+)\\.two\\.example$ "";
        set $to two;
        if ($http_cookie ~ version=(\\w+)) { set $to sticky; rewrite ^ /$1$uri; }
        location / { proxy_pass http://$to/$tenant$request_uri; proxy_hide_header X-A; }
        location /canary/ { proxy_pass http://$to; proxy_set_header Host $tenant.internal; mirror /copy; }
        location = /copy { internal; proxy_pass http://127.0.0.1:3003/subrequest; }
        location ~ \\.css$ { return 301 https://cdn.example$request_uri; }
    }
}
`;

const NAMES = readdirSync(EXAMPLES).flatMap((name) => {
  if (name.endsWith('.conf')) return [name];
  return name.includes('.') ? [] : [`${name}/nginx.conf`];
});

const REQUESTS = 15;

/** As the explanation takes an upstream to answer. */
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 16384\r\n\r\n${'x'.repeat(16384)}`;

const FILES = {
  'index.html': '<home>',
  'about.html': 'about',
  '404.html': 'lost',
  'maintenance.html': 'back soon',
  'style.css': 'a{}'.repeat(100),
  'assets/a.js': 'js'.repeat(500),
  'wp-content/uploads/evil.php': 'x',
  'folder/index.html': 'inner',
  '.git/config': 'secret',
};

const PATHS = [
  ...[
    '/api/old/thing?v=a12',
    '/api/new/x',
    '/api/users/7',
    '/folder/index.html',
    '/a.css?v=b7',
    '/check',
    '/?v=q.x.test',
  ],
  ...[
    '/',
    '/index.html',
    '/about',
    '/about.html',
    '/style.css',
    '/404.html',
    '/nothing',
    '/folder',
    '/folder/',
  ],
  ...[
    '/assets/a.js',
    '/assets/none.js',
    '/api/users',
    '/api',
    '/api/../about',
    '/login',
    '/admin/',
    '/admin/x',
  ],
  ...[
    '/status',
    '/ws/chat',
    '/.git/config',
    '/wp-content/uploads/evil.php',
    '/wp-login.php',
    '/a%20b/%c3%a9?q=1',
  ],
  ...[
    '/robots.txt',
    '/favicon.ico',
    '/2026/a-post/?x=1&y=%26',
    '//style.css',
    '/assets',
    '/x.png',
    '/maintenance.html',
  ],
];

const FIELDS = [
  'Cookie: version=canary',
  'Cookie: version=stable',
  'User-Agent: agent-7',
  'Accept-Encoding: gzip',
  `Authorization: Basic ${Buffer.from('ada:test').toString('base64')}`,
  `Authorization: Basic ${Buffer.from('ada:wrong').toString('base64')}`,
  'X-Forwarded-For: 192.0.2.7',
  'If-None-Match: "x"',
  'Range: bytes=0-3',
  'Proxy: evil',
];

/** An example with this machine's addresses, a log that tells what was chosen, and each location marked by its line. */
function prepare(text: string, replaced: ReadonlyMap<string, string>): string {
  let prepared = text.replace(/listen 80\b/g, 'listen 127.0.0.1:%PORT%').replace(/access_log off;/g, '');
  for (const [from, to] of replaced) prepared = prepared.replaceAll(from, to);
  return prepared
    .split('\n')
    .map((line, i) =>
      line
        .replace(
          /^(\s*http) \{/,
          `$1 { log_format seen escape=none '$server_name|$seen_in'; access_log seen.log seen;`,
        )
        .replace(/^(\s*(?:server|location [^{]*)) \{/, `$1 { set $seen_in ${i + 1};`),
    )
    .join('\n');
}

interface Asked {
  readonly host: string;
  readonly method: string;
  readonly target: string;
  readonly fields: readonly string[];
  readonly bodyBytes: number;
}

function makeUp(random: Random, text: string): Asked {
  const hosts = [...text.matchAll(/server_name ([^;]+);/g)].flatMap((match) => match[1]!.split(' '));
  const method = random.pick(['GET', 'GET', 'GET', 'HEAD', 'POST', 'DELETE']);
  const fields = random.many(0, 3, () => random.pick(FIELDS));
  const names = fields.map((field) => field.split(':')[0]);
  return {
    host: random
      .pick([...hosts, ...hosts, 'localhost', 'unknown.example'])
      .replace(/^~.*/, 'acme.two.example')
      .replaceAll('*', 'any'),
    method,
    target: random.pick(PATHS),
    fields: fields.filter((_, i) => names.indexOf(names[i]) === i),
    bodyBytes: method === 'POST' ? random.below(2000) : -1,
  };
}

async function explained(
  main: string,
  files: Readonly<Record<string, string>>,
  { address }: TestConf,
  { host, target, ...asked }: Asked,
): Promise<Explanation> {
  const withPort = (text: string) => text.replaceAll('%PORT%', String(address.port));
  const reader = {
    readFile: (path: string) =>
      path === '/nowhere/nginx.conf'
        ? withPort(main)
        : files[path] === undefined
          ? { code: 'ENOENT', number: 2 }
          : withPort(files[path]),
    listFolder: (folder: string) =>
      Object.keys(files)
        .filter((path) => path.startsWith(folder))
        .map((path) => path.slice(folder.length).replace(/^\//, '')),
  };
  const { explanation, diagnostics } = await explain(
    loadConf('/nowhere/nginx.conf', reader),
    BUILT_IN,
    { prefix: '/nowhere/', confPrefix: '/nowhere/' },
    { ...asked, url: `http://${host}:${address.port}${target}`, from: '127.0.0.1' },
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return explanation!;
}

/** What differs from one request to the next, and is no routing. */
function steady(head: readonly string[]): string[] {
  return head
    .map((line) => line.replace(/^(Date|X-Request-ID|Expires): .*/, '$1'))
    .filter((line) => line !== '');
}

/** Whether a location is found whose directives are then not asked, or another request leaves its mark. */
function isUnmarked({ kind, text, details }: Explanation['steps'][number]): boolean {
  const isRefused = details.some((detail) => detail.text.startsWith('refuses'));
  return (
    kind === 'subrequest' ||
    (kind === 'location' && (isRefused || text.includes('asked for with the final "/"')))
  );
}

describe.each([...NAMES, 'crowded.conf'])('explain and the server agree on %s', (name) => {
  it.each([1, 2])('with requests of seed %i', { timeout: 60_000 }, async (seed) => {
    const folder = dirname(join(EXAMPLES, name));
    const root = await folderOf(FILES);
    const original = name === 'crowded.conf' ? CROWDED : readFileSync(join(EXAMPLES, name), 'utf8');
    let seen: string[] = [];
    const replaced = new Map([['admin.htpasswd', join(EXAMPLES, 'admin.htpasswd')]]);
    for (const path of ['/srv/app/dist', '/srv/app', '/srv/site', '/var/www/blog']) replaced.set(path, root);
    for (const [peer] of original.matchAll(/127\.0\.0\.1:\d{4}/g)) {
      if (replaced.has(peer)) continue;
      const origin = await startOrigin(
        answering(({ head }) => {
          if (!head.includes(' /subrequest')) seen = [origin.name, ...head.trimEnd().split('\r\n')];
          return head.startsWith('HEAD') ? ANSWER.slice(0, ANSWER.indexOf('\r\n\r\n') + 4) : ANSWER;
        }),
      );
      replaced.set(peer, origin.name);
    }
    const files: Record<string, string> = {};
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.conf') && name.includes('/'))
        files[`/nowhere/${file}`] = prepare(readFileSync(join(folder, file), 'utf8'), replaced);
    }
    const main = prepare(original, replaced);
    const random = new Random(seed);
    for (let i = 0; i < REQUESTS; i++) {
      const asked = makeUp(random, [original, ...Object.values(files)].join('\n'));
      const conf = await serveConf(main, { files, prefix: '/nowhere/' });
      seen = [];
      const client = await conf.connect();
      const lines = [
        `${asked.method} ${asked.target} HTTP/1.1`,
        `Host: ${asked.host}:${conf.address.port}`,
        'Connection: close',
        ...asked.fields,
        ...(asked.bodyBytes < 0 ? [] : [`Content-Length: ${asked.bodyBytes}`]),
      ];
      await client.send(`${lines.join('\r\n')}\r\n\r\n${'\0'.repeat(Math.max(0, asked.bodyBytes))}`);
      const answer = await client.readToEnd();
      const told = await explained(main, files, conf, {
        ...asked,
        fields: ['Connection: close', ...asked.fields],
      });
      const head = answer === '' ? [] : answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n');
      expect({ asked, head: steady(told.answer.head) }).toEqual({ asked, head: steady(head) });
      const { upstream } = told;
      expect(steady(upstream === null ? [] : [upstream.peer, ...upstream.head])).toEqual(steady(seen));
      await conf.stop();
      const [logged] = conf.log('seen.log').lines;
      if (logged === undefined) continue;
      const [serverName, seenIn] = logged.split('|');
      expect(told.server.name).toBe(serverName);
      const isEntered = seenIn !== '' && !told.steps.some(isUnmarked);
      if (isEntered && told.location?.kind !== 'if')
        expect({ asked, line: String(told.location?.place.line) }).toEqual({ asked, line: seenIn });
    }
  });
});
