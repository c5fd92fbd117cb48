import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { type AccessEntry, AccessLog } from './access-log.js';
import type { LogSink } from './sink.js';

const ENTRY: AccessEntry = {
  remoteAddress: '192.0.2.7',
  remoteUser: 'ann',
  requestLine: 'GET /a?b=c HTTP/1.1',
  status: 200,
  bodyBytesSent: 135,
  referer: 'http://example.com/',
  userAgent: 'curl/8.5.0',
  requestTimeMs: 5.9,
  upstreamAddresses: '127.0.0.1:9001, unix:/run/a.sock',
  upstreamStatuses: '502, 200',
  upstreamConnectTimes: '-, 0.001',
  upstreamHeaderTimes: '-, 0.004',
  upstreamResponseTimes: '0.000, 0.005',
};

/** The line of an entry that differs from ENTRY as said. */
function lineOf(changes: Partial<AccessEntry>, clock = new FakeClock()): string {
  const lines: string[] = [];
  new AccessLog({ write: (line) => void lines.push(line) } as LogSink, clock).log({ ...ENTRY, ...changes });
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

describe('the access log', () => {
  const timeZone = process.env.TZ;
  beforeEach(() => {
    process.env.TZ = 'UTC';
  });
  afterEach(() => {
    if (timeZone === undefined) delete process.env.TZ;
    else process.env.TZ = timeZone;
  });

  it('writes the combined format, and then what the upstream did', () => {
    expect(lineOf({})).toBe(
      '192.0.2.7 - ann [23/Nov/2026:17:22:12 +0000] "GET /a?b=c HTTP/1.1" 200 135 "http://example.com/" ' +
        '"curl/8.5.0" upstream=127.0.0.1:9001, unix:/run/a.sock ustatus=502, 200 rt=0.005 uct=-, 0.001 ' +
        'uht=-, 0.004 urt=0.000, 0.005',
    );
  });

  it('writes "-" for what is empty', () => {
    const empty: AccessEntry = {
      remoteAddress: '',
      remoteUser: '',
      requestLine: '',
      status: 400,
      bodyBytesSent: 0,
      referer: '',
      userAgent: '',
      requestTimeMs: 0,
      upstreamAddresses: '',
      upstreamStatuses: '',
      upstreamConnectTimes: '',
      upstreamHeaderTimes: '',
      upstreamResponseTimes: '',
    };
    expect(lineOf(empty)).toBe(
      '- - - [23/Nov/2026:17:22:12 +0000] "-" 400 0 "-" "-" upstream=- ustatus=- rt=0.000 uct=- uht=- urt=-',
    );
  });

  it.each([
    ['America/St_Johns', '23/Nov/2026:13:52:12 -0330'],
    ['Asia/Kolkata', '23/Nov/2026:22:52:12 +0530'],
    ['Pacific/Auckland', '24/Nov/2026:06:22:12 +1300'],
  ])('writes the local time of %s', (zone, time) => {
    process.env.TZ = zone;
    expect(lineOf({})).toContain(`[${time}]`);
  });

  it.each([
    'remoteUser',
    'requestLine',
    'referer',
    'userAgent',
    'remoteAddress',
    'upstreamAddresses',
  ] as const)('escapes %s, so that it can forge neither a field nor a line', (field) => {
    expect(lineOf({ [field]: 'a" "b\\\r\n\0\t~\x7f\x80\xff☃😀' })).toContain(
      'a\\x22 \\x22b\\x5C\\x0D\\x0A\\x00\\x09~\\x7F\\x80\\xFF\\xE2\\x98\\x83\\xF0\\x9F\\x98\\x80',
    );
  });

  it('leaves no character but printable ASCII, whatever it was', () => {
    const all = Array.from({ length: 65_536 }, (_, code) => String.fromCharCode(code)).join('');
    expect(/^[ -~]+$/.test(lineOf({ userAgent: all, requestLine: all }))).toBe(true);
  });
});
