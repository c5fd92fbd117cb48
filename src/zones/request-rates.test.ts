import { describe, expect, it } from 'vitest';
import { NO_ROOM, RequestRates } from './request-rates.js';

const KB = 1024;

/** A time of the machine: counted from its start, not 0. */
const START = 5_000_000;

function makeRates(bytes = 64 * KB): RequestRates {
  return new RequestRates(new SharedArrayBuffer(bytes));
}

describe('RequestRates', () => {
  it('counts excess in thousandths as nginx does', () => {
    const rates = makeRates();
    const rate = 2000;
    expect(rates.take('a', rate, 5000, START)).toBe(0);
    expect(rates.take('a', rate, 5000, START)).toBe(1000);
    expect(rates.take('a', rate, 5000, START + 250)).toBe(1500);
    expect(rates.take('a', rate, 5000, START + 250)).toBe(2500);
    expect(rates.take('a', rate, 5000, START + 10_000)).toBe(0);
    expect(rates.take('b', rate, 5000, START + 10_000)).toBe(0);
  });

  it('leaves the bucket as it is when a request is beyond the burst', () => {
    const rates = makeRates();
    rates.take('a', 1000, 0, START);
    expect(rates.take('a', 1000, 0, START + 100)).toBe(900);
    expect(rates.take('a', 1000, 0, START + 200)).toBe(800);
    expect(rates.take('a', 1000, 0, START + 1000)).toBe(0);
  });

  it('tells beforehand what it would say', () => {
    const rates = makeRates();
    expect(rates.probe('a', 1000, START)).toBe(0);
    expect(rates.size).toBe(0);
    rates.take('a', 1000, 0, START);
    expect(rates.probe('a', 1000, START + 400)).toBe(600);
    expect(rates.probe('a', 1000, START + 400)).toBe(600);
  });

  it.each([
    { rate: 16, burst: 0 },
    { rate: 500, burst: 3000 },
    { rate: 10_000, burst: 20_000 },
    { rate: 1_000_000, burst: 1000 },
  ])('never lets more through in any time than rate and burst ($rate, $burst)', ({ rate, burst }) => {
    const rates = makeRates();
    const passed: number[] = [];
    let now = START;
    let seed = rate + burst;
    for (let i = 0; i < 20_000; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      now += seed % 7 === 0 ? seed % 97 : seed % 2;
      if (rates.take('a', rate, burst, now) <= burst) passed.push(now);
    }
    expect(passed.length).toBeGreaterThan(0);
    // From each request that passed: how many more could.
    let overshoot = 0;
    for (let first = 0; first < passed.length; first += 37) {
      for (let last = first; last < passed.length; last += 11) {
        const allowed = burst / 1000 + 1 + (rate * (passed[last]! - passed[first]!)) / 1_000_000;
        overshoot = Math.max(overshoot, last - first + 1 - Math.floor(allowed + 1e-9));
      }
    }
    expect(overshoot).toBe(0);
  });

  it('lets through what the rate allows', () => {
    const rates = makeRates();
    for (let i = 0; i < 1000; i++) expect(rates.take('a', 10_000, 0, START + i * 100)).toBe(0);
  });

  it('takes a time a little back for the same time, and one far back for a new one', () => {
    const rates = makeRates();
    rates.take('a', 1000, 9000, START);
    expect(rates.take('a', 1000, 9000, START - 500)).toBe(1000);
    expect(rates.take('a', 1000, 9000, START - 100_000)).toBe(1999);
    expect(rates.take('a', 1000, 9000, START - 99_000)).toBe(1999);
  });

  it('forgets at most two keys that owe nothing any more whenever one is new', () => {
    const rates = makeRates();
    for (let i = 0; i < 10; i++) rates.take(`old ${i}`, 1000, 0, START);
    rates.take('new', 1000, 0, START + 59_999);
    expect(rates.size).toBe(11);
    rates.take('newer', 1000, 0, START + 60_000);
    expect(rates.size).toBe(10);
    rates.take('newest', 1000, 0, START + 60_000);
    expect(rates.size).toBe(9);
  });

  it('keeps keys that still owe, until there is no room: then the one not used for longest goes', () => {
    const rates = makeRates(4 * KB);
    const { capacity } = rates;
    const fill = (key: string) => {
      rates.take(key, 16, 9000, START);
      rates.take(key, 16, 9000, START);
    };
    for (let i = 0; i < capacity; i++) fill(`key ${i}`);
    expect(rates.size).toBe(capacity);
    rates.probe('key 0', 16, START);
    fill('one more');
    expect(rates.size).toBe(capacity);
    expect(rates.probe('key 0', 16, START)).toBe(2000);
    expect(rates.probe('key 1', 16, START)).toBe(0);
    expect(rates.probe('key 2', 16, START)).toBe(2000);
  });

  it('refuses a key that no zone of its size has room for', () => {
    const rates = makeRates(4 * KB);
    rates.take('a', 1000, 0, START);
    expect(rates.take('x'.repeat(4 * KB), 1000, 0, START)).toBe(NO_ROOM);
    expect(rates.probe('x'.repeat(4 * KB), 1000, START)).toBe(NO_ROOM);
    expect(rates.size).toBe(1);
  });
});
