/*
 * What follows a `(`: which kind of group it is, or that it is none at all.
 */
import type { Cursor } from './cursor.js';
import { readName } from './name.js';

export type Opening =
  | { readonly kind: 'capture'; readonly name: string | null }
  | { readonly kind: 'group' }
  | { readonly kind: 'atomic' }
  | { readonly kind: 'look'; readonly isBehind: boolean; readonly isNegative: boolean }
  /** `(?i)` for the rest of the group around it, or `(?i:` for one of its own. */
  | { readonly kind: 'flags'; readonly on: string; readonly off: string; readonly isScoped: boolean }
  | { readonly kind: 'reference'; readonly name: string; readonly at: number }
  /** `(*FAIL)`: never matches. */
  | { readonly kind: 'fail' };

/** What PCRE can and JavaScript cannot, by how it begins. */
const UNTRANSLATABLE: readonly (readonly [start: RegExp, what: string])[] = [
  [/\?\|/y, 'groups with the same numbers in each alternative ((?|...))'],
  [/\?\(/y, 'conditions ((?(...)...))'],
  [/\?(?:R|0)\)/y, 'recursion ((?R))'],
  [/\?[+-]?\d+\)|\?&|\?P>/y, 'subroutine calls ((?1), (?&name))'],
  [/\?C/y, 'callouts ((?C))'],
  [/\*(?:UTF8?|UCP)\)/y, 'UTF mode ((*UTF8)); patterns are matched against bytes'],
  [/\*(?:CR|CRLF|ANYCRLF|ANY|NUL|BSR_ANYCRLF)\)/y, 'other ends of lines than a line feed'],
  [/\*(?:ACCEPT|COMMIT|PRUNE|SKIP|THEN|MARK)?(?::[^)]*)?\)/y, 'verbs that steer backtracking'],
  [/\*[a-z_]+:/y, 'groups with a name for their kind ((*atomic:...))'],
];

/** Reads the opening of a group; the cursor is behind the `(`. */
export function readGroupOpening(cursor: Cursor): Opening {
  const start = cursor.at - 1;
  if (!/^(?:\?|\*.)/s.test(cursor.text.slice(cursor.at, cursor.at + 2)))
    return { kind: 'capture', name: null };
  for (const [expression, what] of UNTRANSLATABLE) {
    if (cursor.take(expression) !== null) throw cursor.untranslatable(what, start);
  }
  if (cursor.peek() === '*') return readVerb(cursor);
  cursor.at++;
  if (cursor.take(/:/y)) return { kind: 'group' };
  if (cursor.take(/>/y)) return { kind: 'atomic' };
  const look = cursor.take(/(<?)([=!])/y);
  if (look !== null) return { kind: 'look', isBehind: look[1] === '<', isNegative: look[2] === '!' };
  if (cursor.take(/P=/y) !== null) {
    const at = cursor.at;
    return { kind: 'reference', name: readName(cursor, ')'), at };
  }
  const quote = cursor.take(/P?<|'/y);
  if (quote !== null) return { kind: 'capture', name: readName(cursor, quote[0] === "'" ? "'" : '>') };
  return readFlags(cursor);
}

function readVerb(cursor: Cursor): Opening {
  if (cursor.take(/\*F(?:AIL)?\)/y) !== null) return { kind: 'fail' };
  const name = cursor.take(/\*\w*/y)![0];
  const what = /^\*[a-z]/.test(name)
    ? '(*alpha_assertion) not recognized'
    : '(*VERB) not recognized or malformed';
  throw cursor.problem(what);
}

function readFlags(cursor: Cursor): Opening {
  const match = cursor.take(/(\^?)([imsxUn]*)(?:-([imsxUn]*))?/y)!;
  const end = cursor.text[cursor.at++];
  if (end === undefined) throw cursor.problem('missing closing parenthesis', cursor.text.length);
  if (end !== ')' && end !== ':')
    throw cursor.problem('unrecognized character after (? or (?-', cursor.at - 1);
  const off = match[1] === '^' ? 'imsxn' : (match[3] ?? '');
  return { kind: 'flags', on: match[2]!, off, isScoped: end === ':' };
}
