import { describe, expect, test } from 'vitest';
import { type ProxyProtocolStart, readProxyProtocol } from './proxy-protocol.js';

/** Reads `bytes` whole, byte by byte, and split at every offset: the one outcome of them all. */
function read(bytes: Buffer): ProxyProtocolStart {
  const whole = readProxyProtocol(bytes, bytes.length);
  for (let end = 0; end < bytes.length; end++) {
    const some = readProxyProtocol(Buffer.from(bytes.subarray(0, end)), end);
    if (some.kind !== 'incomplete') {
      expect(some, `the first ${end} bytes`).toEqual(whole);
      return whole;
    }
  }
  return whole;
}

function readText(text: string): ProxyProtocolStart {
  return read(Buffer.from(text, 'latin1'));
}

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];

function v2(command: number, family: number, payload: number[], length = payload.length): Buffer {
  return Buffer.from([...SIGNATURE, command, family, length >> 8, length & 0xff, ...payload]);
}

const FOUR = [192, 0, 2, 1, 192, 0, 2, 2, 0, 123, 22, 46];

describe('PROXY protocol version 1', () => {
  test('tells addresses and ports of IPv4 and IPv6, as they were written', () => {
    expect(readText('PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n')).toEqual({
      kind: 'header',
      after: 41,
      header: {
        sourceAddress: '192.0.2.1',
        sourcePort: 123,
        destinationAddress: '192.0.2.2',
        destinationPort: 5678,
        tlvs: null,
      },
    });
    expect(readText('PROXY TCP6 2001:DB8::1 ::2 0 65535\r\n')).toMatchObject({
      header: { sourceAddress: '2001:DB8::1', destinationAddress: '::2', destinationPort: 65535 },
    });
  });

  test('leaves alone what follows', () => {
    expect(readText('PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\nGET / HTTP/1.1\r\n')).toMatchObject({ after: 32 });
  });

  test('names nobody when it is UNKNOWN, whatever stands behind that', () => {
    expect(readText('PROXY UNKNOWN\r\n')).toEqual({ kind: 'header', after: 15, header: null });
    expect(readText('PROXY UNKNOWN a b c 4 5\r\n')).toEqual({ kind: 'header', after: 25, header: null });
  });

  test.each([
    ['PROXY TCP4 192.0.2.1 192.0.2.2 123\r\n', 'a broken PROXY protocol header'],
    ['PROXY TCP4 192.0.2.1 192.0.2.2 123 5678 9\r\n', 'a broken PROXY protocol header'],
    ['PROXY TCP4 192.0.2.1  192.0.2.2 123 5678\r\n', 'a broken PROXY protocol header'],
    ['PROXY TCP4 192.0.2.256 192.0.2.2 123 5678\r\n', 'an invalid address in a PROXY protocol header'],
    ['PROXY TCP4 ::1 ::2 123 5678\r\n', 'an invalid address in a PROXY protocol header'],
    ['PROXY TCP6 1.2.3.4 1.2.3.5 123 5678\r\n', 'an invalid address in a PROXY protocol header'],
    ['PROXY TCP4 192.0.2.1 192.0.2.2 65536 5678\r\n', 'an invalid port in a PROXY protocol header'],
    ['PROXY TCP4 192.0.2.1 192.0.2.2 +1 5678\r\n', 'an invalid port in a PROXY protocol header'],
    ['PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n', 'an unknown family in a PROXY protocol header'],
    ['PROXY UNKNOWNS\r\n', 'an unknown family in a PROXY protocol header'],
    ['PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n', 'a LF without CR in a PROXY protocol header'],
    ['GET / HTTP/1.1\r\n', 'no PROXY protocol header'],
    ['PROXy TCP4', 'no PROXY protocol header'],
    ['\r\nGET', 'no PROXY protocol header'],
  ])('refuses %j', (text, reason) => {
    expect(readText(text)).toEqual({ kind: 'malformed', reason });
  });

  test('is at most 107 bytes long', () => {
    const line = `PROXY UNKNOWN ${'x'.repeat(91)}`;
    expect(readText(`${line}\r\n`)).toEqual({ kind: 'header', after: 107, header: null });
    expect(readText(`${line}x\r\n`)).toEqual({
      kind: 'malformed',
      reason: 'too long a PROXY protocol header',
    });
  });
});

describe('PROXY protocol version 2', () => {
  test('tells addresses and ports of IPv4 and IPv6', () => {
    expect(read(v2(0x21, 0x11, FOUR))).toEqual({
      kind: 'header',
      after: 28,
      header: {
        sourceAddress: '192.0.2.1',
        sourcePort: 123,
        destinationAddress: '192.0.2.2',
        destinationPort: 5678,
        tlvs: null,
      },
    });
    const six = [
      0x20,
      1,
      0xd,
      0xb8,
      ...new Array<number>(11).fill(0),
      1,
      ...new Array<number>(15).fill(0),
      2,
      0,
      1,
      0,
      2,
    ];
    expect(read(v2(0x21, 0x21, six))).toMatchObject({
      after: 52,
      header: { sourceAddress: '2001:db8::1', destinationAddress: '::2', sourcePort: 1, destinationPort: 2 },
    });
  });

  test('keeps its TLVs in memory of their own, the first of each type', () => {
    const bytes = v2(0x21, 0x11, [...FOUR, 2, 0, 3, 102, 111, 111, 2, 0, 1, 98, 5, 0, 0]);
    const start = read(bytes);
    bytes.fill(63);
    expect(start).toMatchObject({
      header: {
        tlvs: new Map([
          [2, Buffer.from('foo')],
          [5, Buffer.alloc(0)],
        ]),
      },
    });
  });

  test('takes TLVs up to one that goes beyond the end', () => {
    expect(read(v2(0x21, 0x11, [...FOUR, 1, 0, 1, 97, 2, 0, 9, 98]))).toMatchObject({
      header: { tlvs: new Map([[1, Buffer.from('a')]]) },
    });
    expect(read(v2(0x21, 0x11, [...FOUR, 1, 0]))).toMatchObject({ header: { tlvs: null } });
  });

  test('names nobody for LOCAL, for unix sockets and datagrams', () => {
    expect(read(v2(0x20, 0, []))).toEqual({ kind: 'header', after: 16, header: null });
    expect(read(v2(0x21, 0x31, new Array<number>(216).fill(0)))).toEqual({
      kind: 'header',
      after: 232,
      header: null,
    });
    expect(read(v2(0x21, 0x12, FOUR))).toMatchObject({ header: null });
  });

  test.each([
    ['another version', v2(0x11, 0x11, FOUR), 'an unknown version of the PROXY protocol'],
    ['another command', v2(0x22, 0x11, FOUR), 'an unknown command of the PROXY protocol'],
    ['too little room for its addresses', v2(0x21, 0x11, FOUR.slice(1)), 'a broken PROXY protocol header'],
    ['more than 4096 bytes', v2(0x21, 0x11, FOUR, 4081), 'too large a PROXY protocol header'],
  ])('refuses %s', (_, bytes, reason) => {
    expect(read(bytes)).toEqual({ kind: 'malformed', reason });
  });
});
