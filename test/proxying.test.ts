// What proxy_pass and its kin do, as upstreams and clients see it.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answering, type RawOrigin, type TestConf } from '../src/testing/index.js';
import { answer } from './answering-origins.js';
import { type Answer, ask, get, serveConf } from './conf-scene.js';
import { socketFolder, startOrigin, waitForStall } from './scene.js';

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

  it('has a Last-Modified that is no date in its variable, whichever way it goes', async () => {
    const origin = await startOrigin(answering(answer('', 'Last-Modified: yesterday\r\n')));
    const conf = await serveConf(`
      log_format sent '$sent_http_last_modified';
      ${server(`
        access_log a.log sent;
        location / { proxy_pass http://${origin.name}; }
        location /filtered { proxy_pass http://${origin.name}; add_header X-B 1; }`)}`);
    expect((await get(conf, '/')).fields['last-modified']).toBe('yesterday');
    expect((await get(conf, '/filtered')).fields['last-modified']).toBe('yesterday');
    await conf.log('a.log').waitFor(/./, 2);
    expect(conf.log('a.log').lines).toEqual(['yesterday', 'yesterday']);
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
      const conf = await serveConf(`
        log_format got '$upstream_http_expires|$upstream_http_x_a';
        ${server(`access_log a.log got; location / { proxy_pass http://${origin.name}; ${more} }`)}`);
      const { fields } = await get(conf, '/');
      expect(await conf.log('a.log').waitFor(/./)).toBe('foo|1, 2');
      expect(fields).toMatchObject({ expires: 'foo', etag: '"a"', 'x-a': '1, 2' });
      expect(conf.log('error.log').matching(/\[warn\].*duplicate header line/)).toEqual([
        expect.stringContaining('"expires: bar", previous value: "foo", ignored'),
        expect.stringContaining('"ETag: "b"", previous value: ""a"", ignored'),
      ]);
    },
  );
});

/** What a client gets of an answer with these fields in a location with `text`. */
async function passed(fields: string, text: string, target = '/a/'): Promise<Answer> {
  const { name } = await startOrigin(answering(answer('ok', fields)));
  const conf = await serveConf(
    server(`location /a/ { proxy_pass http://${name}/b/; ${text.replaceAll('$ORIGIN', name)} }`),
  );
  const got = await get(conf, target);
  return { ...got, head: got.head.replaceAll(name, 'ORIGIN') };
}

describe('fields of an answer', () => {
  it('are hidden where proxy_hide_header says so, and some without that, unless proxy_pass_header does', async () => {
    const fields = 'Server: origin\r\nX-A: 1\r\nX-B: 1\r\nX-Accel-Expires: 0\r\nX-Pad: 1\r\n';
    const hidden = await passed(fields, 'proxy_hide_header x-a;');
    expect(hidden.fields['x-b']).toBe('1');
    for (const name of ['x-a', 'x-accel-expires', 'x-pad']) expect(hidden.fields).not.toHaveProperty(name);
    expect(hidden.fields.server).toMatch(/^sluice/);
    const shown = await passed(fields, 'proxy_pass_header Server; proxy_pass_header X-Pad;');
    expect(shown.fields).toMatchObject({ server: 'origin', 'x-a': '1', 'x-pad': '1' });
    expect(shown.fields).not.toHaveProperty('x-accel-expires');
    // What is passed on where there is none is none, and not ours either.
    const none = await passed('', 'proxy_pass_header Server; proxy_pass_header Date; gzip on;');
    expect(none.fields).not.toHaveProperty('server');
    expect(none.fields).not.toHaveProperty('date');
  });

  it.each([
    ['', 'http://ORIGIN/b/c?d', 'http://localhost:%PORT%/a/c?d'],
    ['proxy_redirect default;', 'http://ORIGIN/b/', 'http://localhost:%PORT%/a/'],
    ['', 'http://ORIGIN/other', 'http://ORIGIN/other'],
    ['', '/b/c', '/b/c'],
    ['proxy_redirect off;', 'http://ORIGIN/b/c', 'http://ORIGIN/b/c'],
    ['proxy_redirect http://x/ /y/;', 'http://x/z', 'http://localhost:%PORT%/y/z'],
    ['proxy_redirect http://x/ https://$host/;', 'http://x/z', 'https://localhost/z'],
    ['proxy_redirect ~^http://([^.]+)\\.x(/.*) http://y/$1$2;', 'http://q.x/z', 'http://y/q/z'],
    ['proxy_redirect ~*^HTTP://X/ /; proxy_redirect / /p/;', '/z', 'http://localhost:%PORT%/p/z'],
    ['absolute_redirect off;', 'http://ORIGIN/b/c', '/a/c'],
  ])('Location is rewritten by "%s": %s', async (text, location, expected) => {
    const { name } = await startOrigin(
      answering(({ head }) =>
        answer('', `Location: ${location.replace('ORIGIN', head.match(/Host: (.*)/)![1]!)}\r\n`),
      ),
    );
    const conf = await serveConf(server(`location /a/ { proxy_pass http://${name}/b/; ${text} }`));
    const { fields } = await get(conf, '/a/');
    expect(fields.location).toBe(
      expected.replace('ORIGIN', name).replace('%PORT%', String(conf.address.port)),
    );
  });

  it('Refresh is rewritten as Location is', async () => {
    const { fields } = await passed('Refresh: 5; url=http://x/z\r\n', 'proxy_redirect http://x/ /y/;');
    expect(fields.refresh).toBe('5; url=/y/z');
  });

  it.each([
    ['proxy_cookie_domain x.org y.org;', 'a=1; Domain=.X.org; Path=/', 'a=1; Domain=.y.org; Path=/'],
    ['proxy_cookie_domain ~([a-z]+)\\.x\\.org$ $1.y.org;', 'a=1; domain=www.x.org', 'a=1; domain=www.y.org'],
    ['proxy_cookie_domain x.org y.org;', 'a=1; domain=sub.x.org', 'a=1; domain=sub.x.org'],
    ['proxy_cookie_path /b/ /a/;', 'a=1; path=/b/c', 'a=1; path=/a/c'],
    ['proxy_cookie_path ~*^/B/(.*) /$arg_q/$1;', 'a=1; path=/b/c', 'a=1; path=/v/c'],
    ['proxy_cookie_path off;', 'a=1; path=/b/c', 'a=1; path=/b/c'],
    ['proxy_cookie_flags a secure httponly samesite=lax;', 'a=1', 'a=1; Secure; HttpOnly; SameSite=Lax'],
    [
      'proxy_cookie_flags ~^a nosecure nosamesite;',
      'ab=1; Secure; samesite=none; HttpOnly',
      'ab=1; HttpOnly',
    ],
    ['proxy_cookie_flags b secure;', 'a=1;httponly', 'a=1;httponly'],
  ])('Set-Cookie is rewritten by "%s"', async (text, cookie, expected) => {
    const { fields } = await passed(`Set-Cookie: ${cookie}\r\n`, text, '/a/?q=v');
    expect(fields['set-cookie']).toBe(expected);
  });
});

describe('X-Accel fields', () => {
  it('have the request answered from elsewhere, with some of the fields the upstream gave', async () => {
    const { name } = await startOrigin(
      answering(({ head }) => {
        const to = /to=(\S+)/.exec(head)![1]!;
        return answer(
          'not this',
          `X-Accel-Redirect: ${to}\r\nX-A: 1\r\nSet-Cookie: a=1\r\nContent-Disposition: inline\r\nContent-Type: text/x\r\n`,
        );
      }),
    );
    const conf = await serveConf(
      server(`
        location / { proxy_pass http://${name}; }
        location /ignored { proxy_pass http://${name}; proxy_ignore_headers X-Accel-Redirect; }
        location /inside { internal; return 200 'inside $uri $args'; }
        location @named { return 200 named; }`),
    );
    const inside = await get(conf, '/?to=/inside/%41?b=c');
    expect(inside.body).toBe('inside /inside/A b=c');
    expect(inside.fields).toMatchObject({ 'set-cookie': 'a=1', 'content-disposition': 'inline' });
    expect(inside.fields).not.toHaveProperty('x-a');
    expect((await get(conf, '/?to=@named')).body).toBe('named');
    expect((await get(conf, '/?to=/inside/../../etc')).status).toBe(404);
    expect((await get(conf, '/ignored?to=/inside')).body).toBe('not this');
    expect((await get(conf, '/inside')).status).toBe(404);
  });

  it('limit the rate, unless proxy_ignore_headers names them', async () => {
    const { name } = await startOrigin(answering(answer('x'.repeat(1500), 'X-Accel-Limit-Rate: 1000\r\n')));
    const conf = await serveConf(
      server(`
        location / { proxy_pass http://${name}; }
        location /ignored { proxy_pass http://${name}; proxy_ignore_headers X-Accel-Limit-Rate; }`),
    );
    const timed = async (target: string) => {
      const startMs = performance.now();
      const { body, fields } = await get(conf, target);
      expect(body).toHaveLength(1500);
      expect(fields).not.toHaveProperty('x-accel-limit-rate');
      return performance.now() - startMs;
    };
    expect(await timed('/ignored')).toBeLessThan(900);
    expect(await timed('/')).toBeGreaterThan(900);
  });
});

describe('errors of an upstream', () => {
  it('are answered by error_page only where proxy_intercept_errors is on', async () => {
    const { name } = await startOrigin(
      answering(({ startLine }) =>
        answer('theirs', 'WWW-Authenticate: Basic\r\nX-A: 1\r\n').replace(
          '200',
          startLine.split('/')[1]!.slice(0, 3),
        ),
      ),
    );
    const conf = await serveConf(
      server(`
        error_page 401 404 /ours;
        location / { proxy_pass http://${name}; }
        location /on/ { proxy_pass http://${name}/; proxy_intercept_errors on; }
        location = /ours { internal; return 200 ours; }`),
    );
    expect(await get(conf, '/404')).toMatchObject({ status: 404, body: 'theirs', fields: { 'x-a': '1' } });
    const unknown = await get(conf, '/on/404');
    expect(unknown).toMatchObject({ status: 404, body: 'ours' });
    expect(unknown.fields).not.toHaveProperty('x-a');
    expect(await get(conf, '/on/401')).toMatchObject({
      status: 401,
      fields: { 'www-authenticate': 'Basic' },
    });
    expect(await get(conf, '/on/500')).toMatchObject({ status: 500, body: 'theirs' });
  });
});

describe('proxy_next_upstream', () => {
  /** Serves a group of three that say 503, 503 and "ok", in this order. */
  async function serveGroup(text: string): Promise<{ conf: TestConf; names: string[] }> {
    const busy = answer('busy').replace('200 OK', '503 Busy');
    const origins = await Promise.all(
      [busy, busy, answer('ok')].map((bytes) => startOrigin(answering(bytes))),
    );
    const names = origins.map(({ name }) => name);
    const conf = await serveConf(`
      log_format tries '$upstream_addr|$upstream_status|$upstream_response_length|$status';
      upstream app { ${names.map((name) => `server ${name};`).join(' ')} }
      ${server(`access_log a.log tries; location / { proxy_pass http://app; ${text} }`)}`);
    return { conf, names };
  }
  const post = (conf: TestConf) =>
    ask(conf, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi');

  it('without http_503 takes such an answer', async () => {
    const { conf } = await serveGroup('');
    expect(await get(conf, '/')).toMatchObject({ status: 503, body: 'busy' });
  });

  it('with http_503 asks one after the other; a log names each', async () => {
    const { conf, names } = await serveGroup('proxy_next_upstream http_503;');
    expect((await get(conf, '/')).body).toBe('ok');
    expect(await conf.log('a.log').waitFor(/./)).toBe(`${names.join(', ')}|503, 503, 200|0, 0, 2|200`);
  });

  it('asks no more than proxy_next_upstream_tries, and passes on what the last says', async () => {
    const { conf, names } = await serveGroup('proxy_next_upstream http_503; proxy_next_upstream_tries 2;');
    expect(await get(conf, '/')).toMatchObject({ status: 503, body: 'busy' });
    expect(await conf.log('a.log').waitFor(/./)).toBe(`${names[0]}, ${names[1]}|503, 503|0, 4|503`);
  });

  it('repeats POST only with non_idempotent', async () => {
    const { conf } = await serveGroup('proxy_next_upstream http_503;');
    expect(await post(conf)).toMatchObject({ status: 503, body: 'busy' });
    const { conf: other } = await serveGroup('proxy_next_upstream http_503 non_idempotent;');
    expect(await post(other)).toMatchObject({ status: 200, body: 'ok' });
  });
});

describe('the body of an answer', () => {
  const MEGABYTES = 24;
  const piece = Buffer.alloc(1 << 20, 'x');

  /** An origin of a large body; `sent` counts the megabytes the system took. */
  async function startLarge(): Promise<{ origin: RawOrigin; sent: () => number }> {
    let count = 0;
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${MEGABYTES << 20}\r\n\r\n`);
      for (; count < MEGABYTES; count++) await connection.send(piece);
    });
    return { origin, sent: () => count };
  }

  it.each(['', 'add_header X-A 1;'])(
    'frees the upstream of a slow client by a file that goes away (%s)',
    async (text) => {
      const folder = await socketFolder();
      const { origin, sent } = await startLarge();
      const conf = await serveConf(
        server(`location / { proxy_pass http://${origin.name}; proxy_temp_path ${folder}/temp; ${text} }`),
      );
      const client = await conf.connect();
      client.pause();
      await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await expect.poll(sent, { timeout: 8000 }).toBe(MEGABYTES);
      expect(
        conf.log('error.log').matching(/an upstream response is buffered to a temporary file/),
      ).toHaveLength(1);
      expect(
        readdirSync(`${folder}/temp`, { recursive: true, withFileTypes: true }).filter((file) =>
          file.isFile(),
        ),
      ).toEqual([]);
      let bytes = 0;
      client.divert((some) => {
        bytes += some.length;
      });
      client.resume();
      await client.waitForEnd();
      expect(bytes).toBeGreaterThan(MEGABYTES << 20);
      expect(bytes).toBeLessThan((MEGABYTES << 20) + 1000);
    },
  );

  it.each(['proxy_buffering off;', 'proxy_max_temp_file_size 0;'])(
    'keeps the upstream waiting with %s',
    async (text) => {
      const { origin, sent } = await startLarge();
      const conf = await serveConf(server(`location / { proxy_pass http://${origin.name}; ${text} }`));
      const client = await conf.connect();
      client.pause();
      await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await waitForStall(sent);
      expect(sent()).toBeLessThan(MEGABYTES);
      client.divert(() => {});
      client.resume();
      await client.waitForEnd();
      expect(client.receivedBytes).toBeGreaterThan(MEGABYTES << 20);
    },
  );

  it.each([
    ['', ''],
    ['add_header X-A 1;', ''],
    ['proxy_buffering off; sub_filter_types *; sub_filter none some;', ''],
    ['sub_filter_types *; sub_filter none some;', 'X-Accel-Buffering: no\r\n'],
  ])('reaches the client event by event with "%s" %j', async (text, fields) => {
    const origin = await startOrigin();
    const conf = await serveConf(server(`location / { proxy_pass http://${origin.name}; ${text} }`));
    const client = await conf.connect();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readRequest();
    await upstream.send(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${fields}\r\n`);
    expect(await client.readHead()).toContain('text/event-stream');
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      await upstream.send(event);
      await client.readUntil(event);
    }
    upstream.end();
    await client.readUntil('\r\n0\r\n\r\n');
  });

  it('comes no faster than proxy_limit_rate', async () => {
    const { name } = await startOrigin(answering(answer('x'.repeat(1500))));
    const conf = await serveConf(
      server(`location / { proxy_pass http://${name}; proxy_limit_rate $arg_rate; }`),
    );
    const startMs = performance.now();
    expect((await get(conf, '/?rate=0')).body).toHaveLength(1500);
    expect(performance.now() - startMs).toBeLessThan(900);
    expect((await get(conf, '/?rate=1000')).body).toHaveLength(1500);
    expect(performance.now() - startMs).toBeGreaterThan(900);
  });

  it.each(['', 'add_header X-A 1;'])(
    'is followed by trailers where proxy_pass_trailers is on (%s)',
    async (text) => {
      const { name } = await startOrigin(
        answering(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 4\r\nHost: b\r\n\r\n',
        ),
      );
      const conf = await serveConf(
        server(`
        location / { proxy_pass http://${name}; ${text} }
        location /on { proxy_pass http://${name}; proxy_pass_trailers on; ${text} }`),
      );
      const end = async (target: string, version = '1.1') => {
        const client = await conf.connect();
        await client.send(`GET ${target} HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`);
        const received = await client.readToEnd();
        return received.slice(received.indexOf('\r\n\r\n') + 4);
      };
      expect(await end('/')).toBe('2\r\nok\r\n0\r\n\r\n');
      expect(await end('/on')).toBe('2\r\nok\r\n0\r\nX-Sum: 4\r\n\r\n');
      expect(await end('/on', '1.0')).toBe('ok');
    },
  );
});

it('the configuration of docs/proxying.md runs', async () => {
  const page = readFileSync(new URL('../docs/proxying.md', import.meta.url), 'utf8');
  const [, text] = /```nginx\n([\s\S]*?)```/.exec(page)!;
  const origins = await Promise.all(
    ['busy', 'backup', 'files'].map((body) =>
      startOrigin(
        answering(({ head }) =>
          body === 'busy' ? 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n' : answer(`${body} ${head}`),
        ),
      ),
    ),
  );
  const conf = await serveConf(
    text!
      .replace('listen 8080', 'listen 127.0.0.1:%PORT%')
      .replace(/127\.0\.0\.1:900(\d)/g, (_, digit: string) => origins[Number(digit) - 1]!.name),
  );
  const app = (await get(conf, '/a', 'X-Forwarded-For: 192.0.2.1\r\n', 'b')).body;
  expect(app).toMatch(/^backup GET \/a HTTP/);
  expect(app).toContain('\r\nHost: b\r\nX-Forwarded-For: 192.0.2.1, 127.0.0.1\r\n');
  expect((await get(conf, '/files/a')).body).toMatch(/^files GET \/static\/a HTTP/);
});
