/*
 * Bytes of log lines on their way to a log: made in place instead of as strings that are put together, flattened and
 * encoded again.
 */

/** Room at first. */
const FIRST_BYTES = 4096;
/** What is kept when a flood is over. */
const KEPT_BYTES = 64 * 1024;
/** perf: longer texts, and more bytes, are copied faster by a call out of JavaScript. */
const SHORT_TEXT = 16;
const FEW_BYTES = 256;

const LF = 10;

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

  /** Appends a line feed. */
  endLine(): void {
    this.reserve(1);
    this.bytes[this.length++] = LF;
  }

  /** Appends what another one holds. */
  append(other: LineBuffer): void {
    const { bytes: from, length } = other;
    this.reserve(length);
    const { bytes, length: at } = this;
    if (length > FEW_BYTES) from.copy(bytes, at, 0, length);
    else for (let i = 0; i < length; i++) bytes[at + i] = from[i]!;
    this.length += length;
  }

  /** Takes away the first bytes. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }

  /** What it holds, which is the caller's from now on: this one goes on empty, with room of its own. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.usualBytes = Math.max(FIRST_BYTES, Math.min(this.bytes.length, KEPT_BYTES));
    this.bytes = NO_BYTES;
    this.length = 0;
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
