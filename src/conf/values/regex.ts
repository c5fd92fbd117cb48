/*
 * Regular expressions as arguments, alone and behind the mark that tells them from plain texts.
 */
import { type Regex, translatePcre } from '../pcre/translate.js';
import { Refusal, type ValueType } from './value-type.js';

/** A regular expression, to be matched against bytes (see pcre/translate.ts). */
export function regex({ isCaseless = false } = {}): ValueType<Regex> {
  return { label: 'regex', parse: (text) => parseRegex(text, isCaseless, 0) };
}

/** A plain text, or a regular expression. */
export type Matcher =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'regex'; readonly regex: Regex };

/** `~` and `~*` mark regular expressions, the latter to ignore case; anything else is a plain text. */
export const matcher: ValueType<Matcher> = {
  label: 'text | ~regex | ~*regex',
  parse(text) {
    const mark = /^~\*?/.exec(text)?.[0];
    if (mark === undefined) return { kind: 'text', text };
    const parsed = parseRegex(text.slice(mark.length), mark === '~*', mark.length);
    return parsed instanceof Refusal ? parsed : { kind: 'regex', regex: parsed };
  },
};

function parseRegex(pattern: string, isCaseless: boolean, markLength: number): Regex | Refusal {
  const result = translatePcre(pattern, isCaseless);
  if (!('reason' in result)) return result;
  const message = `Cannot use regex "${pattern}": ${result.reason}`;
  return new Refusal(message, () => result.nginxText ?? message, markLength + result.at);
}
