/*
 * The field section of a head or a trailer: scanned once from bytes, kept as offsets into one latin1 text.
 * Knows the grammar of RFC 9112 section 5 and nothing of what a field means.
 */
import { FieldId, findFieldId, TOKEN_LOWER } from '../message/field-id.js';
import { type HeadLimits, INCOMPLETE, MALFORMED, type Malformed } from './malformed.js';

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const UNDERSCORE = 95;

/** A letter, a digit or a hyphen. */
const PLAIN_NAME_BYTE = 1;
const UNDERSCORE_BYTE = 2;
/** What else a token may hold (RFC 9110 section 5.6.2). */
const ODD_NAME_BYTE = 4;

/** For `ignoredNames`: lines whose names have other characters than letters, digits, hyphens and underscores ... */
export const IGNORES_ODD_NAMES_BUT_UNDERSCORES: number = ODD_NAME_BYTE;
/** ... or underscores either: what nginx calls invalid headers. */
export const IGNORES_ODD_NAMES: number = ODD_NAME_BYTE | UNDERSCORE_BYTE;

/** 1 for a byte a field value may hold: visible ASCII, obs-text, space, tab (RFC 9110 section 5.5). */
const VALUE_BYTE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === TAB || (byte >= SPACE && byte !== 127) ? 1 : 0,
);

/** Per byte: 0 for none of a token's, or which it is of the three above. */
const NAME_BYTE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (TOKEN_LOWER[byte] === 0) return 0;
  if (byte === UNDERSCORE) return UNDERSCORE_BYTE;
  return /[a-z0-9-]/i.test(String.fromCharCode(byte)) ? PLAIN_NAME_BYTE : ODD_NAME_BYTE;
});

/** Kept per line, in one table: where name, value and line begin and end, and its traits. */
const NAME_START = 0;
const NAME_END = 1;
const VALUE_START = 2;
const VALUE_END = 3;
const LINE_END = 4;
const TRAITS = 5;
const STRIDE = 6;

/** Traits: the FieldId in the low byte, and two flags above it. */
const ID_MASK = 0xff;
/** It is passed on anew: another line end than CRLF, other white space than one space. */
const IS_DIRTY = 0x100;
/** Its name has characters other than letters, digits and hyphens: what nginx calls an invalid header. */
const HAS_ODD_NAME = 0x200;

/** Lines there is room for at first: more than almost every message has. */
const USUAL_COUNT = 32;

/**
 * One field section. Offsets are relative to the start of the head, and `text` is the whole head, so a
 * run of lines that pass unchanged is one slice. Reused from message to message: `reset` first.
 */
export class FieldLines {
  /** Number of lines scanned. */
  count: number;
  /** The head as latin1 text, set by the owner once the section is complete. */
  text: string;
  private table: Int32Array;
  private readonly limits: HeadLimits;
  private readonly tooLarge: Malformed;
  private readonly needsCrLf: boolean;
  private readonly ignoredNames: number;
  /** Where the name of the last line that was ignored begins and ends in `text`; 0 for none. */
  ignoredStart: number;
  ignoredEnd: number;
  /** Why the last scan returned MALFORMED. */
  malformed: Malformed | null;
  /** Where `scan` must go on after INCOMPLETE: the start of the unfinished line. */
  resumeAt: number;

  /**
   * `needsCrLf`: a line that ends in LF alone is malformed, not just written anew when passed on. `ignoredNames`: lines
   * that count as if they weren't there, 0 for none.
   */
  constructor(limits: HeadLimits, tooLargeStatus: number, needsCrLf = false, ignoredNames = 0) {
    this.count = 0;
    this.text = '';
    this.table = new Int32Array(Math.min(USUAL_COUNT, limits.fieldCount) * STRIDE);
    this.limits = limits;
    this.tooLarge = { status: tooLargeStatus, reason: 'too large a field section' };
    this.needsCrLf = needsCrLf;
    this.ignoredNames = ignoredNames;
    this.ignoredStart = 0;
    this.ignoredEnd = 0;
    this.malformed = null;
    this.resumeAt = 0;
  }

  reset(): void {
    this.count = 0;
    this.text = '';
    this.malformed = null;
    this.resumeAt = 0;
    this.ignoredStart = 0;
    this.ignoredEnd = 0;
    // security: many idle connections would otherwise each keep the room of the largest head they ever sent.
    if (this.table.length > 4 * USUAL_COUNT * STRIDE) this.resize(USUAL_COUNT);
  }

