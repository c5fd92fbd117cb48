// What `sluice explain` says of single things; that it agrees with the server is tested by the examples.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explanationText } from '../src/cli/explain/explanation-text.js';
import { loadConf } from '../src/conf/load/load.js';
import { type Explained, explain } from '../src/explain/explain.js';
import type { Explanation, Step } from '../src/explain/explanation.js';
import type { Question } from '../src/explain/question.js';
import { BUILT_IN } from '../src/server/start-proxy.js';
import { folderOf } from './folder.js';
import { useAuthority } from './tls-scene.js';

function ask(
  conf: string,
  url: string,
  question: Partial<Question> = {},
  prefix = '/nowhere/',
): Promise<Explained> {
  const reader = {
    readFile: (path: string) => (path === 'nginx.conf' ? conf : { code: 'ENOENT', number: 2 }),
    listFolder: () => null,
  };
  return explain(
    loadConf('nginx.conf', reader),
    BUILT_IN,
    { prefix, confPrefix: prefix },
    { url, method: 'GET', fields: [], from: '127.0.0.1', bodyBytes: -1, ...question },
  );
}

async function tell(...args: Parameters<typeof ask>): Promise<Explanation> {
  const { explanation, diagnostics } = await ask(...args);
  expect(diagnostics).toEqual([]);
  return explanation!;
}

/** All steps, those within others too, as "line: text". */
function said({ steps }: Pick<Explanation, 'steps'>): string[] {
  const lines = (some: readonly Step[]): string[] =>
    some.flatMap(({ places, text, details }) => [`${places[0]?.line ?? '-'}: ${text}`, ...lines(details)]);
  return lines(steps);
}

function textOf(explanation: Explanation, hasColours = false): string {
  return explanationText(explanation, { folder: '/nowhere/', hasColours });
}

it('the configuration of docs/explain.md gives the output of docs/explain.md', async () => {
  const page = readFileSync(new URL('../docs/explain.md', import.meta.url), 'utf8');
  const [, conf] = /```nginx\n([\s\S]*?)```/.exec(page)!;
  const [, output] = /```console\n\$ [^\n]*\n([\s\S]*?)```/.exec(page)!;
  const explanation = await tell(conf!, 'http://www.example.com/api/v1/users?id=1', {
    fields: ['X-Beta: yes'],
    from: '10.1.2.3',
  });
  const steady = (text: string) => text.replace(/(Date: |sluice\/)\S.*/g, '$1...');
  expect(steady(textOf(explanation))).toBe(steady(output!));
});

