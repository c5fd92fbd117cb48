import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from './address.js';

const DEFAULTS = { host: '127.0.0.1', port: 80 };
const read = (text: string) => parseAddress(text, DEFAULTS);

describe('parseAddress', () => {
  it.each([
    ['8080', '127.0.0.1', 8080],
    ['0', '127.0.0.1', 0],
    ['65535', '127.0.0.1', 65535],
    ['10.0.0.5', '10.0.0.5', 80],
    ['10.0.0.5:81', '10.0.0.5', 81],
    ['app', 'app', 80],
    ['my_app-1.example.org.:81', 'my_app-1.example.org.', 81],
    ['[::1]', '::1', 80],
    ['[fe80::1%eth0]:81', 'fe80::1%eth0', 81],
    ['[::ffff:127.0.0.1]:81', '::ffff:127.0.0.1', 81],
  ])('reads "%s"', (text, host, port) => {
    expect(read(text)).toEqual({ host, port, path: null });
  });

  it.each(['unix:/run/a.sock', `unix:/${'x'.repeat(106)}`, 'unix:/with:colon'])(
    'reads "%s" as a path',
    (text) => {
      expect(read(text)).toEqual({ host: '', port: 0, path: text.slice(5) });
    },
  );

  it.each([
    ['', 'no host'],
    [':80', 'no host'],
    ['65536', '"65536" is not a port from 0 to 65535'],
    ['a:', '"" is not a port from 0 to 65535'],
    ['a:-1', '"-1" is not a port from 0 to 65535'],
    ['a:8 0', '"8 0" is not a port from 0 to 65535'],
    ['::1', 'an IPv6 address needs brackets'],
    ['[::1', 'an IPv6 address needs brackets'],
    ['[]:80', '"" is not an IPv6 address'],
    ['[127.0.0.1]:80', '"127.0.0.1" is not an IPv6 address'],
    ['256.0.0.1', '"256.0.0.1" is not a host name'],
    ['1.2.3', '"1.2.3" is not a host name'],
    ['-a', '"-a" is not a host name'],
    ['a..b', '"a..b" is not a host name'],
    ['a b', '"a b" is not a host name'],
    ['a/b', '"a/b" is not a host name'],
    ['x'.repeat(254), `"${'x'.repeat(254)}" is not a host name`],
    ['unix:', 'no path after "unix:"'],
    [`unix:/${'x'.repeat(107)}`, 'its path is longer than the 107 bytes of a socket'],
    [`unix:/${'ä'.repeat(54)}`, 'its path is longer than the 107 bytes of a socket'],
  ])('refuses "%s"', (text, reason) => {
    expect(() => read(text)).toThrow(`Cannot parse address "${text}": ${reason}`);
  });
});

describe('formatAddress', () => {
  it.each(['127.0.0.1:80', '[::1]:80', 'app:81', 'unix:/run/a.sock'])('writes %s', (text) => {
    expect(formatAddress(read(text))).toBe(text);
  });
});
