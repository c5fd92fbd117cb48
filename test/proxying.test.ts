// What proxy_pass and its kin do, as upstreams and clients see it.
import { describe, expect, it } from 'vitest';
import { answering, type RawOrigin } from '../src/testing/index.js';
import { answer } from './answering-origins.js';
import { ask, get, serveConf } from './conf-scene.js';
import { socketFolder, startOrigin } from './scene.js';

const server = (text: string) => `server { listen 127.0.0.1:%PORT%; ${text} }`;

/** An origin that answers with the request as it got it. */
function startEcho(where: number | string = 0): Promise<RawOrigin> {
  return startOrigin(
    answering(({ head, text }) => answer(head + text)),
    where,
  );
}

/** The first line of what an echo got. */
const lineOf = (echoed: string) => echoed.slice(0, echoed.indexOf('\r\n'));

describe('proxy_pass', () => {
  it('asks for the request as it came, or with its own path in place of the location', async () => {
    const { name } = await startEcho();
    const conf = await serveConf(
      server(`
        location / { proxy_pass http://${name}; }
        location /a/ { proxy_pass http://${name}/b/; }
        location /cut/ { proxy_pass http://${name}/; }
        location /glued { proxy_pass http://${name}/x; }
        location = /exact { proxy_pass http://${name}/y; }
        location ~ ^/regex { proxy_pass http://${name}; }
        location /rewritten { rewrite ^/rewritten(.*) /new$1?c=d break; proxy_pass http://${name}/dropped; }`),
    );
    const asked = async (target: string) => lineOf((await get(conf, target)).body).split(' ')[1];
    expect(await asked('/x%20y/../z?a=b')).toBe('/x%20y/../z?a=b');
    expect(await asked('/a/x%20y?a=b')).toBe('/b/x%20y?a=b');
    expect(await asked('/a/../a/./z')).toBe('/b/z');
    expect(await asked('/cut/z')).toBe('/z');
    expect(await asked('/gluedz')).toBe('/xz');
    expect(await asked('/exact?q')).toBe('/y?q');
    expect(await asked('/regex/%41')).toBe('/regex/%41');
    expect(await asked('/rewritten/e?a=b')).toBe('/new/e?c=d&a=b');
  });

  it('with variables asks for what these say, and for the request as it came if they name no path', async () => {
    const { name, address } = await startEcho();
    const conf = await serveConf(
      server(`
        set $port ${address.port};
        location / { proxy_pass http://127.0.0.1:$port; }
        location ~ ^/to/(.*)$ { proxy_pass http://127.0.0.1:$port/$1$is_args$args; }
        location /nowhere { proxy_pass $arg_to; }`),
    );
    const asked = async (target: string) => lineOf((await get(conf, target)).body).split(' ')[1];
    expect(await asked('/x%20y?a')).toBe('/x%20y?a');
    expect(await asked('/to/z?a=b')).toBe('/z?a=b');
    expect((await get(conf, '/nowhere?to=ftp://a')).status).toBe(500);
    expect(conf.log('error.log').matching(/invalid URL prefix in "ftp:\/\/a"/)).toHaveLength(1);
    expect((await get(conf, `/nowhere?to=http://${name}/z`)).status).toBe(200);
  });

  it('reaches unix sockets', async () => {
    const { name } = await startEcho(`${await socketFolder()}/socket`);
    const conf = await serveConf(
      server(`location / { proxy_pass http://${name}; } location /a/ { proxy_pass http://${name}:/b/; }`),
    );
    const { body } = await get(conf, '/x');
    expect(lineOf(body)).toBe('GET /x HTTP/1.1');
    expect(body).toContain('\r\nHost: localhost\r\n');
    expect(lineOf((await get(conf, '/a/x')).body)).toBe('GET /b/x HTTP/1.1');
  });
});

