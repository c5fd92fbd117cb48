import { describe, expect, it } from 'vitest';
import { escapeForJson, escapeForLog } from './escape.js';

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
  it('come out of the string as they went in', () => {
    expect(JSON.parse(`"${escapeForJson(ALL)}"`)).toBe(ALL);
  });

  it('are escaped as nginx does', () => {
    expect(escapeForJson('"\\\n\r\t\b\f\x1b\xff')).toBe('\\"\\\\\\n\\r\\t\\b\\f\\u001B\xff');
  });
});
