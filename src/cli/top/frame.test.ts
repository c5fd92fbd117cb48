import { describe, expect, it } from 'vitest';
import { fold, frame } from './frame.js';
import type { PeerStatus, Status } from './status.js';

const PLAIN = { width: 200, height: 100, hasColours: false };

function peer(server: string, more: Partial<PeerStatus> = {}): PeerStatus {
  return {
    id: Number(server.split(':').at(-1)),
    server,
    state: 'up',
    active: 1,
    requests: 0,
    fails: 0,
    responses: { '5xx': 0 },
    backup: false,
    weight: 1,
    ...more,
  };
}

function status(atMs: number, count: number, peers: readonly PeerStatus[]): Status {
  return {
    atMs,
    nginx: { build: 'sluice-1.2.3', generation: 2, load_timestamp: '2026-01-02T03:04:05.678Z' },
    connections: { accepted: 10, active: 3, idle: 4 },
    requests: { total: count, current: 2 },
    zones: {
      shop: {
        processing: 2,
        requests: count,
        responses: { '1xx': 0, '2xx': count - 5, '3xx': 0, '4xx': 5, '5xx': 0 },
        received: count * 100,
        sent: count * 2_000_000,
      },
    },
    upstreams: { app: { peers } },
  };
}

describe('a frame', () => {
  it('tells totals as rates between two moments', () => {
    const before = status(1000, 100, [peer('127.0.0.1:1', { requests: 50 })]);
    const now = status(3000, 120, [
      peer('127.0.0.1:1', { requests: 57, response_time: 12 }),
      peer('10.0.0.1:2', { state: 'unhealthy', fails: 3, weight: 5, backup: true }),
    ]);
    expect(frame(now, before, PLAIN)).toEqual([
      'sluice-1.2.3  10 requests/s  2 under way  7 connections (4 idle)  configuration 2 of 2026-01-02 03:04:05',
      '',
      'server                             req/s       2xx       3xx       4xx       5xx      in/s     out/s       now',
      'shop                                  10        10         0         0         0    1.0 kB   20.0 MB         2',
      '',
      'upstream app                       req/s    active     fails       5xx        ms    weight     state',
      '  127.0.0.1:1                        3.5         1         0         0        12         1        up',
      '  10.0.0.1:2                           -         1         3         -         -  5 backup unhealthy',
    ]);
  });

  it('knows no rates at first, and after counters began anew', () => {
    const first = status(0, 100, []);
    expect(frame(first, null, PLAIN)[0]).toContain('- requests/s');
    expect(frame(status(1000, 5, []), first, PLAIN)[0]).toContain('- requests/s');
  });

  it('compares a server with itself, also when one before it was taken away', () => {
    const before = status(0, 1, [peer('a:1', { requests: 10 }), peer('a:2', { requests: 9000 })]);
    const now = status(1000, 2, [peer('a:2', { requests: 9020 }), peer('a:3', { requests: 30 })]);
    const [second, third] = frame(now, before, PLAIN).slice(-2);
    expect(second).toMatch(/^ {2}a:2 +20 /);
    expect(third).toMatch(/^ {2}a:3 +- /);
  });

  it('does not scroll a terminal of hardly a line', () => {
    const lines = frame(status(0, 1, [peer('a:1')]), null, { ...PLAIN, height: 1 });
    expect(lines).toEqual(['... 8 more lines']);
  });

  it('fits the terminal, with colours that take no room', () => {
    const peers = Array.from({ length: 20 }, (_, i) => peer(`10.0.0.${i}:1`, { state: 'unavail' }));
    const lines = frame(status(0, 1, peers), null, { width: 40, height: 12, hasColours: true });
    expect(lines.length).toBe(11);
    expect(lines.at(-1)).toContain('... 16 more lines');
    const plain = frame(status(0, 1, peers), null, { ...PLAIN, width: 40 });
    expect(Math.max(...plain.map((line) => line.length))).toBe(40);
    expect(lines[2]).toBe(`\u001b[1m${plain[2]}\u001b[0m`);
    expect(frame(status(0, 1, peers), null, { ...PLAIN, hasColours: true }).at(-1)).toContain(
      '\u001b[31m   unavail\u001b[0m',
    );
  });

  it('leaves out on a narrow terminal what tells least', () => {
    const lines = frame(status(0, 1, [peer('127.0.0.1:8080')]), null, { ...PLAIN, width: 50 });
    expect(lines.slice(2)).toEqual([
      'server                   req/s       4xx       5xx',
      'shop                         -         -         -',
      '',
      'upstream app             req/s       5xx     state',
      '  127.0.0.1:8080             -         -        up',
    ]);
    expect(frame(status(0, 1, [peer('127.0.0.1:8080')]), null, { ...PLAIN, width: 38 }).at(-1)).toBe(
      '  127.0.0.1:8080           -        up',
    );
  });

  it('shows names whose characters a terminal would obey as harmless ones', () => {
    const lines = frame(status(0, 1, [peer('\u001b]0;a\u0007')]), null, PLAIN);
    expect(lines.at(-1)).toMatch(/^ {2}\?\]0;a\? /);
  });
});

it('a text that is longer than the terminal is wide takes several lines', () => {
  expect(fold('Cannot ask it', 5)).toEqual(['Canno', 't ask', ' it']);
  expect(fold('Cannot', 6)).toEqual(['Cannot']);
});
