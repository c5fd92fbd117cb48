import { describe, expect, it } from 'vitest';
import { BodyDecoder, BodyKind } from './body-decoder.js';
import { bodyFeed, feedEveryWay, listFields } from './contract.js';
import { DEFAULT_HEAD_LIMITS, type HeadLimits, MALFORMED } from './malformed.js';

/** What every way of splitting makes of a chunked body. */
function decode(text: string, limits: HeadLimits = DEFAULT_HEAD_LIMITS) {
  return feedEveryWay(text, () => bodyFeed(BodyKind.chunked, 0, limits));
}

/** A whole body, and nothing behind it taken. */
function whole(text: string, payload: string, trailers: [string, string][] = []) {
  return { payload, trailers, isComplete: true, bodyBytes: text.length };
}

describe('BodyDecoder', () => {
  it('has nothing to decode where there is no body', () => {
    expect(feedEveryWay('GET / ', () => bodyFeed(BodyKind.none))).toEqual(whole('', ''));
    expect(feedEveryWay('GET / ', () => bodyFeed(BodyKind.length, 0))).toEqual(whole('', ''));
  });

  it('ends a body by length after its last byte', () => {
    expect(feedEveryWay('hello\r\nGET', () => bodyFeed(BodyKind.length, 7))).toEqual(
      whole('hello\r\n', 'hello\r\n'),
    );
    expect(feedEveryWay('hello', () => bodyFeed(BodyKind.length, 6))).toMatchObject({ isComplete: false });
  });

  it('ends a body without length when the sender closes, no other', () => {
    const body = new BodyDecoder(DEFAULT_HEAD_LIMITS);
    body.start(BodyKind.untilClose, 0);
    const bytes = Buffer.from('any\0thing');
    expect(body.decode(bytes, 2, 9)).toBe(9);
    expect([body.payloadStart, body.payloadEnd, body.isComplete]).toEqual([2, 9, false]);
    expect(body.endAtClose()).toBe(true);
    for (const kind of [BodyKind.length, BodyKind.chunked]) {
      body.start(kind, 5);
      body.decode(Buffer.from('5'), 0, 1);
      expect(body.endAtClose()).toBe(false);
    }
  });

  describe('chunked', () => {
    it.each([
      ['0\r\n\r\n', ''],
      ['000\r\n\r\n', ''],
      ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
      ['5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world'],
      ['A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n', '01234567890123456789a'],
      ['0000000000000005\r\nhello\r\n0\r\n\r\n', 'hello'],
      ['5\r\n\r\n\r\n0\r\n0\r\n\r\n', '\r\n\r\n0'],
      [`1\r\na\r\n${'1\r\nb\r\n'.repeat(40)}0\r\n\r\n`, `a${'b'.repeat(40)}`],
    ])('%j gives %j', (text, payload) => {
      expect(decode(text)).toEqual(whole(text, payload));
      expect(decode(`${text}GET / HTTP/1.1\r\n`)).toEqual(whole(text, payload));
    });

    it.each(['5;a\r\n', '5;a=b;c="d e\\"f"\r\n', '5;\r\n', '5; a = b\t\r\n', '5;\xe9\r\n', '5;;=\r\n'])(
      'passes over the extension in %j',
      (line) => {
        const text = `${line}hello\r\n0${line.slice(1, -2)}\r\n\r\n`;
        expect(decode(text)).toEqual(whole(text, 'hello'));
      },
    );

    it.each([
      ['\r\n', 'an invalid chunk size'],
      [' 5\r\nhello\r\n', 'an invalid chunk size'],
      ['5 \r\nhello\r\n', 'an invalid chunk size'],
      ['5 ;a\r\nhello\r\n', 'an invalid chunk size'],
      ['5\t\r\nhello\r\n', 'an invalid chunk size'],
      ['5\nhello\n0\n\n', 'an invalid chunk size'],
      ['+5\r\nhello\r\n', 'an invalid chunk size'],
      ['-5\r\nhello\r\n', 'an invalid chunk size'],
      ['0x5\r\nhello\r\n', 'an invalid chunk size'],
      ['5_0\r\nhello\r\n', 'an invalid chunk size'],
      [';a\r\nhello\r\n', 'an invalid chunk size'],
      ['g\r\n', 'an invalid chunk size'],
      ['5,5\r\n', 'an invalid chunk size'],
      ['5\x00\r\n', 'an invalid chunk size'],
      ['5\xb2\r\n', 'an invalid chunk size'],
      ['5\rhello', 'a CR without LF in a chunk'],
      ['5\r\r\nhello\r\n', 'a CR without LF in a chunk'],
      ['5\r\nhello\r0', 'a CR without LF in a chunk'],
      ['5\r\nhello0\r\n\r\n', 'a chunk longer than its size'],
      ['5\r\nhello\n0\r\n', 'a chunk longer than its size'],
      ['4\r\nhello\r\n', 'a chunk longer than its size'],
      ['5;a\nhello\r\n', 'a control character in a chunk extension'],
      ['5;a\x00b\r\nhello\r\n', 'a control character in a chunk extension'],
      ['5;a\x7f\r\nhello\r\n', 'a control character in a chunk extension'],
      ['5;a\rb\r\nhello\r\n', 'a CR without LF in a chunk'],
      ['00000000000000005\r\n', 'too large a chunk size'],
      ['20000000000000\r\n', 'too large a chunk size'],
      ['ffffffffffffffff\r\n', 'too large a chunk size'],
      ['10000000000000005\r\n', 'too large a chunk size'],
    ])('refuses %j', (text, reason) => {
      expect(decode(text)).toEqual({ reason });
      expect(decode(`3\r\nabc\r\n${text}`)).toEqual({ reason });
    });

    it('takes sizes up to the largest exact number, and waits for so much', () => {
      expect(decode('1fffffffffffff\r\na')).toMatchObject({ payload: 'a', isComplete: false });
    });

    it('takes an extension of 1024 bytes, not of 1025', () => {
      const text = `1;${'a'.repeat(1024)}\r\nb\r\n0\r\n\r\n`;
      expect(decode(text)).toEqual(whole(text, 'b'));
      expect(decode(`1;${'a'.repeat(1025)}`)).toEqual({ reason: 'too long a chunk extension' });
    });

    it.each([
      '',
      '5',
      '5\r',
      '5\r\n',
      '5\r\nhell',
      '5\r\nhello',
      '5\r\nhello\r',
      '5\r\nhello\r\n0\r\n',
      '0\r\n\r',
    ])('waits for more behind %j', (text) => {
      expect(decode(text)).toMatchObject({ isComplete: false });
    });

    it('moves the payload of one read together, in place and at its first chunk', () => {
      const body = new BodyDecoder(DEFAULT_HEAD_LIMITS);
      body.start(BodyKind.chunked, 0);
      const bytes = Buffer.from('xx3\r\nabc\r\n2\r\nde\r\n4\r\nfgyy');
      expect(body.decode(bytes, 2, bytes.length - 2)).toBe(bytes.length - 2);
      expect(bytes.toString('latin1', body.payloadStart, body.payloadEnd)).toBe('abcdefg');
      expect(body.payloadStart).toBe(5);
      expect(bytes.toString('latin1', bytes.length - 2)).toBe('yy');
      expect(body.remainingBytes).toBe(2);
    });

    it('leaves what stands behind the body untouched', () => {
      const body = new BodyDecoder(DEFAULT_HEAD_LIMITS);
      body.start(BodyKind.chunked, 0);
      const bytes = Buffer.from('3\r\nabc\r\n3\r\ndef\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n');
      const after = body.decode(bytes, 0, bytes.length);
      expect(bytes.toString('latin1', after)).toBe('GET / HTTP/1.1\r\n');
      expect(listFields(body.trailers!)).toEqual([['A', 'b']]);
    });
  });

  describe('trailers', () => {
    it('are fields like those of a head', () => {
      const text = '1\r\na\r\n0\r\nVary: *\r\nX-Sum:  abc \r\n\r\n';
      const trailers: [string, string][] = [
        ['Vary', '*'],
        ['X-Sum', 'abc'],
      ];
      expect(decode(text)).toEqual(whole(text, 'a', trailers));
    });

    it.each([
      ['A b\r\n\r\n', 'white space in or after a field name in its trailer'],
      ['A : b\r\n\r\n', 'white space in or after a field name in its trailer'],
      ['A\r\n\r\n', 'a field line without a colon in its trailer'],
      ['A: b\r\n c\r\n\r\n', 'a folded field line in its trailer'],
      ['A: b\x00\r\n\r\n', 'a control character in a field value in its trailer'],
      ['A: b\rc\r\n\r\n', 'a CR without LF in its trailer'],
      ['A: b\n\r\n', 'a LF without CR in its trailer'],
      ['A: b\r\n\n', 'a LF without CR in its trailer'],
      ['\n', 'a LF without CR in its trailer'],
      ['\rGET', 'a CR without LF in its trailer'],
      ['GET / HTTP/1.1\r\n', 'white space in or after a field name in its trailer'],
    ])('are refused when they are %j', (section, reason) => {
      expect(decode(`1\r\na\r\n0\r\n${section}`)).toEqual({ reason });
    });

    it('are held to the limits of a head', () => {
      const limits: HeadLimits = { lineBytes: 20, headBytes: 40, fieldCount: 3 };
      const tooLarge = { reason: 'too large a field section in its trailer' };
      expect(decode(`0\r\nA: ${'b'.repeat(15)}\r\n\r\n`, limits)).toMatchObject({ isComplete: true });
      expect(decode(`0\r\nA: ${'b'.repeat(16)}\r\n\r\n`, limits)).toEqual(tooLarge);
      expect(decode(`0\r\n${'A: bcdefghijk\r\n'.repeat(2)}A: bcd\r\n\r\n`, limits)).toMatchObject({
        isComplete: true,
        bodyBytes: 43,
      });
      expect(decode(`0\r\n${'A: bcdefghijk\r\n'.repeat(2)}A: bcde\r\n\r\n`, limits)).toEqual(tooLarge);
      expect(decode(`0\r\n${'A:\r\n'.repeat(4)}\r\n`, limits)).toEqual(tooLarge);
    });

    it('belong to one body: nothing of them is seen in the next', () => {
      const body = new BodyDecoder(DEFAULT_HEAD_LIMITS);
      for (const [text, count] of [
        ['0\r\nA: b\r\nC: d\r\n\r\n', 2],
        ['0\r\nA', null],
        ['0\r\nE: f\r\n\r\n', 1],
        ['0\r\n\r\n', null],
      ] as const) {
        body.start(BodyKind.chunked, 0);
        for (const byte of Buffer.from(text)) expect(body.decode(Buffer.of(byte), 0, 1)).not.toBe(MALFORMED);
        expect(body.trailers?.count ?? null).toBe(count);
      }
    });
  });
});
