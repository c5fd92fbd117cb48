/*
 * Guesses at the slip behind a mistake, for what a plain message would leave a riddle.
 */
import type { Directive, Word } from '../syntax/ast.js';
import type { Context } from './contexts.js';
import type { Registry } from './registry.js';

/** For a name that is no directive. */
export function hintForName(directive: Directive, context: Context, registry: Registry): string | null {
  const { name } = directive;
  if (name.startsWith('\ufeff')) return 'the file begins with a byte order mark; save it without one';
  // A "{" ends a bare word, so "location ~ ^/[a-z]{2}/" is cut in two.
  if (/^\d+,?\d*\}/.test(name)) return 'a regular expression with "{" in it needs quotes';
  const stray = hintForCharacters(name);
  if (stray !== null) return stray;
  const meant = registry.suggest(name.toLowerCase(), context);
  return meant === null ? null : `did you mean "${meant}"?`;
}

/** For arguments that do not fit: a `;` was forgotten, and the next lines were taken for arguments. */
export function hintForArguments(directive: Directive, registry: Registry): string | null {
  const words = [directive.word, ...directive.args];
  for (const [index, word] of words.entries()) {
    const next = words[index + 1];
    if (next?.isOnNewLine && next.quote === '' && registry.has(next.text)) return missingSemicolon(word);
    if (word.quote === '' && word.text.length > 1 && word.text.endsWith('}') && !word.text.includes('{')) {
      return 'is a ";" missing before the "}"?';
    }
  }
  return words.map((word) => hintForCharacters(word.text)).find((hint) => hint !== null) ?? null;
}

function missingSemicolon(word: Word): string {
  return `is a ";" missing after "${word.text}"?`;
}

/** Characters that look like what they are not; they come with text from web pages. */
function hintForCharacters(text: string): string | null {
  if (/[\u00a0\u2000-\u200a\u202f\u3000]/.test(text))
    return 'it contains a no-break space; write a plain space';
  if (/[\u200b-\u200d\u2060\ufeff]/.test(text)) return 'it contains an invisible character; type it anew';
  if (/[\u2018-\u201f]/.test(text)) return 'it contains typographic quotes; use " or \'';
  return null;
}
