import { describe, expect, it } from 'vitest';
import { expandGlob, isPattern } from './glob.js';

const FOLDERS: Record<string, string[]> = {
  '/': ['etc', 'opt'],
  '/etc/': ['a.conf', 'sites'],
  '/etc/sites/': [
    'b.conf',
    'a.conf',
    '.hidden.conf',
    'B.conf',
    'c.conf~',
    '[x].conf',
    'a*.conf',
    'ж.conf',
    'one',
  ],
  '/etc/sites/one/': ['site.conf'],
  '/etc/sites/b.conf/': [],
  '.': ['x.conf', 'y.conf'],
};

function expand(pattern: string): readonly string[] {
  return expandGlob(pattern, (path) => FOLDERS[path] ?? null);
}

describe('expandGlob', () => {
  it.each([
    ['/etc/sites/*.conf', ['B', '[x]', 'a*', 'a', 'b', 'ж'].map((name) => `/etc/sites/${name}.conf`)],
    ['/etc/sites/.*.conf', ['/etc/sites/.hidden.conf']],
    ['/etc/sites/?.conf', ['B', 'a', 'b', 'ж'].map((name) => `/etc/sites/${name}.conf`)],
    ['/etc/sites/[ab].conf', ['/etc/sites/a.conf', '/etc/sites/b.conf']],
    ['/etc/sites/[!a-z]*.conf', ['/etc/sites/B.conf', '/etc/sites/[x].conf', '/etc/sites/ж.conf']],
    ['/etc/sites/[^[:lower:]]*.conf', ['/etc/sites/B.conf', '/etc/sites/[x].conf', '/etc/sites/ж.conf']],
    ['/etc/sites/[[]x].conf', ['/etc/sites/[x].conf']],
    ['/etc/sites/[]x[]*', ['/etc/sites/[x].conf']],
    ['/etc/sites/a\\*.*', ['/etc/sites/a*.conf']],
    ['/etc/sites/*e*', ['/etc/sites/one']],
    ['/etc/sites/*/*.conf', ['/etc/sites/one/site.conf']],
    ['/etc/sites/*/site.conf', ['/etc/sites/one/site.conf']],
    ['/*/a.conf', ['/etc/a.conf']],
    ['/*/sites/o\\ne/*', ['/etc/sites/one/site.conf']],
    ['/etc//*.conf', []],
    ['?.conf', ['x.conf', 'y.conf']],
    ['/etc/sites/nothing*', []],
    ['/nowhere/*', []],
    ['/etc/[a.conf', []],
  ])('expands %s', (pattern, paths) => {
    expect(expand(pattern)).toEqual(paths);
  });

  it('is not slowed down by many stars', () => {
    const name = 'a'.repeat(200);
    const start = performance.now();
    expect(expandGlob(`/${'*a'.repeat(60)}b`, () => [name])).toEqual([]);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('knows patterns by *, ? and [', () => {
    expect(['a*', '?', '[a', 'a]', 'a\\b', '{a,b}'].map(isPattern)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
