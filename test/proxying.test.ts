// What proxy_pass and its kin do, as upstreams and clients see it.
import { describe, expect, it } from 'vitest';
import { answering } from '../src/testing/index.js';
import { get, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

const server = (text: string) => `server { listen 127.0.0.1:%PORT%; ${text} }`;

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
