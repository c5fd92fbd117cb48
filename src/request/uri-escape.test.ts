import { describe, expect, it } from 'vitest';
import { type EscapeMode, escapeUri, unescapeRedirect, unescapeUri } from './uri-escape.js';

const MODES: EscapeMode[] = ['path', 'argument', 'component', 'ssi', 'refresh', 'memcached'];
const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');

describe('escapeUri', () => {
  it.each<[EscapeMode, string]>([
    ['path', "!$&'()*+,-./:;=@[]_~"],
    ['argument', "!$'()*,-./:=@[]_~"],
    ['component', '-._~'],
    ['ssi', '!$&()*+,-./:;=?@[]_~'],
    ['refresh', '!#$%&()*+,-./:;=?@[]_}'],
    ['memcached', '!"#$&\'()*+,-./:;<=>?@[\\]^_`{|}~'],
  ])('in mode %s keeps letters, digits and %s alone', (mode, kept) => {
    const ascii = ALL_BYTES.slice(0x20, 0x7f);
    const unchanged = [...ascii].filter(
      (byte) => !/[A-Za-z0-9]/.test(byte) && escapeUri(byte, mode) === byte,
    );
    expect(unchanged.join('')).toBe(kept);
    expect(escapeUri('aZ09', mode)).toBe('aZ09');
  });

  it.each(MODES)('in mode %s escapes controls and blanks', (mode) => {
    expect(escapeUri('\0\n\x1f ', mode)).toBe('%00%0A%1F%20');
  });

  it('escapes DEL and what is above it, except in keys of memcached', () => {
    for (const mode of MODES)
      expect(escapeUri('\x7f\xe9', mode)).toBe(mode === 'memcached' ? '\x7f\xe9' : '%7F%E9');
  });

  it('keeps what stands between escapes', () => {
    expect(escapeUri('/a b%c?', 'path')).toBe('/a%20b%25c%3F');
  });
});

describe('unescapeUri', () => {
  it.each(['path', 'argument', 'component', 'ssi'] as const)('is undone by mode %s and undoes it', (mode) => {
    expect(unescapeUri(escapeUri(ALL_BYTES, mode))).toBe(ALL_BYTES);
  });

  it('decodes once', () => {
    expect(unescapeUri('%2541%e9?%41')).toBe('%41\xe9?A');
  });

  it.each([
    ['a%', 'a'],
    ['a%4', 'a'],
    ['a%zb', 'azb'],
    ['a%4zb', 'ab'],
    ['%%41', '%41'],
    ['%4%41', '41'],
    ['%\n', '\n'],
  ])('of the malformed %j makes %j', (text, expected) => {
    expect(unescapeUri(text)).toBe(expected);
  });
});

describe('unescapeRedirect', () => {
  it.each([
    ['/a%2Fb%7e%26', '/a/b~&'],
    ['/%20%23%25%0a%7F%e9', '/%20%23%25%0a%7F%e9'],
    ['/%41?%41', '/A?%41'],
    ['/%41%3F%41', '/A?%41'],
    ['/%3f%', '/?%'],
    ['/%zz%4zz', '/zzz'],
    ['/%?%41', '/?A'],
    ['/plain', '/plain'],
  ])('of %j makes %j', (text, expected) => {
    expect(unescapeRedirect(text)).toBe(expected);
  });
});
