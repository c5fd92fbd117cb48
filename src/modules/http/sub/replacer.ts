/*
 * Finds several texts at once in a body that comes in pieces. Letters match in either case, bytes beyond ASCII only
 * themselves. What is kept between two pieces is less than the longest text.
 */

/** A text to look for, in lower case, bytes in latin1. Never empty. */
export interface Pattern {
  readonly text: string;
}

/** The texts of one body, compiled. At one place in a body an earlier text is preferred to a later one. */
export class PatternSet {
  readonly patterns: readonly Pattern[];
  readonly longest: number;
  /** Finds any of them; the number of its group tells which. Shared by all bodies, each of which sets lastIndex. */
  readonly matcher: RegExp;
  private readonly alternatives: readonly string[];

  constructor(patterns: readonly Pattern[]) {
    this.patterns = patterns;
    this.longest = Math.max(...patterns.map(({ text }) => text.length));
    this.alternatives = patterns.map(({ text }) => [...text].map(matchByte).join(''));
    this.matcher = this.matcherOf(patterns.map(() => true));
  }

  /** Finds those that are wanted; the numbers stay. */
  matcherOf(isWanted: readonly boolean[]): RegExp {
    const groups = this.alternatives.map((text, i) => (isWanted[i] ? `(${text})` : '((?!))'));
    return new RegExp(groups.join('|'), 'g');
  }
}

/** Either case of a letter; anything else by its number, so that nothing has a meaning in a regular expression. */
function matchByte(byte: string): string {
  if (/[a-z]/.test(byte)) return `[${byte}${byte.toUpperCase()}]`;
  return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** ASCII letters in lower case, all other bytes as they are. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** What a replacer finds, in order. */
export interface FindingReceiver {
  /** Bytes of the body that stay: bytes[start,end), borrowed like what was given. */
  keep(bytes: Buffer, start: number, end: number): void;
  /** Pattern number `index` stood here. */
  replace(index: number): void;
}

/** The search through one body. */
export class Replacer {
  private readonly set: PatternSet;
  private readonly receiver: FindingReceiver;
  /** Whether each pattern is replaced only where it stands first. */
  private readonly isOnce: boolean;
  private readonly isWanted: boolean[];
  /** Null when nothing is looked for any more. */
  private matcher: RegExp | null;
  /** The end of what came before: the beginning of a pattern, perhaps. */
  private held: Buffer = NOTHING;
  /** Where the text that is looked through ends within a pattern, and the first pattern that it may be. */
  private openAt = 0;
  private openPattern = 0;

  constructor(set: PatternSet, isOnce: boolean, receiver: FindingReceiver) {
    this.set = set;
    this.isOnce = isOnce;
    this.receiver = receiver;
    this.isWanted = set.patterns.map(() => true);
    this.matcher = set.matcher;
  }

  /** Looks through more of the body. */
  take(bytes: Buffer): void {
    const { held } = this;
    if (this.matcher === null) {
      this.receiver.keep(bytes, 0, bytes.length);
      return;
    }
    this.held = NOTHING;
    this.search(held.length === 0 ? bytes : Buffer.concat([held, bytes]), false);
  }

  /** The body is whole: what is still held is no beginning of anything. */
  finish(): void {
    const { held } = this;
    this.held = NOTHING;
    if (held.length > 0) this.search(held, true);
  }

  private search(bytes: Buffer, isLast: boolean): void {
    const text = bytes.toString('latin1');
    let kept = 0;
    this.findOpen(text, 0, isLast);
    for (;;) {
      const match = this.next(text, kept);
      if (match === null) break;
      const pattern = match.findIndex((group, i) => i > 0 && group !== undefined) - 1;
      const isFirst = match.index === this.openAt ? pattern < this.openPattern : match.index < this.openAt;
      if (!isFirst) break;
      if (match.index > kept) this.receiver.keep(bytes, kept, match.index);
      kept = match.index + match[0].length;
      this.receiver.replace(pattern);
      if (this.isOnce) this.forget(pattern);
      if (this.isOnce || kept > this.openAt) this.findOpen(text, kept, isLast);
    }
    if (this.openAt > kept) this.receiver.keep(bytes, kept, this.openAt);
    if (this.openAt < bytes.length) this.held = Buffer.from(bytes.subarray(this.openAt));
  }

  private next(text: string, from: number): RegExpExecArray | null {
    if (this.matcher === null) return null;
    this.matcher.lastIndex = from;
    return this.matcher.exec(text);
  }

  private forget(pattern: number): void {
    this.isWanted[pattern] = false;
    this.matcher = this.isWanted.includes(true) ? this.set.matcherOf(this.isWanted) : null;
  }

  /** Finds the first place, at `from` or behind, where a pattern may begin that `text` ends within. */
  private findOpen(text: string, from: number, isLast: boolean): void {
    this.openAt = text.length;
    this.openPattern = 0;
    if (this.matcher === null || isLast) return;
    const { patterns, longest } = this.set;
    const start = Math.max(from, text.length - longest + 1);
    const tail = lowerAscii(text.slice(start));
    for (let i = 0; i < tail.length; i++) {
      const rest = tail.slice(i);
      const isOpen = ({ text: wanted }: Pattern, p: number) =>
        this.isWanted[p]! && wanted.length > rest.length && wanted.startsWith(rest);
      const pattern = patterns.findIndex(isOpen);
      if (pattern < 0) continue;
      this.openAt = start + i;
      this.openPattern = pattern;
      return;
    }
  }
}

const NOTHING = Buffer.alloc(0);
