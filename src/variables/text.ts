/*
 * Text with $names in it, as directives take it, compiled once to what evaluates it. Splitting the text is the
 * configuration language's business; here its parts are bound to variables.
 */
import { readVariable, type Variable, type VariableSubject, type VariableTable } from './variable-table.js';

/** One piece of a text: as it stands, or the value of a name. */
export type TextPart = { readonly literal: string } | { readonly variable: string };

/** A compiled text. */
export interface Text<S> {
  /** The text itself when it names no variable, else null: decide with it at configuration time. */
  readonly constant: string | null;
  /** Whether its value is known never to hold CR, LF or NUL. */
  readonly isOneLine: boolean;
  /** A variable that isn't found counts as ''. */
  evaluate(subject: S): string;
}

/** What compiling gives. */
export interface CompiledText<S> {
  readonly text: Text<S>;
  /** The names that no variable has as yet, in order. */
  readonly unknownVariables: readonly string[];
}

/** Binds the parts to the table's variables. */
export function compileText<S extends VariableSubject>(
  parts: readonly TextPart[],
  table: VariableTable<S>,
): CompiledText<S> {
  const unknownVariables: string[] = [];
  const pieces = parts.map((part) => {
    if ('literal' in part) return part.literal;
    if (!table.isKnown(part.variable)) unknownVariables.push(part.variable);
    return table.use(part.variable);
  });
  return { text: bindPieces(pieces), unknownVariables };
}

function bindPieces<S extends VariableSubject>(pieces: readonly (string | Variable<S>)[]): Text<S> {
  const [first] = pieces;
  if (pieces.every((piece) => typeof piece === 'string')) return constantText(pieces.join(''));
  if (pieces.length === 1 && typeof first === 'object') {
    return {
      constant: null,
      isOneLine: isOneLine(first),
      evaluate: (subject) => readVariable(first, subject) ?? '',
    };
  }
  return {
    constant: null,
    isOneLine: pieces.every(isOneLine),
    evaluate: (subject) => joinPieces(pieces, subject),
  };
}

/** A text that names no variable. */
export function constantText<S>(constant: string): Text<S> {
  return { constant, isOneLine: isOneLine(constant), evaluate: () => constant };
}

function isOneLine<S>(piece: string | Variable<S>): boolean {
  return typeof piece === 'string' ? !/[\0\r\n]/.test(piece) : piece.isOneLine === true;
}

function joinPieces<S extends VariableSubject>(
  pieces: readonly (string | Variable<S>)[],
  subject: S,
): string {
  let text = '';
  for (const piece of pieces)
    text += typeof piece === 'string' ? piece : (readVariable(piece, subject) ?? '');
  return text;
}
