import { describe, expect, it } from 'vitest';
import { ConnectionCounts, LIMIT_REACHED, ZONE_FULL } from './connection-counts.js';

describe('ConnectionCounts', () => {
  it('counts each key up to the limit, and forgets it with its last one', () => {
    const counts = new ConnectionCounts(new SharedArrayBuffer(4096));
    const first = counts.take('a', 2);
    const second = counts.take('a', 2);
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(0);
    expect(counts.take('a', 2)).toBe(LIMIT_REACHED);
    expect(counts.take('a', 3)).toBeGreaterThan(0);
    expect(counts.take('b', 1)).toBeGreaterThan(0);
    expect(counts.size).toBe(2);
    counts.release(first);
    counts.release(first);
    expect(counts.take('a', 1)).toBe(LIMIT_REACHED);
    counts.release(second);
    expect(counts.size).toBe(1);
    expect(counts.take('a', 1)).toBeGreaterThan(0);
  });

  it('drops nobody who is counted when it is full', () => {
    const counts = new ConnectionCounts(new SharedArrayBuffer(4096));
    const tickets = Array.from({ length: counts.capacity }, (_, i) => counts.take(`key ${i}`, 1));
    expect(Math.min(...tickets)).toBeGreaterThan(0);
    expect(counts.take('one more', 1)).toBe(ZONE_FULL);
    expect(counts.take('key 3', 1)).toBe(LIMIT_REACHED);
    counts.release(tickets[5]!);
    expect(counts.take('one more', 1)).toBeGreaterThan(0);
  });

  it('ends empty whatever the order in which requests come and go', () => {
    const counts = new ConnectionCounts(new SharedArrayBuffer(32768));
    const open: number[] = [];
    let seed = 3;
    for (let i = 0; i < 30_000; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      const ticket = counts.take(`client ${seed % 50}`.padEnd(20 + (seed % 90), '.'), 10);
      if (ticket > 0) open.push(ticket);
      if (open.length > 0 && (ticket <= 0 || seed % 2 === 0)) {
        counts.release(open.splice(seed % open.length, 1)[0]!);
      }
    }
    expect(counts.size).toBeGreaterThan(0);
    for (const ticket of open) counts.release(ticket);
    expect(counts.size).toBe(0);
  });
});
