/*
 * Where a message's body ends and which of its bytes are payload (RFC 9112 sections 6 and 7): by length,
 * chunked, or until the connection closes. One decoder for requests and responses; no I/O.
 */
import { FieldLines } from './field-lines.js';
import { type HeadLimits, INCOMPLETE, MALFORMED } from './malformed.js';

const CR = 13;
const LF = 10;
const SEMICOLON = 59;

/** How a body is delimited. */
export const BodyKind = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;

/** Hex digits a chunk size may have, leading zeros included; 13 significant ones stay exact. */
const MAX_SIZE_DIGITS = 16;
/** security: a sender that writes long extensions and tiny chunks makes us read 1000 bytes a byte. */
const MAX_EXTENSION_BYTES = 1024;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER = 6;

const NO_BYTES = Buffer.alloc(0);

/** Decodes one body at a time; `start` begins the next. */
export class BodyDecoder {
  kind: number;
  isComplete: boolean;
  /** After `decode`: the payload is bytes[payloadStart,payloadEnd). */
  payloadStart: number;
  payloadEnd: number;
  /** Why `decode` returned MALFORMED. */
  reason: string;
  /** The trailer section of a chunked body; valid once complete. */
  trailers: FieldLines | null;
  private readonly limits: HeadLimits;
  /** Bytes left of the body (length) or of the chunk (chunked). */
  private remaining: number;
  private state: number;
  /** Digits seen in SIZE, bytes seen in EXTENSION. */
  private seen: number;
  /** A trailer section that hasn't ended yet: at most limits.headBytes and one read. */
  private heldTrailer: Buffer;
  /** Reads trailer sections; null until the first that isn't empty. */
  private trailerFields: FieldLines | null;

  constructor(limits: HeadLimits) {
    this.kind = BodyKind.none;
    this.isComplete = true;
    this.payloadStart = 0;
    this.payloadEnd = 0;
    this.reason = '';
    this.trailers = null;
    this.limits = limits;
    this.remaining = 0;
    this.state = SIZE;
    this.seen = 0;
    this.heldTrailer = NO_BYTES;
    this.trailerFields = null;
  }

  /** Begins a body. `lengthBytes` counts for BodyKind.length alone. */
  start(kind: number, lengthBytes: number): void {
    this.kind = kind;
    this.remaining = kind === BodyKind.length ? lengthBytes : 0;
    this.isComplete = kind === BodyKind.none || (kind === BodyKind.length && lengthBytes === 0);
    this.payloadStart = 0;
    this.payloadEnd = 0;
    this.trailers = null;
    this.state = SIZE;
    this.seen = 0;
    this.heldTrailer = NO_BYTES;
  }

  /** Payload bytes known to be still to come: of the body by length, of the chunk when chunked. */
  get remainingBytes(): number {
    return this.remaining;
  }

  /**
   * Takes bytes[start,end) and returns the offset up to which they belong to this body, or MALFORMED.
   * The payload among them is made one run, bytes[payloadStart,payloadEnd), by moving chunks together in
   * place: whatever else stood between `start` and the returned offset is gone.
   */
  decode(bytes: Buffer, start: number, end: number): number {
    this.payloadStart = start;
    this.payloadEnd = start;
    switch (this.kind) {
      case BodyKind.length: {
        const after = end - start < this.remaining ? end : start + this.remaining;
        this.remaining -= after - start;
        this.isComplete = this.remaining === 0;
        this.payloadEnd = after;
        return after;
      }
      case BodyKind.chunked:
        return this.decodeChunks(bytes, start, end);
      case BodyKind.untilClose:
        this.payloadEnd = end;
        return end;
      default:
        return start;
    }
  }

  /** The sender closed: true when that is a proper end of this body. */
  endAtClose(): boolean {
    if (this.kind === BodyKind.untilClose) this.isComplete = true;
    return this.isComplete;
  }

  private decodeChunks(bytes: Buffer, start: number, end: number): number {
    let pos = start;
    while (pos < end && !this.isComplete) {
      if (this.state === DATA) {
        pos = this.takeData(bytes, pos, end);
        continue;
      }
      if (this.state === TRAILER) return this.decodeTrailer(bytes, pos, end);
      if (!this.takeFraming(bytes[pos]!)) return MALFORMED;
      pos++;
    }
    return pos;
  }

  private takeData(bytes: Buffer, pos: number, end: number): number {
    const after = end - pos < this.remaining ? end : pos + this.remaining;
    if (this.payloadEnd === this.payloadStart) {
      this.payloadStart = pos;
      this.payloadEnd = after;
    } else {
      bytes.copyWithin(this.payloadEnd, pos, after);
      this.payloadEnd += after - pos;
    }
    this.remaining -= after - pos;
    if (this.remaining === 0) this.state = DATA_CR;
    return after;
  }

  /** One byte of a chunk's size line or of the line end behind its data; false when it can't stand there. */
  private takeFraming(byte: number): boolean {
    switch (this.state) {
      case SIZE:
        return this.takeSize(byte);
      case EXTENSION:
        if (byte === CR) this.state = SIZE_LF;
        else if ((byte < 32 && byte !== 9) || byte === 127)
          return this.fail('a control character in a chunk extension');
        else if (++this.seen > MAX_EXTENSION_BYTES) return this.fail('too long a chunk extension');
        return true;
      case SIZE_LF:
        if (byte !== LF) return this.fail('a CR without LF in a chunk');
        this.state = this.remaining === 0 ? TRAILER : DATA;
        return true;
      case DATA_CR:
        if (byte !== CR) return this.fail('a chunk longer than its size');
        this.state = DATA_LF;
        return true;
      default:
        if (byte !== LF) return this.fail('a CR without LF in a chunk');
        this.state = SIZE;
        this.seen = 0;
        return true;
    }
  }

  private takeSize(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.remaining = this.remaining * 16 + digit;
      if (++this.seen > MAX_SIZE_DIGITS || this.remaining > Number.MAX_SAFE_INTEGER) {
        return this.fail('too large a chunk size');
      }
      return true;
    }
    if (this.seen === 0) return this.fail('an invalid chunk size');
    if (byte === CR) this.state = SIZE_LF;
    else if (byte === SEMICOLON) this.state = EXTENSION;
    else return this.fail('an invalid chunk size');
    this.seen = 0;
    return true;
  }

  private decodeTrailer(bytes: Buffer, pos: number, end: number): number {
    const held = this.heldTrailer.length;
    if (held === 0 && end - pos >= 2 && bytes[pos] === CR && bytes[pos + 1] === LF) {
      this.isComplete = true;
      return pos + 2;
    }
    const rest = bytes.subarray(pos, end);
    const section = held === 0 ? rest : Buffer.concat([this.heldTrailer, rest]);
    // security: chunks end in CRLF only; a front that takes a trailer's LF otherwise sees another next request.
    this.trailerFields ??= new FieldLines(this.limits, 400, true);
    const fields = this.trailerFields;
    if (held === 0) fields.reset();
    const after = fields.scan(section, 0, fields.resumeAt, section.length);
    if (after === INCOMPLETE) {
      this.heldTrailer = held === 0 ? Buffer.from(section) : section;
      return end;
    }
    this.heldTrailer = NO_BYTES;
    if (after === MALFORMED) {
      this.reason = `${fields.malformed!.reason} in its trailer`;
      return MALFORMED;
    }
    this.isComplete = true;
    if (fields.count > 0) {
      fields.text = section.toString('latin1', 0, after);
      this.trailers = fields;
    }
    return pos + after - held;
  }

  private fail(reason: string): boolean {
    this.reason = reason;
    return false;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
