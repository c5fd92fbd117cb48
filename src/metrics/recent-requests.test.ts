import { describe, expect, it } from 'vitest';
import { MOST_RECENT_TEXT, RECENT_REQUESTS_BYTES, RecentRequests } from './recent-requests.js';

const MINUTE = 60_000;
/** Not at the beginning of anything. */
const NOW = 1000 * MINUTE + 1500;

function makeRecent(): RecentRequests {
  return new RecentRequests(new SharedArrayBuffer(RECENT_REQUESTS_BYTES));
}

function keep(recent: RecentRequests, durationMs: number, nowMs: number): void {
  if (recent.isSlow(durationMs, nowMs)) recent.keepSlow(durationMs, nowMs, `${durationMs}`);
}

describe('RecentRequests', () => {
  it('keeps the ten slowest of a minute, and has others pass by with a comparison', () => {
    const recent = makeRecent();
    for (const durationMs of [5, 3, 9, 1, 7, 2, 8, 4, 6, 10]) keep(recent, durationMs, NOW);
    expect(recent.isSlow(1, NOW)).toBe(false);
    expect(recent.isSlow(1.5, NOW)).toBe(true);
    keep(recent, 20, NOW);
    keep(recent, 0, NOW);
    expect(recent.isSlow(2, NOW)).toBe(false);
    expect(recent.read(NOW, -1)!.slow).toEqual(['20', '10', '9', '8', '7', '6', '5', '4', '3', '2']);
  });

  it('forgets a minute after five others, and begins each anew', () => {
    const recent = makeRecent();
    for (let i = 0; i < 12; i++) keep(recent, 100 + i, NOW);
    keep(recent, 1, NOW + MINUTE);
    expect(recent.read(NOW + 5 * MINUTE, -1)!.slow).toHaveLength(11);
    expect(recent.read(NOW + 6 * MINUTE, -1)!.slow).toEqual(['1']);
    keep(recent, 2, NOW + 6 * MINUTE);
    expect(recent.read(NOW + 6 * MINUTE, -1)!.slow).toEqual(['2', '1']);
    expect(recent.read(NOW + 20 * MINUTE, -1)!.slow).toEqual([]);
  });

  it('keeps the last fifty that failed, and of each second no more than five', () => {
    const recent = makeRecent();
    for (let second = 0; second < 12; second++) {
      for (let i = 0; i < 7; i++) {
        const nowMs = NOW + second * 1000;
        if (recent.hasRoomForFailed(nowMs)) recent.keepFailed(1, nowMs, `${second}.${i}`);
      }
    }
    const { failed } = recent.read(NOW, -1)!;
    expect(failed).toHaveLength(50);
    expect(failed.slice(0, 6)).toEqual(['11.4', '11.3', '11.2', '11.1', '11.0', '10.4']);
    expect(failed.at(-1)).toBe('2.0');
  });

  it('says nothing to who knows all of it, and shows one worker what another keeps', () => {
    const memory = new SharedArrayBuffer(RECENT_REQUESTS_BYTES);
    const one = new RecentRequests(memory);
    const other = new RecentRequests(memory);
    one.keepFailed(1, NOW, 'a');
    const { version, failed } = other.read(NOW, -1)!;
    expect(failed).toEqual(['a']);
    expect(other.read(NOW, version)).toBeNull();
    one.keepSlow(1, NOW, 'b\xff');
    expect(other.read(NOW, version)).toMatchObject({ slow: ['b\xff'], failed: ['a'] });
  });

  it('has room for the longest text', () => {
    const recent = makeRecent();
    for (let i = 0; i < 50; i++) recent.keepFailed(1, NOW + i * 1000, `${i}`.padEnd(MOST_RECENT_TEXT, '.'));
    expect(recent.read(NOW, -1)!.failed.map((text) => text.length)).toEqual(
      new Array(50).fill(MOST_RECENT_TEXT),
    );
  });
});
