import { threadId } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { ErrorLog, type LogLevel } from './error-log.js';
import type { LogSink } from './sink.js';

const LEVELS: LogLevel[] = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'];

/** A log of the level at 2026/11/23 17:22:12 local time, and its lines. */
function setUp(level: LogLevel = 'error') {
  const lines: string[] = [];
  const clock = new FakeClock(new Date(2026, 10, 23, 17, 22, 12).getTime());
  const log = new ErrorLog({ write: (line) => void lines.push(line) } as LogSink, level, clock);
  return { log, lines, clock };
}

describe('the error log', () => {
  it("writes nginx's line form: local time, level, process, thread, connection", () => {
    const { log, lines } = setUp();
    log.log('error', 'no live upstreams', 7);
    log.log('crit', 'accept() failed');
    const origin = `${process.pid}#${threadId}:`;
    expect(lines).toEqual([
      `2026/11/23 17:22:12 [error] ${origin} *7 no live upstreams`,
      `2026/11/23 17:22:12 [crit] ${origin} accept() failed`,
    ]);
  });

  it('follows the clock', () => {
    const { log, lines, clock } = setUp();
    for (const ms of [999, 1, 8 * 3600_000]) {
      clock.advance(ms);
      log.log('error', 'x');
    }
    expect(lines.map((line) => line.slice(0, 19))).toEqual([
      '2026/11/23 17:22:12',
      '2026/11/23 17:22:13',
      '2026/11/24 01:22:13',
    ]);
  });

  it.each(LEVELS)('of level %s writes that level and what is graver, and says so', (level) => {
    const { log, lines } = setUp(level);
    for (const each of LEVELS) log.log(each, 'x');
    const written = LEVELS.slice(LEVELS.indexOf(level));
    expect(lines.map((line) => /\[(\w+)\]/.exec(line)?.[1])).toEqual(written);
    expect(LEVELS.filter((each) => log.isEnabled(each))).toEqual(written);
  });

  it('writes to each of its places what is grave enough for it', () => {
    const written: string[] = [];
    const sink = (name: string) =>
      ({
        write: (line: string, level) => void written.push(`${name} ${level} ${line.slice(20)}`),
      }) as LogSink;
    const log = new ErrorLog([
      { sink: sink('a'), level: 'info' },
      { sink: sink('b'), level: 'error' },
    ]);
    for (const level of ['debug', 'notice', 'error'] as const) log.log(level, 'x');
    expect(written.map((line) => line.replace(/\d+#\d+/, 'N'))).toEqual([
      'a notice [notice] N: x',
      'a error [error] N: x',
      'b error [error] N: x',
    ]);
    expect([log.isEnabled('info'), log.isEnabled('debug')]).toEqual([true, false]);
  });

  it('writes bytes of a request as they came, and the characters of a path as UTF-8', () => {
    const { log, lines } = setUp();
    log.log('error', `request: "/${Buffer.from('ü').toString('latin1')}"`);
    log.log('error', 'open "/ü/☃"');
    const read = lines.map((line) => Buffer.from(line, 'latin1').toString());
    expect(read[0]).toMatch(/"\/ü"$/);
    expect(read[1]).toMatch(/"\/ü\/☃"$/);
  });

  it('escapes line feeds and escape sequences, so that a request can forge neither a line nor a colour', () => {
    const { log, lines } = setUp();
    log.log('error', 'bad "GET /\r\n2026/11/23 [emerg]\0\x1b[31m\x7f\x9b\u2028é☃"');
    expect(lines).toHaveLength(1);
    expect(Buffer.from(lines[0]!, 'latin1').toString()).toMatch(
      /: bad "GET \/\\x0D\\x0A2026\/11\/23 \[emerg\]\\x00\\x1B\[31m\\x7F\\x9B\\u2028é☃"$/,
    );
  });
});
