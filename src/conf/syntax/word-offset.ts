/*
 * From a place in what a word says to the place in the file, past quotes and the backslashes of escapes.
 */
import type { Word } from './ast.js';

/** The offset in the word's source of the character at `index` of its text. */
export function offsetInSource(word: Word, index: number): number {
  const { raw, quote } = word;
  let at = quote === '' ? 0 : 1;
  for (let i = 0; i < index && at < raw.length; i++) {
    at += raw[at] === '\\' && /["'\\trn]/.test(raw[at + 1] ?? '') ? 2 : 1;
  }
  return Math.min(word.start + at, word.end);
}
