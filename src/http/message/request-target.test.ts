import { describe, expect, it } from 'vitest';
import { isValidHost, splitAbsoluteTarget } from './request-target.js';

describe('isValidHost', () => {
  it.each(['a', 'a.b:80', 'a:', "A_b-c.~!$&'()*+,;=%41", '127.0.0.1', '[::1]', '[1:2::3.4.5.6]:443'])(
    'takes %j',
    (text) => {
      expect(isValidHost(text)).toBe(true);
      expect(isValidHost(text)).toBe(true);
    },
  );

  it.each([
    '',
    ':80',
    'a:80:80',
    'a:b',
    'a@b',
    'a/',
    'a\\',
    'a b',
    'a\t',
    '[]',
    '[::1',
    '::1',
    '[::1]x',
    '[g]',
    '\xe9',
    'a\n',
    'a#',
    'a?',
    '<a>',
    '"a"',
  ])('refuses %j, also twice', (text) => {
    expect(isValidHost(text)).toBe(false);
    expect(isValidHost(text)).toBe(false);
  });
});

describe('splitAbsoluteTarget', () => {
  it.each([
    ['http://a/b?c', 'a', '/b?c'],
    ['HTTPS://A:443', 'A:443', '/'],
    ['http://a?b=/c', 'a', '/?b=/c'],
    ['http://u:p@a:80/', 'a:80', '/'],
    ['http://@a/', 'a', '/'],
    ['http://%41!$:@a?b@c', 'a', '/?b@c'],
    ['http://a/b@c', 'a', '/b@c'],
    ['http://a//b', 'a', '//b'],
  ])('splits %s', (text, host, target) => {
    expect(splitAbsoluteTarget(text)).toEqual({ host, target });
  });

  it.each([
    '',
    '/',
    '*',
    'a:80',
    'http:',
    'http:/a',
    'http://',
    'http:///a',
    'http://@/',
    'http://a@',
    'http://u@v@a/',
    'http://u:p\xe9@a/',
    'http://a:80#@b/',
    'ws://a/',
    'http://a\\@b',
    'x http://a/',
  ])('gives null for %j', (text) => {
    expect(splitAbsoluteTarget(text)).toBeNull();
  });
});
