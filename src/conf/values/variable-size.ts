/*
 * A size that may depend on variables; one that doesn't is checked right away.
 */
import { size } from './size.js';
import { Refusal, type ValueType } from './value-type.js';
import { type TextPart, variableText } from './variable-text.js';

/** As variableText. What its variables make of it is to be read as a size with k or m. */
export const variableSize: ValueType<readonly TextPart[]> = {
  label: 'size',
  parse(text) {
    const parts = variableText.parse(text);
    if (parts instanceof Refusal || parts.some(({ kind }) => kind !== 'literal')) return parts;
    const parsed = size.parse(text);
    return parsed instanceof Refusal ? parsed : parts;
  },
};
