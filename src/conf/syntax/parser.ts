/*
 * Words to directives and blocks. It answers a tree for any text: after a syntax error it goes on as if what
 * is missing were there and what is too much were not, so one run finds all errors. Includes are not followed
 * (load/), names not looked up (schema/).
 */
import * as catalogue from '../diagnostics/catalogue.js';
import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.js';
import type { Comment, Directive, InnerComment, Item, Word } from './ast.js';
import { Lexer } from './lexer.js';
import { type Source, Span } from './source.js';

/** Bounds what walks the tree recursively; nginx has no such limit, and nobody comes near. */
export const MAX_NESTING = 100;

/** Bounds what a file that is no configuration at all can make us collect. */
const MAX_ERRORS = 100;

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
  readonly words: readonly Word[];
  readonly innerComments: readonly InnerComment[];
  readonly isAfterBlankLine: boolean;
  readonly isBroken: boolean;
  readonly end: number;
}

class Parser {
  readonly #source: Source;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #lexer: Lexer;
  readonly #frames: Frame[];
  #frame: Frame = { owner: null, items: [] };
  // The directive whose words are being read.
  #words: Word[] = [];
  #innerComments: InnerComment[] = [];
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
          if (this.#words.length === 0) this.#errorsBefore = errorsBefore;
          this.#addWord();
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

  #addWord(): void {
    const lexer = this.#lexer;
    if (this.#words.length === 0) this.#isAfterBlankLine = this.#isApart();
    this.#words.push(lexer.word!);
    this.#isLastUnclosed = lexer.isUnclosed;
  }

  #addComment(): void {
    const { start, end, isOnNewLine } = this.#lexer;
    const isFirst = this.#frames.length === 1 && this.#frame.items.length === 0 && this.#words.length === 0;
    const comment: Comment = {
      kind: 'comment',
      text: this.#source.text.slice(start + 1, end).trimEnd(),
      span: this.#span(start, end),
      isAfterBlankLine: this.#words.length === 0 && this.#isApart(),
      isTrailing: !isOnNewLine && !isFirst,
    };
    if (this.#words.length === 0) this.#frame.items.push(comment);
    else this.#innerComments.push({ before: this.#words.length - 1, comment });
  }

  #endSimple(): void {
    if (this.#words.length === 0) this.#report(catalogue.unexpectedCharacter(';', 'remove it'));
    else this.#addDirective(this.#takeHead(false), null, this.#lexer.end);
  }

  #openBlock(): void {
    const isNameless = this.#words.length === 0;
    if (isNameless) this.#report(catalogue.unexpectedCharacter('{', 'a block needs a name before it'));
    if (this.#source.isCommandLine) this.#report(catalogue.blockInCommandLine(this.#words[0]?.text ?? ''));
    // The file itself is the first frame.
    if (this.#frames.length === MAX_NESTING + 1) this.#report(catalogue.nestedTooDeep(MAX_NESTING));
    this.#frame = { owner: isNameless ? null : this.#takeHead(false), items: [] };
    this.#frames.push(this.#frame);
  }

  #closeBlock(): void {
    if (this.#words.length > 0) {
      const name = this.#words[0]!.text;
      const { start, end } = this.#words.at(-1)!.span;
      const { start: brace } = this.#lexer;
      this.#diagnostics.push(diagnose(catalogue.missingSemicolon(name), this.#span(start, end), brace));
      this.#addDirective(this.#takeHead(true), null, brace);
    }
    if (this.#frames.length === 1) {
      this.#report(catalogue.unexpectedCharacter('}', 'no block is open here'));
      return;
    }
    this.#leaveBlock(this.#lexer.end);
  }

  #endText(): void {
    const end = this.#source.text.length;
    if (this.#words.length > 0) this.#endWithinDirective(end);
    else if (this.#frames.length > 1) this.#endWithinBlock(end);
  }

  #endWithinDirective(end: number): void {
    const name = this.#words[0]!.text;
    const last = this.#words.at(-1)!;
    const { start } = last.span;
    const { isCommandLine } = this.#source;
    const found = this.#isLastUnclosed
      ? catalogue.unclosedQuote(last.quote, isCommandLine)
      : catalogue.endInDirective(name, isCommandLine);
    const span = this.#span(start, this.#isLastUnclosed ? start + 1 : last.span.end);
    this.#diagnostics.push(diagnose(found, span, end));
    this.#addDirective(this.#takeHead(true), null, end);
  }

  #endWithinBlock(end: number): void {
    const open = this.#frames.flatMap((frame) => (frame.owner === null ? [] : [frame.owner]));
    const notes = open.map(({ words }) => ({
      message: `"${words[0]!.text}" was opened here`,
      span: words[0]!.span,
    }));
    const found = catalogue.endInBlock(open.at(-1)?.words[0]?.text ?? '');
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

  #takeHead(isBroken: boolean): Head {
    const head = {
      words: this.#words,
      innerComments: this.#innerComments,
      isAfterBlankLine: this.#isAfterBlankLine,
      isBroken: isBroken || this.#diagnostics.length > this.#errorsBefore,
      end: this.#lexer.start,
    };
    this.#words = [];
    this.#innerComments = [];
    return head;
  }

  #addDirective(head: Head, block: Item[] | null, end: number): void {
    const [word, ...args] = head.words as [Word, ...Word[]];
    this.#frame.items.push({
      kind: 'directive',
      name: word.text,
      word,
      args,
      block,
      innerComments: head.innerComments,
      span: this.#span(word.span.start, end),
      headEnd: head.end,
      isAfterBlankLine: head.isAfterBlankLine,
      isBroken: head.isBroken,
    } satisfies Directive);
  }

  /** Blank lines count between items, not before the first of a block. */
  #isApart(): boolean {
    return this.#lexer.isAfterBlankLine && this.#frame.items.length > 0;
  }

  #report(found: catalogue.Finding): void {
    this.#diagnostics.push(diagnose(found, this.#span(this.#lexer.start, this.#lexer.end)));
  }

  #span(start: number, end: number): Span {
    return new Span(this.#source, start, end);
  }
}
