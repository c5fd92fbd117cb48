import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { type SyslogOptions, SyslogSink } from './syslog-sink.js';

const OPTIONS: SyslogOptions = { facility: 23, severity: 'info', tag: 'nginx', hasHostname: true };

function setUp(options: Partial<SyslogOptions> = {}) {
  const sent: string[] = [];
  let closedCount = 0;
  const sender = {
    send: (priority: number, head: string, text: string) => void sent.push(`<${priority}>${head}${text}`),
    close: () => void closedCount++,
  };
  const clock = new FakeClock(new Date(2026, 10, 3, 7, 2, 12).getTime());
  const sink = new SyslogSink(sender, { ...OPTIONS, ...options }, clock);
  return { sink, sent, closedCount: () => closedCount };
}

describe('a syslog sink', () => {
  it('sends messages of RFC 3164, the day of the month in two columns', () => {
    const { sink, sent } = setUp();
    sink.write('hello');
    expect(sent).toEqual([`<190>Nov  3 07:02:12 ${hostname().toLowerCase()} nginx: hello`]);
  });

  it('takes facility, severity and tag, and leaves the host out on demand', () => {
    const { sink, sent } = setUp({ facility: 1, severity: 'alert', tag: 'web', hasHostname: false });
    sink.write('hello');
    expect(sent).toEqual(['<9>Nov  3 07:02:12 web: hello']);
  });

  it('gives a line of an error log the severity of its level, whatever was given', () => {
    const { sink, sent } = setUp({ severity: 'alert' });
    for (const level of ['debug', 'error', 'emerg'] as const) sink.write('x', level);
    expect(sent.map((message) => message.slice(0, 5))).toEqual(['<191>', '<187>', '<184>']);
  });

  it('cuts long messages of an error log', () => {
    const { sink, sent } = setUp();
    sink.write('x'.repeat(10_000), 'error');
    expect(sent[0]!.length).toBeLessThan(2200);
  });

  it('sends nothing once it is closed, and closes once', async () => {
    const { sink, sent, closedCount } = setUp();
    await sink.close();
    await sink.close();
    sink.write('late');
    expect([sent, closedCount()]).toEqual([[], 1]);
  });
});
