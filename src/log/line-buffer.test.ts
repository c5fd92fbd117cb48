import { describe, expect, it } from 'vitest';
import { escapeForLog, PLAIN_IN_LOG } from './escape.js';
import { LineBuffer } from './line-buffer.js';

function bufferOf(...texts: string[]): LineBuffer {
  const line = new LineBuffer();
  for (const text of texts) line.text(text);
  return line;
}

describe('a line buffer', () => {
  it('holds texts of any length one behind the other, as bytes', () => {
    const texts = ['', 'a', 'é'.repeat(15), 'x'.repeat(16), 'y'.repeat(17), 'ÿ'.repeat(10_000), 'end'];
    const line = bufferOf(...texts);
    expect(line.toString()).toBe(texts.join(''));
    expect(line.bytes.subarray(0, line.length).equals(Buffer.from(texts.join(''), 'latin1'))).toBe(true);
  });

  it('escapes a text as a whole, wherever in it there is something to escape', () => {
    for (const text of [
      'plain',
      '"first',
      'in "the" middle',
      'last"',
      'two\r\nlines',
      `${'a'.repeat(100)}"`,
    ]) {
      const line = bufferOf('before ');
      line.escaped(text, PLAIN_IN_LOG, escapeForLog);
      line.text(' behind');
      expect(line.toString()).toBe(`before ${escapeForLog(text)} behind`);
    }
  });

  it('appends numbers of any length', () => {
    for (const number of [0, 1, 9, 10, 99, 100, 404, 999, 1000, 9999, 10_000, 99_999, 100_000, 2 ** 40]) {
      const line = bufferOf('[');
      line.decimal(number);
      line.endLine();
      expect(line.toString()).toBe(`[${number}\n`);
    }
  });

  it('goes on behind what was dropped, cleared or taken from it', () => {
    const line = bufferOf('gone, kept');
    line.drop(6);
    expect(line.toString()).toBe('kept');
    const taken = line.take(2);
    line.text(' new');
    expect([taken.toString(), line.toString()]).toEqual(['ke', 'pt new']);
    expect(line.take(line.length).toString()).toBe('pt new');
    line.clear();
    line.text('newer');
    expect(line.toString()).toBe('newer');
  });

  it('gives the room of a flood back', () => {
    const line = bufferOf('x'.repeat(1_000_000));
    line.clear();
    line.text('y');
    expect(line.bytes.length).toBeLessThan(100_000);
  });
});
