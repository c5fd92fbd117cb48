/*
 * Numbers that nobody else has, as hexadecimal digits: of requests, traces and spans.
 */
import { randomFillSync } from 'node:crypto';

/** perf: drawn for hundreds of them at once; a call of the system for each is 2 us. */
const drawn = Buffer.alloc(4096);
let usedBytes = drawn.length;

/** So many random bytes, at most 4096, as two digits each. */
export function randomId(bytes: number): string {
  if (usedBytes + bytes > drawn.length) {
    randomFillSync(drawn);
    usedBytes = 0;
  }
  usedBytes += bytes;
  return drawn.toString('hex', usedBytes - bytes, usedBytes);
}
