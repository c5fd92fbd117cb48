import { describe, expect, it } from 'vitest';
import { isSocketError } from './stray-errors.js';

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

describe('isSocketError', () => {
  it.each(['read', 'write', 'connect', 'accept', 'getaddrinfo'])('is true when %s failed', (syscall) => {
    expect(isSocketError(systemError('ECONNRESET', syscall))).toBe(true);
  });

  it.each([
    ['a defect of ours', new TypeError("Cannot read properties of undefined (reading 'x')")],
    ['a file that cannot be opened', systemError('ENOENT', 'open')],
    ['something thrown that is no error', 'read'],
  ])('is false for %s', (_, thrown) => {
    expect(isSocketError(thrown)).toBe(false);
  });
});
