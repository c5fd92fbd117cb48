/*
 * The head of a request: bytes to method, target, host, framing and connection options (RFC 9112
 * sections 2, 3 and 6). Strict wherever two readers could take a message differently.
 */
import { ConnectionOptions } from '../message/connection-options.js';
import { parseContentLength } from '../message/content-length.js';
import { FieldId, TOKEN_LOWER } from '../message/field-id.js';
import { isValidHost, splitAbsoluteTarget } from '../message/request-target.js';
import { FieldLines } from './field-lines.js';
import { type HeadLimits, INCOMPLETE, MALFORMED, type Malformed } from './malformed.js';

const CR = 13;
const LF = 10;
const SPACE = 32;
const DOT = 46;
const SLASH = 47;
const DELETE = 127;

/** nginx's status for it, which clients see as 400. */
const HEAD_TOO_LARGE = 494;

const SMALL_HEAD_BYTES = 4096;
const SMALL_FIELD_COUNT = 64;

/** "HTTP/" as bytes. */
const HTTP_SLASH = [72, 84, 84, 80, 47];

/**
 * Upgrade with a protocol among its list that carries HTTP again: such a field is not passed on.
 * security: requests inside of the tunnel would get past everything that checks them here.
 */
const UPGRADE_TO_HTTP = /(?:^|[,\s])(?:h2c?|http|tls)(?:[/,\s]|$)/i;

/**
 * One request head, reused for every request of a connection. After `parse` returned an offset its
 * properties hold until `reset`; strings may be kept longer.
 */
export class RequestHead {
  readonly fields: FieldLines;
  readonly connection: ConnectionOptions;
  method: string;
  /** Origin-form (or "*"), as received; what is asked upstream. "/" for CONNECT, as in nginx. */
  target: string;
  /** From the target when that is absolute, else from Host; '' when HTTP/1.0 gave none. */
  host: string;
  /** 0 or 1: of HTTP/1.x; a later minor version counts as 1. */
  versionMinor: number;
  /** -1: no Content-Length. */
  contentLength: number;
  isChunked: boolean;
  expectsContinue: boolean;
  /** Upgrade's value when the Connection field asks for it too, else ''. */
  upgrade: string;
  /** Length in `fields.text` of the request line without its line end. */
  requestLineEnd: number;
  /** True when the request line can be sent on as it came: origin-form, HTTP/1.1. */
  isLineVerbatim: boolean;
  /** Set when `parse` returned MALFORMED. */
  malformed: Malformed | null;
  private readonly limits: HeadLimits;
  private methodEnd: number;
  private targetEnd: number;
  /** Where the next `parse` goes on, relative to the head's start: 0 until the request line is whole. */
  private resumeAt: number;

  /** `ignoredNames` as in FieldLines. */
  constructor(limits: HeadLimits, ignoredNames = 0) {
    this.fields = new FieldLines(limits, HEAD_TOO_LARGE, false, ignoredNames);
    this.connection = new ConnectionOptions();
    this.method = '';
    this.target = '';
    this.host = '';
    this.versionMinor = 1;
    this.contentLength = -1;
    this.isChunked = false;
    this.expectsContinue = false;
    this.upgrade = '';
    this.requestLineEnd = 0;
    this.isLineVerbatim = false;
    this.malformed = null;
    this.limits = limits;
    this.methodEnd = 0;
    this.targetEnd = 0;
    this.resumeAt = 0;
  }

  reset(): void {
    this.fields.reset();
    this.connection.reset();
    this.method = '';
    this.target = '';
    this.host = '';
    this.versionMinor = 1;
    this.contentLength = -1;
    this.isChunked = false;
    this.expectsContinue = false;
    this.upgrade = '';
    this.requestLineEnd = 0;
    this.isLineVerbatim = false;
    this.malformed = null;
    this.resumeAt = 0;
  }

  /** Whether keeping this object, text and tables, costs little: few heads are larger. */
  get isSmall(): boolean {
    return this.fields.text.length <= SMALL_HEAD_BYTES && this.fields.count <= SMALL_FIELD_COUNT;
  }

  /** Whether the request line is whole and understood. */
  get isLineRead(): boolean {
    return this.resumeAt > 0;
  }

