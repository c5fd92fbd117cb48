/*
 * The head of an upstream's response: bytes to status, framing and connection options (RFC 9112
 * sections 4 and 6). What is malformed here becomes a 502 for the client.
 */
import { ConnectionOptions } from '../message/connection-options.js';
import { parseContentLength } from '../message/content-length.js';
import { FIELD_ID_COUNT, FieldId } from '../message/field-id.js';
import { FieldLines } from './field-lines.js';
import { type HeadLimits, INCOMPLETE, MALFORMED, type Malformed } from './malformed.js';

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const DELETE = 127;

/** "HTTP/1." as bytes. */
const HTTP_1_DOT = [72, 84, 84, 80, 47, 49, 46];

/** A bit by FieldId for those that an answer has once: of several the first counts, the others are left out as by nginx. */
const SINGLE_BIT: Int32Array = new Int32Array(FIELD_ID_COUNT);
for (const [i, id] of [
  FieldId.contentType,
  FieldId.date,
  FieldId.lastModified,
  FieldId.etag,
  FieldId.server,
  FieldId.location,
  FieldId.refresh,
  FieldId.expires,
  FieldId.xAccelRedirect,
  FieldId.xAccelExpires,
  FieldId.xAccelLimitRate,
].entries())
  SINGLE_BIT[id] = 1 << i;

const NO_FIELDS = new Uint8Array(FIELD_ID_COUNT);

/** Where the three digits of the code stand in "HTTP/1.1 200 OK". */
const STATUS_START = 9;
const STATUS_END = 12;

/** One response head, reused for every response of an upstream connection. */
export class ResponseHead {
  readonly fields: FieldLines;
  readonly connection: ConnectionOptions;
  status: number;
  /** 0 or 1, of HTTP/1.x. */
  versionMinor: number;
  /** -1: no Content-Length. */
  contentLength: number;
  isChunked: boolean;
  /** What was left out since it was there already, in words for the log; null for nothing. */
  duplicates: string[] | null;
  /** Set when `parse` returned MALFORMED. */
  malformed: Malformed | null;
  private readonly limits: HeadLimits;
  /** Length in `fields.text` of the status line without its line end. */
  private statusLineEnd: number;
  private resumeAt: number;

  constructor(limits: HeadLimits) {
    this.fields = new FieldLines(limits, 502);
    this.connection = new ConnectionOptions();
    this.status = 0;
    this.versionMinor = 1;
    this.contentLength = -1;
    this.isChunked = false;
    this.duplicates = null;
    this.malformed = null;
    this.limits = limits;
    this.statusLineEnd = 0;
    this.resumeAt = 0;
  }

  reset(): void {
    this.fields.reset();
    this.connection.reset();
    this.status = 0;
    this.versionMinor = 1;
    this.contentLength = -1;
    this.isChunked = false;
    this.duplicates = null;
    this.malformed = null;
    this.resumeAt = 0;
  }

  /** "HTTP/1.1 200 OK" with its CRLF, the reason phrase as the upstream wrote it. */
  get statusLine(): string {
    const codeAndReason = this.fields.text.substring(STATUS_START, this.statusLineEnd);
    // The space behind the code is not optional, the phrase is (RFC 9112 section 4).
    return this.statusLineEnd === STATUS_END
      ? `HTTP/1.1 ${codeAndReason} \r\n`
      : `HTTP/1.1 ${codeAndReason}\r\n`;
  }

  /** The fields that count, as text that has them in lines. */
  get fieldText(): string {
    return this.duplicates === null ? this.fields.text : this.fields.passOn(NO_FIELDS, false, null);
  }

  /** Parses the head that starts at bytes[start]; returns as RequestHead.parse does. */
  parse(bytes: Buffer, start: number, end: number): number {
    let from = start + this.resumeAt;
    if (this.resumeAt === 0) {
      from = this.scanStatusLine(bytes, start, end);
      if (from < 0) return from;
      this.resumeAt = from - start;
    }
    const after = this.fields.scan(bytes, start, from, end);
    if (after === INCOMPLETE) {
      this.resumeAt = this.fields.resumeAt - start;
      return INCOMPLETE;
    }
    if (after === MALFORMED) {
      this.malformed = this.fields.malformed;
      return MALFORMED;
    }
    this.fields.text = bytes.toString('latin1', start, after);
    return this.readFields() ? after : MALFORMED;
  }

