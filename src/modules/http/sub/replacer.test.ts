import { describe, expect, test } from 'vitest';
import { type FindingReceiver, PatternSet, Replacer } from './replacer.js';

/** What comes out, replacements as <number>, for a body that comes in these pieces. */
function replace(texts: readonly string[], pieces: readonly string[], isOnce = false): string {
  let out = '';
  const receiver: FindingReceiver = {
    keep: (bytes, start, end) => {
      out += bytes.toString('latin1', start, end);
    },
    replace: (index) => {
      out += `<${index}>`;
    },
  };
  const replacer = new Replacer(new PatternSet(texts.map((text) => ({ text }))), isOnce, receiver);
  for (const piece of pieces) replacer.take(Buffer.from(piece, 'latin1'));
  replacer.finish();
  return out;
}

/** What one piece lets out before any other comes. */
function letOut(texts: readonly string[], piece: string): string {
  let out = '';
  const receiver: FindingReceiver = {
    keep: (bytes, start, end) => {
      out += bytes.toString('latin1', start, end);
    },
    replace: (index) => {
      out += `<${index}>`;
    },
  };
  new Replacer(new PatternSet(texts.map((text) => ({ text }))), false, receiver).take(Buffer.from(piece));
  return out;
}

describe('replacing texts in a body', () => {
  test.each([
    [['foo'], 'a foo b foo c', 'a <0> b <0> c'],
    [['foo'], 'FoO fOo', '<0> <0>'],
    [['\xe0'], '\xe0\xc0', '<0>\xc0'],
    [['a.c', '[x]', '$1'], 'abc a.c [x] $1', 'abc <0> <1> <2>'],
    [['aa'], 'aaaaa', '<0><0>a'],
    [['foo', 'foobar'], 'foobar', '<0>bar'],
    [['foobar', 'foo'], 'foobar foo', '<0> <1>'],
    [['abcdx', 'cd'], 'abcdy abcdx', 'ab<1>y <0>'],
    [['aab'], 'aaaab', 'aa<0>'],
  ])('finds %j in "%s"', (texts, body, expected) => {
    expect(replace(texts, [body])).toBe(expected);
    for (let at = 1; at < body.length; at++) {
      expect(replace(texts, [body.slice(0, at), body.slice(at)]), `split at ${at}`).toBe(expected);
    }
    expect(replace(texts, [...body]), 'byte by byte').toBe(expected);
  });

  test('replaces each text once where it stands first', () => {
    for (const pieces of [['a b a b b a'], [...'a b a b b a']]) {
      expect(replace(['a', 'b'], pieces, true)).toBe('<0> <1> a b b a');
    }
  });

  test('replaces a text that another begins with when the body ends there', () => {
    expect(replace(['foobar', 'foo'], ['fo', 'o'])).toBe('<1>');
  });

  test('keeps back only what may be the beginning of a text', () => {
    expect(letOut(['za'], 'xyz')).toBe('xy');
    expect(letOut(['ab'], 'xyz')).toBe('xyz');
    expect(letOut(['abcabd'], 'abcabc')).toBe('abc');
    expect(letOut(['foo', 'foobar'], 'xfoo')).toBe('x<0>');
    expect(letOut(['foobar', 'foo'], 'xfoo')).toBe('x');
  });
});
