/*
 * What the parser makes of a file: directives and comments in the order they stand in, with the places they
 * stand at. It knows nothing of what a directive means; that is schema/. The trees are plain data, so that a
 * program can make one too: see makeDirective.
 */
import { Source, type Span } from './source.js';

/** How a word was written: bare, or in which quotes. */
export type Quote = '' | '"' | "'";

/** A name or an argument. */
export interface Word extends Span {
  /** What it says, with quotes taken off and escapes resolved. */
  readonly text: string;
  /** As it is written, quotes and all. */
  readonly raw: string;
  readonly quote: Quote;
  /** Starts a line. The printer keeps this for arguments, which long directives have on lines of their own. */
  readonly isOnNewLine: boolean;
}

/** A comment that stands for itself: not between the words of a directive. */
export interface Comment extends Span {
  readonly kind: 'comment';
  /** Without the `#` and without blanks at its end. */
  readonly text: string;
  readonly isAfterBlankLine: boolean;
  /** Follows something on the same line: a `;`, a `{` or a `}`. */
  readonly isTrailing: boolean;
}

/** A comment among the words of a directive: before the argument of this index, or before the `;` or `{`. */
export interface InnerComment {
  readonly before: number;
  readonly comment: Comment;
}

/** One directive, simple or with a block; as a span from the name to the end of the `;` or `}`. */
export interface Directive extends Span {
  readonly kind: 'directive';
  readonly name: string;
  /** The name as a word. */
  readonly word: Word;
  readonly args: readonly Word[];
  /** What stands between its braces; null for a simple directive. */
  readonly block: readonly Item[] | null;
  readonly innerComments: readonly InnerComment[];
  /** Offset of the `;` or `{` that ends the words; nginx reports a directive with the line of this. */
  readonly headEnd: number;
  readonly isAfterBlankLine: boolean;
  /** The words are not to be trusted: something between them is a syntax error that was reported. */
  readonly isBroken: boolean;
}

/** What a file or a block consists of. */
export type Item = Directive | Comment;

/** The directives among items. */
export function directivesOf(items: readonly Item[]): Directive[] {
  return items.filter((item) => item.kind === 'directive');
}

const NOWHERE: Span = { source: new Source('', ''), start: 0, end: 0 };

/** A word that was never in a file, quoted when it must be. `at` is where messages about it point. */
function makeWord(text: string, { source, start, end }: Span = NOWHERE): Word {
  const raw = quoteWord(text);
  return { text, raw, quote: raw.startsWith('"') ? '"' : '', isOnNewLine: false, source, start, end };
}

/** A directive that was never in a file. */
export function makeDirective(
  name: string,
  args: readonly string[] = [],
  block: readonly Item[] | null = null,
  at: Span = NOWHERE,
): Directive {
  return {
    kind: 'directive',
    name,
    word: makeWord(name, at),
    args: args.map((text) => makeWord(text, at)),
    block,
    innerComments: [],
    headEnd: at.start,
    isAfterBlankLine: false,
    isBroken: false,
    source: at.source,
    start: at.start,
    end: at.end,
  };
}

/** A text written so that the lexer reads it back: bare where that can be, else in double quotes. */
export function quoteWord(text: string): string {
  if (text !== '' && !/^[#}"']|[ \t\r\n;{\\]/.test(text)) return text;
  // A backslash before anything but these stays a backslash, so only they need another one.
  return '"' + text.replace(/\\(?=["'\\trn]|$)|"/g, '\\$&') + '"';
}
