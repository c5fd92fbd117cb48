// nginx's core variables, as texts of a configuration have them.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, get, serveConf } from './conf-scene.js';

/** A server that answers every request with this text. */
function serveText(text: string, beside = '') {
  return serveConf(`
    server {
      listen 127.0.0.1:%PORT%;
      server_name first.example second.example;
      ${beside}
      location / { return 200 '${text}'; }
    }`);
}

describe('variables about a request', () => {
  it.each([
    ['$uri $document_uri $request_uri', '/a%20b?x=1', '/a b /a b /a%20b?x=1'],
    ['$args|$query_string|$is_args', '/?a=1&b', 'a=1&b|a=1&b|?'],
    ['$args|$is_args', '/?', '|'],
    ['$request|$request_method|$server_protocol', '/a', 'GET /a HTTP/1.1|GET|HTTP/1.1'],
    ['$arg_a|$arg_A|$arg_b|$arg_c', '/?xa=0&A=1&a=2&b=%20&c', '1|1|%20|'],
    ['$scheme|$https|$server_name', '/', 'http||first.example'],
    ['$1$9', '/', ''],
    ['[$http_nothing$cookie_nothing$arg_nothing$request_body$content_length]', '/', '[]'],
    ['$request_completion|$pipe|$connection_requests', '/', '|.|1'],
  ])('%s of %s is %s', async (text, target, value) => {
    const conf = await serveText(text);
    expect((await get(conf, target)).body).toBe(value);
  });

  it('tell the host without its port, and the server for none', async () => {
    const conf = await serveText('$host|$http_host|$request_port|$is_request_port');
    expect((await get(conf, '/', '', 'Other.Example:81')).body).toBe('other.example|Other.Example:81|81|:');
    expect((await ask(conf, 'GET / HTTP/1.0\r\n\r\n')).body).toBe('first.example|||');
  });

  it('join the lines of a field, cookies in their way', async () => {
    const conf = await serveText('$http_x_a|$http_cookie|$cookie_a|$cookie_b_c|$cookie_d');
    const fields = 'X-A: 1\r\nx-a: 2\r\nCookie: a=1; A=2; b_c = 3\r\nCookie: d=4\r\n';
    expect((await get(conf, '/', fields)).body).toBe('1, 2|a=1; A=2; b_c = 3; d=4|1|3|4');
  });

  it.each([
    ['Basic dXNlcjpwYXNz', 'user'],
    ['basic   dTpw', 'u'],
    ['Basic OnBhc3M=', ''],
    ['Basic dXNlcg==', ''],
    ['Basic !', ''],
    ['Bearer dXNlcjpwYXNz', ''],
  ])('name the user of "%s": "%s"', async (value, user) => {
    const conf = await serveText('[$remote_user]');
    expect((await get(conf, '/', `Authorization: ${value}\r\n`)).body).toBe(`[${user}]`);
  });

  it('tell of its body', async () => {
    const conf = await serveText('$content_length|$content_type|$request_method');
    const request =
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nxy';
    expect((await ask(conf, request)).body).toBe('2|a/b|POST');
  });
});

describe('variables about files', () => {
  it('put the path behind root, or in place of a location with alias', async () => {
    const conf = await serveConf(`
      server {
        listen 127.0.0.1:%PORT%;
        root /www/$arg_site;
        location / { return 200 "$document_root $request_filename"; }
        location /a/ { alias /other/; return 200 "$document_root $request_filename"; }
        location ~ ^/b/(.*)$ { alias /third/$1.html; return 200 "$request_filename"; }
      }`);
    expect((await get(conf, '/x/y?site=s')).body).toBe('/www/s /www/s/x/y');
    expect((await get(conf, '/a/x')).body).toBe('/other/ /other/x');
    expect((await get(conf, '/b/x')).body).toBe('/third/x.html');
  });

  it('follow links of the root', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-root-')));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    const conf = await serveText('[$realpath_root]', `root ${folder}/$arg_name;`);
    expect((await get(conf, '/?name=link')).body).toBe(`[${folder}/real]`);
    expect((await get(conf, '/?name=none')).body).toBe('[]');
  });
});

describe('variables about an answer', () => {
  it('know status, fields and length when it goes out', async () => {
    const conf = await serveConf(`
      log_format sent '$status|$sent_http_content_type|$sent_http_content_length|$sent_http_x_a|$sent_http_location|$sent_http_connection|$body_bytes_sent|$bytes_sent|$request_completion|$request_length';
      access_log sent.log sent;
      server {
        listen 127.0.0.1:%PORT%;
        absolute_redirect off;
        default_type text/plain;
        add_header X-A 1;
        add_header X-A 2;
        location / { return 200 text; }
        location /to { return 301 /there; }
      }`);
    const { head, body } = await get(conf, '/');
    const redirect = await get(conf, '/to');
    const bytes = head.length + body.length;
    const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'.length;
    expect(conf.log('sent.log').lines).toEqual([
      `200|text/plain|4|1, 2|-|close|4|${bytes}|OK|${request}`,
      expect.stringContaining(`301|text/html|${redirect.body.length}|1, 2|/there|close|`),
    ]);
  });

  it('take a limit of its speed, and refuse what is none', async () => {
    const conf = await serveText('$limit_rate', 'set $limit_rate $arg_rate;');
    expect((await get(conf, '/?rate=4k')).body).toBe('4096');
    expect((await get(conf, '/?rate=x')).body).toBe('0');
    expect(conf.log('error.log').matching(/invalid \$limit_rate "x"/)).toHaveLength(1);
  });
});

describe('variables about connection and machine', () => {
  it('tell both addresses', async () => {
    const conf = await serveText('$remote_addr $server_addr $server_port $remote_port $connection');
    const port = conf.address.port;
    expect((await get(conf, '/')).body).toMatch(
      new RegExp(`^127\\.0\\.0\\.1 127\\.0\\.0\\.1 ${port} \\d{4,5} \\d+$`),
    );
  });

  it('give each request an id, the same for all of it', async () => {
    const conf = await serveText('$request_id $request_id');
    const [one, again] = (await get(conf, '/')).body.split(' ');
    const [other] = (await get(conf, '/')).body.split(' ');
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(again).toBe(one);
    expect(other).not.toBe(one);
  });

  it('tell name, process and time', async () => {
    const conf = await serveText(
      '$hostname|$pid|$msec|$time_iso8601|$time_local|$request_time|$connection_time',
    );
    const [host, pid, msec, iso, local, ...ages] = (await get(conf, '/')).body.split('|');
    expect([host, pid]).toEqual([hostname().toLowerCase(), String(process.pid)]);
    expect(msec).toMatch(/^\d{10}\.\d{3}$/);
    expect(Math.abs(Date.parse(iso!) - Date.now())).toBeLessThan(60_000);
    expect(local).toMatch(/^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/);
    for (const age of ages) expect(age).toMatch(/^\d\.\d{3}$/);
  });

  it('read a PROXY protocol header', async () => {
    const conf = await serveConf(`
      server {
        listen 127.0.0.1:%PORT% proxy_protocol;
        location / {
          return 200 "$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port [$proxy_protocol_tlv_alpn] $remote_addr";
        }
      }`);
    const answer = await ask(
      conf,
      'PROXY TCP4 192.0.2.1 192.0.2.2 1234 5678\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer.body).toBe('192.0.2.1:1234 192.0.2.2:5678 [] 127.0.0.1');
  });
});
