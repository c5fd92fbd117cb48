/*
 * `[...]`: everything in it ends up in one set of bytes.
 */
import { addAll, type ByteSet, ignoreCase, invert, POSIX_CLASSES, setOf } from './byte-set.js';
import type { Cursor } from './cursor.js';
import { readEscape } from './escape.js';

/** One thing in a class: a byte, which can begin or end a range, or a set, which cannot. */
type Member = number | ByteSet;

/** Reads a class; the cursor is behind its `[`. */
export function readClass(cursor: Cursor, isCaseless: boolean, skipsBlanks: boolean): ByteSet {
  return new ClassReader(cursor, skipsBlanks).read(isCaseless);
}

class ClassReader {
  readonly #cursor: Cursor;
  readonly #skipsBlanks: boolean;
  readonly #set = setOf();
  /** Within `\Q...\E`. */
  #isLiteral = false;

  constructor(cursor: Cursor, skipsBlanks: boolean) {
    this.#cursor = cursor;
    this.#skipsBlanks = skipsBlanks;
  }

  read(isCaseless: boolean): ByteSet {
    const isNegated = this.#cursor.take(/\^/y) !== null;
    for (let isFirst = true; ; isFirst = false) {
      this.#skip();
      if (this.#cursor.isAtEnd) throw this.#cursor.problem('missing terminating ] for character class');
      if (!this.#isLiteral && !isFirst && this.#cursor.take(/\]/y) !== null) break;
      this.#readRange();
    }
    const set = isCaseless ? ignoreCase(this.#set) : this.#set;
    return isNegated ? invert(set) : set;
  }

  #readRange(): void {
    const low = this.#readMember();
    this.#skip();
    const isRange = !this.#isLiteral && this.#takeHyphen();
    if (!isRange) {
      this.#add(low, low);
      return;
    }
    const at = this.#cursor.at;
    if (typeof low !== 'number') throw this.#cursor.problem('invalid range in character class', at - 1);
    const high = this.#readMember();
    if (typeof high !== 'number') throw this.#cursor.problem('invalid range in character class');
    if (high < low) throw this.#cursor.problem('range out of order in character class', this.#cursor.at - 1);
    this.#add(low, high);
  }

  /** A hyphen that makes a range: not the last thing in the class. */
  #takeHyphen(): boolean {
    const cursor = this.#cursor;
    const before = cursor.at;
    if (cursor.take(/-/y) === null) return false;
    this.#skip();
    if (!cursor.isAtEnd && (this.#isLiteral || cursor.peek() !== ']')) return true;
    cursor.at = before;
    return false;
  }

  #add(low: Member, high: Member): void {
    if (typeof low === 'number') this.#set.fill(1, low, (high as number) + 1);
    else addAll(this.#set, low);
  }

  #readMember(): Member {
    const cursor = this.#cursor;
    if (this.#isLiteral) return cursor.text.charCodeAt(cursor.at++);
    const posix = this.#readPosixClass();
    if (posix !== null) return posix;
    if (cursor.take(/\\/y) === null) return cursor.text.charCodeAt(cursor.at++);
    const read = readEscape(cursor, true);
    if (read.kind === 'byte') return read.byte;
    if (read.kind === 'set') return read.set;
    throw cursor.problem('escape sequence is invalid in character class', cursor.at - 1);
  }

  #readPosixClass(): ByteSet | null {
    const cursor = this.#cursor;
    const start = cursor.at;
    const match = cursor.take(/\[([:.=])(\^?)([^\\\]]*?)\1\]/y);
    if (match === null) return null;
    const [, mark, caret, name] = match;
    if (mark !== ':') throw cursor.problem('POSIX collating elements are not supported', start);
    const set = POSIX_CLASSES.get(name!);
    if (set === undefined) throw cursor.problem('unknown POSIX class name', start + 2);
    return caret === '^' ? invert(set) : set;
  }

  /** Over what is not there: the marks of `\Q...\E`, and blanks under the xx flag. */
  #skip(): void {
    const cursor = this.#cursor;
    for (;;) {
      const before = cursor.at;
      if (cursor.take(/\\E/y) !== null) this.#isLiteral = false;
      else if (!this.#isLiteral && cursor.take(/\\Q/y) !== null) this.#isLiteral = true;
      else if (this.#skipsBlanks && !this.#isLiteral) cursor.take(/[ \t]+/y);
      if (cursor.at === before) return;
    }
  }
}
