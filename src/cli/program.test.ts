import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  buildProgram,
  describeParseFailure,
  describeUnknownVariables,
  type OptionValues,
} from './program.js';

/** What the command line asks for: the command's name, its words and its options. */
type Call = [command: string, ...words: unknown[]];

async function parse(...args: string[]): Promise<Call | string> {
  let call: Call | null = null;
  const record = (command: string) => async (options: OptionValues) => {
    call = [command, { ...options }];
  };
  const program = buildProgram({
    echo: record('echo'),
    demo: record('demo'),
    async doctor(file, options) {
      call = ['doctor', file, { ...options }];
    },
    async directives(name, options) {
      call = ['directives', name, { ...options }];
    },
    async explain(url, options) {
      call = ['explain', url, { ...options }];
    },
    async diff(before, after) {
      call = ['diff', before, after];
    },
    async top(url, options) {
      call = ['top', url, { ...options }];
    },
    async proxy(host, port, options) {
      call = ['proxy', host, port, { ...options }];
    },
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return call ?? 'no command was called';
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return describeParseFailure(error, program, args);
  }
}

describe('the command line', () => {
  it.each<[string[], Call]>([
    [[], ['proxy', undefined, undefined, {}]],
    [
      ['0.0.0.0', '8081'],
      ['proxy', '0.0.0.0', '8081', {}],
    ],
    [
      ['--listen', '8080', '--to', 'a:1', '--to', 'b:2,weight=3'],
      ['proxy', undefined, undefined, { listen: ['8080'], to: ['a:1', 'b:2,weight=3'] }],
    ],
    [
      ['--read-timeout=5s', '0.0.0.0'],
      ['proxy', '0.0.0.0', undefined, { readTimeout: '5s' }],
    ],
    [
      ['doctor', 'nginx.conf', '-p', '/srv', '--json'],
      ['doctor', 'nginx.conf', { prefix: '/srv', json: true }],
    ],
    [
      ['directives', 'gzip'],
      ['directives', 'gzip', {}],
    ],
    [
      ['top', 'http://a/api', '--interval', '2', '--once'],
      ['top', 'http://a/api', { interval: '2', once: true }],
    ],
    [
      ['explain', 'http://a/', '-c', 'a.conf', '-H', 'A: 1', '-H', 'B: 2', '-X', 'PUT', '--from', '::1'],
      ['explain', 'http://a/', { conf: 'a.conf', header: ['A: 1', 'B: 2'], method: 'PUT', from: '::1' }],
    ],
    [
      ['diff', 'a.conf', 'b.conf'],
      ['diff', 'a.conf', 'b.conf'],
    ],
    [['echo'], ['echo', {}]],
    [
      ['echo', '--listen', '9003'],
      ['echo', { listen: '9003' }],
    ],
    [
      ['demo', '--listen', '8090', '--echo-ports', '1,2'],
      ['demo', { listen: '8090', echoPorts: '1,2' }],
    ],
  ])('%j calls %j', async (args, call) => {
    expect(await parse(...args)).toEqual(call);
  });

  it.each([
    [['--lisen', '80'], 'Cannot use "--lisen": there is no such flag; did you mean "--listen"?'],
    [
      ['--read-timout=3'],
      'Cannot use "--read-timout=3": there is no such flag; did you mean "--read-timeout"?',
    ],
    [['--zzz'], 'Cannot use "--zzz": there is no such flag; sluice --help lists them'],
    [['--port', '80'], 'Cannot use "--port": there is no such flag; did you mean "--listen"?'],
    [
      ['--proxy-read-timeout', '3'],
      'Cannot use "--proxy-read-timeout": there is no such flag; did you mean "--read-timeout"?',
    ],
    [['echo', '--port', '3'], 'Cannot use "--port": there is no such flag; did you mean "--listen"?'],
    [['echo', '--to', '3'], 'Cannot use "--to": there is no such flag; sluice echo --help lists them'],
    [['--listen'], 'Cannot use "--listen": its value is missing; write --listen <addr>'],
    [['a', '1', 'c'], 'Cannot use "a 1 c": too many words; sluice --help shows what goes'],
    [['echo', '9001'], 'Cannot use "echo 9001": too many words; sluice echo --help shows what goes'],
  ])('%j is refused in one line', async (args, line) => {
    expect(await parse(...args)).toBe(line);
  });
});

const nothing = async () => {};

describe('the help', () => {
  it('fits a screen of 45 lines by 100 columns and shows examples and the rule of the variables', () => {
    let help = '';
    const program = buildProgram({
      proxy: nothing,
      echo: nothing,
      demo: nothing,
      doctor: nothing,
      directives: nothing,
      explain: nothing,
      diff: nothing,
      top: nothing,
    });
    program.configureOutput({ writeOut: (text) => (help += text) });
    expect(() => program.parse(['--help'], { from: 'user' })).toThrow(CommanderError);
    const lines = help.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(45);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(help).toContain('--to 127.0.0.1:9002,weight=3');
    expect(help).toContain('--read-timeout is SLUICE_READ_TIMEOUT');
  });
});

describe('describeUnknownVariables', () => {
  it('says what a mistyped variable should have been', () => {
    expect(describeUnknownVariables({ SLUICE_LISEN: '80', SLUICE_ECO_LISTEN: '1' })).toEqual([
      'ignoring the variable "SLUICE_LISEN": did you mean "SLUICE_LISTEN"?',
      'ignoring the variable "SLUICE_ECO_LISTEN": did you mean "SLUICE_ECHO_LISTEN"?',
    ]);
  });

  it('says nothing of known ones, of others, and of what Kubernetes sets for a service named sluice', () => {
    const environment = {
      SLUICE_LISTEN: '80',
      SLUICE_DEMO_ECHO_PORTS: '1,2',
      PATH: '/bin',
      SLUICE_SERVICE_HOST: '10.0.0.1',
      SLUICE_SERVICE_PORT: '80',
      SLUICE_PORT: 'tcp://10.0.0.1:80',
      SLUICE_PORT_80_TCP: 'tcp://10.0.0.1:80',
      SLUICE_PORT_80_TCP_PROTO: 'tcp',
      SLUICE_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(describeUnknownVariables(environment)).toEqual([]);
  });
});
