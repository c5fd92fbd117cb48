/*
 * What a backslash introduces. In a class some escapes mean something else, which is noted at each.
 */
import { type ByteSet, CLASS_ESCAPES, invert, setOf } from './byte-set.js';
import type { Cursor } from './cursor.js';
import { readName } from './name.js';
import type { Assertion } from './pattern.js';

export type Escape =
  | { readonly kind: 'byte'; readonly byte: number }
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'newline' }
  | { readonly kind: 'assertion'; readonly what: Assertion }
  /** `\K` moves the start of what matched, at which nginx never looks. */
  | { readonly kind: 'nothing' }
  /** By name, or by number as text; `at` is where PCRE reports that there is no such group. */
  | { readonly kind: 'reference'; readonly name: string; readonly at: number };

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['e', 27],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
]);

const ASSERTIONS: ReadonlyMap<string, Assertion> = new Map([
  ['b', 'word-boundary'],
  ['B', 'no-word-boundary'],
  ['A', 'start'],
  // nginx always matches from the first byte on.
  ['G', 'start'],
  ['Z', 'end'],
  ['z', 'very-end'],
]);

const ALL_BUT_LF = setOf([0, 9], [11, 255]);

/** Reads what follows a backslash; the cursor is behind it. */
export function readEscape(cursor: Cursor, isInClass: boolean): Escape {
  const start = cursor.at - 1;
  if (cursor.isAtEnd) throw cursor.problem('\\ at end of pattern');
  const letter = cursor.text[cursor.at++]!;
  if (!/[A-Za-z0-9]/.test(letter)) return { kind: 'byte', byte: letter.charCodeAt(0) };
  if (/\d/.test(letter)) return readNumber(cursor, letter, isInClass);
  const control = CONTROLS.get(letter);
  if (control !== undefined) return { kind: 'byte', byte: control };
  const set = CLASS_ESCAPES.get(letter);
  if (set !== undefined) return { kind: 'set', set };
  switch (letter) {
    case 'c':
      return readControl(cursor);
    case 'x':
      return readHex(cursor);
    case 'o':
      return readOctalBraces(cursor);
    case 'p':
    case 'P':
      return { kind: 'set', set: readProperty(cursor, letter === 'P', start) };
    case 'N':
      if (isInClass) throw cursor.problem('\\N is not supported in a class');
      return { kind: 'set', set: ALL_BUT_LF };
  }
  if (isInClass) return readLetterInClass(cursor, letter);
  return readLetter(cursor, letter, start);
}

/** `\\p{Lu}`, `\\pL`, `\\P{^Greek}`: of the characters that a byte can be, which is Latin-1, as PCRE has it without UTF. */
function readProperty(cursor: Cursor, isNegated: boolean, start: number): ByteSet {
  const match = cursor.take(/\{\s*(\^?)\s*([\w &-]+?)\s*\}|([A-Za-z])/y);
  if (match === null) throw cursor.problem('malformed \\P or \\p sequence');
  const name = match[2] ?? match[3]!;
  const set = propertySet(name);
  if (set === null) throw cursor.untranslatable(`Unicode property "${name}"`, start);
  return isNegated !== (match[1] === '^') ? invert(set) : set;
}

/** Null where JavaScript knows no property of that name. */
function propertySet(name: string): ByteSet | null {
  if (name === 'Any') return setOf([0, 255]);
  const regexp = propertyRegexp(name === 'L&' ? 'LC' : name);
  if (regexp === null) return null;
  return Uint8Array.from({ length: 256 }, (_, byte) => (regexp.test(String.fromCharCode(byte)) ? 1 : 0));
}

/** A general category by its short name, or a script. */
function propertyRegexp(name: string): RegExp | null {
  for (const written of [`gc=${name}`, `Script=${name}`]) {
    try {
      return new RegExp(`^\\p{${written}}$`, 'u');
    } catch {
      // No such property: it may be of the other kind.
    }
  }
  return null;
}

function readLetterInClass(cursor: Cursor, letter: string): Escape {
  if (letter === 'b') return { kind: 'byte', byte: 8 };
  if (/[ABCGKRXZgkz]/.test(letter))
    throw cursor.problem('escape sequence is invalid in character class', cursor.at - 1);
  throw unknownLetter(cursor, letter);
}

