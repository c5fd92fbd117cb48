import { describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../compile/proxy-options.js';
import { gatherGiven, PROXY_FLAGS } from './flags.js';
import { proxyOptionsFrom } from './proxy-flags.js';
import { UsageError } from './usage-error.js';

const at = (host: string, port: number) => ({ host, port, path: null });

/** Options of a command line, in commander's camel case; host and port as `_`. */
function read(
  options: Record<string, unknown> & { _?: string[] },
  environment: NodeJS.ProcessEnv = {},
): ProxyOptions {
  const [host, port] = options._ ?? [];
  return proxyOptionsFrom(gatherGiven('', PROXY_FLAGS, options, environment), { host, port });
}

describe('proxyOptionsFrom', () => {
  it('is 127.0.0.1:8080 to 127.0.0.1:9001 when nothing is given, logs to stdout, and leaves the rest to the proxy', () => {
    expect(read({})).toEqual({
      listen: [at('127.0.0.1', 8080)],
      peers: [{ address: at('127.0.0.1', 9001) }],
      accessLog: 'stdout',
    });
  });

  describe('where it listens', () => {
    it.each([
      ['8081', at('127.0.0.1', 8081)],
      ['0.0.0.0:8081', at('0.0.0.0', 8081)],
      ['0.0.0.0', at('0.0.0.0', 8080)],
      ['[::1]:8081', at('::1', 8081)],
      ['localhost:0', at('localhost', 0)],
      ['unix:/run/sluice.sock', { host: '', port: 0, path: '/run/sluice.sock' }],
    ])('is --listen %s', (text, address) => {
      expect(read({ listen: [text] }).listen).toEqual([address]);
    });

    it('is every --listen', () => {
      expect(read({ listen: ['8081', '8082'] }).listen).toEqual([
        at('127.0.0.1', 8081),
        at('127.0.0.1', 8082),
      ]);
    });

    it.each([
      [['0.0.0.0', '8081'], at('0.0.0.0', 8081)],
      [['::1', '8081'], at('::1', 8081)],
      [['[::1]', '8081'], at('::1', 8081)],
      [['0.0.0.0'], at('0.0.0.0', 8080)],
      [['8081'], at('127.0.0.1', 8081)],
      [['0.0.0.0:8081'], at('0.0.0.0', 8081)],
    ])('is host and port: %j', (words, address) => {
      expect(read({ _: words }).listen).toEqual([address]);
    });

    it('is SLUICE_LISTEN, unless the command line says something else', () => {
      const environment = { SLUICE_LISTEN: '8081 8082' };
      expect(read({}, environment).listen).toEqual([at('127.0.0.1', 8081), at('127.0.0.1', 8082)]);
      expect(read({ listen: ['8083'] }, environment).listen).toEqual([at('127.0.0.1', 8083)]);
      expect(read({ _: ['0.0.0.0', '8084'] }, environment).listen).toEqual([at('0.0.0.0', 8084)]);
    });
  });

  it('sends to every --to, or to every peer in SLUICE_TO', () => {
    const peers = [
      { address: at('127.0.0.1', 1), weight: 3 },
      { address: at('b', 2), isBackup: true },
    ];
    expect(read({ to: ['127.0.0.1:1,weight=3', 'b:2,backup'] }).peers).toEqual(peers);
    expect(read({}, { SLUICE_TO: '127.0.0.1:1,weight=3 b:2,backup' }).peers).toEqual(peers);
  });

  it.each([
    ['clientHeaderTimeout', 'clientHeaderMs'],
    ['clientBodyTimeout', 'clientBodyMs'],
    ['keepaliveTimeout', 'keepaliveMs'],
    ['sendTimeout', 'sendMs'],
    ['connectTimeout', 'connectMs'],
    ['readTimeout', 'upstreamReadMs'],
    ['upstreamSendTimeout', 'upstreamSendMs'],
    ['shutdownTimeout', 'drainMs'],
  ])('reads %s as %s, in milliseconds', (option, timeout) => {
    expect(read({ [option]: '1m30s' }).timeouts).toEqual({ [timeout]: 90_000 });
  });

  it('reads each remaining flag', () => {
    expect(
      read({
        keepalive: '0',
        upstreamKeepaliveTimeout: '500ms',
        accessLog: 'off',
        errorLog: '/var/log/e.log',
        logLevel: 'notice',
      }),
    ).toMatchObject({
      keepaliveConnections: 0,
      upstreamKeepaliveMs: 500,
      accessLog: 'off',
      errorLog: '/var/log/e.log',
      errorLogLevel: 'notice',
    });
  });

  it('takes no time for keepalive and shutdown, where it means "at once"', () => {
    expect(read({ keepaliveTimeout: '0', shutdownTimeout: '0' }).timeouts).toEqual({
      keepaliveMs: 0,
      drainMs: 0,
    });
  });

  it.each([
    [
      { listen: ['x:y'] },
      '--listen: Cannot parse address "x:y": "y" is not a port from 0 to 65535; use PORT, HOST:PORT, [IPV6]:PORT or unix:/PATH',
    ],
    [
      { listen: ['8081', '127.0.0.1:8081'] },
      'Cannot listen on "127.0.0.1:8081" twice: give each address once',
    ],
    [{ _: ['0.0.0.0', '80x'] }, '[port]: Cannot use "80x": not a number; use a port from 0 to 65535'],
    [
      { _: ['0.0.0.0', '8081'], listen: ['8080'] },
      'Cannot use both "0.0.0.0" and --listen "8080": give one of the two',
    ],
    [
      { readTimeout: '10x' },
      '--read-timeout: Cannot parse time "10x": unknown unit "x"; use ms, s, m, h, d, w, M or y',
    ],
    [
      { readTimeout: '0' },
      '--read-timeout: Cannot use time "0": nothing can happen in no time; use 1ms or more',
    ],
    [{ keepalive: '-1' }, '--keepalive: Cannot use count "-1": not a whole number; use 0 for none, or 32'],
    [{ logLevel: 'eror' }, '--log-level: Cannot use log level "eror": there is none; did you mean "error"?'],
    [
      { logLevel: 'x' },
      '--log-level: Cannot use log level "x": there is none; use debug, info, notice, warn, error, crit, alert, emerg',
    ],
    [{ accessLog: '/tmp/' }, '--access-log: Cannot log to "/tmp/": it is a folder; name a file in it'],
    [
      { to: ['a:1,backup', 'b:1,backup'] },
      '--to: all peers are backups; at least one must do without "backup"',
    ],
    [{ to: ['http://a'] }, '--to: Cannot send to "http://a": a peer is an address, not a URL; use a'],
  ])('refuses %j in one line', (options: Record<string, unknown>, message) => {
    expect(() => read(options)).toThrow(new UsageError(message));
  });

  it('names the variable when the mistake is there', () => {
    expect(() => read({}, { SLUICE_KEEPALIVE: 'many' })).toThrow('SLUICE_KEEPALIVE: Cannot use count "many"');
  });

  describe('a proxy that would send to itself', () => {
    it.each([
      ['9001', '127.0.0.1:9001'],
      ['0.0.0.0:9001', '127.0.0.1:9001'],
      ['[::]:9001', 'localhost:9001'],
      ['localhost:9001', '127.0.0.1:9001'],
      ['127.0.0.1:9001', 'localhost:9001'],
      ['10.0.0.1:9001', '10.0.0.1:9001'],
      ['unix:/run/a.sock', 'unix:/run/a.sock'],
    ])('is refused: --listen %s --to %s', (listen, to) => {
      expect(() => read({ listen: [listen], to: [to] })).toThrow(
        /^Cannot send to ".*": sluice itself listens there/,
      );
    });

    it.each([
      ['127.0.0.1:9001', '127.0.0.2:9001'],
      ['0.0.0.0:9001', '10.0.0.2:9001'],
      ['0.0.0.0:9001', '127.0.0.1:9002'],
      ['unix:/run/a.sock', 'unix:/run/b.sock'],
      ['unix:/run/a.sock', '127.0.0.1:9001'],
    ])('is not --listen %s --to %s', (listen, to) => {
      expect(read({ listen: [listen], to: [to] }).listen).toHaveLength(1);
    });
  });

  describe('where the dashboard is', () => {
    it.each([
      ['8082', { address: at('127.0.0.1', 8082) }],
      ['0.0.0.0', { address: at('0.0.0.0', 8081) }],
      ['[::1]:1,write', { address: at('::1', 1), mayWrite: true }],
    ])('is --dashboard %s', (text, dashboard) => {
      expect(read({ dashboard: text }).dashboard).toEqual(dashboard);
    });

    it('is nowhere unless it is asked for', () => {
      expect(read({}).dashboard).toBeUndefined();
      expect(read({ dashboard: 'off' })).not.toHaveProperty('dashboard');
    });

    it('is neither an address that is taken nor something with other words', () => {
      expect(() => read({ dashboard: '8080' })).toThrow('Cannot listen on "127.0.0.1:8080" twice');
      expect(() => read({ dashboard: '8081,wrte' })).toThrow(
        '--dashboard: Cannot read dashboard "8081,wrte": unknown word "wrte"; use write, or none',
      );
    });
  });
});
