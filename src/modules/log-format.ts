/*
 * `log_format`: a text with variables, split and compiled to one function that makes a line. For http and stream; what
 * a variable is, is told by who asks.
 */
import { toByteString } from '../conf/syntax/source-text.js';
import { Refusal } from '../conf/values/value-type.js';
import { variableText } from '../conf/values/variable-text.js';
import { escapeForJson, escapeForLog } from '../log/escape.js';

/** How values are written. */
export type LogEscape = 'default' | 'json' | 'none';

/** A format taken apart: words as they stand, and names of variables. */
export interface LogFormatText {
  readonly escaping: LogEscape;
  readonly pieces: readonly ({ readonly literal: string } | { readonly variable: string })[];
}

/** What is written where a variable has no value (nginx: not found). */
const MISSING: Readonly<Record<LogEscape, string>> = { default: '-', json: '', none: '' };

/** Makes a line of a request or a session. */
export type LogFormat<S> = (subject: S) => string;

/**
 * Splits a format. Adjacent texts are one, as in nginx.
 * @returns what is wrong, with the text it is about, if anything
 */
export function parseLogFormat(
  escaping: LogEscape,
  texts: readonly string[],
): LogFormatText | { readonly refusal: Refusal; readonly index: number } {
  const pieces: ({ literal: string } | { variable: string })[] = [];
  for (const [index, text] of texts.entries()) {
    const parts = variableText.parse(text);
    if (parts instanceof Refusal) return { refusal: parts, index };
    for (const part of parts) {
      if (part.kind !== 'literal')
        pieces.push({ variable: part.kind === 'variable' ? part.name : String(part.group) });
      else pieces.push({ literal: toByteString(part.text) });
    }
  }
  return { escaping, pieces };
}

/** How a variable is read for a log. */
export interface LogVariable<S> {
  /** Null when there is no value. */
  readonly read: (subject: S) => string | null;
  /** It never is null nor needs escaping: a number, a time. */
  readonly isPlain: boolean;
}

/** Compiles a format; `find` gives what its names mean. perf: one walk over two arrays, no array made for a line. */
export function compileLogFormat<S>(
  { escaping, pieces }: LogFormatText,
  find: (name: string) => LogVariable<S>,
): LogFormat<S> {
  const literals: string[] = [''];
  const readers: ((subject: S) => string)[] = [];
  for (const piece of pieces) {
    if ('literal' in piece) literals[readers.length] += piece.literal;
    else {
      readers.push(readerOf(find(piece.variable), escaping));
      literals.push('');
    }
  }
  const first = literals[0]!;
  const behind = literals.slice(1);
  return (subject) => {
    let line = first;
    for (let i = 0; i < readers.length; i++) line += readers[i]!(subject) + behind[i]!;
    return line;
  };
}

function readerOf<S>({ read, isPlain }: LogVariable<S>, escaping: LogEscape): (subject: S) => string {
  if (isPlain) return read as (subject: S) => string;
  const missing = MISSING[escaping];
  if (escaping === 'none') return (subject) => read(subject) ?? missing;
  const escapeValue = escaping === 'json' ? escapeForJson : escapeForLog;
  return (subject) => {
    const value = read(subject);
    return value === null ? missing : escapeValue(value);
  };
}
