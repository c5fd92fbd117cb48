import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { describeWaiting, tellDrainProgress } from './drain-progress.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('says after a second, and then every five, how much is left and what ends it', () => {
  const said: string[] = [];
  const waiting = { connectionCount: 12, drainMs: 60_000 };
  const end = tellDrainProgress(waiting, (line) => said.push(line));
  vi.advanceTimersByTime(999);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(1);
  waiting.connectionCount = 1;
  vi.advanceTimersByTime(5000);
  end();
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual([
    '12 requests or tunnels left after 1 s; what is left is cut off in 59 s (worker_shutdown_timeout)',
    '1 request or tunnel left after 6 s; what is left is cut off in 54 s (worker_shutdown_timeout)',
  ]);
});

it('names the signal that ends what may go on for ever', () => {
  const waiting = { connectionCount: 2, drainMs: Number.POSITIVE_INFINITY };
  expect(describeWaiting(waiting, 8000)).toBe('2 requests or tunnels left after 8 s; TERM cuts them off now');
});
