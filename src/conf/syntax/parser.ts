/*
 * Words to directives and blocks. It answers a tree for any text: after a syntax error it goes on as if what
 * is missing were there and what is too much were not, so one run finds all errors. Includes are not followed
 * (load/), names not looked up (schema/).
 */
import * as catalogue from '../diagnostics/catalogue.js';
import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.js';
import type { Comment, Directive, InnerComment, Item, Word } from './ast.js';
import { Lexer } from './lexer.js';
import type { Source, Span } from './source.js';

/** Bounds what walks the tree recursively; nginx has no such limit, and nobody comes near. */
export const MAX_NESTING = 100;

/** Bounds what a file that is no configuration at all can make us collect. */
const MAX_ERRORS = 100;

/** How many of the blocks that were never closed are named. */
const MAX_NOTES = 5;

/** A source as a tree. */
export interface ParsedSource {
  readonly source: Source;
  readonly items: readonly Item[];
  /** The syntax errors, in the order nginx would meet them. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses a text. Never throws, whatever the text. */
export function parse(source: Source): ParsedSource {
  return new Parser(source).parse();
}

/** A block that is being read; the outermost frame is the file. */
interface Frame {
  /** Null for the file, and for a block that no directive opened. */
  readonly owner: Head | null;
  readonly items: Item[];
}

/** A directive up to its `;` or `{`. */
interface Head {
  readonly name: Word;
  readonly args: readonly Word[];
  readonly innerComments: readonly InnerComment[];
  readonly isAfterBlankLine: boolean;
  readonly isBroken: boolean;
  readonly end: number;
}

const NO_WORDS: readonly Word[] = [];
const NO_COMMENTS: readonly InnerComment[] = [];

class Parser {
  readonly #source: Source;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #lexer: Lexer;
  readonly #frames: Frame[];
  #frame: Frame = { owner: null, items: [] };
  // The directive whose words are being read.
  #name: Word | null = null;
  #args: Word[] | null = null;
  #innerComments: InnerComment[] | null = null;
  #isAfterBlankLine = false;
  #isLastUnclosed = false;
  #errorsBefore = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#lexer = new Lexer(source, this.#diagnostics);
    this.#frames = [this.#frame];
  }

  parse(): ParsedSource {
    const lexer = this.#lexer;
    for (;;) {
      const errorsBefore = this.#diagnostics.length;
      if (errorsBefore >= MAX_ERRORS) return this.#giveUp();
      switch (lexer.next()) {
        case 'word':
          if (this.#name === null) this.#errorsBefore = errorsBefore;
          this.#addWord(lexer.word!);
          break;
        case 'comment':
          this.#addComment();
          break;
        case ';':
          this.#endSimple();
          break;
        case '{':
          this.#openBlock();
          break;
        case '}':
          this.#closeBlock();
          break;
        default:
          this.#endText();
          return this.#finish();
      }
    }
  }

  #finish(): ParsedSource {
    while (this.#frames.length > 1) this.#leaveBlock(this.#lexer.end);
    return { source: this.#source, items: this.#frame.items, diagnostics: this.#diagnostics };
  }

  #giveUp(): ParsedSource {
    this.#report(catalogue.tooManyErrors());
    return this.#finish();
  }

  #addWord(word: Word): void {
    if (this.#name === null) {
      this.#name = word;
      this.#isAfterBlankLine = this.#isApart();
    } else if (this.#args === null) {
      // perf: an array that begins with its first word is a fifth of one that grew from nothing.
      this.#args = [word];
    } else this.#args.push(word);
    this.#isLastUnclosed = this.#lexer.isUnclosed;
  }