describe('explain', () => {
  it('says by which name a server was chosen, or that none fits', async () => {
    const conf = `http {
      server { listen 80; server_name a.test .b.test; }
      server { listen 80; server_name www.c.*; }
      server { listen 80; server_name ~^(?<who>\\w+)\\.d$; return 200 $who; }
    }`;
    const chosen = async (host: string) => {
      const { server } = await tell(conf, `http://${host}/`);
      return [server.reason, server.matched, server.place.line];
    };
    expect(await chosen('a.test')).toEqual(['exact name', 'a.test', 2]);
    expect(await chosen('x.B.test')).toEqual(['wildcard', '.b.test', 2]);
    expect(await chosen('www.c.org')).toEqual(['wildcard', 'www.c.*', 3]);
    expect(await chosen('me.d')).toEqual(['regular expression', '~^(?<who>\\w+)\\.d$', 4]);
    expect(await chosen('unknown')).toEqual(['default server', null, 2]);
  });

  it('says of each location why it is the one or not', async () => {
    const conf = `server { listen 80;
      location = /a/ { return 200 1; }
      location /a/ { return 200 2;
        location /a/b/ { return 200 3; } }
      location ^~ /s/ { return 200 4; }
      location ~ \\.php$ { return 200 5; }
      location ~ \\.p { return 200 6; } }`;
    const why = async (path: string) => {
      const { steps } = await tell(conf, `http://h${path}`);
      const { details } = steps.find(({ kind }) => kind === 'location')!;
      return said({ steps: details }).map((line) => line.replace(/^(\d+): /, '$1 '));
    };
    expect(await why('/a/x.php')).toEqual([
      '2 is not the path',
      '3 is the longest that begins the path, but a regular expression fits',
      '4 does not begin the path',
      '5 does not begin the path',
      '6 matches "/a/x.php"',
      '7 not tried: one before it matches',
    ]);
    expect(await why('/a/b/c')).toContain('3 is the longest that begins the path, but one inside of it fits');
    expect(await why('/s/x.php')).toContain('6 not tried: ^~ keeps it out');
    expect(await why('/a/')).toContain('6 not tried: the search ended before');
  });

  it('follows rewrites, conditions and the page of an error', async () => {
    const conf = `server { listen 80;
      error_page 404 /lost;
      if ($arg_old) { rewrite ^/(\\w+)$ /new/$1?from=old last; }
      location /new/ { set $tag "n-$arg_from"; return 404; }
      location = /lost { internal; return 200 "$tag"; } }`;
    const { steps, answer, location } = await tell(conf, 'http://h/page?old=1');
    expect(answer.status).toBe(404);
    expect(location).toMatchObject({ kind: 'exact', path: '/lost' });
    const lines = said({ steps });
    for (const line of [
      '3: is true',
      '3: makes "/new/page?from=old&old=1" of "/page?old=1"',
      '4: $tag = "n-old"',
      '4: answers 404',
      '2: is served again as "/lost", the page of error 404',
      '5: answers 404',
    ])
      expect(lines).toContain(line);
  });

  it('names the rule that lets a client pass or refuses it, and who asks for a password', async () => {
    const conf = `server { listen 80;
      location /a { allow 10.0.0.0/8; deny all; return 204; }
      location /b { auth_basic "b"; auth_basic_user_file users; }
      location /c { limit_except GET { deny 192.0.2.1; } empty_gif; } }`;
    const inside = await tell(conf, 'http://h/a', { from: '10.1.1.1' });
    // The rewrite module answers before anybody is asked whether the client may.
    expect(inside.answer.status).toBe(204);
    expect(said(await tell(conf, 'http://h/b'))).toContain('3: asks for credentials with 401');
    const refused = await tell(conf, 'http://h/c', { from: '192.0.2.1', method: 'POST' });
    expect(said(refused)).toContain('4: refuses with 403');
    expect(refused.answer.status).toBe(403);
    expect((await tell(conf, 'http://h/c', { from: '192.0.2.1' })).answer.status).toBe(200);
  });

  it('tells of internal locations and of bodies that are too large', async () => {
    const conf = `server { listen 80; client_max_body_size 1k;
      location /in { internal; }
      location / { proxy_pass http://127.0.0.1:9; } }`;
    expect(said(await tell(conf, 'http://h/in'))).toContain(
      '2: refuses with 404: clients may not ask for it',
    );
    const large = await tell(conf, 'http://h/', { method: 'PUT', bodyBytes: 1025 });
    expect(said(large)).toContain(
      '1: refuses with 413: 1025 bytes are more than the 1024 of client_max_body_size',
    );
    const fitting = await tell(conf, 'http://h/', { method: 'PUT', bodyBytes: 1024 });
    expect(fitting.upstream!.head).toContain('Content-Length: 1024');
  });

  it('names the line that decides what map, geo and split_clients make', async () => {
    const conf = `http {
      map $uri $by_text {
        default other;
        /a one;
        ~^/(?<word>b+)(c)?$ $word;
      }
      map $host $by_name {
        hostnames;
        *.example.org wild;
      }
      geo $network {
        default world;
        10.0.0.0/8 home;
      }
      geo $arg_ip $range {
        ranges;
        192.0.2.0-192.0.2.9 few;
      }
      split_clients $arg_k $share {
        50% half;
        * rest;
      }
      server { listen 80; return 200 "$by_text $by_name $network $range $share"; }
    }`;
    const decidedBy = async (url: string, from = '127.0.0.1') =>
      said(await tell(conf, url, { from })).filter((line) => /decides|matches/.test(line));
    expect(await decidedBy('http://x.example.org/a?k=a&ip=192.0.2.3', '10.1.1.1')).toEqual([
      '4: decides',
      '9: decides',
      '13: decides',
      '17: decides',
      '21: decides, as no other line does',
    ]);
    expect(await decidedBy('http://h/bb')).toEqual([
      '5: "^/(?<word>b+)(c)?$" matches "/bb": $1="bb" $word="bb"',
      '12: decides, as no other line does',
      '20: decides',
    ]);
    expect((await decidedBy('http://h/'))[0]).toBe('3: decides, as no other line does');
  });

  it('names of all error_page the one that counts, and shows directives as they are written', async () => {
    const conf = `server { listen 80;
      error_page 404 /lost;
      error_page 500 502 /broken;
      location / { if ($uri ~ "^/x") { return 502; } return 404; }
      location = /broken { return 200 "b"; } }`;
    const { steps } = await tell(conf, 'http://h/x');
    const again = steps.find(({ kind }) => kind === 'redirect')!;
    expect(again.places.map(({ line }) => line)).toEqual([3]);
    expect(steps.flatMap(({ places }) => places.map(({ directive }) => directive))).toContain(
      'if ($uri ~ "^/x")',
    );
  });

  it('takes names for what they say, asks subrequests too, and reaches nobody', async () => {
    const conf = `http { resolver 192.0.2.53;
      upstream app { zone app 64k; server app.invalid:8000 resolve; server b.invalid backup; }
      server { listen 80;
        location /v { set $to other.invalid; proxy_pass http://$to:81; }
        location / { auth_request /auth; proxy_pass http://app; }
        location = /auth { internal; proxy_pass http://auth.invalid/check; } } }`;
    const { upstream, steps } = await tell(conf, 'http://h/x');
    expect(upstream).toMatchObject({
      group: 'app',
      peer: 'app.invalid:8000',
      peerCount: 2,
      balancer: 'round_robin',
    });
    expect(upstream!.peerPlace!.line).toBe(2);
    expect(said({ steps })).toContain('-: asks auth.invalid:80');
    expect(said({ steps })).toContain('5: lets pass');
    expect((await tell(conf, 'http://h/v')).upstream).toMatchObject({
      group: 'other.invalid:81',
      peer: 'other.invalid:81',
      groupPlace: null,
    });
  });

  it('says which files were looked for, and leaves them as they are', async () => {
    const folder = await folderOf({ 'a/index.html': 'x', 'b.txt': 'y' });
    const conf = `http { proxy_cache_path cache keys_zone=c:1m; access_log access.log;
      server { listen 80; root ${folder};
        location / { try_files $uri $uri/ =404; dav_methods DELETE; }
        location /p/ { proxy_pass http://127.0.0.1:9; proxy_cache c; proxy_cache_valid 1m; }
        location /s/ { proxy_pass http://127.0.0.1:9; proxy_store on; } } }`;
    const found = await tell(conf, 'http://h/a/', {}, `${folder}/`);
    expect(found.answer).toMatchObject({ status: 200, file: `${folder}/a/index.html` });
    expect(said(found)).toContain(`-: ${folder}/a/: a folder`);
    const kept = await tell(conf, 'http://h/b.txt', { method: 'DELETE' }, `${folder}/`);
    expect(said(kept)).toContain('3: would change something, so it is left out');
    await tell(conf, 'http://h/p/', {}, `${folder}/`);
    const stored = await tell(conf, 'http://h/s/x', {}, `${folder}/`);
    expect(stored.answer.settings.map(({ directive }) => directive)).toEqual(['proxy_store on']);
    expect(readFileSync(`${folder}/b.txt`, 'utf8')).toBe('y');
    expect(readdirSync(folder).sort()).toEqual(['a', 'b.txt']);
  });

  it('knows a connection that is closed without an answer', async () => {
    const closed = await tell('server { listen 80; return 444; }', 'http://h/');
    expect(closed.answer).toMatchObject({ status: 0, head: [] });
    expect(textOf(closed)).toContain('No answer: the connection is closed\n');
  });

  it('chooses the address by port and host, and says what else there is', async () => {
    const conf = `http {
      server { listen 127.0.0.1:81; server_name one; }
      server { listen 81; listen [::1]:81; server_name two; } }`;
    expect((await tell(conf, 'http://127.0.0.1:81/')).server.name).toBe('one');
    expect((await tell(conf, 'http://192.0.2.1:81/')).server.name).toBe('two');
    const named = await tell(conf, 'http://x:81/');
    expect(named.listen).toMatchObject({ address: '0.0.0.0:81', others: ['127.0.0.1:81', '[::1]:81'] });
    await expect(ask(conf, 'https://x:81/')).rejects.toThrow(
      'Cannot explain "https://x:81/": 0.0.0.0:81 does not speak TLS: its "listen" has no "ssl"; ask with http://',
    );
    await expect(ask(conf, 'http://x/')).rejects.toThrow(
      'Cannot explain "http://x/": the configuration does not listen on port 80; it listens on 0.0.0.0:81, 127.0.0.1:81, [::1]:81',
    );
  });

  it('refuses what is no request, with what would work', async () => {
    const conf = 'server { listen 80; }';
    await expect(ask(conf, 'example.com')).rejects.toThrow('write it as http://HOST/PATH');
    await expect(ask(conf, 'ftp://example.com/')).rejects.toThrow('only http:// and https:// are known');
    await expect(ask(conf, 'http://h:99999/')).rejects.toThrow('"99999" is no port from 1 to 65535');
    await expect(ask(conf, 'http://h/a b')).rejects.toThrow('a blank as %20');
    await expect(ask(conf, 'http://h/', { fields: ['no colon'] })).rejects.toThrow(
      "write it as 'Name: value'",
    );
    await expect(ask(conf, 'http://h/', { from: 'here' })).rejects.toThrow('Cannot ask from "here"');
    await expect(ask(conf, 'http://h/', { method: 'A B' })).rejects.toThrow('Cannot use the method "A B"');
  });

  it('gives the mistakes of a configuration instead', async () => {
    const { explanation, diagnostics } = await ask('server { listen 80; locaton / { } }', 'http://h/');
    expect(explanation).toBe(null);
    expect(diagnostics.map(({ message }) => message)).toEqual(['unknown directive "locaton"']);
  });

  it('colours what decides and what refuses, and lets no byte of a request through to a terminal', async () => {
    const conf = 'server { listen 80; location /a { return 403; } }';
    expect(textOf(await tell(conf, 'http://h/a'), true)).toContain('\x1b[31manswers 403\x1b[0m');
    expect(textOf(await tell(conf, 'http://h/%1b%5b2J'))).not.toContain('\x1b');
  });
});

it('a URL with https is explained as what comes in by TLS', async () => {
  const authority = useAuthority();
  authority.issue('one.test');
  const conf = `events {} http { ssl_certificate one.test.crt; ssl_certificate_key one.test.key;
    server { listen 443 ssl; listen 80; server_name one.test;
      location / { proxy_pass https://127.0.0.1:9; proxy_set_header X-Forwarded-Proto $scheme; } } }`;
  const tls = JSON.stringify(await tell(conf, 'https://one.test/', {}, authority.folder));
  expect(tls).toContain('X-Forwarded-Proto: https');
  const plain = JSON.stringify(await tell(conf, 'http://one.test/', {}, authority.folder));
  expect(plain).toContain('X-Forwarded-Proto: http');
  expect(plain).not.toContain('X-Forwarded-Proto: https');
  const mistaken = await tell(conf, 'http://one.test:443/', {}, authority.folder);
  expect(said(mistaken)).toContainEqual(expect.stringContaining('plain HTTP request to HTTPS port'));
});
