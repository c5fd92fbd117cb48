import { expect, test } from 'vitest';
import { namesEncoding } from './accepts-encoding.js';

test.each([
  ['gzip', true],
  ['gzip, deflate, br', true],
  ['deflate, GZip', true],
  ['deflate gzip', true],
  ['gzip;q=1', true],
  ['gzip; q=0.001', true],
  ['gzip ;q=1.000', true],
  ['br;q=1, gzip;q=0.5', true],
  ['gzip;', true],
  ['', false],
  ['gzip;q=0', false],
  ['gzip;q=0.000', false],
  ['gzip;q=1.5', false],
  ['gzip;q=0.0001', false],
  ['gzip;q=', false],
  ['gzip;level=1', false],
  ['xgzip', false],
  ['gzipx', false],
  ['x-gzip', false],
  ['*', false],
])('"%s" names gzip: %s', (accepted, expected) => {
  expect(namesEncoding(accepted, 'gzip')).toBe(expected);
});
