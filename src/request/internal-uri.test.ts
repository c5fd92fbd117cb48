import { expect, test } from 'vitest';
import { parseInternalUri } from './internal-uri.js';

test.each([
  ['/a/b', '/a/b', ''],
  ['/a?b=c?d', '/a', 'b=c?d'],
  ['/a%20%3fb?c=%20', '/a ?b', 'c=%20'],
  ['/a..b/..c', '/a..b/..c', ''],
  ['/a?x=/../', '/a', 'x=/../'],
])('%s is %s with "%s"', (text, path, args) => {
  expect(parseInternalUri(text)).toEqual({ path, args });
});

test.each(['', '?a', '..', '../a', '/a/../b', '/a/..', '/%2e%2e/a', '/a%00b', '/a\0b'])(
  '%j is unsafe',
  (text) => {
    expect(parseInternalUri(text)).toBeNull();
  },
);