  /**
   * Scans lines of bytes[from,end) up to and including the empty one. `base` is where the head starts.
   * Returns the offset past the empty line, INCOMPLETE (call again with more bytes and `from` at
   * `resumeAt`) or MALFORMED (see `malformed`).
   */
  scan(bytes: Uint8Array, base: number, from: number, end: number): number {
    // Nothing behind a limit is looked at, so the outcome is the same however the bytes were split.
    const stop = Math.min(end, base + this.limits.headBytes);
    let pos = from;
    for (;;) {
      if (pos >= stop) return this.stopAt(pos, stop, end);
      const byte = bytes[pos]!;
      if (byte === LF) return this.needsCrLf ? this.fail('a LF without CR') : pos + 1;
      if (byte === CR) {
        if (pos + 1 >= stop) return this.stopAt(pos, stop, end);
        return bytes[pos + 1] === LF ? pos + 2 : this.fail('a CR without LF');
      }
      const lineStop = Math.min(stop, pos + this.limits.lineBytes);
      const next = this.scanLine(bytes, base, pos, lineStop);
      if (next < 0) return next === INCOMPLETE ? this.stopAt(pos, lineStop, end) : MALFORMED;
      pos = next;
    }
  }

  /** How many lines it holds without growing. */
  get room(): number {
    return this.table.length / STRIDE;
  }

  /** The FieldId of a line. */
  id(index: number): number {
    return this.table[index * STRIDE + TRAITS]! & ID_MASK;
  }

  name(index: number): string {
    const at = index * STRIDE;
    return this.text.substring(this.table[at + NAME_START]!, this.table[at + NAME_END]!);
  }

  value(index: number): string {
    const at = index * STRIDE;
    return this.text.substring(this.table[at + VALUE_START]!, this.table[at + VALUE_END]!);
  }

  /** The first value of a field by its name in lower case; null when there is none. */
  find(lowerName: string): string | null {
    for (let i = 0; i < this.count; i++) if (this.isNamed(i, lowerName)) return this.value(i);
    return null;
  }

