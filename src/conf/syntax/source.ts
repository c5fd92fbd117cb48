/*
 * A text with a name, and places in it. Lines count as nginx counts them: by line feeds alone. Where the text
 * comes from is the loader's business (load/), how a place is shown that of diagnostics/.
 */

/** A place for people. Both count from 1; columns count characters, so a tab or an emoji is one. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One text of configuration. Offsets in it are indexes into `text`. */
export class Source {
  /** As messages show it: the path of a file as it was opened. */
  readonly name: string;
  readonly text: string;
  /** The directives of the -g option; nginx words its messages differently for these. */
  readonly isCommandLine: boolean;
  #lineStarts: number[] | null = null;

  constructor(name: string, text: string, isCommandLine = false) {
    this.name = name;
    this.text = text;
    this.isCommandLine = isCommandLine;
  }

  /** The line of an offset; the end of the text is an offset too. */
  lineAt(offset: number): number {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  positionAt(offset: number): Position {
    const line = this.lineAt(offset);
    return { line, column: countCharacters(this.text.slice(this.#starts()[line - 1], offset)) + 1 };
  }

  /** Where a line begins, which is the end of the text for lines that there are not. */
  lineStart(line: number): number {
    return this.#starts()[line - 1] ?? this.text.length;
  }

  /** A line without what ends it. */
  lineText(line: number): string {
    const end = this.text.indexOf('\n', this.lineStart(line));
    return this.text.slice(this.lineStart(line), end < 0 ? undefined : end).replace(/\r$/, '');
  }

  #starts(): number[] {
    if (this.#lineStarts !== null) return this.#lineStarts;
    const starts = [0];
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
    return starts;
  }
}

/** A part of a source: from `start` up to `end`, which is not in it. Words and directives are spans too. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** Characters of a text, where its length would count some of them twice. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    const isPair = (text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800;
    if (isPair) count--;
  }
  return count;
}
