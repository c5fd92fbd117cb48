/*
 * The end of the chain: writes a response's head and body to the client's connection, with the framing that its
 * version needs, and counts what was sent.
 */
import { eventClock } from '../core/clock.js';
import { formatHttpDate } from '../core/http-date.js';
import { asFieldValue, asUrl } from '../http/message/one-line.js';
import type { Connection } from '../net/connection.js';
import { BodySink } from './body-sink.js';
import { phraseOf, shownStatus } from './error-page.js';
import type { FieldList } from './field-list.js';
import type { HttpRequest } from './http-request.js';
import type { Response } from './response.js';

/** Up to this size head and payload leave as one latin1 string; see message-writer.ts. */
const ONE_STRING_BYTES = 16384;

/** Writes one response. The head waits for the first payload, so that both leave together. */
export class ResponseWriter extends BodySink {
  private readonly request: HttpRequest;
  private readonly connection: Connection;
  private readonly isChunked: boolean;
  private head: string;
  private isEnded: boolean;

  /** The head must be final. */
  constructor(request: HttpRequest, response: Response) {
    super();
    this.request = request;
    this.connection = request.client.connection;
    const mayChunk = request.head.versionMinor === 1 && request.location.settings.chunkedTransferEncoding;
    // Trailers have no place behind a body whose end its length tells.
    if (response.trailers !== null && mayChunk && !response.isHeadOnly) response.contentLength = -1;
    const isLengthUnknown = response.contentLength < 0 && !response.isHeadOnly;
    this.isChunked = isLengthUnknown && mayChunk;
    request.isResponseUntilClose = isLengthUnknown && !mayChunk;
    if (request.isResponseUntilClose) request.keepsAlive = false;
    this.head = responseHead(request, response, this.isChunked);
    request.headBytes = this.head.length;
    this.isEnded = false;
    request.client.drainListener = this;
  }

  write(bytes: Buffer, isBorrowed: boolean): void {
    if (bytes.length === 0 || this.isEnded) return;
    const { connection, request } = this;
    const { length } = bytes;
    const before = this.isChunked ? `${this.head}${length.toString(16)}\r\n` : this.head;
    const after = this.isChunked ? '\r\n' : '';
    this.head = '';
    request.bytesSent += before.length + length + after.length;
    if (before.length + length <= ONE_STRING_BYTES) {
      connection.writeText(before + bytes.toString('latin1', 0, length) + after);
    } else {
      const kept = isBorrowed ? Buffer.from(bytes) : bytes;
      if (before === '' && after === '') connection.writeBytes(kept);
      else connection.writeParts(before, kept, after);
    }
    request.client.noteWritten();
  }

  flush(): void {
    if (this.head === '') return;
    this.request.bytesSent += this.head.length;
    this.connection.writeText(this.head);
    this.head = '';
    this.request.client.noteWritten();
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.request.isResponseComplete = true;
    const { trailers } = this.request.response;
    const tail = this.isChunked ? `0\r\n${trailers === null ? '' : trailers.toLines()}\r\n` : '';
    const text = this.head + tail;
    this.head = '';
    this.request.bytesSent += text.length;
    if (text !== '') this.connection.writeText(text);
    this.request.client.endResponse();
  }

  get isBlocked(): boolean {
    return this.connection.hasPendingWrites;
  }

  /** The client has taken all that was written. */
  onDrain(): void {
    if (!this.isEnded) this.source.onDrain();
  }

  abort(): void {
    this.isEnded = true;
    this.head = '';
  }
}

let dateLine = '';
/** Until when `dateLine` is right, by the event clock. */
let dateUntilMs = 0;

/** The Date field with the present second. perf: the system's time is asked once a second. */
export function dateField(): string {
  const nowMs = eventClock.nowMs();
  if (nowMs >= dateUntilMs) {
    const wallMs = Date.now();
    dateUntilMs = nowMs + 1000 - (wallMs % 1000);
    dateLine = `Date: ${formatHttpDate(Math.floor(wallMs / 1000))}\r\n`;
  }
  return dateLine;
}

let ownTokens = '';
let ownDate = '';
let ownLines = '';

/** Our Server and Date. perf: one text for all answers of a second, as nearly all say the same of the server. */
export function ownFields(request: HttpRequest): string {
  const { constant } = request.location.settings.serverTokens;
  const date = dateField();
  if (constant === null) return serverField(request, null) + date;
  if (constant !== ownTokens || date !== ownDate) {
    ownTokens = constant;
    ownDate = date;
    ownLines = serverField(request, null) + date;
  }
  return ownLines;
}

/** The head as it goes out, in nginx's order. */
function responseHead(request: HttpRequest, response: Response, isChunked: boolean): string {
  const status = shownStatus(response.status);
  let out = `HTTP/1.1 ${status} ${response.reason === '' ? phraseOf(status) : response.reason}\r\n`;
  if (response.server === null && response.date === null) out += ownFields(request);
  else {
    out += serverField(request, response.server);
    if (response.date === null) out += dateField();
    else if (response.date !== '') out += `Date: ${response.date}\r\n`;
  }
  if (response.contentType !== '' && status !== 204) {
    const charset = response.charset === '' ? '' : `; charset=${response.charset}`;
    out += `Content-Type: ${response.contentType}${charset}\r\n`;
  }
  if (response.contentLength >= 0 && status !== 204) out += `Content-Length: ${response.contentLength}\r\n`;
  if (response.lastModified >= 0) out += `Last-Modified: ${formatHttpDate(response.lastModified)}\r\n`;
  if (response.location !== '') out += `Location: ${asUrl(response.location)}\r\n`;
  if (isChunked) out += 'Transfer-Encoding: chunked\r\n';
  out += connectionFields(request);
  if (response.contentEncoding !== '') out += `Content-Encoding: ${response.contentEncoding}\r\n`;
  if (response.etag !== '') out += `ETag: ${response.etag}\r\n`;
  if (response.trailers !== null && isChunked) out += trailerField(response.trailers, response.fields);
  return `${out}${response.fields.toLines()}\r\n`;
}

/** Our Server line by server_tokens, or the answer's own. */
export function serverField(request: HttpRequest, own: string | null): string {
  if (own !== null) return own === '' ? '' : `Server: ${own}\r\n`;
  const { serverTokens } = request.location.settings;
  const tokens = serverTokens.evaluate(request);
  return tokens === '' ? '' : `Server: ${asFieldValue(tokens)}\r\n`;
}

/** Connection and Keep-Alive of a response, once it is settled whether the connection outlives it. */
export function connectionFields(request: HttpRequest): string {
  request.client.settleKeepalive();
  if (!request.keepsAlive) return 'Connection: close\r\n';
  const { keepaliveHeaderSeconds } = request.location.settings;
  if (keepaliveHeaderSeconds === 0) return 'Connection: keep-alive\r\n';
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${keepaliveHeaderSeconds}\r\n`;
}

/** Announces trailers (RFC 9110 section 6.6.2), unless the answer does so itself. */
function trailerField(trailers: FieldList, fields: FieldList): string {
  if (trailers.count === 0 || fields.get('trailer') !== null) return '';
  const names: string[] = [];
  for (let i = 0; i < trailers.count; i++) names.push(trailers.name(i));
  return `Trailer: ${names.join(', ')}\r\n`;
}