  /** All values of a field by its name in lower case, in order. */
  findAll(lowerName: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.count; i++) if (this.isNamed(i, lowerName)) values.push(this.value(i));
    return values;
  }

  private isNamed(index: number, lowerName: string): boolean {
    const at = index * STRIDE;
    // perf: most names differ in length, which costs no string to see.
    if (this.table[at + NAME_END]! - this.table[at + NAME_START]! !== lowerName.length) return false;
    return this.name(index).toLowerCase() === lowerName;
  }

  /** The first value of a known field, or '' when there is none. */
  valueOf(id: number): string {
    for (let i = 0; i < this.count; i++) if (this.id(i) === id) return this.value(i);
    return '';
  }

  /**
   * The lines to pass on, each with its CRLF, in order: all but those whose id is set in `dropped`, those with
   * an odd name if `dropsOddNames` (nginx: ignore_invalid_headers), and those named in `alsoDropped` (lower case).
   * security: CGI-like origins read `Content_Length`, some even `Content.Length`, as Content-Length.
   */
  passOn(dropped: Uint8Array, dropsOddNames: boolean, alsoDropped: ReadonlySet<string> | null): string {
    const { table, count, text } = this;
    const skipped = dropsOddNames ? HAS_ODD_NAME : 0;
    let out = '';
    let runStart = -1;
    let runEnd = 0;
    for (let i = 0; i < count; i++) {
      const at = i * STRIDE;
      const traits = table[at + TRAITS]!;
      const passes =
        dropped[traits & ID_MASK] === 0 &&
        (traits & skipped) === 0 &&
        !alsoDropped?.has(this.name(i).toLowerCase());
      if (passes && (traits & IS_DIRTY) === 0) {
        const start = table[at + NAME_START]!;
        if (runStart < 0) runStart = start;
        // security: between two lines there may be one that was ignored, and must not slip through in the slice.
        else if (start !== runEnd) {
          out += text.substring(runStart, runEnd);
          runStart = start;
        }
        runEnd = table[at + LINE_END]!;
        continue;
      }
      if (runStart >= 0) {
        out += text.substring(runStart, runEnd);
        runStart = -1;
      }
      if (passes) out += `${this.name(i)}: ${this.value(i)}\r\n`;
    }
    return runStart < 0 ? out : out + text.substring(runStart, runEnd);
  }

  /** Has a line count as if it weren't there. */
  remove(index: number): void {
    const at = index * STRIDE;
    this.table.copyWithin(at, at + STRIDE, this.count * STRIDE);
    this.count--;
  }

  private scanLine(bytes: Uint8Array, base: number, start: number, end: number): number {
    let pos = start;
    let seen = 0;
    while (pos < end) {
      const nameByte = NAME_BYTE[bytes[pos]!]!;
      if (nameByte === 0) break;
      seen |= nameByte;
      pos++;
    }
    if (pos === end) return INCOMPLETE;
    if (bytes[pos] !== COLON || pos === start) return this.failName(bytes, start, pos);
    const nameEnd = pos++;
    while (pos < end && (bytes[pos] === SPACE || bytes[pos] === TAB)) pos++;
    const valueStart = pos;
    while (pos < end && VALUE_BYTE[bytes[pos]!] === 1) pos++;
    if (pos === end) return INCOMPLETE;
    let valueEnd = pos;
    let traits = (seen & IGNORES_ODD_NAMES) === 0 ? 0 : HAS_ODD_NAME;
    const lineEndByte = bytes[pos];
    if (lineEndByte === CR) {
      if (++pos === end) return INCOMPLETE;
      if (bytes[pos] !== LF) return this.fail('a CR without LF');
    } else if (lineEndByte !== LF) return this.fail('a control character in a field value');
    else if (this.needsCrLf) return this.fail('a LF without CR');
    else traits |= IS_DIRTY;
    // security: readers differ in what they take off a framing field's value; behind us there is nothing left.
    if (valueStart !== nameEnd + 2 || bytes[nameEnd + 1] !== SPACE) traits |= IS_DIRTY;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) {
      valueEnd--;
      traits |= IS_DIRTY;
    }
    if ((seen & this.ignoredNames) !== 0) {
      this.ignoredStart = start - base;
      this.ignoredEnd = nameEnd - base;
      return pos + 1;
    }
    const at = this.count * STRIDE;
    if (at === this.table.length && !this.grow()) return MALFORMED;
    this.count++;
    const { table } = this;
    table[at + NAME_START] = start - base;
    table[at + NAME_END] = nameEnd - base;
    table[at + VALUE_START] = valueStart - base;
    table[at + VALUE_END] = valueEnd - base;
    table[at + LINE_END] = pos + 1 - base;
    table[at + TRAITS] = traits | findFieldId(bytes, start, nameEnd);
    return pos + 1;
  }

  private failName(bytes: Uint8Array, start: number, pos: number): number {
    const byte = bytes[pos]!;
    const isSpace = byte === SPACE || byte === TAB;
    if (pos === start && isSpace) return this.fail('a folded field line');
    if (pos === start && byte === COLON) return this.fail('a field line without a name');
    if (isSpace) return this.fail('white space in or after a field name');
    if (byte === CR || byte === LF) return this.fail('a field line without a colon');
    return this.fail('an invalid character in a field name');
  }

  /**
   * All was read up to `stop`, where the bytes end or a limit does; the line at `pos` isn't whole. security:
   * bounds what one head holds.
   */
  private stopAt(pos: number, stop: number, end: number): number {
    this.resumeAt = pos;
    if (stop === end) return INCOMPLETE;
    this.malformed = this.tooLarge;
    return MALFORMED;
  }

  /** The table doubles up to limits.fieldCount lines; more is too large. */
  private grow(): boolean {
    const size = Math.min(this.count * 2, this.limits.fieldCount);
    if (size > this.count) {
      this.resize(size);
      return true;
    }
    this.malformed = this.tooLarge;
    return false;
  }

  /** Makes room for `size` lines; keeps those there are, as far as they fit. */
  private resize(size: number): void {
    const table = new Int32Array(size * STRIDE);
    table.set(this.table.subarray(0, table.length));
    this.table = table;
  }

  private fail(reason: string): number {
    this.malformed = { status: 400, reason };
    return MALFORMED;
  }
}

/** A table over FieldId with 1 at the given ids, for `passOn`. */
export function fieldSet(count: number, ...ids: number[]): Uint8Array {
  const table = new Uint8Array(count);
  for (const id of ids) if (id !== FieldId.other) table[id] = 1;
  return table;
}
