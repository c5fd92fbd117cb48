/*
 * The `$name` that a directive gives a variable: whether it is one, and free.
 */
import { type Finding, finding } from '../conf/diagnostics/catalogue.js';
import type { Word } from '../conf/syntax/ast.js';
import type { HttpBuild } from './module.js';

/** The name without its dollar, in lower case; null when it can't be defined or set, which has been reported then. */
export function readVariableName(word: Word, build: HttpBuild): string | null {
  const { text } = word;
  if (!text.startsWith('$') || text.length === 1) {
    build.report(word, finding('variable-name', `invalid variable name "${text}"`, 'write it as "$name"'));
    return null;
  }
  const name = text.slice(1).toLowerCase();
  if (!build.variables.isFixed(name)) return name;
  build.report(word, fixedVariable(text.slice(1)));
  return null;
}

/** A name of nginx's own, for which a configuration would have another value. */
export function fixedVariable(name: string): Finding {
  const message = `"$${name}" has a meaning of its own and can't be changed`;
  return finding('fixed-variable', message, 'use another name', `the duplicate "${name}" variable`);
}
