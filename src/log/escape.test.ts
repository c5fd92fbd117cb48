import { describe, expect, it } from 'vitest';
import { escapeForJson, escapeForLog, PLAIN_IN_JSON, PLAIN_IN_LOG } from './escape.js';

const ALL = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');

describe('values in a log line', () => {
  it('can forge neither a field nor a line', () => {
    expect(escapeForLog('a" "b\\\r\n\0\t~\x7f\x80\xff')).toBe(
      'a\\x22 \\x22b\\x5C\\x0D\\x0A\\x00\\x09~\\x7F\\x80\\xFF',
    );
    expect(escapeForLog(ALL)).toMatch(/^[ !#-[\]-~\\]+$/);
  });

  it('stay as they are when they are plain', () => {
    const plain = "GET /a?b=c HTTP/1.1 ~!#$%&'()*+,-./:;<=>?@[]^_`{|}";
    expect(escapeForLog(plain)).toBe(plain);
  });
});

describe('values in JSON', () => {
  const readBack = (bytes: Buffer) => {
    const line = Buffer.from(`"${escapeForJson(bytes.toString('latin1'))}"`, 'latin1');
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line)) as string;
  };

  it('come out of the string as they went in', () => {
    const text = `${ALL.slice(0, 128)}\x80é߿ࠀ€\ud7ff\ue000\uffff😀\u{10ffff}`;
    expect(readBack(Buffer.from(text))).toBe(text);
  });

  it('are UTF-8 whatever bytes there are', () => {
    expect(readBack(Buffer.from('a\xff\xc3"', 'latin1'))).toBe('a\\xFF\\xC3"');
    const sequences = ['c0af', 'e08080', 'eda080', 'f0808080', 'f4908080', 'f8888080', 'e282', '80'];
    for (const hex of sequences) {
      expect(readBack(Buffer.from(hex, 'hex'))).toBe(hex.toUpperCase().replace(/../g, '\\x$&'));
    }
  });

  it('are escaped as nginx does', () => {
    expect(escapeForJson('"\\\n\r\t\b\f\x1b\xc3\xa9')).toBe('\\"\\\\\\n\\r\\t\\b\\f\\u001B\xc3\xa9');
  });
});

describe('the tables of plain bytes', () => {
  it.each([
    ['escape=default', PLAIN_IN_LOG, escapeForLog],
    ['escape=json', PLAIN_IN_JSON, escapeForJson],
  ] as const)('know what %s leaves alone', (_, plain, escapeValue) => {
    for (let byte = 0; byte < 256; byte++) {
      const text = String.fromCharCode(byte);
      expect([byte, plain[byte]]).toEqual([byte, escapeValue(text) === text ? 1 : 0]);
    }
  });
});
