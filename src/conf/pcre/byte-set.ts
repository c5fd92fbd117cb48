/*
 * Sets of bytes, which is what a character class, a dot and a letter in either case all are. nginx matches
 * bytes in PCRE's default tables: nothing above 127 is a letter, whatever it may be in some character set.
 */

/** Membership by byte. */
export type ByteSet = Uint8Array;

export function setOf(...ranges: readonly (readonly [low: number, high: number])[]): ByteSet {
  const set = new Uint8Array(256);
  for (const [low, high] of ranges) set.fill(1, low, high + 1);
  return set;
}

export function invert(set: ByteSet): ByteSet {
  return set.map((isIn) => 1 - isIn);
}

export function addAll(target: ByteSet, set: ByteSet): void {
  set.forEach((isIn, byte) => {
    if (isIn === 1) target[byte] = 1;
  });
}

/** The set with the other case of each of its letters. */
export function ignoreCase(set: ByteSet): ByteSet {
  const both = set.slice();
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    if (set[upper] === 1 || set[upper + 0x20] === 1)
      both.fill(1, upper, upper + 1).fill(1, upper + 0x20, upper + 0x21);
  }
  return both;
}

const DIGIT = setOf([0x30, 0x39]);
const WORD = setOf([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);
const SPACE = setOf([0x09, 0x0d], [0x20, 0x20]);
const HORIZONTAL_SPACE = setOf([0x09, 0x09], [0x20, 0x20], [0xa0, 0xa0]);
const VERTICAL_SPACE = setOf([0x0a, 0x0d], [0x85, 0x85]);

/** `\d`, `\W` and the like, by their letter. */
export const CLASS_ESCAPES: ReadonlyMap<string, ByteSet> = new Map([
  ['d', DIGIT],
  ['D', invert(DIGIT)],
  ['w', WORD],
  ['W', invert(WORD)],
  ['s', SPACE],
  ['S', invert(SPACE)],
  ['h', HORIZONTAL_SPACE],
  ['H', invert(HORIZONTAL_SPACE)],
  ['v', VERTICAL_SPACE],
  ['V', invert(VERTICAL_SPACE)],
]);

/** `[:alpha:]` and the like. */
export const POSIX_CLASSES: ReadonlyMap<string, ByteSet> = new Map([
  ['alnum', setOf([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a])],
  ['alpha', setOf([0x41, 0x5a], [0x61, 0x7a])],
  ['ascii', setOf([0x00, 0x7f])],
  ['blank', setOf([0x09, 0x09], [0x20, 0x20])],
  ['cntrl', setOf([0x00, 0x1f], [0x7f, 0x7f])],
  ['digit', DIGIT],
  ['graph', setOf([0x21, 0x7e])],
  ['lower', setOf([0x61, 0x7a])],
  ['print', setOf([0x20, 0x7e])],
  ['punct', setOf([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e])],
  ['space', SPACE],
  ['upper', setOf([0x41, 0x5a])],
  ['word', WORD],
  ['xdigit', setOf([0x30, 0x39], [0x41, 0x46], [0x61, 0x66])],
]);

/** The set in JavaScript's syntax: a character, a class, or what stands for nothing and for everything. */
export function printSet(set: ByteSet): string {
  const ranges = rangesOf(set);
  const count = set.reduce((sum, isIn) => sum + isIn, 0);
  if (count === 0) return '[]';
  if (count === 256) return '[^]';
  if (count === 1) return printByte(ranges[0]![0]);
  if (count > 128) return `[^${rangesOf(invert(set)).map(printRange).join('')}]`;
  return `[${ranges.map(printRange).join('')}]`;
}

function rangesOf(set: ByteSet): [low: number, high: number][] {
  const ranges: [number, number][] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (set[byte] === 0) continue;
    const last = ranges.at(-1);
    if (last?.[1] === byte - 1) last[1] = byte;
    else ranges.push([byte, byte]);
  }
  return ranges;
}

function printRange([low, high]: [number, number]): string {
  if (low === high) return printByte(low);
  return printByte(low) + (high > low + 1 ? '-' : '') + printByte(high);
}

function printByte(byte: number): string {
  const character = String.fromCharCode(byte);
  if (/[\w/]/.test(character)) return character === '/' ? '\\/' : character;
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
