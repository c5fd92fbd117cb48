/*
 * A secret that all workers have in common: whoever comes first makes it by chance.
 */
import { randomFillSync } from 'node:crypto';

/** What the first word says. */
const NONE = 0;
const BEING_MADE = 1;
const MADE = 2;

const HEAD_BYTES = 4;

/** How long one waits for another who makes it; that takes microseconds. */
const PATIENCE_MS = 1000;

/** The memory that a secret of so many bytes needs, full of zeros at first. */
export function secretBytes(length: number): number {
  return HEAD_BYTES + Math.ceil(length / 4) * 4;
}

/** A copy of the secret in that memory. */
export function secretOf(memory: SharedArrayBuffer, length: number): Buffer {
  const state = new Int32Array(memory, 0, 1);
  const secret = new Uint8Array(memory, HEAD_BYTES, length);
  if (Atomics.compareExchange(state, 0, NONE, BEING_MADE) === NONE) {
    secret.set(randomFillSync(new Uint8Array(length)));
    Atomics.store(state, 0, MADE);
    Atomics.notify(state, 0);
  } else Atomics.wait(state, 0, BEING_MADE, PATIENCE_MS);
  // Who was to make it may have died: then this one's is its own.
  if (Atomics.load(state, 0) !== MADE) return randomFillSync(Buffer.alloc(length));
  return Buffer.from(secret);
}