  #addComment(): void {
    const { start, end, isOnNewLine } = this.#lexer;
    const isInner = this.#name !== null;
    const isFirst = this.#frames.length === 1 && this.#frame.items.length === 0 && !isInner;
    const comment: Comment = {
      kind: 'comment',
      text: this.#source.text.slice(start + 1, end).trimEnd(),
      isAfterBlankLine: !isInner && this.#isApart(),
      isTrailing: !isOnNewLine && !isFirst,
      source: this.#source,
      start,
      end,
    };
    if (!isInner) this.#frame.items.push(comment);
    else {
      this.#innerComments ??= [];
      this.#innerComments.push({ before: this.#args?.length ?? 0, comment });
    }
  }

  #endSimple(): void {
    if (this.#name === null) this.#report(catalogue.unexpectedCharacter(';', 'remove it'));
    else this.#addDirective(this.#takeHead(this.#name, false), null, this.#lexer.end);
  }

  #openBlock(): void {
    const name = this.#name;
    if (name === null) this.#report(catalogue.unexpectedCharacter('{', 'a block needs a name before it'));
    if (this.#source.isCommandLine) this.#report(catalogue.blockInCommandLine(name?.text ?? ''));
    // The file itself is the first frame.
    if (this.#frames.length === MAX_NESTING + 1) this.#report(catalogue.nestedTooDeep(MAX_NESTING));
    this.#frame = { owner: name === null ? null : this.#takeHead(name, false), items: [] };
    this.#frames.push(this.#frame);
  }

  #closeBlock(): void {
    const name = this.#name;
    if (name !== null) {
      const last = this.#args?.at(-1) ?? name;
      const brace = this.#lexer.start;
      const hint = last.raw.endsWith('}') ? 'is a ";" missing before the "}"?' : 'put a ";" after it';
      this.#diagnostics.push(diagnose(catalogue.missingSemicolon(name.text, hint), last, brace));
      this.#addDirective(this.#takeHead(name, true), null, brace);
    }
    if (this.#frames.length === 1) {
      this.#report(catalogue.unexpectedCharacter('}', 'no block is open here'));
      return;
    }
    this.#leaveBlock(this.#lexer.end);
  }

  #endText(): void {
    const end = this.#source.text.length;
    if (this.#name !== null) this.#endWithinDirective(this.#name, end);
    else if (this.#frames.length > 1) this.#endWithinBlock(end);
  }

  #endWithinDirective(name: Word, end: number): void {
    const last = this.#args?.at(-1) ?? name;
    const { isCommandLine } = this.#source;
    const found = this.#isLastUnclosed
      ? catalogue.unclosedQuote(last.quote, isCommandLine)
      : catalogue.endInDirective(name.text, isCommandLine);
    const span = this.#isLastUnclosed ? this.#span(last.start, last.start + 1) : last;
    this.#diagnostics.push(diagnose(found, span, end));
    this.#addDirective(this.#takeHead(name, true), null, end);
  }

  #endWithinBlock(end: number): void {
    const names = this.#frames.flatMap((frame) => (frame.owner === null ? [] : [frame.owner.name]));
    const notes = names.slice(-MAX_NOTES).map((name) => ({
      message: `"${name.text}" was opened here`,
      span: name,
    }));
    const found = catalogue.endInBlock(names.at(-1)?.text ?? '');
    this.#diagnostics.push(diagnose(found, this.#span(end, end), end, notes.reverse()));
  }

  /** Ends the innermost block; too deep and nameless ones are dropped with all that is in them. */
  #leaveBlock(end: number): void {
    const { owner, items } = this.#frame;
    const isTooDeep = this.#frames.length > MAX_NESTING + 1;
    this.#frames.pop();
    this.#frame = this.#frames.at(-1)!;
    if (owner !== null && !isTooDeep) this.#addDirective(owner, items, end);
  }

  #takeHead(name: Word, isBroken: boolean): Head {
    const head = {
      name,
      args: this.#args ?? NO_WORDS,
      innerComments: this.#innerComments ?? NO_COMMENTS,
      isAfterBlankLine: this.#isAfterBlankLine,
      isBroken: isBroken || this.#diagnostics.length > this.#errorsBefore,
      end: this.#lexer.start,
    };
    this.#name = null;
    this.#args = null;
    this.#innerComments = null;
    return head;
  }

  #addDirective(head: Head, block: Item[] | null, end: number): void {
    const { name, args, innerComments, isAfterBlankLine, isBroken } = head;
    const directive: Directive = {
      kind: 'directive',
      name: name.text,
      word: name,
      args,
      block,
      innerComments,
      headEnd: head.end,
      isAfterBlankLine,
      isBroken,
      source: this.#source,
      start: name.start,
      end,
    };
    this.#frame.items.push(directive);
  }

  /** Blank lines count between items, not before the first of a block. */
  #isApart(): boolean {
    return this.#lexer.isAfterBlankLine && this.#frame.items.length > 0;
  }

  #report(found: catalogue.Finding): void {
    this.#diagnostics.push(diagnose(found, this.#span(this.#lexer.start, this.#lexer.end)));
  }

  #span(start: number, end: number): Span {
    return { source: this.#source, start, end };
  }
}
