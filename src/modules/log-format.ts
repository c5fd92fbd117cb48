/*
 * `log_format`: a text with variables, split and compiled to one function that makes a line. For http and stream; what
 * a variable is, is told by who asks.
 */
import { toByteString } from '../conf/syntax/source-text.js';
import { Refusal } from '../conf/values/value-type.js';
import { variableText } from '../conf/values/variable-text.js';
import { escapeForJson, escapeForLog, PLAIN_IN_JSON, PLAIN_IN_LOG } from '../log/escape.js';
import type { LogFormat } from '../log/line-buffer.js';

/** How values are written. */
export type LogEscape = 'default' | 'json' | 'none';

/** A format taken apart: words as they stand, and names of variables. */
export interface LogFormatText {
  readonly escaping: LogEscape;
  readonly pieces: readonly ({ readonly literal: string } | { readonly variable: string })[];
}

/** What is written where a variable has no value (nginx: not found). */
const MISSING: Readonly<Record<LogEscape, string>> = { default: '-', json: '', none: '' };

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

/** How a variable gets into a line. */
export type LogVariable<S> =
  /** By its value, null when there is none. */
  | { readonly read: (subject: S) => string | null }
  /** By itself: one that is always there and needs no escaping. */
  | { readonly append: LogFormat<S> };

/** Compiles a format; `find` gives what its names mean. perf: a walk over two arrays, no string made for a line. */
export function compileLogFormat<S>(
  { escaping, pieces }: LogFormatText,
  find: (name: string) => LogVariable<S>,
): LogFormat<S> {
  const literals: string[] = [''];
  const values: LogFormat<S>[] = [];
  for (const piece of pieces) {
    if ('literal' in piece) literals[values.length] += piece.literal;
    else {
      values.push(appenderOf(find(piece.variable), escaping));
      literals.push('');
    }
  }
  const first = literals[0]!;
  const behind = literals.slice(1);
  return (subject, line) => {
    line.text(first);
    for (let i = 0; i < values.length; i++) {
      values[i]!(subject, line);
      line.text(behind[i]!);
    }
  };
}

function appenderOf<S>(variable: LogVariable<S>, escaping: LogEscape): LogFormat<S> {
  if ('append' in variable) return variable.append;
  const { read } = variable;
  const missing = MISSING[escaping];
  if (escaping === 'none') return (subject, line) => line.text(read(subject) ?? missing);
  const isJson = escaping === 'json';
  const plain = isJson ? PLAIN_IN_JSON : PLAIN_IN_LOG;
  const escapeValue = isJson ? escapeForJson : escapeForLog;
  return (subject, line) => {
    const value = read(subject);
    if (value === null) line.text(missing);
    else line.escaped(value, plain, escapeValue);
  };
}
