import { describe, expect, it } from 'vitest';
import { randomId } from './random-id.js';

describe('randomId', () => {
  it('gives so many digits, never the same ones twice, however many are asked for', () => {
    const ids = Array.from({ length: 3000 }, (_, i) => randomId(i % 2 === 0 ? 16 : 8));
    expect(new Set(ids).size).toBe(3000);
    for (const [i, id] of ids.entries()) expect(id).toMatch(i % 2 === 0 ? /^[\da-f]{32}$/ : /^[\da-f]{16}$/);
  });
});
