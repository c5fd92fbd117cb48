/*
 * Whole numbers without a sign, within bounds.
 */
import { Refusal, type ValueType } from './value-type.js';

/** Inclusive, both. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

export function number({ min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds = {}): ValueType<number> {
  return {
    label: 'number',
    parse(text) {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!Number.isSafeInteger(value)) {
        const message = `Cannot parse number "${text}": write a whole number such as 10`;
        return new Refusal(message, (directive) => `"${directive}" directive invalid number`);
      }
      if (value >= min && value <= max) return value;
      const bounds = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `${min} to ${max}`;
      const nginxText =
        max === Number.MAX_SAFE_INTEGER
          ? `value must be equal to or greater than ${min}`
          : `value must be between ${min} and ${max}`;
      return new Refusal(`Cannot take number "${text}": use ${bounds}`, () => nginxText);
    },
  };
}
