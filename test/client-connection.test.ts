// A client's connection as the configuration has it: which requests it may send one after the other, what becomes of
// bodies that nobody wants, what is answered to heads that are none, and how it ends.
import { describe, expect, test } from 'vitest';
import { serveConf } from './conf-scene.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** A server that answers everything with its path, unless `directives` say otherwise. */
function server(directives: string): string {
  return `server { listen 127.0.0.1:%PORT%; ${directives} location / { return 200 "$uri\\n"; } }`;
}

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

describe('a connection is kept', () => {
  test('for keepalive_requests requests, by the location that answers', async () => {
    const conf = await serveConf(
      server('keepalive_requests 2; location /more { keepalive_requests 3; return 204; }'),
    );
    const client = await conf.connect();
    client.send(get('/more') + get('/more') + get('/more'));
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push((await client.readResponse()).field('connection'));
    expect(answers).toEqual(['keep-alive', 'keep-alive', 'close']);
    expect(await client.waitForEnd()).toBe('fin');
    const other = await conf.connect();
    other.send(get('/') + get('/'));
    expect((await other.readResponse()).field('connection')).toBe('keep-alive');
    expect((await other.readResponse()).field('connection')).toBe('close');
  });

  test('no longer than keepalive_time', async () => {
    const conf = await serveConf(server('keepalive_time 50ms;'));
    const client = await conf.connect();
    client.send(GET);
    expect((await client.readResponse()).field('connection')).toBe('keep-alive');
    const until = performance.now() + 60;
    await expect.poll(() => performance.now() > until).toBe(true);
    client.send(GET);
    expect((await client.readResponse()).field('connection')).toBe('close');
  });

  test('never with keepalive_timeout 0, and for as long as keepalive_timeout says', async () => {
    const conf = await serveConf(
      server('keepalive_timeout 50ms 9; location /never { keepalive_timeout 0; return 204; }'),
    );
    const client = await conf.connect();
    client.send(GET);
    const kept = await client.readResponse();
    expect([kept.field('connection'), kept.field('keep-alive')]).toEqual(['keep-alive', 'timeout=9']);
    expect(await client.waitForEnd()).toBe('fin');
    const other = await conf.connect();
    other.send(get('/never'));
    expect((await other.readResponse()).field('connection')).toBe('close');
  });

  test.each([
    ['POST', 'Mozilla/4.0 (compatible; MSIE 5.0)', '/', 'close'],
    ['GET', 'Mozilla/4.0 (compatible; MSIE 5.0)', '/', 'keep-alive'],
    ['POST', 'Mozilla/4.0 (compatible; MSIE 6.0; SV1)', '/', 'keep-alive'],
    ['POST', 'Mozilla/4.0 (compatible; MSIE 6.0)', '/', 'close'],
    ['POST', 'Mozilla/4.0 (compatible; MSIE 7.0)', '/', 'keep-alive'],
    ['POST', 'MSIE 5.0', '/none', 'keep-alive'],
    ['GET', 'Safari/7534 on Mac OS X', '/', 'keep-alive'],
    ['GET', 'Safari/7534 on Mac OS X', '/safari', 'close'],
    ['GET', 'Chrome/100 Safari/7534 on Mac OS X', '/safari', 'keep-alive'],
  ])('by keepalive_disable: %s of "%s" to %s says %s', async (method, agent, path, connection) => {
    const conf = await serveConf(
      server(
        'location /none { keepalive_disable none; return 204; } location /safari { keepalive_disable safari; return 204; }',
      ),
    );
    const client = await conf.connect();
    client.send(`${method} ${path} HTTP/1.1\r\nHost: a\r\nUser-Agent: ${agent}\r\n\r\n`);
    expect((await client.readResponse()).field('connection')).toBe(connection);
  });

  test('by a server that drains only as long as keepalive_min_timeout says', async () => {
    const conf = await serveConf(server('location /kept { keepalive_min_timeout 10s; return 204; }'));
    const [kept, idle] = [await conf.connect(), await conf.connect()];
    kept.send(get('/kept'));
    expect((await kept.readResponse()).status).toBe(204);
    idle.send(GET);
    await idle.readResponse();
    const drained = conf.server.drain();
    expect(await idle.waitForEnd()).toBe('fin');
    kept.send(get('/kept'));
    expect((await kept.readResponse()).field('connection')).toBe('keep-alive');
    kept.send(GET);
    expect((await kept.readResponse()).field('connection')).toBe('close');
    kept.close();
    await drained;
  });
});

