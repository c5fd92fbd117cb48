/*
 * Names of groups, as they stand in `(?<name>` and in references to it.
 */
import type { Cursor } from './cursor.js';

/** Reads a name and the character that ends it. */
export function readName(cursor: Cursor, closing: string): string {
  if (/\d/.test(cursor.peek())) throw cursor.problem('subpattern name must start with a non-digit');
  const name = cursor.take(/\w+/y)?.[0];
  if (name === undefined) throw cursor.problem('subpattern name expected');
  if (cursor.peek() !== closing)
    throw cursor.problem('syntax error in subpattern name (missing terminator?)');
  cursor.at++;
  return name;
}
