/*
 * The name and size of a zone: `zone=one:10m`.
 */
import { parseSizeBytes } from '../../core/size.js';
import { Refusal, type ValueType } from './value-type.js';

export interface ZoneSize {
  readonly name: string;
  readonly bytes: number;
}

/** nginx's: eight pages. */
const LEAST_BYTES = 32768;

/** The value of a parameter `zone=`. The name may be empty, which is for the directive to refuse. */
export const zoneSize: ValueType<ZoneSize> = {
  label: 'name:size',
  parse(text) {
    const invalid = (reason: string) =>
      new Refusal(`Cannot parse zone "${text}": ${reason}`, () => `invalid zone size "zone=${text}"`);
    const colon = text.indexOf(':');
    if (colon < 0) return invalid('it has no size; write it like one:10m');
    let bytes: number;
    try {
      bytes = parseSizeBytes(text.slice(colon + 1), 'm');
    } catch (error) {
      return invalid((error as Error).message);
    }
    if (bytes < LEAST_BYTES) {
      const message = `Zone "${text}" is too small: give it at least 32k`;
      return new Refusal(message, () => `zone "zone=${text}" is too small`);
    }
    return { name: text.slice(0, colon), bytes };
  },
};
