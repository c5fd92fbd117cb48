import { describe, expect, it } from 'vitest';
import { parseAddress } from '../net/address.js';
import { listenUsageError, suggestListen } from './usage-error.js';

const address = (text: string) => parseAddress(text, { host: '127.0.0.1', port: 8080 });

describe('listenUsageError', () => {
  it.each([
    [
      '8080',
      'EADDRINUSE',
      'Cannot listen on "127.0.0.1:8080": port 8080 is in use; stop what holds it or choose another: --listen 8081',
    ],
    [
      '0.0.0.0:80',
      'EACCES',
      'Cannot listen on "0.0.0.0:80": port 80 needs root or CAP_NET_BIND_SERVICE; choose a port from 1024 on: --listen 0.0.0.0:8080',
    ],
    [
      '192.0.2.1:80',
      'EADDRNOTAVAIL',
      'Cannot listen on "192.0.2.1:80": "192.0.2.1" is not an address of this machine; use 127.0.0.1, or 0.0.0.0 for all of them',
    ],
    [
      'no.such:80',
      'ENOTFOUND',
      'Cannot listen on "no.such:80": the name "no.such" is not known; use an address such as 127.0.0.1',
    ],
    [
      '[::1]:80',
      'EAFNOSUPPORT',
      'Cannot listen on "[::1]:80": this machine has no IPv6; use an IPv4 address such as 127.0.0.1',
    ],
    ['8080', 'EWHAT', 'Cannot listen on "127.0.0.1:8080": EWHAT; choose another address: --listen 8081'],
    [
      'unix:/run/a.sock',
      'EADDRINUSE',
      'Cannot listen on "unix:/run/a.sock": the socket file exists; remove it if nothing serves it, or choose another: --listen unix:/tmp/sluice.sock',
    ],
    [
      'unix:/no/a.sock',
      'EACCES',
      'Cannot listen on "unix:/no/a.sock": no such folder, or no permission to write to it; choose another: --listen unix:/tmp/sluice.sock',
    ],
  ])('says of %s and %s what would work', (text, code, message) => {
    expect(listenUsageError(address(text), code, suggestListen(address(text))).message).toBe(message);
  });
});

describe('suggestListen', () => {
  it.each([
    ['8080', '--listen 8081'],
    ['80', '--listen 8080'],
    ['65535', '--listen 8080'],
    ['[::1]:9000', '--listen [::1]:9001'],
  ])('moves %s on to %s', (text, flag) => {
    expect(suggestListen(address(text))).toBe(flag);
  });
});
