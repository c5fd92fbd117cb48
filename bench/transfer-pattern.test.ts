import { describe, expect, it } from 'vitest';
import { generatePattern, PatternCheck } from './transfer-pattern.js';

const totalBytes = 600 * 1024 + 5;
const pattern = Buffer.concat([...generatePattern(totalBytes)]);

function check(bytes: Buffer, pieceBytes: number): number {
  const check = new PatternCheck();
  for (let at = 0; at < bytes.length; at += pieceBytes) check.add(bytes.subarray(at, at + pieceBytes));
  return check.receivedBytes;
}

describe('generatePattern', () => {
  it('yields as many bytes as asked for', () => {
    expect(pattern.length).toBe(totalBytes);
  });
});

describe('PatternCheck', () => {
  it.each([3, 1000, 65_536, totalBytes])('accepts the pattern in pieces of %i bytes', (pieceBytes) => {
    expect(check(pattern, pieceBytes)).toBe(totalBytes);
  });

  it.each([0, 7, 8, 262_143, 262_144, totalBytes - 1])('rejects a wrong byte at %i', (at) => {
    const wrong = Buffer.from(pattern);
    wrong[at]! ^= 1;
    expect(() => check(wrong, 65_536)).toThrow('are not those that were sent');
  });

  it('rejects a byte that is missing, doubled or a whole block out of order', () => {
    const block = 256 * 1024;
    const [first, second] = [pattern.subarray(0, block), pattern.subarray(block, 2 * block)];
    const missing = [pattern.subarray(0, 1000), pattern.subarray(1001)];
    const doubled = [pattern.subarray(0, 1000), pattern.subarray(999)];
    for (const pieces of [missing, doubled, [second, first], [first, first]]) {
      expect(() => check(Buffer.concat(pieces), 65_536)).toThrow('are not those that were sent');
    }
  });
});
