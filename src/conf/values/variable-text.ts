/*
 * Texts with variables in them, split into parts: `http://$host:${port}/$1`. What a variable holds, and
 * whether there is one of that name, is not known here.
 */
import { Refusal, type ValueType } from './value-type.js';

/** A piece of a text. Names are in lower case, since nginx ignores case in them. */
export type TextPart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  /** `$1` to `$9`: a group of the regular expression that matched last. */
  | { readonly kind: 'capture'; readonly group: number };

/** A text split into its parts; no parts for an empty text. */
export const variableText: ValueType<readonly TextPart[]> = { label: 'text', parse: splitVariables };

function splitVariables(text: string): readonly TextPart[] | Refusal {
  const parts: TextPart[] = [];
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    const literalEnd = dollar < 0 ? text.length : dollar;
    if (literalEnd > at) parts.push({ kind: 'literal', text: text.slice(at, literalEnd) });
    if (dollar < 0) break;
    const isBraced = text[dollar + 1] === '{';
    const start = dollar + (isBraced ? 2 : 1);
    if (!isBraced && isCaptureDigit(text.charCodeAt(start))) {
      parts.push({ kind: 'capture', group: text.charCodeAt(start) - ZERO });
      at = start + 1;
      continue;
    }
    const end = nameEnd(text, start);
    const isClosed = !isBraced || text[end] === '}';
    if (start === end && (isClosed || end === text.length)) return invalidName(text, dollar);
    if (!isClosed) return missingBrace(text, text.slice(start, end), dollar);
    parts.push({ kind: 'variable', name: text.slice(start, end).toLowerCase() });
    at = isBraced ? end + 1 : end;
  }
  return parts;
}

const NAME = /\w*/y;
const ZERO = 0x30;

function isCaptureDigit(code: number): boolean {
  return code > ZERO && code <= ZERO + 9;
}

/** Where the letters, digits and underscores end that begin at `start`. */
function nameEnd(text: string, start: number): number {
  NAME.lastIndex = start;
  NAME.test(text);
  return NAME.lastIndex;
}

function missingBrace(text: string, name: string, at: number): Refusal {
  const message = `Cannot parse "${text}": "\${${name}" has no closing brace`;
  return new Refusal(message, () => `the closing bracket in "${name}" variable is missing`, at);
}

function invalidName(text: string, at: number): Refusal {
  const message = `Cannot parse "${text}": no name of a variable follows "$"`;
  return new Refusal(message, () => 'invalid variable name', at);
}
