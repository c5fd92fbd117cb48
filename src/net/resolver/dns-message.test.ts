import { describe, expect, it } from 'vitest';
import {
  type DnsAnswer,
  DnsMalformed,
  decodeAnswer,
  encodeQuestion,
  isDnsName,
  RecordType,
} from './dns-message.js';

const NAME = '0161076578616d706c65036e657400'; // a.example.net

/** An answer to the question for `type` of a.example.net, of these records in hexadecimal. */
function answer(
  type: number,
  records: readonly string[],
  { code = 0, authority = [] as string[] } = {},
): Buffer {
  const header = Buffer.from('0007818000010000000000000000'.slice(0, 24), 'hex');
  header[3]! |= code;
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(authority.length, 8);
  const question = Buffer.concat([Buffer.from(NAME, 'hex'), Buffer.from([0, type, 0, 1])]);
  return Buffer.concat([
    header,
    question,
    ...[...records, ...authority].map((each) => Buffer.from(each, 'hex')),
  ]);
}

/** A record of the asked name, ttl 60 unless said otherwise; `data` in hexadecimal. */
function record(type: number, data: string, ttl = '0000003c'): string {
  const hex = (number: number) => number.toString(16).padStart(4, '0');
  return `c00c${hex(type)}0001${ttl}${hex(data.length / 2)}${data}`;
}

function ipv6(bytes: string): string {
  return decodeAnswer(answer(RecordType.aaaa, [record(RecordType.aaaa, bytes)])).addresses[0]!;
}

describe('a question', () => {
  it('asks for one name with recursion', () => {
    expect(encodeQuestion(0x1234, 'a.example.net', RecordType.a).toString('hex')).toBe(
      `123401000001000000000000${NAME}00010001`,
    );
  });

  it('takes a dot at the end of a name for what it is', () => {
    expect(encodeQuestion(1, 'a.example.net.', 1)).toEqual(encodeQuestion(1, 'a.example.net', 1));
  });

  it.each(['', '.', 'a..b', 'x'.repeat(64), `${'a.'.repeat(600)}b`])('cannot be about "%s"', (name) => {
    expect(isDnsName(name)).toBe(false);
  });

  it.each(['a', 'a.', '_http._tcp.example.net', 'x'.repeat(63)])('can be about "%s"', (name) => {
    expect(isDnsName(name)).toBe(true);
  });
});

describe('an answer', () => {
  it('gives addresses and the least time to live', () => {
    const bytes = answer(RecordType.a, [record(1, '7f000001'), record(1, '0a010203', '00000005')]);
    expect(decodeAnswer(bytes)).toEqual({
      id: 7,
      code: 0,
      isTruncated: false,
      name: 'a.example.net',
      type: RecordType.a,
      addresses: ['127.0.0.1', '10.1.2.3'],
      services: [],
      cname: null,
      ttl: 5,
      negativeTtl: -1,
    } satisfies DnsAnswer);
  });

  it.each([
    ['00000000000000000000000000000001', '::1'],
    ['00000000000000000000000000000000', '::'],
    ['fe800000000000000000000000000001', 'fe80::1'],
    ['20010db8000000010000000000000000', '2001:db8:0:1::'],
    ['20010db8000100020003000400050006', '2001:db8:1:2:3:4:5:6'],
    ['00010000000200030004000500060007', '1:0:2:3:4:5:6:7'],
    ['00010000000000020000000000000003', '1:0:0:2::3'],
  ])('writes the IPv6 address %s as %s', (bytes, text) => {
    expect(ipv6(bytes)).toBe(text);
  });

  it('follows compression pointers in the name of an alias', () => {
    const bytes = answer(RecordType.a, [record(RecordType.cname, '05616c696173c00e')]);
    expect(decodeAnswer(bytes).cname).toBe('alias.example.net');
  });

  it('gives services', () => {
    const bytes = answer(RecordType.srv, [record(RecordType.srv, '000100051f9003615F62c00e')]);
    expect(decodeAnswer(bytes).services).toEqual([
      { priority: 1, weight: 5, port: 8080, host: 'a_b.example.net' },
    ]);
  });

  it('says how long an absence may be believed: the less of the two times of its SOA', () => {
    const soa = record(RecordType.soa, `c00cc00c${'00000001'.repeat(4)}0000001e`, '00000e10');
    expect(decodeAnswer(answer(RecordType.a, [], { code: 3, authority: [soa] })).negativeTtl).toBe(30);
  });

  it('takes a time to live with its highest bit set for none', () => {
    expect(decodeAnswer(answer(RecordType.a, [record(1, '7f000001', 'ffffffff')])).ttl).toBe(0);
  });

  it.each([
    ['a question', '0007010000010000000000000161000001 0001'],
    ['two questions', `000781800002000000000000${NAME}00010001${NAME}00010001`],
    ['the root for a name', '000781800001000000000000000001 0001'],
  ])('is not %s', (_, hex) => {
    expect(() => decodeAnswer(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toThrow(DnsMalformed);
  });

  it.each([
    ['an A record of no bytes', [record(1, '')]],
    ['an A record of five bytes', [record(1, '7f00000100')]],
    ['an AAAA record where A was asked', [record(28, '00'.repeat(16))]],
    ['a pointer to itself', ['c01f00010001']],
    ['a record of another class', [record(1, '7f000001').replace('c00c00010001', 'c00c00010003')]],
  ])('with %s is malformed', (_, records) => {
    expect(() => decodeAnswer(answer(RecordType.a, records))).toThrow(DnsMalformed);
  });

  it('cut off anywhere is malformed, and nothing worse', () => {
    const bytes = answer(RecordType.srv, [
      record(RecordType.srv, '000100051f9003615F62c00e'),
      record(5, '0161c00e'),
    ]);
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeAnswer(bytes.subarray(0, end))).toThrow(DnsMalformed);
    }
  });

  it('of random bytes is malformed or something, never another error', () => {
    const bytes = answer(RecordType.aaaa, [
      record(28, '00'.repeat(16)),
      record(RecordType.cname, '0161c00e'),
    ]);
    for (let round = 0; round < 20_000; round++) {
      const mutated = Buffer.from(bytes);
      for (let i = 0; i < 1 + (round % 4); i++) {
        mutated[Math.floor(Math.random() * mutated.length)] = Math.floor(Math.random() * 256);
      }
      try {
        decodeAnswer(mutated);
      } catch (error) {
        expect(error).toBeInstanceOf(DnsMalformed);
      }
    }
  });
});