  /** The request line as received, for the logs; '' while it isn't whole. */
  get requestLine(): string {
    return this.fields.text.substring(0, this.requestLineEnd);
  }

  /**
   * Parses the head that starts at bytes[start]. Returns the offset of the first byte after it; INCOMPLETE:
   * call again with the same head's bytes and more behind them; MALFORMED: see `malformed`.
   */
  parse(bytes: Buffer, start: number, end: number): number {
    let from = start + this.resumeAt;
    if (this.resumeAt === 0) {
      from = this.scanRequestLine(bytes, start, end);
      if (from < 0) return this.endScan(from, bytes, start, end);
      this.resumeAt = from - start;
    }
    const after = this.fields.scan(bytes, start, from, end);
    if (after === INCOMPLETE) {
      this.resumeAt = this.fields.resumeAt - start;
      return INCOMPLETE;
    }
    if (after === MALFORMED) {
      this.malformed = this.fields.malformed;
      return this.endScan(MALFORMED, bytes, start, end);
    }
    this.fields.text = bytes.toString('latin1', start, after);
    return this.readTarget() && this.readFields() ? after : MALFORMED;
  }

  private scanRequestLine(bytes: Buffer, start: number, end: number): number {
    // Nothing behind the limit is looked at, so the outcome is the same however the bytes were split.
    const stop = Math.min(end, start + this.limits.lineBytes);
    let pos = start;
    while (pos < stop && TOKEN_LOWER[bytes[pos]!] !== 0) pos++;
    if (pos === stop) return this.stopAt(stop, end);
    if (bytes[pos] !== SPACE || pos === start) return this.fail(400, 'invalid method');
    this.methodEnd = pos - start;
    const targetStart = ++pos;
    while (pos < stop && bytes[pos]! > SPACE && bytes[pos] !== DELETE) pos++;
    if (pos === stop) return this.stopAt(stop, end);
    if (bytes[pos] !== SPACE || pos === targetStart) return this.fail(400, 'an invalid request target');
    this.targetEnd = pos - start;
    return this.scanVersion(bytes, start, pos + 1, stop, end);
  }

  private scanVersion(bytes: Buffer, start: number, from: number, stop: number, end: number): number {
    for (let i = 0; i < HTTP_SLASH.length; i++) {
      if (from + i === stop) return this.stopAt(stop, end);
      if (bytes[from + i] !== HTTP_SLASH[i]) return this.fail(400, 'an invalid protocol version');
    }
    // "1.1" and the line end: at most five more bytes.
    let pos = from + 8;
    if (pos > stop) return this.stopAt(stop, end);
    const major = bytes[from + 5]! - 48;
    const minor = bytes[from + 7]! - 48;
    if (major < 0 || major > 9 || bytes[from + 6] !== DOT || minor < 0 || minor > 9) {
      return this.fail(400, 'an invalid protocol version');
    }
    if (pos === stop) return this.stopAt(stop, end);
    const isBareLf = bytes[pos] === LF;
    if (!isBareLf) {
      if (bytes[pos] !== CR) return this.fail(400, 'an invalid protocol version');
      if (++pos === stop) return this.stopAt(stop, end);
      if (bytes[pos] !== LF) return this.fail(400, 'a CR without LF');
    }
    if (major !== 1)
      return this.fail(major === 0 ? 400 : 505, `unsupported protocol version "${major}.${minor}"`);
    this.versionMinor = minor === 0 ? 0 : 1;
    this.requestLineEnd = from + 8 - start;
    this.isLineVerbatim = minor === 1 && !isBareLf;
    return pos + 1;
  }

  private readTarget(): boolean {
    const text = this.fields.text;
    this.method = text.substring(0, this.methodEnd);
    this.target = text.substring(this.methodEnd + 1, this.targetEnd);
    if (this.method === 'CONNECT') return this.readAuthority();
    const fragment = this.target.indexOf('#');
    if (fragment >= 0) {
      // What stands behind it is the client's alone (RFC 9110 section 4.2.5).
      this.target = this.target.substring(0, fragment);
      this.isLineVerbatim = false;
    }
    if (this.target.charCodeAt(0) === SLASH) return true;
    this.isLineVerbatim = false;
    if (this.target === '*' && this.method === 'OPTIONS') return true;
    const absolute = splitAbsoluteTarget(this.target);
    if (absolute === null) return this.refuse(400, 'an invalid request target');
    this.host = absolute.host;
    const hasPath =
      this.target.indexOf('/', this.target.indexOf('://') + 3) >= 0 || absolute.target.length > 1;
    this.target = this.method === 'OPTIONS' && !hasPath ? '*' : absolute.target;
    return true;
  }

