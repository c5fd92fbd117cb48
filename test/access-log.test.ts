// Access logs of a configuration: what is written, where, and for which requests.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatAddress } from '../src/net/address.js';
import { ask, get, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

const http = (text: string) => `http { access_log off; ${text} }`;
const server = (text: string) => `server { listen 127.0.0.1:%PORT%; ${text} }`;

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-access-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('access_log', () => {
  it('writes the combined format by default, and nothing where it is off', async () => {
    const conf = await serveConf(
      http(
        server(
          'location / { access_log a.log; return 200 OK; location /off { access_log off; return 204; } }',
        ),
      ),
    );
    await get(conf, '/a?b=c', 'User-Agent: curl "8"\r\n');
    await get(conf, '/off');
    await get(conf, '/b');
    await conf.log('a.log').waitFor(/\/b/);
    expect(conf.log('a.log').lines).toEqual([
      expect.stringMatching(
        /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/a\?b=c HTTP\/1\.1" 200 2 "-" "curl \\x228\\x22"$/,
      ),
      expect.stringContaining('"GET /b HTTP/1.1" 200 2'),
    ]);
  });

  it('writes to each of its targets by its own format', async () => {
    const conf = await serveConf(
      http(`
        log_format short '$uri:$status';
        log_format quoted escape=json '{"agent":"$http_user_agent","user":"$remote_user"}';
        log_format raw escape=none '$arg_a';
        ${server('access_log a.log short; access_log b.log quoted; access_log c.log RAW; return 200;')}`),
    );
    await get(conf, '/x?a="%20', 'User-Agent: "\\\r\n');
    await conf.log('c.log').waitFor(/./);
    expect(conf.log('a.log').lines).toEqual(['/x:200']);
    expect(conf.log('b.log').lines).toEqual(['{"agent":"\\"\\\\","user":""}']);
    expect(conf.log('c.log').lines).toEqual(['"%20']);
  });

  it('logs only what its condition is true for', async () => {
    const conf = await serveConf(
      http(server('log_not_found off; access_log a.log combined if=$arg_a$arg_b; return 200;')),
    );
    for (const target of ['/1', '/2?a=', '/3?a=0', '/4?a=0&b=0', '/5?b=yes', '/end?a=1'])
      await get(conf, target);
    await conf.log('a.log').waitFor(/end/);
    expect(conf.log('a.log').lines.map((line) => /GET (\S+)/.exec(line)?.[1])).toEqual([
      '/4?a=0&b=0',
      '/5?b=yes',
      '/end?a=1',
    ]);
  });

  it('has times, lengths and what came before in its variables', async () => {
    const conf = await serveConf(
      http(`
        log_format f '$time_iso8601|$msec|$request_time|$request_length|$bytes_sent|$body_bytes_sent|$pipe';
        ${server('access_log a.log f; return 200 OK;')}`),
    );
    const client = await conf.connect();
    await client.send(
      'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    const received = await client.readToEnd();
    await conf.log('a.log').waitFor(/p$/);
    const [first, second] = conf.log('a.log').lines.map((line) => line.split('|'));
    expect(first![0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
    expect(first![1]).toMatch(/^\d+\.\d{3}$/);
    expect(first![2]).toMatch(/^0\.\d{3}$/);
    expect(first![3]).toBe('27');
    expect(Number(first![4]) + Number(second![4])).toBe(received.length);
    expect([first![5], first![6], second![6]]).toEqual(['2', '.', 'p']);
  });

  it('marks what a request has not, so that no field of a line is empty', async () => {
    const conf = await serveConf(
      http(`
        log_format fields '$uri $args $query_string $host $status';
        ${server('server_name first.example; access_log a.log fields; return 200;')}`),
    );
    await get(conf, '/a?b');
    await get(conf, '/a');
    await ask(conf, 'GET / HTTP/1.1\r\n\r\n');
    await conf.log('a.log').waitFor(/400/);
    expect(conf.log('a.log').lines).toEqual([
      '/a b b localhost 200',
      '/a - - localhost 200',
      '- - - first.example 400',
    ]);
  });

  it('has a body that is none in the log of the server that was asked, also where it came with the head', async () => {
    const conf = await serveConf(
      http(`
        log_format named '$server_name $host $uri $status';
        ${server('server_name first; access_log a.log named; return 200;')}
        ${server('server_name second; access_log b.log named; return 200;')}`),
    );
    await ask(conf, 'POST /x HTTP/1.1\r\nHost: second\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
    await conf.log('b.log').waitFor(/./);
    expect(conf.log('b.log').lines).toEqual(['second second /x 400']);
    expect(conf.log('a.log').lines).toEqual([]);
  });

  it('tells of a tunnel as of an answer without a body that came to its end', async () => {
    const origin = await startOrigin();
    const conf = await serveConf(
      http(`
        log_format tunnel '$status $request_completion $sent_http_transfer_encoding $sent_http_content_length';
        ${server(`access_log a.log tunnel; location / {
          proxy_pass http://${formatAddress(origin.address)};
          proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }`)}`),
    );
    const client = await conf.connect();
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: demo\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readHead();
    upstream.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: demo\r\n\r\nbye');
    await client.readHead();
    upstream.close();
    client.close();
    await conf.log('a.log').waitFor(/./);
    expect(conf.log('a.log').lines).toEqual(['101 OK - -']);
  });

  it('has a ready format of JSON, with a number for each number', async () => {
    const conf = await serveConf(http(server('access_log a.log json; return 404;')));
    await get(conf, '/x', 'User-Agent: "me"\r\n');
    const entry = JSON.parse(await conf.log('a.log').waitFor(/./)) as Record<string, unknown>;
    expect(entry).toMatchObject({ status: 404, uri: '/x', user_agent: '"me"', remote_addr: '127.0.0.1' });
    expect(typeof entry.request_time).toBe('number');
  });

  it('writes to files that the request names, where the folder it is served from exists', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'a'));
    const conf = await serveConf(
      http(
        `log_format f '$uri'; ${server(`root ${folder}/$arg_root; access_log ${folder}/$arg_name.log f; return 200;`)}`,
      ),
    );
    await get(conf, '/1?root=a&name=x');
    await get(conf, '/2?root=nowhere&name=y');
    await get(conf, '/3?root=a&name=x');
    await conf
      .log('error.log')
      .waitFor(/testing ".*nowhere" existence failed \(2: No such file or directory\)/);
    await expect.poll(() => readFileSync(join(folder, 'x.log'), 'latin1')).toBe('/1\n/3\n');
    expect(() => readFileSync(join(folder, 'y.log'))).toThrow('ENOENT');
  });
});

describe('mistakes in logs', () => {
  it.each([
    ['access_log a.log nosuch;', 'unknown log format "nosuch"'],
    ['access_log off now;', 'invalid parameter "now"'],
    ['access_log a.log combined flush=1s;', 'no buffer is defined for access_log "a.log"'],
    ['access_log $host.log combined buffer=1k;', 'buffered logs cannot have variables in name'],
    ['access_log syslog:server=127.0.0.1 combined buffer=1k;', 'logs to syslog cannot be buffered'],
    ['access_log a.log combined gzip=10;', 'invalid compression level "10"'],
    ['access_log a.log combined buffer=0;', 'invalid buffer size "0"'],
    [
      'access_log a.log combined buffer=1k; access_log a.log combined buffer=2k;',
      'access_log "a.log" already defined with conflicting parameters',
    ],
    [
      'open_log_file_cache valid=1s; access_log $host.log;',
      '"open_log_file_cache" must have "max" parameter',
    ],
  ])('%s is refused in the words of nginx', async (text, words) => {
    await expect(serveConf(http(server(text)))).rejects.toThrow(words);
  });

  it.each([
    ["log_format a '$uri'; log_format a '$uri';", 'duplicate "log_format" name "a"'],
    ["log_format combined '$uri';", 'duplicate "log_format" name "combined"'],
    ["log_format a escape=xml '$uri';", 'unknown log format escaping "xml"'],
    ["log_format a '$nosuch';", 'unknown "nosuch" variable'],
    ["log_format a '${uri';", 'the closing bracket in "uri" variable is missing'],
  ])('%s is refused in the words of nginx', async (text, words) => {
    await expect(serveConf(http(text + server('')))).rejects.toThrow(words);
  });

  it('a name of ours may be given to a format of the configuration', async () => {
    const conf = await serveConf(
      http(`log_format json 'mine $uri'; ${server('access_log a.log json; return 200;')}`),
    );
    await get(conf, '/x');
    expect(await conf.log('a.log').waitFor(/./)).toBe('mine /x');
  });
});
