import { describe, expect, it } from 'vitest';
import { RecordTable } from './record-table.js';

/** The same numbers every time: a test that fails fails again. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('RecordTable', () => {
  it('does what a map with a queue does, with keys of all lengths, until it is full and beyond', () => {
    const random = makeRandom(7);
    const table = new RecordTable(new SharedArrayBuffer(8192), 2);
    const model = new Map<string, number>();
    const keys = Array.from({ length: 300 }, (_, i) =>
      `${i}`.padEnd(random(8) === 0 ? 200 : random(40), '\xff'),
    );
    for (let step = 0; step < 6000; step++) {
      const key = keys[random(keys.length)]!;
      const record = table.find(key);
      expect(record !== 0).toBe(model.has(key));
      if (record === 0) {
        while (!table.hasRoomFor(key)) {
          const [oldest] = model.keys();
          expect(table.find(oldest!)).toBe(table.oldest);
          table.remove(table.oldest);
          model.delete(oldest!);
        }
        const added = table.add(key);
        expect([table.words[table.valuesOf(added)], table.words[table.valuesOf(added) + 1]]).toEqual([0, 0]);
        table.words[table.valuesOf(added)] = step;
        table.words[table.valuesOf(added) + 1] = -1;
        model.set(key, step);
      } else {
        expect(table.words[table.valuesOf(record)]).toBe(model.get(key));
        if (random(4) === 0) {
          table.remove(record);
          model.delete(key);
        } else {
          table.touch(record);
          const value = model.get(key)!;
          model.delete(key);
          model.set(key, value);
        }
      }
      expect(table.size).toBe(model.size);
    }
    while (table.oldest !== 0) table.remove(table.oldest);
    expect(table.size).toBe(0);
    const longest = 'x'.repeat(32 + (table.capacity - 1) * 60);
    expect(table.hasRoomFor(longest)).toBe(true);
    expect(table.fits(`${longest}x`)).toBe(false);
  });

  it('keeps about as many states in a megabyte as nginx says of its own (docs/access-and-limits.md)', () => {
    expect(new RecordTable(new SharedArrayBuffer(1048576), 4).capacity).toBe(15_871);
  });

  it('is the same table for everybody who has its memory', () => {
    const memory = new SharedArrayBuffer(4096);
    const mine = new RecordTable(memory, 2);
    const yours = new RecordTable(memory, 2);
    const record = mine.add('a key that is longer than what has room beside the values');
    mine.words[mine.valuesOf(record)] = 42;
    const found = yours.find('a key that is longer than what has room beside the values');
    expect(found).toBe(record);
    expect(yours.words[yours.valuesOf(found)]).toBe(42);
  });

  it('spreads keys that differ in one character only', () => {
    const table = new RecordTable(new SharedArrayBuffer(1048576), 2);
    const perBucket = new Map<number, number>();
    for (let i = 0; i < 8192; i++) {
      const at = table.valuesOf(table.add(String.fromCharCode(10, i >> 8, i & 0xff, 1))) - 6;
      const bucket = table.words[at + 3]! & 8191;
      perBucket.set(bucket, (perBucket.get(bucket) ?? 0) + 1);
    }
    expect(Math.max(...perBucket.values())).toBeLessThan(16);
  });
});

describe('the lock of a table', () => {
  it('is taken over from a holder that failed, and what it left half done is forgotten', () => {
    const table = new RecordTable(new SharedArrayBuffer(4096), 2);
    table.lock.acquire();
    table.add('key');
    // No release: an error came in between.
    table.lock.acquire();
    expect(table.size).toBe(0);
    expect(table.epoch).toBe(1);
    table.lock.release();
    expect(table.add('key')).not.toBe(0);
  });

  it('is taken over from another thread that is gone, after a while', () => {
    const table = new RecordTable(new SharedArrayBuffer(4096), 2);
    table.lock.acquire();
    table.add('key');
    table.lock.release();
    // No thread of this process has that number.
    Atomics.store(table.words, 0, 0x7ffffff);
    table.lock.acquire();
    expect(table.epoch).toBe(1);
    table.lock.release();
    expect(Atomics.load(table.words, 0)).toBe(0);
  });

  it('is not freed by a thread that lost it', () => {
    const table = new RecordTable(new SharedArrayBuffer(4096), 2);
    table.lock.acquire();
    Atomics.store(table.words, 0, 0x7ffffff);
    table.lock.release();
    expect(Atomics.load(table.words, 0)).toBe(0x7ffffff);
  });
});
