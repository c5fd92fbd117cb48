import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { secretBytes, secretOf } from './shared-secret.js';

describe('a shared secret', () => {
  it('is the same for all who have the memory, and another in other memory', () => {
    const memory = new SharedArrayBuffer(secretBytes(48));
    const secret = secretOf(memory, 48);
    expect(secret).toHaveLength(48);
    expect(secretOf(memory, 48)).toEqual(secret);
    expect(secretOf(new SharedArrayBuffer(secretBytes(48)), 48)).not.toEqual(secret);
  });

  it('is waited for while another thread makes it', async () => {
    const memory = new SharedArrayBuffer(secretBytes(8));
    const state = new Int32Array(memory, 0, 1);
    Atomics.store(state, 0, 1);
    const code = `
      const { workerData } = require('node:worker_threads');
      const state = new Int32Array(workerData, 0, 1);
      new Uint8Array(workerData, 4).fill(7);
      Atomics.store(state, 0, 2);
      Atomics.notify(state, 0);`;
    const worker = new Worker(code, { eval: true, workerData: memory });
    await once(worker, 'online');
    expect(secretOf(memory, 8)).toEqual(Buffer.alloc(8, 7));
    await worker.terminate();
  });
});
