/*
 * `on` and `off`, in either case.
 */
import { Refusal, type ValueType } from './value-type.js';

export const flag: ValueType<boolean> = {
  label: 'on | off',
  parse(text) {
    const word = text.toLowerCase();
    if (word === 'on' || word === 'off') return word === 'on';
    return new Refusal(
      `Cannot parse flag "${text}": use on or off`,
      (directive) => `invalid value "${text}" in "${directive}" directive, it must be "on" or "off"`,
    );
  },
};