  private scanStatusLine(bytes: Buffer, start: number, end: number): number {
    for (let i = 0; i < HTTP_1_DOT.length; i++) {
      if (start + i === end) return INCOMPLETE;
      if (bytes[start + i] !== HTTP_1_DOT[i]) return this.fail('no valid status line');
    }
    // "1 200": the minor version, a space and three digits; then a space or the line's end.
    if (end - start <= STATUS_END) return INCOMPLETE;
    const minor = bytes[start + 7]! - 48;
    if (minor < 0 || minor > 9 || bytes[start + 8] !== SPACE) return this.fail('no valid status line');
    let status = 0;
    for (let i = STATUS_START; i < STATUS_END; i++) {
      const digit = bytes[start + i]! - 48;
      if (digit < 0 || digit > 9) return this.fail('an invalid status code');
      status = status * 10 + digit;
    }
    if (status < 100) return this.fail('an invalid status code');
    // Nothing behind the limit is looked at, so the outcome is the same however the bytes were split.
    const stop = Math.min(end, start + this.limits.lineBytes);
    let pos = start + STATUS_END;
    if (bytes[pos] === SPACE) pos++;
    else if (bytes[pos] !== CR && bytes[pos] !== LF) return this.fail('an invalid status code');
    while (pos < stop && (bytes[pos]! >= SPACE ? bytes[pos] !== DELETE : bytes[pos] === TAB)) pos++;
    if (pos >= stop) return this.stopAt(stop, end);
    this.statusLineEnd = pos - start;
    if (bytes[pos] !== LF) {
      if (bytes[pos] !== CR) return this.fail('a control character in its status line');
      if (++pos === stop) return this.stopAt(stop, end);
      if (bytes[pos] !== LF) return this.fail('a CR without LF');
    }
    this.status = status;
    this.versionMinor = minor === 0 ? 0 : 1;
    return pos + 1;
  }

  private readFields(): boolean {
    const { fields } = this;
    let seen = 0;
    for (let i = 0; i < fields.count; i++) {
      const id = fields.id(i);
      const bit = SINGLE_BIT[id]!;
      if ((seen & bit) !== 0) {
        this.leaveOut(i--, id);
        continue;
      }
      seen |= bit;
      switch (id) {
        case FieldId.contentLength:
          if (this.contentLength >= 0) return this.refuse('two Content-Length fields');
          this.contentLength = parseContentLength(this.fields.value(i));
          if (this.contentLength < 0) return this.refuse('an invalid Content-Length');
          break;
        case FieldId.transferEncoding:
          if (this.isChunked) return this.refuse('two Transfer-Encoding fields');
          if (this.fields.value(i).toLowerCase() !== 'chunked')
            return this.refuse('an unknown Transfer-Encoding');
          this.isChunked = true;
          break;
        case FieldId.connection:
          this.connection.add(this.fields.value(i));
          break;
      }
    }
    if (this.isChunked && this.contentLength >= 0)
      return this.refuse('both Content-Length and Transfer-Encoding');
    if (this.isChunked && this.versionMinor === 0)
      return this.refuse('an HTTP/1.0 response with Transfer-Encoding');
    return true;
  }

  private leaveOut(index: number, id: number): void {
    const { fields } = this;
    const line = `"${fields.name(index)}: ${fields.value(index)}"`;
    this.duplicates ??= [];
    this.duplicates.push(`${line}, previous value: "${fields.valueOf(id)}"`);
    fields.remove(index);
  }

  /** All was read up to `stop`, where the bytes end or the limit does. */
  private stopAt(stop: number, end: number): number {
    return stop === end ? INCOMPLETE : this.fail('too long a status line');
  }

  private fail(reason: string): number {
    this.malformed = { status: 502, reason };
    return MALFORMED;
  }

  private refuse(reason: string): boolean {
    this.malformed = { status: 502, reason };
    return false;
  }
}
