import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { DEAD_THREADS_BYTES, noteDeadThread, shareDeadThreads, ZoneLock } from './zone-lock.js';

/** A thread that takes the lock, says so and never lets go of it. */
const HOLDER = `
const { parentPort, threadId, workerData } = require('node:worker_threads');
Atomics.store(new Int32Array(workerData), 0, threadId + 1);
parentPort.postMessage('held');
setInterval(() => {}, 1000);
`;

it('a lock whose holder was killed is taken over at once, and what it left is repaired', async () => {
  shareDeadThreads(new SharedArrayBuffer(DEAD_THREADS_BYTES));
  const memory = new SharedArrayBuffer(16);
  const worker = new Worker(HOLDER, { eval: true, workerData: memory });
  await once(worker, 'message');
  const { threadId } = worker;
  await worker.terminate();
  noteDeadThread(threadId);
  let repairs = 0;
  const lock = new ZoneLock(new Int32Array(memory), 0, () => repairs++);
  const startedMs = performance.now();
  lock.acquire();
  lock.release();
  expect(repairs).toBe(1);
  // It is given up after two seconds where nobody tells of the death.
  expect(performance.now() - startedMs).toBeLessThan(1000);
  lock.acquire();
  lock.release();
  expect(repairs).toBe(1);
});
