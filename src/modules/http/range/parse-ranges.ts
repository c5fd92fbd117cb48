/*
 * The value of a Range field, in nginx's reading of it.
 */
import type { ByteRange } from '../../../request/response.js';

/** What max_ranges is by default. */
const UNLIMITED = 2147483647;

const LARGEST_OFFSET = 9223372036854775807n;

/** `0-9`, `10-` or `-5`, with blanks where nginx takes them. */
const ONE = / *(?:(\d+) *- *(?:(\d+) *)?|-(\d+) *)(,|$)/y;

/**
 * The ranges of a body of `length` bytes that are asked for; null when all of it is to be sent: another unit, more
 * than `max` of them, or ranges that overlap so that they are more than the body.
 */
export function parseRanges(
  field: string,
  length: number,
  max: number,
): readonly ByteRange[] | 'unsatisfiable' | null {
  if (field.length < 7 || field.slice(0, 6).toLowerCase() !== 'bytes=') return null;
  const ranges: ByteRange[] = [];
  let size = 0;
  ONE.lastIndex = 6;
  for (;;) {
    const match = ONE.exec(field);
    if (match === null) return 'unsatisfiable';
    const [, first, last, suffix, separator] = match;
    if (isTooLarge(first) || isTooLarge(last) || isTooLarge(suffix)) return 'unsatisfiable';
    const start = suffix === undefined ? Number(first) : Math.max(0, length - Number(suffix));
    const end = last === undefined ? length : Math.min(length, Number(last) + 1);
    if (start < end) {
      if (ranges.length === max) return null;
      ranges.push({ start, end });
      size += end - start;
    } else if (start === 0) return null;
    if (separator === '') break;
  }
  if (ranges.length === 0) return 'unsatisfiable';
  if (ranges.length === 1) return ranges;
  if (size > length) return null;
  // Many small ranges cost more than the whole: each brings a heading.
  if (max === UNLIMITED && size + ranges.length * 256 > length + 4096) return null;
  return ranges;
}

function isTooLarge(digits: string | undefined): boolean {
  return digits !== undefined && digits.length >= 19 && BigInt(digits) > LARGEST_OFFSET;
}
