import { describe, expect, it } from 'vitest';
import { PrefixTree } from './prefix-tree.js';

function treeOf(...prefixes: string[]): PrefixTree<string> {
  const tree = new PrefixTree<string>();
  for (const prefix of prefixes) tree.add(prefix, prefix);
  return tree;
}

/** Numbers below `limit`, the same in every run. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe('PrefixTree', () => {
  it('finds nothing while it is empty', () => {
    expect(treeOf().longestPrefix('/')).toBeNull();
    expect(treeOf().longestPrefix('')).toBeNull();
  });

  it.each([
    ['/', '/'],
    ['/images', '/imag'],
    ['/images/', '/images/'],
    ['/images/a.png', '/images/'],
    ['/images/icons', '/images/icons'],
    ['/images/iconsets', '/images/icons'],
    ['/imaginary', '/imag'],
    ['/ima', '/'],
    ['x', null],
    ['', null],
  ])('answers the longest prefix of %j', (text, expected) => {
    const tree = treeOf('/images/icons', '/', '/images/', '/imag');
    expect(tree.longestPrefix(text)).toBe(expected);
  });

  it('takes the empty prefix for one of every text', () => {
    const tree = treeOf('', 'a');
    expect([tree.longestPrefix(''), tree.longestPrefix('b'), tree.longestPrefix('ab')]).toEqual([
      '',
      '',
      'a',
    ]);
  });

  it('tells upper from lower case', () => {
    expect(treeOf('/A').longestPrefix('/a')).toBeNull();
  });

  it('keeps the value added last, and takes 0 and false for values', () => {
    const tree = new PrefixTree<number | boolean>();
    tree.add('/a', 1);
    tree.add('/a', 0);
    tree.add('/ab', false);
    expect([tree.longestPrefix('/a'), tree.longestPrefix('/abc')]).toEqual([0, false]);
  });

  it('agrees with trying every prefix, whatever was added in whatever order', () => {
    const random = randomNumbers(1);
    const randomText = (most: number) =>
      Array.from({ length: random(most + 1) }, () => 'ab/'[random(3)]).join('');
    for (let round = 0; round < 300; round++) {
      const prefixes = Array.from({ length: random(30) }, () => randomText(6));
      const tree = treeOf(...prefixes);
      for (let i = 0; i < 30; i++) {
        const text = randomText(9);
        const fitting = prefixes.filter((prefix) => text.startsWith(prefix));
        const longest = fitting.sort((one, other) => other.length - one.length)[0] ?? null;
        expect(tree.longestPrefix(text), `${JSON.stringify(prefixes)} ${text}`).toBe(longest);
      }
    }
  });
});
