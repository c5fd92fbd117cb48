import { describe, expect, it } from 'vitest';
import { logTarget } from './log-target.js';
import { Refusal } from './value-type.js';

function nginxTextOf(text: string): string {
  const value = logTarget.parse(text);
  if (!(value instanceof Refusal)) throw new Error(`"${text}" was taken`);
  return value.nginxText('error_log');
}

describe('a log target', () => {
  it('is a file unless it says otherwise', () => {
    expect(logTarget.parse('logs/error.log')).toEqual({ kind: 'file', path: 'logs/error.log' });
    expect(logTarget.parse('stderr')).toEqual({ kind: 'file', path: 'stderr' });
  });

  it('is a syslog server with what is left out as in nginx', () => {
    expect(logTarget.parse('syslog:server=127.0.0.1:5140')).toEqual({
      kind: 'syslog',
      server: { kind: 'ipv4', host: '127.0.0.1', port: 5140, lastPort: null },
      facility: 23,
      severity: 'info',
      tag: 'nginx',
      hasHostname: true,
    });
  });

  it('takes the parameters in any order', () => {
    expect(
      logTarget.parse('syslog:nohostname,severity=crit,tag=a_1,facility=user,server=unix:/dev/log'),
    ).toMatchObject({
      server: { kind: 'unix', host: '/dev/log' },
      facility: 1,
      severity: 'crit',
      tag: 'a_1',
      hasHostname: false,
    });
  });

  it.each([
    ['syslog:tag=a', 'no syslog server specified'],
    ['syslog:server=a:1,server=b:1', 'duplicate syslog "server"'],
    ['syslog:server=a:1,facility=x', 'unknown syslog facility "x"'],
    ['syslog:server=a:1,severity=err', 'unknown syslog severity "err"'],
    ['syslog:server=a:1,tag=a-b', 'syslog "tag" only allows alphanumeric characters and underscore'],
    [`syslog:server=a:1,tag=${'a'.repeat(33)}`, 'syslog tag length exceeds 32'],
    ['syslog:server=a:1,what', 'unknown syslog parameter "what"'],
    ['syslog:server=a:0', 'invalid port in syslog server "a:0"'],
    ['memory:100', 'invalid buffer size "100"'],
    ['memory:1x', 'invalid buffer size "1x"'],
  ])('refuses %s in the words of nginx', (text, words) => {
    expect(nginxTextOf(text)).toBe(words);
  });

  it('is memory of a size', () => {
    expect(logTarget.parse('memory:1m')).toEqual({ kind: 'memory', bytes: 1024 * 1024 });
  });
});
