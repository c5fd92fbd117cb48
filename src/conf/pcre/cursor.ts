/*
 * A place in a pattern that moves on as the pattern is read; the parts of the parser share it.
 */
import { PatternProblem } from './pattern.js';

export class Cursor {
  /** The pattern; its characters are bytes. */
  readonly text: string;
  at = 0;
  /** Capturing groups that have been opened so far. */
  groupCount = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** The next character without reading it; '' at the end. */
  peek(): string {
    return this.text[this.at] ?? '';
  }

  /** Reads on if the text goes on so. `expression` is sticky. */
  take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const match = expression.exec(this.text);
    if (match !== null) this.at = expression.lastIndex;
    return match;
  }

  /** What PCRE refuses, in its words. */
  problem(reason: string, at = this.at): PatternProblem {
    return new PatternProblem(at, reason);
  }

  /** What PCRE takes and we cannot say. */
  untranslatable(what: string, at: number): PatternProblem {
    return new PatternProblem(at, what, true);
  }
}
