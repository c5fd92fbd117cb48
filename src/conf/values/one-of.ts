/*
 * A value of one type or of another: `off | size`.
 */
import { Refusal, type ValueOf, type ValueType } from './value-type.js';

/**
 * The first type that takes the text. If none does, the last one's refusal is given, so the most general type
 * comes last.
 */
export function oneOf<const Types extends readonly [ValueType<unknown>, ...ValueType<unknown>[]]>(
  ...types: Types
): ValueType<ValueOf<Types[number]>> {
  return {
    label: types.map((type) => type.label).join(' | '),
    parse(text) {
      let refusal: Refusal | null = null;
      for (const type of types) {
        const value = type.parse(text);
        if (!(value instanceof Refusal)) return value as ValueOf<Types[number]>;
        refusal = value;
      }
      return refusal!;
    },
  };
}
