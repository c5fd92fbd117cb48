import { describe, expect, it } from 'vitest';
import { isIdempotent } from './method.js';

describe('isIdempotent', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])('holds for %s', (method) => {
    expect(isIdempotent(method)).toBe(true);
  });

  it.each(['POST', 'PATCH', 'CONNECT', 'get', 'LOCK', 'X', ''])('does not hold for %j', (method) => {
    expect(isIdempotent(method)).toBe(false);
  });
});
