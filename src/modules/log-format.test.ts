import { describe, expect, it } from 'vitest';
import { makeLine } from '../log/line-buffer.js';
import { compileLogFormat, type LogEscape, type LogVariable, parseLogFormat } from './log-format.js';

const VALUES: Readonly<Record<string, string | null>> = { uri: '/a"b', none: null, empty: '' };

function line(escaping: LogEscape, ...texts: string[]): string {
  const format = parseLogFormat(escaping, texts);
  if ('refusal' in format) return `refused: ${format.refusal.nginxText('log_format')}`;
  const find = (name: string): LogVariable<null> =>
    name === 'n' ? { append: (_, line) => line.decimal(1) } : { read: () => VALUES[name] ?? null };
  return makeLine(compileLogFormat(format, find), null).toString();
}

describe('a log format', () => {
  it('puts values between its words, and several texts behind each other', () => {
    expect(line('default', 'a $n ', '$n$' + '{n}b', ' c')).toBe('a 1 11b c');
    expect(line('default')).toBe('');
  });

  it('escapes values as it says, never its own words', () => {
    expect(line('default', '"$uri"')).toBe('"/a\\x22b"');
    expect(line('json', '"$uri"')).toBe('"/a\\"b"');
    expect(line('none', '"$uri"')).toBe('"/a"b"');
  });

  it('writes "-" for what is not there, and nothing for what is empty', () => {
    expect(line('default', '$none,$empty')).toBe('-,');
    expect(line('json', '$none,$empty')).toBe(',');
    expect(line('none', '$none,$empty')).toBe(',');
  });

  it('keeps characters beyond ASCII as bytes of UTF-8', () => {
    expect(Buffer.from(line('default', 'ü $n'), 'latin1').toString()).toBe('ü 1');
  });

  it('refuses a name that is none', () => {
    expect(line('default', 'a $' + '{b')).toBe('refused: the closing bracket in "b" variable is missing');
  });
});
