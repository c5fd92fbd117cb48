import { describe, expect, it } from 'vitest';
import { MAX_WORKERS } from '../zones/worker-place.js';
import { CounterRows, counterBytes } from './counter-rows.js';

const worker = (index: number) => ({ index, count: MAX_WORKERS });

describe('CounterRows', () => {
  it('sums up what each worker has counted in its row', () => {
    const memory = new SharedArrayBuffer(counterBytes(20, worker(0)));
    const rows = [0, 3, MAX_WORKERS - 1].map((index) => new CounterRows(memory, 20, worker(index)));
    for (const [i, { own }] of rows.entries()) {
      own[0]! += i + 1;
      own[19]! += 2 ** 40;
    }
    for (const reader of rows) {
      expect(reader.sum(0)).toBe(6);
      expect(reader.sum(1)).toBe(0);
      expect(reader.sum(19)).toBe(3 * 2 ** 40);
    }
  });

  it('goes on from what a row has when another worker takes it over', () => {
    const memory = new SharedArrayBuffer(counterBytes(1, worker(0)));
    new CounterRows(memory, 1, worker(2)).own[0] = 5;
    const successor = new CounterRows(memory, 1, worker(2));
    successor.own[0]!++;
    expect(new CounterRows(memory, 1).sum(0)).toBe(6);
  });
});
