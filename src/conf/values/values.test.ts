// biome-ignore-all lint/suspicious/noTemplateCurlyInString: "${" is syntax of nginx here
import { describe, expect, it } from 'vitest';
import { parse } from '../syntax/parser.js';
import { Source } from '../syntax/source.js';
import { offsetInSource } from '../syntax/word-offset.js';
import { isIpv4, isIpv6, listenAddress, peerAddress } from './address.js';
import { flag } from './flag.js';
import { keyword } from './keyword.js';
import { number } from './number.js';
import { oneOf } from './one-of.js';
import { matcher, regex } from './regex.js';
import { offset, size } from './size.js';
import { existingFile, text } from './text.js';
import { timeMs, wholeSecondsMs } from './time.js';
import { Refusal, type ValueType } from './value-type.js';
import { variableText } from './variable-text.js';

/** What a type makes of a text: the value, or both messages for a directive called "d". */
function read(type: ValueType<unknown>, value: string): unknown {
  const result = type.parse(value);
  return result instanceof Refusal ? [result.message, result.nginxText('d')] : result;
}

describe('values', () => {
  it.each<[string, ValueType<unknown>, string, unknown]>([
    ['flag', flag, 'on', true],
    ['flag', flag, 'OFF', false],
    [
      'flag',
      flag,
      'yes',
      [
        'Cannot parse flag "yes": use on or off',
        'invalid value "yes" in "d" directive, it must be "on" or "off"',
      ],
    ],
    ['keyword', keyword('any', 'all'), 'ALL', 'all'],
    ['keyword', keyword('any', 'all'), 'al', ['Cannot take "al": did you mean "all"?', 'invalid value "al"']],
    ['keyword', keyword('any', 'all'), 'x', ['Cannot take "x": use any, all', 'invalid value "x"']],
    ['number', number(), '010', 10],
    [
      'number',
      number(),
      '-1',
      ['Cannot parse number "-1": write a whole number such as 10', '"d" directive invalid number'],
    ],
    ['number', number(), '', [expect.anything(), '"d" directive invalid number']],
    ['number', number(), '99999999999999999999', [expect.anything(), '"d" directive invalid number']],
    ['number', number({ min: 1, max: 9 }), '9', 9],
    [
      'number',
      number({ min: 1, max: 9 }),
      '10',
      ['Cannot take number "10": use 1 to 9', 'value must be between 1 and 9'],
    ],
    [
      'number',
      number({ min: 1 }),
      '0',
      ['Cannot take number "0": use at least 1', 'value must be equal to or greater than 1'],
    ],
    ['size', size, '8k', 8192],
    [
      'size',
      size,
      '1g',
      ['Cannot parse size "1g": unknown unit "g"; use k or m', '"d" directive invalid value'],
    ],
    ['offset', offset, '1G', 1024 ** 3],
    ['time', timeMs, '1m30s', 90_000],
    ['time', timeMs, '1y', [expect.stringContaining('unknown unit "y"'), '"d" directive invalid value']],
    ['time', wholeSecondsMs, '1M', 30 * 86_400_000],
    [
      'time',
      wholeSecondsMs,
      '1ms',
      [expect.stringContaining('unknown unit "ms"'), '"d" directive invalid value'],
    ],
    ['text', text(), ' any ', ' any '],
    ['file', existingFile, '/a', '/a'],
    ['one of', oneOf(keyword('off'), size), 'off', 'off'],
    ['one of', oneOf(keyword('off'), size), '1k', 1024],
    [
      'one of',
      oneOf(keyword('off'), size),
      'x',
      [expect.stringContaining('Cannot parse size "x"'), expect.anything()],
    ],
  ])('%s: %#: %o reads %j', (_, type, value, expected) => {
    expect(read(type, value)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['', []],
    ['a{b}', [{ kind: 'literal', text: 'a{b}' }]],
    ['$Host', [{ kind: 'variable', name: 'host' }]],
    [
      'http://${host}a$1$uri-$arg_x:80',
      [
        { kind: 'literal', text: 'http://' },
        { kind: 'variable', name: 'host' },
        { kind: 'literal', text: 'a' },
        { kind: 'capture', group: 1 },
        { kind: 'variable', name: 'uri' },
        { kind: 'literal', text: '-' },
        { kind: 'variable', name: 'arg_x' },
        { kind: 'literal', text: ':80' },
      ],
    ],
    [
      '$12$0',
      [
        { kind: 'capture', group: 1 },
        { kind: 'literal', text: '2' },
        { kind: 'variable', name: '0' },
      ],
    ],
    ['${1}', [{ kind: 'variable', name: '1' }]],
    ['a$', ['Cannot parse "a$": no name of a variable follows "$"', 'invalid variable name']],
    ['a$-', [expect.anything(), 'invalid variable name']],
    ['${}', [expect.anything(), 'invalid variable name']],
    ['${', [expect.anything(), 'invalid variable name']],
    [
      '${a-b}',
      ['Cannot parse "${a-b}": "${a" has no closing brace', 'the closing bracket in "a" variable is missing'],
    ],
    ['${-}', [expect.anything(), 'the closing bracket in "" variable is missing']],
  ])('text with variables: %j', (value, parts) => {
    expect(read(variableText, value)).toEqual(parts);
  });

  it('regular expressions: translated, or refused at their place', () => {
    expect(regex({ isCaseless: true }).parse('^/a')).toMatchObject({ isCaseless: true, regexp: /^\/[Aa]/ });
    expect(matcher.parse('~*\\.php$')).toMatchObject({ kind: 'regex', regex: { pattern: '\\.php$' } });
    expect(matcher.parse('a~b')).toEqual({ kind: 'text', text: 'a~b' });
    expect(matcher.parse('~a(b')).toMatchObject({ at: 4 });
    expect(read(matcher, '~a(b')).toEqual([
      'Cannot use regex "a(b": missing closing parenthesis',
      'pcre2_compile() failed: missing closing parenthesis in "a(b"',
    ]);
    expect(read(regex(), '\\p{Q}')).toEqual([
      'Cannot use regex "\\p{Q}": JavaScript has no Unicode property "Q"',
      'Cannot use regex "\\p{Q}": JavaScript has no Unicode property "Q"',
    ]);
  });
});

describe('addresses', () => {
  const parts = (kind: string, host: string, port: number | null = null, lastPort: number | null = null) => ({
    kind,
    host,
    port,
    lastPort,
  });

  it.each<[string, unknown, unknown]>([
    ['80', parts('any', '', 80), parts('name', '80')],
    ['8000-8010', parts('any', '', 8000, 8010), parts('name', '8000-8010')],
    ['*', parts('any', ''), 'host not found'],
    ['*:80', parts('any', '', 80), 'host not found'],
    ['80}', 'host not found', 'host not found'],
    ['127.0.0.1', parts('ipv4', '127.0.0.1'), parts('ipv4', '127.0.0.1')],
    ['127.0.0.1:80', parts('ipv4', '127.0.0.1', 80), parts('ipv4', '127.0.0.1', 80)],
    ['127.0.0.1:80-81', parts('ipv4', '127.0.0.1', 80, 81), 'invalid port'],
    ['a-b.example:80', parts('name', 'a-b.example', 80), parts('name', 'a-b.example', 80)],
    ['a-1', parts('name', 'a-1'), parts('name', 'a-1')],
    ['1-a', parts('name', '1-a'), parts('name', '1-a')],
    ['[::1]:80', parts('ipv6', '::1', 80), parts('ipv6', '::1', 80)],
    ['[::]', parts('ipv6', '::'), parts('ipv6', '::')],
    ['[::1]:80-90', parts('ipv6', '::1', 80, 90), 'invalid port'],
    ['unix:/run/a.sock', parts('unix', '/run/a.sock'), parts('unix', '/run/a.sock')],
    ['UNIX:a', parts('unix', 'a'), parts('unix', 'a')],
    ['0', 'invalid port', parts('name', '0')],
    ['65536', 'invalid port', parts('name', '65536')],
    ['1-65536', 'invalid port', parts('name', '1-65536')],
    ['81-80', 'invalid port range', parts('name', '81-80')],
    ['a:', 'invalid port', 'invalid port'],
    ['a:80x', 'invalid port', 'invalid port'],
    ['a:1:2', 'invalid port', 'invalid port'],
    [':80', 'no host', 'no host'],
    ['', 'no host', 'no host'],
    ['[]', 'no host', 'no host'],
    ['[::1', 'invalid host', 'invalid host'],
    ['[::1]80', 'invalid host', 'invalid host'],
    ['[::1]/', 'invalid host', 'invalid host'],
    ['[::x]', 'invalid IPv6 address', 'invalid IPv6 address'],
    ['a/b', 'invalid host', 'invalid host'],
    ['unix:', 'no path in the unix domain socket', 'no path in the unix domain socket'],
    [
      `unix:${'x'.repeat(108)}`,
      'too long path in the unix domain socket',
      'too long path in the unix domain socket',
    ],
  ])('%j', (value, listen, peer) => {
    const told = (type: ValueType<unknown>) => {
      const result = type.parse(value);
      return result instanceof Refusal ? result.nginxText('d').split(' in ')[0] : result;
    };
    const reasonOf = (expected: unknown) =>
      typeof expected === 'string' ? expected.split(' in ')[0] : expected;
    expect([told(listenAddress), told(peerAddress)]).toEqual([reasonOf(listen), reasonOf(peer)]);
  });

  it('are refused in words for people and for the log', () => {
    expect(read(listenAddress, 'a:b')).toEqual([
      'Cannot parse address "a:b": invalid port; use PORT, HOST, HOST:PORT, [IPV6]:PORT or unix:/PATH',
      'invalid port in "a:b" of the "listen" directive',
    ]);
    expect(read(peerAddress, ':80')).toEqual([
      'Cannot parse address ":80": no host; use HOST, HOST:PORT, [IPV6]:PORT or unix:/PATH',
      'no host in upstream ":80"',
    ]);
  });

  it('tell IP addresses from names', () => {
    expect(
      ['1.2.3.4', '255.255.255.255', '1.2.3', '1.2.3.256', '1.2.3.x', '1.2.3.4.5', ''].map(isIpv4),
    ).toEqual([true, true, false, false, false, false, false]);
    const good = ['::', '::1', '1::', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4', 'fe80::a:b', '1:2:3:4:5:6:7::'];
    const bad = [
      '',
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '::12345',
      '::g',
      '::1.2.3',
      '1:',
    ];
    expect(good.filter((address) => !isIpv6(address))).toEqual([]);
    expect(bad.filter(isIpv6)).toEqual([]);
  });
});

describe('offsetInSource', () => {
  it.each([
    ['a b;', 0, 0],
    ['a bc;', 1, 1],
    ['a "bc";', 1, 2],
    ['a "\\"\\\\c";', 2, 5],
    ['a \\dx;', 2, 2],
    ['a "b";', 9, 3],
  ])('finds in %j the character %d at %d', (source, index, at) => {
    const [directive] = parse(new Source('a.conf', source)).items;
    const word = directive!.kind === 'directive' ? directive!.args[0]! : null;
    expect(offsetInSource(word!, index) - 2).toBe(at);
  });
});
