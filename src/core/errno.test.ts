import { describe, expect, it } from 'vitest';
import { describeErrno } from './errno.js';

describe('describeErrno', () => {
  it.each([
    ['ECONNREFUSED', 'Connection refused'],
    ['ECONNRESET', 'Connection reset by peer'],
    ['EMFILE', 'Too many open files'],
    ['ENOTFOUND', 'Name not found'],
    ['EISDIR', 'Is a directory'],
    ['EROFS', 'Read-only file system'],
  ])('says %s in words', (code, words) => {
    expect(describeErrno(code)).toBe(words);
  });

  it('gives back a code it does not know', () => {
    expect(describeErrno('EWHATEVER')).toBe('EWHATEVER');
  });
});