describe('a body that nobody wants', () => {
  const lengths = 'Content-Length: 5\r\n';

  test('is read and thrown away, and the next request is answered', async () => {
    const conf = await serveConf(server(''));
    const client = await conf.connect();
    client.send(get('/1', lengths));
    expect((await client.readResponse()).text).toBe('/1\n');
    client.send('he');
    client.send(`llo${get('/2')}`);
    expect((await client.readResponse()).text).toBe('/2\n');
    client.send(`${get('/3', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n`);
    expect((await client.readResponse()).field('connection')).toBe('keep-alive');
    client.send(`0\r\n\r\n${get('/4')}`);
    expect((await client.readResponse()).text).toBe('/4\n');
  });

  test('is waited for as long as lingering_timeout says', async () => {
    const conf = await serveConf(server('lingering_timeout 50ms;'));
    const client = await conf.connect();
    client.send(get('/', lengths));
    expect((await client.readResponse()).field('connection')).toBe('keep-alive');
    expect(await client.waitForEnd()).toBe('fin');
  });

  test('ends the connection when the client ends its side in it', async () => {
    const conf = await serveConf(server(''));
    const client = await conf.connect();
    client.send(get('/', lengths));
    await client.readResponse();
    client.end();
    expect(await client.waitForEnd()).toBe('fin');
  });

  test('ends the connection when it is malformed', async () => {
    const conf = await serveConf(server(''));
    const client = await conf.connect();
    client.send(get('/', 'Transfer-Encoding: chunked\r\n'));
    expect((await client.readResponse()).status).toBe(200);
    client.send(`x\r\n${get('/2')}`);
    expect(await client.readToEnd()).toBe('');
  });

  test('is asked for by nobody when the client waits for a 100, and the connection ends', async () => {
    const conf = await serveConf(server(''));
    const client = await conf.connect();
    client.send(get('/', `${lengths}Expect: 100-continue\r\n`));
    const response = await client.readResponse();
    expect([response.status, response.field('connection')]).toEqual([200, 'close']);
  });

  test('is refused when it is larger than client_max_body_size, as error_page has it', async () => {
    const conf = await serveConf(
      server('client_max_body_size 4; error_page 413 /413; location = /413 { return 200 "too large"; }'),
    );
    const client = await conf.connect();
    client.send(get('/', lengths));
    const response = await client.readResponse();
    expect([response.status, response.text, response.field('connection')]).toEqual([
      413,
      'too large',
      'close',
    ]);
    const log = conf.log('error.log');
    expect(log.matching(/\[error\].*client intended to send too large body: 5 bytes/)).toHaveLength(1);
  });
});

