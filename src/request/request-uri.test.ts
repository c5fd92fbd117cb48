import { describe, expect, it } from 'vitest';
import { parseRequestUri } from './request-uri.js';

/** "path|args" of a target, or null; slashes are merged. */
function parse(target: string, mergeSlashes = true): string | null {
  const uri = parseRequestUri(target, mergeSlashes);
  return uri && `${uri.path}|${uri.args}`;
}

describe('parseRequestUri', () => {
  it.each([
    ['/', '/|'],
    ['/a/b.c?x=1', '/a/b.c|x=1'],
    ['/a?', '/a|'],
    ['/a?b?c', '/a|b?c'],
    ['/a+b', '/a+b|'],
    ['/a.b/..c/.d/e.', '/a.b/..c/.d/e.|'],
    ['/...', '/...|'],
    ['/a\\..\\b', '/a\\..\\b|'],
    ['/caf\xe9', '/caf\xe9|'],
  ])('leaves the path of %j as it is', (target, expected) => {
    expect(parse(target)).toBe(expected);
    const { path, raw } = parseRequestUri(target, true)!;
    expect(path).toBe(raw);
  });

  it.each([
    ['/a%20b', '/a b|'],
    ['/%E2%82%AC', '/\xe2\x82\xac|'],
    ['/%41%62', '/Ab|'],
    ['/%2B+', '/++|'],
    ['/a%0Ab', '/a\nb|'],
    ['/%7f%FF', '/\x7f\xff|'],
  ])('decodes %j', (target, expected) => {
    expect(parse(target)).toBe(expected);
  });

  it.each([
    ['/%25', '/%|'],
    ['/%2541', '/%41|'],
    ['/%252f..', '/%2f..|'],
    ['/a%3Fb?c', '/a?b|c'],
    ['/a%23b', '/a#b|'],
    ['/.%3f/..%23/', '/.?/..#/|'],
  ])('takes what was escaped in %j for text', (target, expected) => {
    expect(parse(target)).toBe(expected);
  });

  it.each([
    ['/.', '/|'],
    ['/./', '/|'],
    ['/a/.', '/a/|'],
    ['/a/./b', '/a/b|'],
    ['/a/..', '/|'],
    ['/a/../', '/|'],
    ['/a/b/../c', '/a/c|'],
    ['/a/b/../../c', '/c|'],
    ['/a/..?x', '/|x'],
    ['/a/.?x', '/a/|x'],
    ['/a/..#x', '/|'],
    ['/a/%2e%2E/b', '/b|'],
    ['/a/.%2e/b', '/b|'],
    ['/a%2f..%2fb', '/b|'],
    ['/a/.%2f.', '/a/|'],
    ['/a/..//b', '/b|'],
  ])('resolves the dot segments of %j', (target, expected) => {
    expect(parse(target)).toBe(expected);
  });

  it.each([
    ['//', '/|', '//|'],
    ['//a///b//', '/a/b/|', '//a///b//|'],
    ['/%2Fa/%2f', '/a/|', '//a//|'],
    ['/a//..', '/|', '/a/|'],
    ['/a/..//b', '/b|', '//b|'],
    ['/a/.//b', '/a/b|', '/a//b|'],
    ['/a//./b', '/a/b|', '/a//b|'],
    ['/a?//', '/a|//', '/a|//'],
  ])('merges the slashes of %j only when asked', (target, merged, kept) => {
    expect(parse(target, true)).toBe(merged);
    expect(parse(target, false)).toBe(kept);
  });

  it('drops the fragment, a question mark in it included', () => {
    expect(parse('/a#b?c')).toBe('/a|');
    expect(parse('/a?b#c?d')).toBe('/a|b');
    expect(parse('/a?#')).toBe('/a|');
    expect(parse('/a#%zz/../..')).toBe('/a|');
  });

  it('leaves the arguments undecoded and unresolved', () => {
    expect(parse('/%61?%61=/../%zz%')).toBe('/a|%61=/../%zz%');
  });

  it.each(['/%', '/%4', '/%4?1', '/%?41', '/%#', '/%g1', '/%1g', '/%%41', '/%00', '/a%00b'])(
    'refuses the escape in %j',
    (target) => {
      expect(parse(target)).toBeNull();
    },
  );

  it.each(['/..', '/../', '/a/../..', '/a/../../b', '/./..', '/..?x', '/%2e%2e', '/a%2f../..'])(
    'refuses %j, which leaves the root',
    (target) => {
      expect(parse(target)).toBeNull();
    },
  );

  it('lets an empty segment be left by dots when slashes are not merged', () => {
    expect(parse('//..', true)).toBeNull();
    expect(parse('//..', false)).toBe('/|');
  });

  it.each(['', '*', 'a', '?a', '#', 'http://a/'])('refuses %j, which is not in origin-form', (target) => {
    expect(parse(target)).toBeNull();
  });

  it('tells what was received, and how', () => {
    const uri = parseRequestUri('/a%2Bb//c?d', true)!;
    expect(uri).toMatchObject({ path: '/a+b/c', raw: '/a%2Bb//c', args: 'd' });
    expect([uri.isQuoted, uri.hasPlus]).toEqual([true, true]);
    const plain = parseRequestUri('/a//b?c+%20', true)!;
    expect([plain.isQuoted, plain.hasPlus, plain.path]).toEqual([false, false, '/a/b']);
    expect(parseRequestUri('/a%252b', true)!.hasPlus).toBe(false);
    expect(parseRequestUri('/a//b', false)!.path).toBe('/a//b');
  });

  it('parses paths of any length one after the other', () => {
    const long = '/%41'.repeat(5000);
    expect(parse(long)).toBe('/A'.repeat(5000) + '|');
    expect(parse('/%41')).toBe('/A|');
  });
});
