/*
 * Arguments that are taken as they are, and paths of files.
 */
import type { ValueType } from './value-type.js';

/** Any text; `label` says what it means. */
export function text(label = 'text'): ValueType<string> {
  return { label, parse: (value) => value };
}

/** The path of a file that must be there when the configuration is checked. */
export const existingFile: ValueType<string> = { label: 'file', mustExist: true, parse: (value) => value };
