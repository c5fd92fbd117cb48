import { describe, expect, it } from 'vitest';
import { DEMO_FLAGS, ECHO_FLAGS, environmentName, gatherGiven, PROXY_FLAGS } from './flags.js';

describe('environmentName', () => {
  it('is SLUICE_ and the flag in capitals', () => {
    expect(environmentName('', 'listen')).toBe('SLUICE_LISTEN');
    expect(environmentName('', 'upstream-keepalive-timeout')).toBe('SLUICE_UPSTREAM_KEEPALIVE_TIMEOUT');
  });

  it("carries a subcommand's name, so that two commands in one environment do not collide", () => {
    expect(environmentName('echo', 'listen')).toBe('SLUICE_ECHO_LISTEN');
    expect(environmentName('demo', 'echo-ports')).toBe('SLUICE_DEMO_ECHO_PORTS');
  });

  it('differs for every flag of every command', () => {
    const names = [
      ...PROXY_FLAGS.map((flag) => environmentName('', flag.name)),
      ...ECHO_FLAGS.map((flag) => environmentName('echo', flag.name)),
      ...DEMO_FLAGS.map((flag) => environmentName('demo', flag.name)),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('gatherGiven', () => {
  const gather = (options: Record<string, unknown>, environment: NodeJS.ProcessEnv) =>
    gatherGiven('', PROXY_FLAGS, options, environment);

  it('holds nothing for what was not given', () => {
    expect(gather({}, { PATH: '/bin' }).size).toBe(0);
  });

  it('reads a flag, under the name commander gives its value', () => {
    expect(gather({ readTimeout: '5s' }, {}).get('read-timeout')).toEqual({
      texts: ['5s'],
      source: '--read-timeout',
    });
  });

  it('reads a variable', () => {
    expect(gather({}, { SLUICE_READ_TIMEOUT: '5s' }).get('read-timeout')).toEqual({
      texts: ['5s'],
      source: 'SLUICE_READ_TIMEOUT',
    });
  });

  it('lets the flag win over the variable', () => {
    const given = gather({ to: ['127.0.0.1:1'] }, { SLUICE_TO: '127.0.0.1:2 127.0.0.1:3' });
    expect(given.get('to')).toEqual({ texts: ['127.0.0.1:1'], source: '--to' });
  });

  it('splits the variable of a repeatable flag at white space, so that commas stay with their peer', () => {
    const given = gather({}, { SLUICE_TO: ' 127.0.0.1:1,weight=3  unix:/run/a.sock\n' });
    expect(given.get('to')?.texts).toEqual(['127.0.0.1:1,weight=3', 'unix:/run/a.sock']);
  });

  it('keeps the spaces in the variable of a flag given once', () => {
    expect(gather({}, { SLUICE_ACCESS_LOG: '/var/log/my proxy.log' }).get('access-log')?.texts).toEqual([
      '/var/log/my proxy.log',
    ]);
  });

  it('takes an empty variable for none, as docker compose passes unset ones on', () => {
    expect(gather({}, { SLUICE_TO: '', SLUICE_READ_TIMEOUT: '  ' }).size).toBe(0);
  });

  it('keeps an empty flag, for its parser to refuse', () => {
    expect(gather({ readTimeout: '' }, { SLUICE_READ_TIMEOUT: '5s' }).get('read-timeout')?.texts).toEqual([
      '',
    ]);
  });

  it('refuses a flag in the place of a value', () => {
    expect(() => gather({ listen: ['--to'] }, {})).toThrow(
      'Cannot use "--to" as a value: write --listen <addr>',
    );
  });
});
