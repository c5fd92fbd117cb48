/*
 * One of a few words, in either case.
 */
import { nearestWord } from '../../core/nearest-word.js';
import { Refusal, type ValueType } from './value-type.js';

/** A type whose values are the words themselves, as they are written here. */
export function keyword<const Word extends string>(...words: readonly Word[]): ValueType<Word> {
  return {
    label: words.join(' | '),
    parse(text) {
      const lower = text.toLowerCase();
      const found = words.find((word) => word.toLowerCase() === lower);
      if (found !== undefined) return found;
      const meant = nearestWord(text, words);
      const advice = meant === null ? `use ${words.join(', ')}` : `did you mean "${meant}"?`;
      return new Refusal(`Cannot take "${text}": ${advice}`, () => `invalid value "${text}"`);
    },
  };
}
