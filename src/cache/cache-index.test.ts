import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, it } from 'vitest';
import { DEAD_THREADS_BYTES, noteDeadThread, shareDeadThreads } from '../zones/zone-lock.js';
import { CacheIndex } from './cache-index.js';

let memory: SharedArrayBuffer;
let dropped: string[];
let a: CacheIndex;
let b: CacheIndex;

beforeEach(() => {
  memory = new SharedArrayBuffer(16_384);
  dropped = [];
  a = new CacheIndex(memory, (hash) => dropped.push(hash));
  b = new CacheIndex(memory, (hash) => dropped.push(hash));
});

const hashOf = (text: string | number) => String(text).padStart(32, '0');
const key = hashOf('a');

const ended = (index: CacheIndex, node: ReturnType<CacheIndex['use']>) =>
  new Promise<string>((resolve) => {
    if (!index.waitForUpdate(node, () => resolve('ended'))) resolve('not waited');
  });

describe('the index of a cache', () => {
  it('has room for about eight thousand keys in a megabyte, as in nginx', () => {
    const megabyte = new CacheIndex(new SharedArrayBuffer(1_048_576), () => {});
    expect(megabyte.capacity).toBeGreaterThan(7800);
    expect(megabyte.capacity).toBeLessThan(8200);
  });

  it('counts uses of all threads, and a request once', () => {
    expect(a.use(key, 0, false).uses).toBe(1);
    expect(b.use(key, 0, false).uses).toBe(2);
    expect(b.use(key, 0, true).uses).toBe(2);
  });

  it('keeps size, error and uses apart', () => {
    const node = a.use(key, 0, false);
    a.noteError(node, 404, 3_000_000_000);
    a.noteSize(node, 2 ** 40);
    expect(b.use(key, 0, false)).toMatchObject({
      size: 2 ** 40,
      uses: 2,
      errorStatus: 404,
      errorUntil: 3_000_000_000,
    });
    b.noteStored(key, 5, 0);
    expect(a.use(key, 0, false)).toMatchObject({ size: 5, uses: 3, errorStatus: 0 });
    expect(a.totalBytes).toBe(5);
  });

  it('lets one of all have a key fetched, and wakes who waits for that', async () => {
    const first = a.use(key, 0, false);
    const second = b.use(key, 0, false);
    expect(a.beginUpdate(first, 0, 1000)).toBe(true);
    expect(b.beginUpdate(second, 0, 1000)).toBe(false);
    expect(second).toMatchObject({ isUpdating: true, updateDueMs: 1000 });
    const waiting = ended(b, second);
    a.noteStored(key, 5, 1);
    a.leave(first, true);
    expect(await waiting).toBe('ended');
    expect(await ended(b, second)).toBe('not waited');
    expect(b.use(key, 1, true)).toMatchObject({ isUpdating: false, size: 5 });
  });

  it('lets another fetch it when that takes too long, whose it is then', () => {
    const first = a.use(key, 0, false);
    const second = b.use(key, 0, false);
    a.beginUpdate(first, 0, 1000);
    expect(b.beginUpdate(second, 999, 1000)).toBe(false);
    expect(b.beginUpdate(second, 1000, 1000)).toBe(true);
    a.leave(first, false);
    expect(a.use(key, 1000, true).isUpdating).toBe(true);
    b.leave(second, false);
    expect(a.use(key, 1000, true).isUpdating).toBe(false);
  });

  it('forgets a key at once that was not stored, unless its uses are to be counted or it has an error', () => {
    for (const [i, isToForget] of [true, false, true].entries()) {
      const node = a.use(hashOf(i), 0, false);
      if (i === 2) a.noteError(node, 502, 10);
      a.leave(node, isToForget);
    }
    expect(a.size).toBe(2);
  });

  it('drops the key that was used longest ago when it is full, but none that is being fetched', () => {
    const fetching = a.use(hashOf(0), 0, false);
    a.beginUpdate(fetching, 0, 1000);
    for (let i = 1; i < a.capacity; i++) a.noteStored(hashOf(i), 10, i);
    b.use(hashOf(1), 500, false);
    expect(dropped).toEqual([]);
    b.use(hashOf('new'), 500, false);
    expect(dropped).toEqual([hashOf(2)]);
    expect(b.size).toBe(b.capacity);
    expect(b.totalBytes).toBe(10 * (b.capacity - 2));
  });

  it('has another request fetched all the same, and nothing stored, when all keys are being fetched', () => {
    for (let i = 0; i < a.capacity; i++) a.beginUpdate(a.use(hashOf(i), 0, false), 0, 1000);
    const node = b.use(key, 0, false);
    expect(b.beginUpdate(node, 0, 1000)).toBe(true);
    b.noteStored(key, 10, 0);
    b.leave(node, true);
    expect(dropped).toEqual([key]);
    expect(b.totalBytes).toBe(0);
  });

  it('drops what was not used for so long, and nothing else', () => {
    for (let i = 0; i < 3; i++) a.noteStored(hashOf(i), 10, i * 100);
    while (b.dropOldest(300, 200));
    expect(dropped).toEqual([hashOf(0), hashOf(1)]);
  });

  it('takes an update from a thread that has died, and wakes who waits for it', async () => {
    shareDeadThreads(new SharedArrayBuffer(DEAD_THREADS_BYTES));
    const node = a.use(key, 0, false);
    // The thousandth, whose number stands nowhere else.
    for (let i = 0; i < 1000; i++) {
      a.leave(node, false);
      a.beginUpdate(node, 0, 1e9);
    }
    // As if another thread had begun it.
    const worker = new Worker('', { eval: true });
    const { threadId } = worker;
    await once(worker, 'exit');
    const words = new Int32Array(memory);
    words[words.lastIndexOf(node.ownUpdate) + 1] = threadId + 1;
    b.forgetDead();
    const waiting = b.use(key, 1, false);
    expect(waiting.isUpdating).toBe(true);
    const waited = ended(b, waiting);
    noteDeadThread(threadId);
    a.forgetDead();
    expect(await waited).toBe('ended');
    expect(b.beginUpdate(b.use(key, 2, true), 2, 1000)).toBe(true);
  });
});