  /** CONNECT names nothing but a host with its port (RFC 9110 section 9.3.6). */
  private readAuthority(): boolean {
    const { target } = this;
    if (!/:\d+$/.test(target) || !isValidHost(target)) return this.refuse(400, 'an invalid request target');
    this.isLineVerbatim = false;
    this.host = target;
    this.target = '/';
    return true;
  }

  private readFields(): boolean {
    const { fields } = this;
    const { count } = fields;
    let hostIndex = -1;
    let upgradeIndex = -1;
    for (let i = 0; i < count; i++) {
      switch (fields.id(i)) {
        case FieldId.host:
          if (hostIndex >= 0) return this.refuse(400, 'duplicate host header');
          hostIndex = i;
          break;
        case FieldId.contentLength:
          if (!this.readContentLength(this.fields.value(i))) return false;
          break;
        case FieldId.transferEncoding:
          if (!this.readTransferEncoding(this.fields.value(i))) return false;
          break;
        case FieldId.connection:
          this.connection.add(this.fields.value(i));
          break;
        case FieldId.expect:
          // Any other expectation may be ignored (RFC 9110 section 10.1.1), and is by nginx.
          if (this.versionMinor === 1 && this.fields.value(i).toLowerCase() === '100-continue')
            this.expectsContinue = true;
          break;
        case FieldId.upgrade:
          upgradeIndex = i;
          break;
      }
    }
    if (this.isChunked && this.contentLength >= 0) {
      return this.refuse(400, '"Content-Length" and "Transfer-Encoding" headers at the same time');
    }
    if (upgradeIndex >= 0 && this.connection.hasUpgrade && this.versionMinor === 1) {
      const value = this.fields.value(upgradeIndex);
      if (!UPGRADE_TO_HTTP.test(value)) this.upgrade = value;
    }
    return this.readHost(hostIndex);
  }

  private readHost(index: number): boolean {
    if (index < 0) {
      return this.versionMinor === 0 || this.refuse(400, 'HTTP/1.1 request without "Host" header');
    }
    const value = this.fields.value(index);
    if (!isValidHost(value)) return this.refuse(400, 'invalid host header');
    // An absolute target's authority wins over Host (RFC 9112 section 3.2.2).
    if (this.host === '') this.host = value;
    return true;
  }

  private readContentLength(value: string): boolean {
    if (this.contentLength >= 0) return this.refuse(400, 'duplicate "Content-Length" header');
    this.contentLength = parseContentLength(value);
    return this.contentLength >= 0 || this.refuse(400, 'invalid "Content-Length" header');
  }

  private readTransferEncoding(value: string): boolean {
    if (this.versionMinor === 0) return this.refuse(400, 'HTTP/1.0 request with "Transfer-Encoding" header');
    if (this.isChunked) return this.refuse(400, 'duplicate "Transfer-Encoding" header');
    if (value.toLowerCase() !== 'chunked') {
      return this.refuse(501, 'unknown "Transfer-Encoding"');
    }
    this.isChunked = true;
    return true;
  }

  /** Keeps what can be told of a head that isn't complete, for the log line. */
  private endScan(result: number, bytes: Buffer, start: number, end: number): number {
    if (result === MALFORMED) {
      const lineEnd = bytes.subarray(start, end).indexOf(LF);
      const length = Math.min(lineEnd < 0 ? end - start : lineEnd, 1024);
      this.fields.text = bytes.toString('latin1', start, start + length).trimEnd();
      this.requestLineEnd = this.fields.text.length;
    }
    return result;
  }

  /** All was read up to `stop`, where the bytes end or the limit does. */
  private stopAt(stop: number, end: number): number {
    return stop === end ? INCOMPLETE : this.fail(414, 'too long URI');
  }

  private fail(status: number, reason: string): number {
    this.malformed = { status, reason };
    return MALFORMED;
  }

  private refuse(status: number, reason: string): boolean {
    this.malformed = { status, reason };
    return false;
  }
}
