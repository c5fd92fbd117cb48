/*
 * Bytes of log lines on their way to a log: made in place instead of as strings that are put together, flattened and
 * encoded again.
 */

/** Room at first. */
const FIRST_BYTES = 4096;
/** What is kept when a flood is over. */
const KEPT_BYTES = 64 * 1024;
/** perf: longer texts are copied faster by a call out of JavaScript. */
const SHORT_TEXT = 16;
/** perf: smaller numbers need no string. */
const SMALL_NUMBER = 100_000;

const LF = 10;
const ZERO = 48;

/** Appends what is to be logged of a request or a session, without a line feed. */
export type LogFormat<S> = (subject: S, line: LineBuffer) => void;

/** Bytes that are appended to. Makes no room before there is something to hold. */
export class LineBuffer {
  /** Those before `length` count. Another Buffer after something was appended. */
  bytes: Buffer;
  length: number;
  /** Room that is made at once, since it was needed before. */
  private usualBytes: number;

  constructor() {
    this.bytes = NO_BYTES;
    this.length = 0;
    this.usualBytes = FIRST_BYTES;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = NO_BYTES;
  }

  /** Appends a text, its bytes in latin1. */
  text(text: string): void {
    const { length } = text;
    this.reserve(length);
    if (length > SHORT_TEXT) {
      this.bytes.write(text, this.length, 'latin1');
    } else {
      const { bytes, length: at } = this;
      for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
    }
    this.length += length;
  }

  /** Appends a text by `escapeText`, which leaves alone what `plain` has a 1 for. */
  escaped(text: string, plain: Uint8Array, escapeText: (text: string) => string): void {
    const { length } = text;
    this.reserve(length);
    const { bytes, length: at } = this;
    for (let i = 0; i < length; i++) {
      const byte = text.charCodeAt(i);
      if (plain[byte] !== 1) {
        this.text(escapeText(text));
        return;
      }
      bytes[at + i] = byte;
    }
    this.length += length;
  }

  /** Appends a whole number, none below zero, in decimal digits. */
  decimal(value: number): void {
    if (value >= SMALL_NUMBER) {
      this.text(String(value));
      return;
    }
    const digits = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5;
    this.reserve(digits);
    const { bytes, length: start } = this;
    this.length += digits;
    for (let at = this.length - 1, rest = value; at >= start; at--) {
      const tens = Math.trunc(rest / 10);
      bytes[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
  }

  /** Appends a line feed. */
  endLine(): void {
    this.reserve(1);
    this.bytes[this.length++] = LF;
  }

  /** Takes away the first bytes. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }

  /** The first bytes, which are the caller's from now on: this one goes on with the rest, in room of its own. */
  take(count: number): Buffer {
    const taken = this.bytes.subarray(0, count);
    const rest = this.bytes.subarray(count, this.length);
    this.usualBytes = Math.max(FIRST_BYTES, Math.min(this.bytes.length, KEPT_BYTES));
    this.bytes = NO_BYTES;
    this.length = 0;
    if (rest.length === 0) return taken;
    this.reserve(rest.length);
    this.bytes.set(rest);
    this.length = rest.length;
    return taken;
  }

  /** The text of what it holds, bytes in latin1. */
  toString(): string {
    return this.bytes.toString('latin1', 0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.grow(this.length + count);
  }

  private grow(least: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.usualBytes, 2 ** Math.ceil(Math.log2(least))));
    this.bytes.copy(bytes, 0, 0, this.length);
    this.bytes = bytes;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** perf: all lines of a thread that are made alone are made here, one after the other. */
const alone = new LineBuffer();

/** A line alone, which stands until the next one is made so. */
export function makeLine<S>(format: LogFormat<S>, subject: S): LineBuffer {
  alone.clear();
  format(subject, alone);
  return alone;
}
