import { describe, expect, it } from 'vitest';
import { parsePeer } from './peer-flag.js';

const at = (host: string, port: number) => ({ host, port, path: null });

describe('parsePeer', () => {
  it.each([
    ['127.0.0.1:9001', { address: at('127.0.0.1', 9001) }],
    ['9001', { address: at('127.0.0.1', 9001) }],
    ['app.internal', { address: at('app.internal', 80) }],
    ['[::1]:9001', { address: at('::1', 9001) }],
    ['unix:/run/a.sock', { address: { host: '', port: 0, path: '/run/a.sock' } }],
    ['127.0.0.1:9002,weight=3', { address: at('127.0.0.1', 9002), weight: 3 }],
    [
      '10.0.0.5:80,max_fails=2,fail_timeout=1m30s',
      { address: at('10.0.0.5', 80), maxFails: 2, failTimeoutMs: 90_000 },
    ],
    ['10.0.0.5:80,max_fails=0', { address: at('10.0.0.5', 80), maxFails: 0 }],
    [
      'unix:/run/a.sock,backup,down',
      { address: { host: '', port: 0, path: '/run/a.sock' }, isBackup: true, isDown: true },
    ],
  ])('reads %s', (text, peer) => {
    expect(parsePeer(text)).toEqual(peer);
  });

  it.each([
    ['', 'Cannot parse address "": no host; use PORT, HOST:PORT, [IPV6]:PORT or unix:/PATH'],
    ['127.0.0.1:0', 'Cannot send to "127.0.0.1:0": port 0 is none; use a port from 1 to 65535'],
    [
      'a:1,',
      'Cannot read peer "a:1,": unknown parameter ""; use weight, max_fails, fail_timeout, backup, down',
    ],
    ['a:1,wieght=3', 'Cannot read peer "a:1,wieght=3": unknown parameter "wieght"; did you mean "weight"?'],
    [
      'a:1,max-fails=3',
      'Cannot read peer "a:1,max-fails=3": unknown parameter "max-fails"; did you mean "max_fails"?',
    ],
    [
      'a:1,weight=0',
      'Cannot read peer "a:1,weight=0": "weight" needs a whole number from 1 on, and "0" is none',
    ],
    [
      'a:1,weight=1.5',
      'Cannot read peer "a:1,weight=1.5": "weight" needs a whole number from 1 on, and "1.5" is none',
    ],
    ['a:1,weight', 'Cannot read peer "a:1,weight": "weight" needs a whole number from 1 on, and it has none'],
    [
      'a:1,max_fails=-1',
      'Cannot read peer "a:1,max_fails=-1": "max_fails" needs a whole number from 0 on, and "-1" is none',
    ],
    [
      'a:1,fail_timeout',
      'Cannot read peer "a:1,fail_timeout": "fail_timeout" needs a time, as in fail_timeout=30s',
    ],
    ['a:1,fail_timeout=3q', 'Cannot parse time "3q": unknown unit "q"; use ms, s, m, h, d, w, M or y'],
    ['a:1,backup=yes', 'Cannot read peer "a:1,backup=yes": "backup" takes no value; write backup'],
    ['a:1,down,down', 'Cannot read peer "a:1,down,down": "down" is there twice; give it once'],
    ['http://a:9001', 'Cannot send to "http://a:9001": a peer is an address, not a URL; use a:9001'],
    ['http://a:9001/', 'Cannot send to "http://a:9001/": a peer is an address, not a URL; use a:9001'],
    [
      'http://a/api',
      'Cannot send to "http://a/api": a peer is an address, not a URL; use a, paths go upstream as they came',
    ],
    ['https://a', 'Cannot send to "https://a": only plain HTTP goes upstream so far; use HOST:PORT'],
  ])('refuses %j in one line that says what would work', (text, message) => {
    expect(() => parsePeer(text)).toThrow(new Error(message));
  });
});
