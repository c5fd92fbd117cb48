import { describe, expect, it } from 'vitest';
import { nearestWord } from './nearest-word.js';

const WORDS = ['listen', 'read-timeout', 'send-timeout', 'to'];

describe('nearestWord', () => {
  it.each([
    ['lisen', 'listen'],
    ['listenn', 'listen'],
    ['lsiten', 'listen'],
    ['listem', 'listen'],
    ['read-timout', 'read-timeout'],
    ['sendtimeout', 'send-timeout'],
    ['ot', 'to'],
    ['listen', 'listen'],
  ])('answers the word meant by %j', (typed, meant) => {
    expect(nearestWord(typed, WORDS)).toBe(meant);
  });

  it.each(['', 'upstream', 'lxxxen', 'x', 'tomato'])(
    'answers null for %j, which is near to none',
    (typed) => {
      expect(nearestWord(typed, WORDS)).toBeNull();
    },
  );

  it('prefers the nearer of two candidates', () => {
    expect(nearestWord('send-timeouts', ['read-timeout', 'send-timeout'])).toBe('send-timeout');
  });

  it('counts two swapped letters as one edit', () => {
    expect(nearestWord('abdc', ['abcd'])).toBe('abcd');
    expect(nearestWord('badc', ['abcd'])).toBeNull();
  });
});
