/*
 * Characters to words, by nginx's rules: a quote counts only where a word begins, a `#` likewise; a bare word
 * ends at a blank, `;` or `{`, except for a `{` right after `$`; a backslash takes the next character with it.
 * What sequence of tokens makes sense is the parser's business.
 */
import { tooLong, unexpectedCharacter } from '../diagnostics/catalogue.js';
import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.js';
import type { Quote, Word } from './ast.js';
import type { Source } from './source.js';
import { countBytes, cutToBytes } from './source-text.js';

export type TokenKind = 'word' | 'comment' | ';' | '{' | '}' | 'end';

/** What nginx's buffer holds, and so the longest word, comment or run of both that it can read. */
const MAX_WORD_BYTES = 4096;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const DOLLAR = 36;
const SINGLE_QUOTE = 39;
const CLOSING_PARENTHESIS = 41;
const SEMICOLON = 59;
const BACKSLASH = 92;
const OPENING_BRACE = 123;
const CLOSING_BRACE = 125;

/** Reads a source token by token; its fields describe the token read last. */
export class Lexer {
  kind: TokenKind = 'end';
  start = 0;
  end = 0;
  /** A line ended between this token and the one before. */
  isOnNewLine = false;
  /** So did a line with nothing on it. */
  isAfterBlankLine = false;
  /** For a word. */
  word: Word | null = null;
  /** For a word that the end of the text cut off within its quotes. */
  isUnclosed = false;

  readonly #source: Source;
  readonly #text: string;
  readonly #diagnostics: Diagnostic[];
  #at = 0;
  /** The token before was a word in quotes, and nothing has followed it yet. */
  #isAfterQuote = false;

  /** Syntax errors within words go to `diagnostics`. */
  constructor(source: Source, diagnostics: Diagnostic[]) {
    this.#source = source;
    this.#text = source.text;
    this.#diagnostics = diagnostics;
  }

  /** Reads the next token; after the last one it is `end` forever. */
  next(): TokenKind {
    this.#skipBlanks();
    this.start = this.#at;
    this.isUnclosed = false;
    this.word = null;
    const text = this.#text;
    if (this.#at >= text.length) return this.#finish('end', this.#at);
    const code = text.charCodeAt(this.#at);
    if (this.#isAfterQuote) this.#checkAfterQuote(code);
    switch (code) {
      case SEMICOLON:
        return this.#finish(';', this.#at + 1);
      case OPENING_BRACE:
        return this.#finish('{', this.#at + 1);
      case CLOSING_BRACE:
        return this.#finish('}', this.#at + 1);
      case HASH:
        return this.#readComment();
      case DOUBLE_QUOTE:
      case SINGLE_QUOTE:
        return this.#readQuoted(code);
      default:
        return this.#readBare();
    }
  }

  #finish(kind: TokenKind, end: number): TokenKind {
    this.kind = kind;
    this.end = end;
    this.#at = end;
    return kind;
  }

  #skipBlanks(): void {
    const text = this.#text;
    let at = this.#at;
    let lines = 0;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === LF) lines++;
      else if (code !== SPACE && code !== TAB && code !== CR) break;
    }
    if (at > this.#at) this.#isAfterQuote = false;
    this.isOnNewLine = lines > 0;
    this.isAfterBlankLine = lines > 1;
    this.#at = at;
  }

  /** A `}` there is found by the parser, which misses a `;`. */
  #checkAfterQuote(code: number): void {
    this.#isAfterQuote = false;
    const isFine = code === SEMICOLON || code === OPENING_BRACE || code === CLOSING_PARENTHESIS;
    if (isFine || code === CLOSING_BRACE) return;
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at)!);
    const span = { source: this.#source, start: this.#at, end: this.#at + character.length };
    const hint = 'a blank, ";" or "{" must follow a closing quote';
    this.#diagnostics.push(diagnose(unexpectedCharacter(character, hint), span));
  }

  #readComment(): TokenKind {
    const lineEnd = this.#text.indexOf('\n', this.#at);
    const end = lineEnd < 0 ? this.#text.length : lineEnd;
    this.#checkLength('comment', this.start, end, end);
    return this.#finish('comment', end);
  }

  #readQuoted(quote: number): TokenKind {
    const text = this.#text;
    let at = this.#at + 1;
    let hasBackslash = false;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) break;
      if (code === BACKSLASH) {
        hasBackslash = true;
        at++;
      }
    }
    this.isUnclosed = at >= text.length;
    const contentEnd = Math.min(at, text.length);
    const end = Math.min(at + 1, text.length);
    const content = text.slice(this.start + 1, contentEnd);
    this.#isAfterQuote = true;
    // nginx notices the end of a quoted word one character later, or two if the first is blank.
    this.#checkLength('word', this.start + 1, contentEnd, end + (isBlank(text.charCodeAt(end)) ? 1 : 0));
    return this.#finishWord(hasBackslash ? resolveEscapes(content) : content, text[this.start] as Quote, end);
  }

  #readBare(): TokenKind {
    const text = this.#text;
    let at = this.#at;
    let hasBackslash = false;
    let isAfterDollar = false;
    // Whatever it is, the first character does not end the word: a "}" or ")" may come here too.
    for (let isFirst = true; at < text.length; at++, isFirst = false) {
      const code = text.charCodeAt(at);
      if (code === OPENING_BRACE && isAfterDollar) continue;
      isAfterDollar = code === DOLLAR;
      if (code === BACKSLASH) {
        hasBackslash = true;
        at++;
      } else if (!isFirst && (isBlank(code) || code === SEMICOLON || code === OPENING_BRACE)) break;
    }
    const end = Math.min(at, text.length);
    const raw = text.slice(this.start, end);
    this.#checkLength('word', this.start, end, isBlank(text.charCodeAt(end)) ? end + 1 : end);
    return this.#finishWord(hasBackslash ? resolveEscapes(raw) : raw, '', end);
  }

  #finishWord(text: string, quote: Quote, end: number): TokenKind {
    const raw = quote === '' && text.length === end - this.start ? text : this.#text.slice(this.start, end);
    const { start, isOnNewLine } = this;
    this.word = { text, raw, quote, isOnNewLine, source: this.#source, start, end };
    return this.#finish('word', end);
  }

  /**
   * nginx gives up when it has to read further than its buffer while the word still lies in it.
   * @param last where the character stands that it reads last before it lets go of the word
   */
  #checkLength(what: 'word' | 'comment', start: number, end: number, last: number): void {
    const lastRead = Math.min(last, this.#text.length - 1);
    if ((lastRead - start) * 3 < MAX_WORD_BYTES) return;
    const text = this.#text;
    if (countBytes(text.slice(start, lastRead)) < MAX_WORD_BYTES) return;
    const isCut = countBytes(text.slice(start, end)) >= MAX_WORD_BYTES;
    const quote = start > this.start && isCut ? text[this.start] : undefined;
    const nginxText =
      quote === undefined
        ? `too long parameter "${cutToBytes(text.slice(start, start + 10), 10)}..." started`
        : `too long parameter, probably missing terminating "${quote}" character`;
    const span = { source: this.#source, start: this.start, end: Math.min(end, this.start + 20) };
    this.#diagnostics.push(diagnose(tooLong(what, nginxText), span));
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === LF || code === TAB || code === CR;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['t', '\t'],
  ['r', '\r'],
  ['n', '\n'],
]);

/** A backslash before any other character stays. */
function resolveEscapes(raw: string): string {
  return raw.replace(/\\(["'\\trn])/g, (_, escaped: string) => ESCAPES.get(escaped)!);
}
