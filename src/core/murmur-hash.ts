/*
 * MurmurHash2 by Austin Appleby, public domain: 32 bits, as nginx's split_clients has it.
 */

const MULTIPLIER = 0x5bd1e995;

/** The hash of bytes in latin1, from 0 to 2^32 - 1. */
export function murmurHash2(text: string): number {
  let hash = text.length;
  let at = 0;
  for (; text.length - at >= 4; at += 4) {
    let word =
      text.charCodeAt(at) |
      (text.charCodeAt(at + 1) << 8) |
      (text.charCodeAt(at + 2) << 16) |
      (text.charCodeAt(at + 3) << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  if (at < text.length) {
    for (let i = text.length - 1; i >= at; i--) hash ^= text.charCodeAt(i) << (8 * (i - at));
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return (hash ^ (hash >>> 15)) >>> 0;
}