function readLetter(cursor: Cursor, letter: string, start: number): Escape {
  const what = ASSERTIONS.get(letter);
  if (what !== undefined) return { kind: 'assertion', what };
  switch (letter) {
    case 'R':
      return { kind: 'newline' };
    case 'C':
      return { kind: 'set', set: setOf([0, 255]) };
    case 'K':
      return { kind: 'nothing' };
    case 'X':
      throw cursor.untranslatable('grapheme clusters (\\X)', start);
    case 'g':
      return readGroupReference(cursor, start);
    case 'k':
      return readNameReference(cursor);
    default:
      throw unknownLetter(cursor, letter);
  }
}

function unknownLetter(cursor: Cursor, letter: string): Error {
  if (/[FLlUu]/.test(letter)) {
    return cursor.problem('PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u');
  }
  return cursor.problem('unrecognized character follows \\', cursor.at - 1);
}

/** `\12`: a group if there can be one of that number, else a byte in octal. */
function readNumber(cursor: Cursor, first: string, isInClass: boolean): Escape {
  const start = cursor.at - 1;
  if (first !== '0' && !isInClass) {
    const digits = first + (cursor.take(/\d*/y)?.[0] ?? '');
    const number = Number(digits);
    if (number < 10 || /^[89]/.test(digits) || number <= cursor.groupCount) {
      return { kind: 'reference', name: digits, at: start };
    }
    cursor.at = start + 1;
  }
  if (first >= '8') return { kind: 'byte', byte: first.charCodeAt(0) };
  const octal = first + (cursor.take(/[0-7]{0,2}/y)?.[0] ?? '');
  return { kind: 'byte', byte: toByte(cursor, Number.parseInt(octal, 8)) };
}

function readControl(cursor: Cursor): Escape {
  if (cursor.isAtEnd) throw cursor.problem('\\c at end of pattern');
  const character = cursor.text[cursor.at++]!.toUpperCase();
  if (!/[ -~]/.test(character)) {
    throw cursor.problem('\\c must be followed by a printable ASCII character', cursor.at - 1);
  }
  return { kind: 'byte', byte: character.charCodeAt(0) ^ 0x40 };
}

function readHex(cursor: Cursor): Escape {
  const braces = cursor.take(/\{([0-9A-Fa-f]+)\}/y);
  const digits = braces?.[1] ?? cursor.take(/[0-9A-Fa-f]{0,2}/y)?.[0] ?? '';
  return { kind: 'byte', byte: toByte(cursor, Number.parseInt(`0${digits}`, 16)) };
}

function readOctalBraces(cursor: Cursor): Escape {
  const digits = cursor.take(/\{([0-7]+)\}/y)?.[1];
  if (digits === undefined) throw cursor.problem('missing opening brace after \\o');
  return { kind: 'byte', byte: toByte(cursor, Number.parseInt(digits, 8)) };
}

function toByte(cursor: Cursor, code: number): number {
  if (code > 255) {
    throw cursor.problem('character code point value in \\x{} or \\o{} is too large', cursor.at - 1);
  }
  return code;
}

/** `\g{2}`, `\g{-1}`, `\g{name}`; with `<>` or quotes it calls the group as a subroutine. */
function readGroupReference(cursor: Cursor, start: number): Escape {
  if (/[<']/.test(cursor.peek())) throw cursor.untranslatable('subroutine calls (\\g<...>)', start);
  if (/\{[A-Za-z_]/y.test(cursor.text.slice(cursor.at))) return readNameReference(cursor);
  const match = cursor.take(/\{([+-]?\d+)\}|([+-]?\d+)/y);
  if (match === null) {
    const forms = 'a braced, angle-bracketed, or quoted name/number or by a plain number';
    throw cursor.problem(`\\g is not followed by ${forms}`);
  }
  const number = match[1] ?? match[2]!;
  const at = match[1] === undefined ? cursor.at : cursor.at - 1;
  const isRelative = /[+-]/.test(number);
  const group = Number(number) + (isRelative ? cursor.groupCount + (number.startsWith('-') ? 1 : 0) : 0);
  if (isRelative && group < 1) throw cursor.problem('reference to non-existent subpattern', start + 2);
  if (group === 0) throw cursor.problem('a numbered reference must not be zero', at);
  return { kind: 'reference', name: String(group), at };
}

const CLOSINGS: ReadonlyMap<string, string> = new Map([
  ['<', '>'],
  ["'", "'"],
  ['{', '}'],
]);

function readNameReference(cursor: Cursor): Escape {
  const closing = CLOSINGS.get(cursor.peek());
  if (closing === undefined) {
    throw cursor.problem('\\k is not followed by a braced, angle-bracketed, or quoted name');
  }
  cursor.at++;
  const at = cursor.at;
  return { kind: 'reference', name: readName(cursor, closing), at };
}
