import { describe, expect, it } from 'vitest';
import { feedEveryWay, type RequestOutcome, requestHeadFeed } from './contract.js';
import { DEFAULT_HEAD_LIMITS, type HeadLimits } from './malformed.js';

/** What every way of splitting makes of the bytes. */
function parse(text: string, limits: HeadLimits = DEFAULT_HEAD_LIMITS) {
  return feedEveryWay(text, () => requestHeadFeed(limits));
}

function accept(text: string): RequestOutcome {
  const verdict = parse(text);
  if (verdict === null || 'reason' in verdict) throw new Error(`not accepted: ${JSON.stringify(verdict)}`);
  return verdict;
}

/** A request that is whole but for the given lines. */
function withLines(...lines: string[]): string {
  return `POST /a HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

describe('RequestHead', () => {
  it('reads line, fields and framing, and where the body begins', () => {
    const head =
      'PUT /a/b?c=d HTTP/1.1\r\nHost: example.org:8080\r\nContent-Length: 12\r\nX-A:\tb c \r\n\r\n';
    expect(parse(`${head}hello, world`)).toEqual({
      method: 'PUT',
      target: '/a/b?c=d',
      host: 'example.org:8080',
      versionMinor: 1,
      contentLength: 12,
      isChunked: false,
      expectsContinue: false,
      upgrade: '',
      requestLine: 'PUT /a/b?c=d HTTP/1.1',
      isLineVerbatim: true,
      connection: { close: false, keepAlive: false, upgrade: false, named: [] },
      fields: [
        ['Host', 'example.org:8080'],
        ['Content-Length', '12'],
        ['X-A', 'b c'],
      ],
      headBytes: head.length,
    });
  });

  it.each(['GET', 'get', 'M-SEARCH', 'PROPFIND', "!#$%&'*+-.^_`|~09azAZ", 'X'])(
    'takes the method %s',
    (m) => {
      expect(accept(`${m} / HTTP/1.1\r\nHost: a\r\n\r\n`).method).toBe(m);
    },
  );

  it.each([
    ['', 'no method'],
    ['G\x00ET', 'NUL'],
    ['G/T', 'a separator'],
    ['GET:', 'a colon'],
    ['GETß', 'obs-text'],
    ['GET\t', 'a tab'],
    ['\x7f', 'DEL'],
  ])('answers 400 to a method %j: %s', (method) => {
    expect(parse(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)).toEqual({
      status: 400,
      reason: 'invalid method',
    });
  });

  it.each([
    ['GET', '/', '/', 'a'],
    ['GET', '/a//b/../c;d?e=f&g="h"|{}<>[]^`\\', '/a//b/../c;d?e=f&g="h"|{}<>[]^`\\', 'a'],
    ['GET', '/\xc3\xa0%20', '/\xc3\xa0%20', 'a'],
    ['OPTIONS', '*', '*', 'a'],
    ['GET', 'http://b.org/c?d', '/c?d', 'b.org'],
    ['GET', 'HTTPS://B.org:81/', '/', 'B.org:81'],
    ['GET', 'http://b.org', '/', 'b.org'],
    ['GET', 'http://b.org?c=/', '/?c=/', 'b.org'],
    ['GET', 'http://user:pass@b.org:80/c', '/c', 'b.org:80'],
    ['GET', 'http://[::1]:80/c', '/c', '[::1]:80'],
    ['OPTIONS', 'http://b.org', '*', 'b.org'],
    ['OPTIONS', 'http://b.org:80', '*', 'b.org:80'],
    ['OPTIONS', 'http://b.org/', '/', 'b.org'],
    ['OPTIONS', 'http://b.org?c', '/?c', 'b.org'],
  ])('takes %s %s as %s of %s', (method, target, originForm, host) => {
    const head = accept(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect([head.target, head.host]).toEqual([originForm, host]);
    expect(head.isLineVerbatim).toBe(target.startsWith('/'));
  });

  it.each([
    '',
    'a',
    'a/b',
    '?a',
    '*',
    '*a',
    'example.org:443',
    'http:/a/',
    'http:///a',
    'http://',
    'http://a b/',
    'http://a@/',
    'http://a\\b/',
    'http://a:b/',
    'http://::1/',
    'ftp://a/',
    '/\x00',
    '/\x1f',
    '/\x7f',
    '/\t',
  ])('answers 400 to the target %j', (target) => {
    expect(parse(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatchObject({ status: 400 });
  });

  it('takes the target of CONNECT for the host, whatever Host says', () => {
    expect(parse('CONNECT a:443 HTTP/1.1\r\nHost: b\r\n\r\n')).toMatchObject({
      method: 'CONNECT',
      host: 'a:443',
      target: '/',
      isLineVerbatim: false,
    });
  });

  it.each([
    'a',
    'a:',
    ':443',
    ':',
    'a:443/',
    'a:443?',
    'a:443#',
    'u@a:443',
    'http://a:443',
    'a:$x',
    '/',
    '*',
  ])('answers 400 to CONNECT %s', (target) => {
    expect(parse(`CONNECT ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatchObject({ status: 400 });
  });

  it.each(['/', '*', 'http://a/', 'a', ':443', 'a:'])('answers 400 to CONNECT %s', (target) => {
    expect(parse(`CONNECT ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatchObject({ status: 400 });
  });

  it.each([
    ['/#a', '/'],
    ['/a?b#c?d#e', '/a?b'],
    ['http://a?b#c', '/?b'],
    ['http://a#b', '/'],
  ])('drops the fragment of %j', (target, kept) => {
    expect(accept(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatchObject({
      target: kept,
      isLineVerbatim: false,
    });
  });

  it.each([
    ['HTTP/1.0', 0, false],
    ['HTTP/1.1', 1, true],
    ['HTTP/1.2', 1, false],
    ['HTTP/1.9', 1, false],
  ])('takes %s as minor version %i; line passed on as it is: %s', (version, versionMinor, isLineVerbatim) => {
    expect(accept(`GET / ${version}\r\nHost: a\r\n\r\n`)).toMatchObject({ versionMinor, isLineVerbatim });
  });

  it.each([
    ['HTTP/2.0', 505],
    ['HTTP/3.0', 505],
    ['HTTP/9.9', 505],
    ['HTTP/0.9', 400],
    ['HTTP/0.8', 400],
    ['HTTP/1', 400],
    ['HTTP/1.', 400],
    ['HTTP/1.11', 400],
    ['HTTP/11.1', 400],
    ['HTTP/1,1', 400],
    ['HTTP/a.1', 400],
    ['HTTP/1.a', 400],
    ['http/1.1', 400],
    ['HTTP 1.1', 400],
    ['HTTPS/1.1', 400],
    ['ICE/1.0', 400],
    ['', 400],
    [' HTTP/1.1', 400],
    ['HTTP/1.1 ', 400],
    ['HTTP/1.1\t', 400],
    ['HTTP/1.1\x00', 400],
    ['HTTP/1.1\r', 400],
    ['HTTP/1.1 x', 400],
  ])('answers the version %j with %i', (version, status) => {
    expect(parse(`GET / ${version}\r\nHost: a\r\n\r\n`)).toMatchObject({ status });
  });

  it('answers 400 to HTTP/0.9 and 505 to an HTTP/2 preface', () => {
    expect(parse('GET /\r\n\r\n')).toMatchObject({ status: 400 });
    expect(parse('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toMatchObject({ status: 505 });
  });

  it('takes line ends of LF alone, and then never passes the line on as it is', () => {
    expect(accept('GET / HTTP/1.1\nHost: a\nB: c\n\nrest')).toMatchObject({
      isLineVerbatim: false,
      fields: [
        ['Host', 'a'],
        ['B', 'c'],
      ],
      headBytes: 'GET / HTTP/1.1\nHost: a\nB: c\n\n'.length,
    });
  });

  it.each([
    'GET / HTTP/1.1\r',
    'GET / HTTP/1.1\r\n',
    'GET / HTTP/1.1\r\nHost: a\r',
    'GET / HTTP/1.1\r\nHost: a\r\n\r',
    'GET / HTTP/1.1\r\nHost: a\r\nB',
    'GET / HTTP/1.1\r\nHost: a\r\nB: ',
    'GET / HTTP/',
    'GET /',
    'G',
  ])('waits for more behind %j', (text) => {
    expect(parse(text)).toBeNull();
  });

  describe('fields', () => {
    it.each([
      ['A : b', 'white space in or after a field name'],
      ['A\t: b', 'white space in or after a field name'],
      ['A b: c', 'white space in or after a field name'],
      [' A: b', 'a folded field line'],
      ['\tA: b', 'a folded field line'],
      ['A: b\r\n c', 'a folded field line'],
      ['A: b\r\n\tc', 'a folded field line'],
      [': b', 'a field line without a name'],
      ['A', 'a field line without a colon'],
      ['A\r: b', 'a field line without a colon'],
      ['A\x00: b', 'an invalid character in a field name'],
      ['A\xff: b', 'an invalid character in a field name'],
      ['A(): b', 'an invalid character in a field name'],
      ['A: b\x00c', 'a control character in a field value'],
      ['A: \x07', 'a control character in a field value'],
      ['A: b\x7f', 'a control character in a field value'],
      ['A: b\x0b', 'a control character in a field value'],
      ['A: b\x0cc', 'a control character in a field value'],
      ['A: b\rc', 'a CR without LF'],
      ['A:\rContent-Length: 5', 'a CR without LF'],
      ['A: b\r', 'a CR without LF'],
      ['\rA: b', 'a CR without LF'],
    ])('are refused with 400: %j', (line, reason) => {
      expect(parse(withLines(line))).toEqual({ status: 400, reason });
    });

    it.each([
      ['A:b', 'A', 'b'],
      ['A:', 'A', ''],
      ['A:   ', 'A', ''],
      ['A: \t b \t c \t ', 'A', 'b \t c'],
      ['A: caf\xe9 \xff\x80', 'A', 'caf\xe9 \xff\x80'],
      ["!#$%&'*+-.^_`|~0aZ: b", "!#$%&'*+-.^_`|~0aZ", 'b'],
      ['A: b: c, "d";e=\\"', 'A', 'b: c, "d";e=\\"'],
    ])('are taken: %j', (line, name, value) => {
      expect(accept(withLines(line)).fields.at(-1)).toEqual([name, value]);
    });
  });

  describe('Host', () => {
    it.each([
      ['GET / HTTP/1.1\r\n\r\n', 'none with HTTP/1.1'],
      ['GET http://a/ HTTP/1.1\r\n\r\n', 'none with HTTP/1.1 and an absolute target'],
      ['GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 'two'],
      ['GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n', 'two with HTTP/1.0'],
      ['GET / HTTP/1.1\r\nHost:\r\n\r\n', 'an empty one'],
      ['GET http://a/ HTTP/1.1\r\nHost: b/c\r\n\r\n', 'an invalid one beside an absolute target'],
    ])('is needed once: 400 to %j (%s)', (text) => {
      expect(parse(text)).toMatchObject({ status: 400 });
    });

    it.each([
      'a b',
      'a/b',
      'a@b',
      'a:b',
      'a:80:80',
      'a\\b',
      'a?b',
      'a#b',
      '[::1',
      '[::1]a',
      '::1',
      'a\xa0',
      'a"',
    ])('may not be %j', (host) => {
      expect(parse(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toEqual({
        status: 400,
        reason: 'invalid host header',
      });
    });

    it.each([
      'a',
      'A.b-c_d',
      'a:80',
      'a:',
      '127.0.0.1',
      '[::1]',
      '[::ffff:1.2.3.4]:80',
      '0.0.0.0=5000',
      '%41',
    ])('may be %j', (host) => {
      expect(accept(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).host).toBe(host);
    });

    it('may be missing from HTTP/1.0', () => {
      expect(accept('GET / HTTP/1.0\r\n\r\n').host).toBe('');
      expect(accept('GET http://b/c HTTP/1.0\r\n\r\n')).toMatchObject({ host: 'b', target: '/c' });
    });
  });

  describe('framing', () => {
    it.each(['0', '5', '005', '999999999999999'])('takes Content-Length %s', (length) => {
      expect(accept(withLines(`Content-Length: ${length}`)).contentLength).toBe(Number(length));
    });

    it.each([
      '',
      '+1',
      '-1',
      '-0',
      '1 ,1',
      '1, 1',
      '1 1',
      '1.0',
      '1e3',
      '0x1',
      '0_1',
      '\xb2',
      'a',
      '1000000000000000',
      '18446744073709551617',
    ])('answers 400 to Content-Length %j', (length) => {
      expect(parse(withLines(`Content-Length: ${length}`))).toEqual({
        status: 400,
        reason: 'invalid "Content-Length" header',
      });
    });

    it.each([
      ['Content-Length: 5', 'content-length: 5'],
      ['Content-Length: 5', 'Content-Length: 6'],
      ['Content-Length: 0', 'X: y', 'CONTENT-LENGTH: 0'],
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Content-Length: 0'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: gzip'],
    ])('answers 400 to %j and %j', (...lines) => {
      expect(parse(withLines(...lines))).toMatchObject({ status: 400 });
    });

    it.each([
      'gzip',
      'chunked, gzip',
      'chunked, chunked',
      'chunked;q=1',
      ',chunked,',
      'gzip, chunked',
      'identity',
      '',
      'chunkedchunked',
      'xchunked',
      '"chunked"',
      'chunked x',
      'chu\tnked',
      ', chunked',
    ])('answers 501 to Transfer-Encoding %j', (coding) => {
      expect(parse(withLines(`Transfer-Encoding: ${coding}`))).toEqual({
        status: 501,
        reason: 'unknown "Transfer-Encoding"',
      });
    });

    it.each(['chunked', 'CHUNKED', ' \tchunked\t '])('takes Transfer-Encoding %j', (coding) => {
      expect(accept(withLines(`Transfer-Encoding:${coding}`)).isChunked).toBe(true);
    });

    it('answers 400 to Transfer-Encoding in HTTP/1.0', () => {
      expect(parse('POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n')).toMatchObject({ status: 400 });
    });
  });

  describe('Expect', () => {
    it('is 100-continue, from HTTP/1.1 on', () => {
      expect(accept(withLines('Expect: 100-Continue')).expectsContinue).toBe(true);
      expect(accept('GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n').expectsContinue).toBe(false);
    });

    it.each(['', '200-ok', '100-continue, x'])('is ignored when it is %j', (value) => {
      expect(accept(withLines(`Expect: ${value}`)).expectsContinue).toBe(false);
    });
  });

  describe('Upgrade', () => {
    it('counts when Connection asks for it, from HTTP/1.1 on', () => {
      expect(accept(withLines('Connection: Upgrade', 'Upgrade: websocket')).upgrade).toBe('websocket');
      expect(accept(withLines('Upgrade: tcp', 'Connection: x, upgrade')).upgrade).toBe('tcp');
      expect(accept(withLines('Upgrade: websocket')).upgrade).toBe('');
      expect(accept('GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n').upgrade).toBe('');
    });

    it.each(['h2c', 'H2C', 'websocket, h2c', 'h2c,websocket', 'HTTP/2.0', 'x, h2', 'TLS/1.0', 'HTTP/1.1'])(
      'to %s is not passed on, since it would carry requests nobody checks',
      (value) => {
        expect(accept(withLines('Connection: upgrade', `Upgrade: ${value}`)).upgrade).toBe('');
      },
    );
  });

  it('gathers the options of all Connection fields', () => {
    const lines = withLines('Connection: close, X-A', 'connection: keep-alive,,x-a , Host');
    expect(accept(lines).connection).toEqual({
      close: true,
      keepAlive: true,
      upgrade: false,
      named: ['x-a'],
    });
  });

  describe('limits', () => {
    const limits: HeadLimits = { lineBytes: 60, headBytes: 120, fieldCount: 3 };
    const line = (bytes: number) => `GET /${'a'.repeat(bytes - 16)} HTTP/1.1\r\n`;
    const field = (bytes: number) => `B: ${'b'.repeat(bytes - 5)}\r\n`;

    it('let pass a request line of lineBytes, and answer 414 to one byte more', () => {
      expect(parse(`${line(60)}Host: a\r\n\r\n`, limits)).toMatchObject({ method: 'GET' });
      expect(parse(`${line(61)}Host: a\r\n\r\n`, limits)).toEqual({
        status: 414,
        reason: 'too long URI',
      });
      expect(parse(`${'A'.repeat(61)}`, limits)).toMatchObject({ status: 414 });
      expect(parse(`GET /${'a'.repeat(56)}`, limits)).toMatchObject({ status: 414 });
    });

    it('let pass a field line of lineBytes, and answer 494 to one byte more', () => {
      const start = 'GET / HTTP/1.1\r\nHost: a\r\n';
      expect(parse(`${start}${field(60)}\r\n`, limits)).toMatchObject({ method: 'GET' });
      expect(parse(`${start}${field(61)}\r\n`, limits)).toMatchObject({ status: 494 });
      expect(parse(`${start}${'b'.repeat(61)}`, limits)).toMatchObject({ status: 494 });
    });

    it('let pass a head of headBytes, and answer 494 to one byte more', () => {
      const start = `GET / HTTP/1.1\r\nHost: a\r\n${field(40)}`;
      expect(parse(`${start}${field(120 - start.length - 2)}\r\nrest`, limits)).toMatchObject({
        headBytes: 120,
      });
      expect(parse(`${start}${field(121 - start.length - 2)}\r\n`, limits)).toMatchObject({ status: 494 });
      expect(parse(`${start}${field(120 - start.length)}`, limits)).toBeNull();
    });

    it('let pass fieldCount lines, and answer 494 to one more', () => {
      expect(parse('GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nA: b\r\n\r\n', limits)).toMatchObject({
        method: 'GET',
      });
      expect(parse('GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nA: b\r\nA: b\r\n\r\n', limits)).toMatchObject({
        status: 494,
      });
    });

    it('go before whatever stands behind them', () => {
      expect(parse(`GET /${'a'.repeat(60)}\x00`, limits)).toMatchObject({ status: 414 });
      expect(parse(`GET / HTTP/1.1\r\nA: ${'b'.repeat(60)}\x00`, limits)).toMatchObject({ status: 494 });
    });

    it('are 8 KB a line, 32 KB a head and 1000 lines by default', () => {
      const lines = (count: number) => `GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(count - 1)}\r\n`;
      expect(accept(lines(1000)).fields).toHaveLength(1000);
      expect(parse(lines(1001))).toMatchObject({ status: 494 });
      expect(accept(`${line(8192)}Host: a\r\n\r\n`).target).toHaveLength(8177);
      expect(parse(`${line(8193)}Host: a\r\n\r\n`)).toMatchObject({ status: 414 });
      const start = `GET / HTTP/1.1\r\nHost: a\r\n${field(8192).repeat(3)}`;
      expect(accept(`${start}${field(32768 - start.length - 2)}\r\n`).headBytes).toBe(32768);
      expect(parse(`${start}${field(32769 - start.length - 2)}\r\n`)).toMatchObject({ status: 494 });
    });
  });
});
