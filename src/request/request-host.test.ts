import { describe, expect, it } from 'vitest';
import { parseRequestHost } from './request-host.js';

describe('parseRequestHost', () => {
  it.each([
    ['example.com', 'example.com', 0],
    ['Example.COM:8080', 'example.com', 8080],
    ['example.com.', 'example.com', 0],
    ['example.com.:80', 'example.com', 80],
    ['example.com:', 'example.com', 0],
    ['example.com:65535', 'example.com', 65535],
    ['example.com:00080', 'example.com', 80],
    ['.example.com', '.example.com', 0],
    ['127.0.0.1:1', '127.0.0.1', 1],
    ['[::1]', '[::1]', 0],
    ['[2001:DB8::1]:443', '[2001:db8::1]', 443],
    ['a_b~%41!', 'a_b~%41!', 0],
  ])('takes %s for the name %s and the port %i', (text, name, port) => {
    expect(parseRequestHost(text)).toMatchObject({ name, port });
    expect(parseRequestHost(text)).toMatchObject({ name, port });
  });

  it.each([
    '',
    '.',
    ':80',
    'a..b',
    'a..',
    '[a..b]',
    'a/b',
    'a b',
    'a@b',
    'a"b',
    'a:b',
    'a:80:80',
    'a:65536',
    'a:99999999999999999999',
    '[::1',
    '[::1]a',
    '::1',
    'caf\xe9',
    'a\0',
  ])('refuses %j', (text) => {
    expect(parseRequestHost(text)).toBeNull();
    expect(parseRequestHost(text)).toBeNull();
  });
});