describe('a head that is none', () => {
  test.each([
    ['a field longer than a buffer', get('/', `A: ${'b'.repeat(1100)}\r\n`), 494, 'client sent too large'],
    ['more fields than max_headers', get('/', 'A: b\r\n'.repeat(50)), 494, 'client sent too large'],
    ['a target longer than a buffer', get(`/${'a'.repeat(1100)}`), 414, 'client sent too long URI'],
    ['an invalid method', 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'client sent invalid method'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'client sent HTTP/1.1 request without "Host" header'],
    [
      'a version to come',
      'GET / HTTP/3.0\r\nHost: a\r\n\r\n',
      505,
      'client sent unsupported protocol version',
    ],
  ])('%s: error_page answers it, and the connection ends', async (_, request, status, line) => {
    const conf = await serveConf(
      server(
        `client_header_buffer_size 512; large_client_header_buffers 4 1k; max_headers 40;
         error_page ${status} =418 @page; location @page { return 200 "page\\n"; }`,
      ),
    );
    const client = await conf.connect();
    client.send(request);
    const response = await client.readResponse();
    expect([response.status, response.text, response.field('connection')]).toEqual([418, 'page\n', 'close']);
    expect(conf.log('error.log').matching(new RegExp(`\\[info\\].*${line}`))).toHaveLength(1);
  });

  test('is answered 400 with what is wrong with its fields', async () => {
    const conf = await serveConf(server('large_client_header_buffers 4 1k;'));
    const client = await conf.connect();
    client.send(get('/', `Cookie: ${'b'.repeat(1100)}\r\n`));
    const response = await client.readResponse();
    expect(response.startLine).toBe('HTTP/1.1 400 Bad Request');
    expect(response.text).toContain('Request Header Or Cookie Too Large');
  });

  test('is answered 405 where it asks for TRACE or CONNECT', async () => {
    const conf = await serveConf(server(''));
    for (const line of ['TRACE /', 'CONNECT a:443']) {
      const client = await conf.connect();
      client.send(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const response = await client.readResponse();
      expect([response.startLine, response.field('connection')]).toEqual([
        'HTTP/1.1 405 Not Allowed',
        'close',
      ]);
    }
  });
});

describe('fields with odd names', () => {
  test.each([
    ['', '|3'],
    ['underscores_in_headers on;', '1|3'],
    ['ignore_invalid_headers off;', '1|3'],
  ])('with "%s" are seen as %s', async (directives, seen) => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT%; ${directives} return 200 "$http_x_underscore|$http_x_hyphen"; }`,
    );
    const client = await conf.connect();
    client.send(get('/', 'x_underscore: 1\r\nx-hyphen: 3\r\n'));
    expect((await client.readResponse()).text).toBe(seen);
    const isLogged = conf.log('error.log').matching(/client sent invalid header line: "x_/).length > 0;
    expect(isLogged).toBe(directives === '');
  });
});

describe('a connection ends', () => {
  test('without a word for 444', async () => {
    const conf = await serveConf(server('location /gone { return 444; }'));
    const client = await conf.connect();
    client.send(get('/gone'));
    expect(await client.readToEnd()).toBe('');
  });

  test('with a reset for 444 where reset_timedout_connection is on', async () => {
    const conf = await serveConf(server('reset_timedout_connection on; location /gone { return 444; }'));
    const client = await conf.connect();
    client.send(get('/gone'));
    expect(await client.waitForEnd()).toBe('reset');
  });

  test.each([
    ['at once', '', ''],
    [
      'at once with lingering_close off, whatever is to come',
      'lingering_close off;',
      'Content-Length: 5\r\n',
    ],
  ])('%s', async (_, directives, fields) => {
    const conf = await serveConf(server(directives));
    const client = await conf.connect();
    client.send(get('/', `Connection: close\r\n${fields}`));
    await client.readResponse();
    expect(await client.waitForEnd()).toBe('fin');
    await expect.poll(() => conf.server.connectionCount).toBe(0);
  });

  test.each([
    ['while its request has more to come', '', 'Content-Length: 5\r\n'],
    ['with lingering_close always', 'lingering_close always;', ''],
  ])('only with the client %s', async (_, directives, fields) => {
    const conf = await serveConf(server(directives));
    const client = await conf.connect();
    client.send(get('/', `Connection: close\r\n${fields}`));
    await client.readResponse();
    expect(await client.waitForEnd()).toBe('fin');
    await client.send('hello and more');
    expect(conf.server.connectionCount).toBe(1);
    client.end();
    await expect.poll(() => conf.server.connectionCount).toBe(0);
    expect(client.error).toBeNull();
  });

  test('when nothing of a first request came for client_header_timeout', async () => {
    const conf = await serveConf(server('client_header_timeout 50ms;'));
    const client = await conf.connect();
    expect(await client.readToEnd()).toBe('');
    await conf.log('error.log').waitFor(/client timed out .*while waiting for request/);
  });

  test('with 408 when a head is not whole in client_header_timeout', async () => {
    const conf = await serveConf(server('client_header_timeout 50ms;'));
    const client = await conf.connect();
    client.send('GET / HTTP/1.1\r\nHos');
    const response = await client.readResponse();
    expect([response.status, response.field('connection')]).toEqual([408, 'close']);
    await conf.log('error.log').waitFor(/client timed out .*while reading client request headers/);
  });
});

describe('post_action', () => {
  test('runs after the answer, and nobody gets what it answers', async () => {
    const conf = await serveConf(
      `http { log_format uri "$uri $request_completion"; access_log access.log uri;
        ${server('location /a { post_action /after; return 200 "a\\n"; } location = /after { return 200 "after\\n"; }')} }`,
    );
    const client = await conf.connect();
    client.send(get('/a') + get('/b'));
    expect((await client.readResponse()).text).toBe('a\n');
    expect((await client.readResponse()).text).toBe('/b\n');
    expect(conf.log('access.log').lines.map((line) => line.trim())).toEqual(['/after OK', '/b OK']);
  });
});

describe('a PROXY protocol header', () => {
  const conf = `server { listen 127.0.0.1:%PORT% proxy_protocol;
    return 200 "$proxy_protocol_addr:$proxy_protocol_port>$proxy_protocol_server_addr:$proxy_protocol_server_port $proxy_protocol_tlv_unique_id"; }`;

  test('of version 1 tells who the client is, and comes once a connection', async () => {
    const served = await serveConf(conf);
    const client = await served.connect();
    client.send(`PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n${GET}`);
    expect((await client.readResponse()).text).toBe('192.0.2.1:123>192.0.2.2:5678 ');
    client.send(GET);
    expect((await client.readResponse()).text).toBe('192.0.2.1:123>192.0.2.2:5678 ');
  });

  test('of version 2 does so with its TLVs, however its bytes come', async () => {
    const served = await serveConf(conf);
    const client = await served.connect();
    const header = Buffer.from('0d0a0d0a000d0a515549540a21110011c0000201c0000202007b162e0500026964', 'hex');
    for (const byte of header) await client.send(Buffer.from([byte]));
    client.send(GET);
    expect((await client.readResponse()).text).toBe('192.0.2.1:123>192.0.2.2:5678 id');
  });

  test('that names nobody leaves the variables empty', async () => {
    const served = await serveConf(conf);
    const client = await served.connect();
    client.send(`PROXY UNKNOWN\r\n${GET}`);
    expect((await client.readResponse()).text).toBe(':>: ');
  });

  test('that is missing or broken ends the connection, and is logged', async () => {
    const served = await serveConf(conf);
    for (const start of [GET, 'PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n']) {
      const client = await served.connect();
      client.send(start + GET);
      await client.waitForEnd();
      expect(client.receivedBytes).toBe(0);
    }
    const log = served.log('error.log');
    expect(log.matching(/\[error\].*client sent no PROXY protocol header/)).toHaveLength(1);
    expect(log.matching(/\[error\].*client sent an invalid address in a PROXY/)).toHaveLength(1);
  });

  test('must come in client_header_timeout', async () => {
    const served = await serveConf(conf.replace('return', 'client_header_timeout 50ms; return'));
    const client = await served.connect();
    client.send('PROXY TCP4 ');
    expect(await client.readToEnd()).toBe('');
  });
});