describe('a request for the upstream', () => {
  it('has the fields of proxy_set_header, which a level with any of its own does not inherit', async () => {
    const { name } = await startEcho();
    const conf = await serveConf(
      server(`
        proxy_set_header X-A outer;
        proxy_set_header Host $host:8;
        location / { proxy_pass http://${name}; }
        location /own { proxy_set_header X-B $arg_b; proxy_set_header accept ''; proxy_pass http://${name}; }`),
    );
    const fields = 'X-A: client\r\nX-B: client\r\nAccept: all\r\n';
    const inherited = (await get(conf, '/', fields, 'a')).body;
    expect(inherited).toMatch(/^GET \/ HTTP\/1\.1\r\nHost: a:8\r\nX-A: outer\r\n/);
    expect(inherited).toContain('\r\nX-B: client\r\nAccept: all\r\n');
    expect(inherited).not.toContain('X-A: client');
    const own = (await get(conf, '/own?b=1', fields, 'a')).body;
    expect(own).toContain(`\r\nHost: ${name}\r\n`);
    expect(own).toContain('\r\nX-A: client\r\n');
    expect(own).toContain('\r\nX-B: 1\r\n');
    expect(own).not.toContain('Accept');
    expect((await get(conf, '/own', fields, 'a')).body).not.toContain('X-B');
  });

  it('has the method, the body and the version that are configured', async () => {
    const { name } = await startEcho();
    const conf = await serveConf(
      server(`
        location / { proxy_pass http://${name}; proxy_method $arg_m; proxy_set_body 'said: $arg_b'; }
        location /old { proxy_pass http://${name}; proxy_http_version 1.0; }
        location /bare { proxy_pass http://${name}; proxy_pass_request_headers off; proxy_pass_request_body off; }`),
    );
    const post = (target: string) =>
      ask(
        conf,
        `POST ${target} HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
      );
    const set = (await post('/?m=PUT&b=x')).body;
    expect(lineOf(set)).toBe('PUT /?m=PUT&b=x HTTP/1.1');
    expect(set).toMatch(/\r\nContent-Length: 7\r\n.*\r\n\r\nsaid: x$/s);
    const old = (await post('/old')).body;
    expect(lineOf(old)).toBe('POST /old HTTP/1.0');
    expect(old).toMatch(/\r\nContent-Length: 2\r\n.*\r\n\r\nhi$/s);
    expect((await post('/bare')).body).toBe(`POST /bare HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
  });

  it('reaches an upstream only once all of its body is there, unless proxy_request_buffering is off', async () => {
    const origin = await startEcho();
    const conf = await serveConf(
      server(`
        location / { proxy_pass http://${origin.name}; }
        location /stream { proxy_pass http://${origin.name}; proxy_request_buffering off; }`),
    );
    const head = (target: string) =>
      `POST ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab`;
    const whole = await conf.connect();
    await whole.send(head('/whole'));
    const streamed = await conf.connect();
    await streamed.send(head('/stream'));
    const first = await origin.accept();
    await expect.poll(() => first.receivedBytes).toBeGreaterThan(0);
    await streamed.send('cd');
    expect((await streamed.readToEnd()).endsWith('\r\n\r\nabcd')).toBe(true);
    expect(origin.connections).toHaveLength(1);
    await whole.send('cd');
    expect(await whole.readToEnd()).toContain('POST /whole HTTP/1.1');
    expect(origin.connections).toHaveLength(2);
  });
});

describe('an answer that is passed on as it came', () => {
  it('is seen by $sent_http_* and $sent_trailer_* as the client got it', async () => {
    const origin = await startOrigin(
      answering(
        'HTTP/1.1 200 OK\r\nServer: hidden\r\nContent-Type: text/plain; charset=utf-8\r\nX-A: 1\r\nX-A: 2\r\nX-Pad: 3\r\nETag: "e"\r\n' +
          'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 4\r\n\r\n',
      ),
    );
    const conf = await serveConf(`
      log_format sent '$sent_http_content_type|$sent_http_x_a|$sent_http_x_pad|$sent_http_etag|$sent_http_server|'
                      '$sent_http_transfer_encoding|$sent_http_content_length|$sent_trailer_x_sum';
      ${server(`
        access_log a.log sent;
        location / { proxy_pass http://${origin.name}; proxy_pass_trailers on; }
        location /filtered { proxy_pass http://${origin.name}; proxy_pass_trailers on; add_header X-B 1; }`)}`);
    await get(conf, '/');
    await get(conf, '/filtered');
    await conf.log('a.log').waitFor(/./, 2);
    const expected = 'text/plain; charset=utf-8|1, 2|-|\\x22e\\x22|-|chunked|-|4';
    expect(conf.log('a.log').lines).toEqual([expected, expected]);
  });

  it('has its length in $sent_http_content_length', async () => {
    const origin = await startOrigin(
      answering(
        'HTTP/1.1 301 Moved\r\nContent-Length: 2\r\nLocation: /a\r\nLast-Modified: Thu, 01 Jan 1970 00:00:01 GMT\r\n\r\nok',
      ),
    );
    const conf = await serveConf(`
      log_format sent '$sent_http_content_length|$sent_http_location|$sent_http_last_modified|$sent_http_transfer_encoding|$sent_http_connection';
      ${server(`access_log a.log sent; location / { proxy_pass http://${origin.name}; proxy_redirect off; }`)}`);
    await get(conf, '/');
    expect(await conf.log('a.log').waitFor(/./)).toBe('2|/a|Thu, 01 Jan 1970 00:00:01 GMT|-|close');
  });
});

describe('fields of an answer that can be there once', () => {
  it.each(['', 'add_header X-B 1;'])(
    'count by their first line, and the others are logged (%s)',
    async (more) => {
      const origin = await startOrigin(
        answering(
          'HTTP/1.1 200 OK\r\nExpires: foo\r\nX-A: 1\r\nexpires: bar\r\nContent-Length: 0\r\nETag: "a"\r\nETag: "b"\r\nX-A: 2\r\n\r\n',
        ),
      );
      const conf = await serveConf(server(`location / { proxy_pass http://${origin.name}; ${more} }`));
      const { fields } = await get(conf, '/');
      expect(fields).toMatchObject({ expires: 'foo', etag: '"a"', 'x-a': '1, 2' });
      expect(conf.log('error.log').matching(/\[warn\].*duplicate header line/)).toEqual([
        expect.stringContaining('"expires: bar", previous value: "foo", ignored'),
        expect.stringContaining('"ETag: "b"", previous value: ""a"", ignored'),
      ]);
    },
  );
});
