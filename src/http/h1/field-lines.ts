/*
 * The field section of a head or a trailer: scanned once from bytes, kept as offsets into one latin1 text.
 * Knows the grammar of RFC 9112 section 5 and nothing of what a field means.
 */
import { FieldId, findFieldId, hashByte, TOKEN_LOWER } from '../message/field-id.js';
import { type HeadLimits, INCOMPLETE, MALFORMED, type Malformed } from './malformed.js';

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;

/** 1 for a byte a field value may hold: visible ASCII, obs-text, space, tab (RFC 9110 section 5.5). */
const VALUE_BYTE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === TAB || (byte >= SPACE && byte !== 127) ? 1 : 0,
);

/** What a line has about it, as bits. It is passed on anew: other line end than CRLF, other space than one. */
const IS_DIRTY = 1;
/** Its name has characters other than letters, digits and hyphens: what nginx calls an invalid header. */
const HAS_ODD_NAME = 2;

/** HAS_ODD_NAME for a byte of a token that makes its name odd. */
const ODD_NAME_BYTE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[a-z0-9-]/i.test(String.fromCharCode(byte)) ? 0 : HAS_ODD_NAME,
);

/** Offsets kept per line: where name, value and line begin and end. */
const NAME_START = 0;
const NAME_END = 1;
const VALUE_START = 2;
const VALUE_END = 3;
const LINE_END = 4;
const STRIDE = 5;

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
  /** Per line a FieldId. */
  ids: Uint8Array;
  /** Per line IS_DIRTY and HAS_ODD_NAME. */
  private flags: Uint8Array;
  private offsets: Int32Array;
  private readonly limits: HeadLimits;
  private readonly tooLarge: Malformed;
  private readonly needsCrLf: boolean;
  /** Why the last scan returned MALFORMED. */
  malformed: Malformed | null;
  /** Where `scan` must go on after INCOMPLETE: the start of the unfinished line. */
  resumeAt: number;

  /** `needsCrLf`: a line that ends in LF alone is malformed, not just written anew when passed on. */
  constructor(limits: HeadLimits, tooLargeStatus: number, needsCrLf = false) {
    const size = Math.min(USUAL_COUNT, limits.fieldCount);
    this.count = 0;
    this.text = '';
    this.ids = new Uint8Array(size);
    this.flags = new Uint8Array(size);
    this.offsets = new Int32Array(size * STRIDE);
    this.limits = limits;
    this.tooLarge = { status: tooLargeStatus, reason: 'too large a field section' };
    this.needsCrLf = needsCrLf;
    this.malformed = null;
    this.resumeAt = 0;
  }

  reset(): void {
    this.count = 0;
    this.text = '';
    this.malformed = null;
    this.resumeAt = 0;
    // security: many idle connections would otherwise each keep the room of the largest head they ever sent.
    if (this.ids.length > 4 * USUAL_COUNT) this.resize(USUAL_COUNT);
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
      this.resumeAt = pos;
      if (pos >= stop) return this.stopAt(stop, end);
      const byte = bytes[pos]!;
      if (byte === LF) return this.needsCrLf ? this.fail('a LF without CR') : pos + 1;
      if (byte === CR) {
        if (pos + 1 >= stop) return this.stopAt(stop, end);
        return bytes[pos + 1] === LF ? pos + 2 : this.fail('a CR without LF');
      }
      const lineStop = Math.min(stop, pos + this.limits.lineBytes);
      const next = this.scanLine(bytes, base, pos, lineStop);
      if (next < 0) return next === INCOMPLETE ? this.stopAt(lineStop, end) : MALFORMED;
      pos = next;
    }
  }

  name(index: number): string {
    const at = index * STRIDE;
    return this.text.substring(this.offsets[at + NAME_START]!, this.offsets[at + NAME_END]!);
  }

  value(index: number): string {
    const at = index * STRIDE;
    return this.text.substring(this.offsets[at + VALUE_START]!, this.offsets[at + VALUE_END]!);
  }

  /** The first value of a known field, or '' when there is none. */
  valueOf(id: number): string {
    const ids = this.ids;
    for (let i = 0; i < this.count; i++) if (ids[i] === id) return this.value(i);
    return '';
  }

  /**
   * The lines to pass on, each with its CRLF, in order: all but those whose id is set in `dropped`, those with
   * an odd name if `dropsOddNames` (nginx: ignore_invalid_headers), and those named in `alsoDropped` (lower case).
   * security: CGI-like origins read `Content_Length`, some even `Content.Length`, as Content-Length.
   */
  passOn(dropped: Uint8Array, dropsOddNames: boolean, alsoDropped: ReadonlySet<string> | null): string {
    const { offsets, ids, flags, count, text } = this;
    const droppedFlag = dropsOddNames ? HAS_ODD_NAME : 0;
    let out = '';
    let runStart = -1;
    let runEnd = 0;
    for (let i = 0; i < count; i++) {
      const at = i * STRIDE;
      const passes =
        dropped[ids[i]!] === 0 &&
        (flags[i]! & droppedFlag) === 0 &&
        !alsoDropped?.has(this.name(i).toLowerCase());
      if (passes && (flags[i]! & IS_DIRTY) === 0) {
        if (runStart < 0) runStart = offsets[at + NAME_START]!;
        runEnd = offsets[at + LINE_END]!;
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

  private scanLine(bytes: Uint8Array, base: number, start: number, end: number): number {
    let pos = start;
    let hash = 0;
    let flags = 0;
    while (pos < end) {
      const lower = TOKEN_LOWER[bytes[pos]!]!;
      if (lower === 0) break;
      flags |= ODD_NAME_BYTE[lower]!;
      hash = hashByte(hash, lower);
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
    if (bytes[pos] === LF) {
      if (this.needsCrLf) return this.fail('a LF without CR');
      flags |= IS_DIRTY;
    } else {
      if (bytes[pos] !== CR) return this.fail('a control character in a field value');
      if (++pos === end) return INCOMPLETE;
      if (bytes[pos] !== LF) return this.fail('a CR without LF');
    }
    // security: readers differ in what they take off a framing field's value; behind us there is nothing left.
    if (valueStart !== nameEnd + 2 || bytes[nameEnd + 1] !== SPACE) flags |= IS_DIRTY;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) {
      valueEnd--;
      flags |= IS_DIRTY;
    }
    if (this.count === this.ids.length && !this.grow()) return MALFORMED;
    const index = this.count++;
    const at = index * STRIDE;
    const offsets = this.offsets;
    offsets[at + NAME_START] = start - base;
    offsets[at + NAME_END] = nameEnd - base;
    offsets[at + VALUE_START] = valueStart - base;
    offsets[at + VALUE_END] = valueEnd - base;
    offsets[at + LINE_END] = pos + 1 - base;
    this.ids[index] = findFieldId(bytes, start, nameEnd, hash);
    this.flags[index] = flags;
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

  /** All was read up to `stop`, where the bytes end or a limit does. security: bounds what one head holds. */
  private stopAt(stop: number, end: number): number {
    if (stop === end) return INCOMPLETE;
    this.malformed = this.tooLarge;
    return MALFORMED;
  }

  /** The arrays double up to limits.fieldCount lines; more is too large. */
  private grow(): boolean {
    const size = Math.min(this.ids.length * 2, this.limits.fieldCount);
    if (size > this.count) {
      this.resize(size);
      return true;
    }
    this.malformed = this.tooLarge;
    return false;
  }

  /** Makes room for `size` lines; keeps those there are, as far as they fit. */
  private resize(size: number): void {
    this.ids = resized(this.ids, size);
    this.flags = resized(this.flags, size);
    const offsets = new Int32Array(size * STRIDE);
    offsets.set(this.offsets.subarray(0, offsets.length));
    this.offsets = offsets;
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

function resized(table: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  copy.set(table.subarray(0, size));
  return copy;
}
