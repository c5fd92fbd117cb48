/*
 * `types`: media types by extensions.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { types } from './directives.js';

/** nginx's, for a configuration that has none. */
const DEFAULT_TYPES: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html'],
  ['gif', 'image/gif'],
  ['jpg', 'image/jpeg'],
]);

/** By the node of the first directive, so that levels share what they inherit. */
const known = new WeakMap<object, ReadonlyMap<string, string>>();

/** Those in force at a level, by extension in lower case. */
export function typesOf(scope: Scope): ReadonlyMap<string, string> {
  const directives = scope.all(types);
  const [first] = directives;
  if (first === undefined) return DEFAULT_TYPES;
  const before = known.get(first.node);
  if (before !== undefined) return before;
  const map = new Map<string, string>();
  for (const { entries } of directives) {
    for (const { name, args } of entries) {
      for (const { text } of args) map.set(toByteString(text).toLowerCase(), toByteString(name));
    }
  }
  known.set(first.node, map);
  return map;
}
