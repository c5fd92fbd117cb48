import { describe, expect, it } from 'vitest';
import { feedEveryWay, type ResponseOutcome, responseHeadFeed } from './contract.js';
import { DEFAULT_HEAD_LIMITS, type HeadLimits } from './malformed.js';

/** What every way of splitting makes of the bytes. */
function parse(text: string, limits: HeadLimits = DEFAULT_HEAD_LIMITS) {
  return feedEveryWay(text, () => responseHeadFeed(limits));
}

function accept(text: string): ResponseOutcome {
  const verdict = parse(text);
  if (verdict === null || 'reason' in verdict) throw new Error(`not accepted: ${JSON.stringify(verdict)}`);
  return verdict;
}

function withLines(...lines: string[]): string {
  return `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

describe('ResponseHead', () => {
  it('reads status, fields and framing, and where the body begins', () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: X-B, close\r\nX-A:\tb \r\n\r\n';
    expect(parse(`${head}hello`)).toEqual({
      status: 200,
      statusLine: 'HTTP/1.1 200 OK\r\n',
      versionMinor: 1,
      contentLength: 5,
      isChunked: false,
      connection: { close: true, keepAlive: false, upgrade: false, named: ['x-b'] },
      fields: [
        ['Content-Length', '5'],
        ['Connection', 'X-B, close'],
        ['X-A', 'b'],
      ],
      headBytes: head.length,
    });
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\n', 1],
    ['HTTP/1.0 200 OK\r\n', 'HTTP/1.1 200 OK\r\n', 0],
    ['HTTP/1.2 404 Not \xe9 found\t!\r\n', 'HTTP/1.1 404 Not \xe9 found\t!\r\n', 1],
    ['HTTP/1.1 200 \r\n', 'HTTP/1.1 200 \r\n', 1],
    ['HTTP/1.1 200\r\n', 'HTTP/1.1 200 \r\n', 1],
    ['HTTP/1.1 200\n', 'HTTP/1.1 200 \r\n', 1],
    ['HTTP/1.1 999  x \n', 'HTTP/1.1 999  x \r\n', 1],
    ['HTTP/1.1 100 Continue\r\n', 'HTTP/1.1 100 Continue\r\n', 1],
  ])('takes the status line %j and passes it on as HTTP/1.1', (line, statusLine, versionMinor) => {
    expect(accept(`${line}\r\n`)).toMatchObject({ statusLine, versionMinor });
  });

  it.each([
    'HTTP/2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1.x 200 OK',
    'HTTP/1.10 200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 200 O\x00K',
    'HTTP/1.1 200 O\x7fK',
    'HTTP/1.1 200 O\rK',
    ' HTTP/1.1 200 OK',
    '<html></html>  ',
  ])('refuses the status line %j', (line) => {
    expect(parse(`${line}\r\nContent-Length: 0\r\n\r\n`)).toMatchObject({ status: 502 });
  });

  it.each([
    ['A : b'],
    ['A: b', ' c'],
    ['A: b\rc'],
    ['A: b\x00'],
    ['A b'],
    [': b'],
    ['Content-Length: 5', 'Content-Length: 5'],
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    ['Content-Length: 5, 5'],
    ['Content-Length: -1'],
    ['Content-Length:'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: gzip, chunked'],
    ['Transfer-Encoding: chunked, gzip'],
    ['Transfer-Encoding: identity'],
    ['Transfer-Encoding:'],
  ])('refuses %j', (...lines) => {
    const verdict = parse(withLines(...lines));
    expect(verdict).toHaveProperty('reason');
  });

  it('refuses Transfer-Encoding in HTTP/1.0', () => {
    expect(parse('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')).toMatchObject({ status: 502 });
  });

  it('takes Transfer-Encoding: chunked in any case', () => {
    expect(accept(withLines('Transfer-Encoding: Chunked')).isChunked).toBe(true);
  });

  it('takes line ends of LF alone', () => {
    const head = 'HTTP/1.0 200 OK\nA: b\nContent-Length: 3\n\n';
    expect(accept(`${head}abc`)).toMatchObject({ contentLength: 3, headBytes: head.length });
  });

  it.each(['HTTP/1.1 200', 'HTTP/1.1 200 OK\r', 'HTTP/1.1 200 OK\r\nA: b\r\n', 'HTTP', ''])(
    'waits for more behind %j',
    (text) => {
      expect(parse(text)).toBeNull();
    },
  );

  it('holds a line, the head and the number of lines to its limits', () => {
    const limits: HeadLimits = { lineBytes: 40, headBytes: 80, fieldCount: 2 };
    expect(parse(`HTTP/1.1 200 ${'a'.repeat(25)}\r\n\r\n`, limits)).toMatchObject({ status: 200 });
    expect(parse(`HTTP/1.1 200 ${'a'.repeat(26)}\r\n\r\n`, limits)).toEqual({
      status: 502,
      reason: 'too long a status line',
    });
    const start = 'HTTP/1.1 200 OK\r\n';
    const field = (bytes: number) => `A: ${'b'.repeat(bytes - 5)}\r\n`;
    const tooLarge = { status: 502, reason: 'too large a field section' };
    expect(parse(`${start}${field(40)}\r\n`, limits)).toMatchObject({ status: 200 });
    expect(parse(`${start}${field(41)}\r\n`, limits)).toEqual(tooLarge);
    expect(parse(`${start}${field(30)}${field(31)}\r\n`, limits)).toMatchObject({ headBytes: 80 });
    expect(parse(`${start}${field(30)}${field(32)}\r\n`, limits)).toEqual(tooLarge);
    expect(parse(`${start}A:\r\nA:\r\nA:\r\n\r\n`, limits)).toEqual(tooLarge);
  });
});
