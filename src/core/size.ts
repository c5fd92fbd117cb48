/*
 * nginx's notation for sizes in bytes.
 */

const BYTES_BY_UNIT: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
]);

/** The largest unit that a size may have: for buffers and zones nginx knows no gigabytes. */
export type LargestUnit = 'm' | 'g';

/**
 * Bytes of a size in nginx's syntax: "1024", "8k", "10m", "1g", in either case. Throws an Error
 * that says what would work.
 */
export function parseSizeBytes(text: string, largestUnit: LargestUnit = 'g'): number {
  const match = /^(\d+)(\D*)$/.exec(text);
  if (match === null) throw refuse(text, 'it is not a whole number; write it like 512, 8k or 10m');
  const [, digits = '', name = ''] = match;
  const unitBytes = BYTES_BY_UNIT.get(name.toLowerCase());
  if (unitBytes === undefined || (largestUnit === 'm' && name.toLowerCase() === 'g')) {
    throw refuse(text, `unknown unit "${name}"; use ${largestUnit === 'm' ? 'k or m' : 'k, m or g'}`);
  }
  const bytes = Number(digits) * unitBytes;
  if (!Number.isSafeInteger(bytes)) throw refuse(text, 'it is too large; use at most 8388607g');
  return bytes;
}

function refuse(text: string, reason: string): Error {
  return new Error(`Cannot parse size "${text}": ${reason}`);
}
