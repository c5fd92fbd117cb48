/*
 * Requests and responses as this project's codec reads them from a connection and passes them on: the codec
 * alone, driven as the proxy drives it, with checks that it always gets on.
 */
import { BodyDecoder, BodyKind } from '../../src/http/h1/body-decoder.js';
import { type Feed, listFields } from '../../src/http/h1/contract.js';
import { type FieldLines, fieldSet } from '../../src/http/h1/field-lines.js';
import { DEFAULT_HEAD_LIMITS, INCOMPLETE, MALFORMED } from '../../src/http/h1/malformed.js';
import { chunkedEnd, writeMessage } from '../../src/http/h1/message-writer.js';
import { RequestHead } from '../../src/http/h1/request-head.js';
import { ResponseHead } from '../../src/http/h1/response-head.js';
import { FIELD_ID_COUNT, FieldId } from '../../src/http/message/field-id.js';
import type { Connection } from '../../src/net/connection.js';
import {
  CHUNKED_BODY,
  downstreamResponseHead,
  HOP_BY_HOP,
  HOP_BY_HOP_IN_ANSWERS,
  NO_BODY,
  upstreamRequestHead,
} from '../../src/request/forwarded-head.js';
import type { HttpRequest } from '../../src/request/http-request.js';
import type { Destination, RequestPlan, UpstreamSettings } from '../../src/request/upstream-settings.js';
import type { End, Message, Reading } from './reading.js';

const CR = 13;
const LF = 10;

/** What is written, as latin1 text. */
class Output {
  text = '';

  writeText(text: string): void {
    this.text += text;
  }

  writeBytes(bytes: Buffer): void {
    this.text += bytes.toString('latin1');
  }

  writeParts(before: string, bytes: Buffer, after: string): void {
    this.text += before + bytes.toString('latin1') + after;
  }
}

/** What is the same for requests and responses. */
abstract class MessageFeed implements Feed<Reading> {
  protected readonly body = new BodyDecoder(DEFAULT_HEAD_LIMITS);
  protected message: Message | null = null;
  private readonly messages: Message[] = [];
  private readonly heads: string[] = [];
  private end: End | null = null;
  private why = '';
  private held = Buffer.alloc(0);
  private readonly output = new Output();
  private isPassedInChunks = false;

  /** What the proxy would have sent on. */
  get passedOn(): string {
    return this.output.text;
  }

  take(bytes: Buffer): void {
    const read = Buffer.concat([this.held, bytes]);
    const end = this.takeAll(read);
    this.held = Buffer.from(read.subarray(end));
    // As in a connection, whose next read goes where this one went.
    read.fill('?');
  }

  private takeAll(read: Buffer): number {
    let pos = 0;
    while (this.end === null && pos < read.length) {
      const next = this.message === null ? this.takeHead(read, pos) : this.takeBody(read, pos);
      if (next === INCOMPLETE) return pos;
      if (next < pos || (next === pos && this.message !== null && !this.body.isComplete)) {
        throw new Error(`No progress at ${pos}: ${JSON.stringify(read.toString('latin1'))}`);
      }
      pos = next;
    }
    return read.length;
  }

  outcome(): Reading {
    const { messages, message } = this;
    if (message !== null && this.end === null && this.body.endAtClose()) {
      if (this.isPassedInChunks) this.output.writeText(chunkedEnd(null));
      this.finishMessage();
    }
    const isBetween = this.message === null && this.held.length === 0 && !this.isAwaiting();
    if (this.message !== null) messages.push({ ...this.message, body: '', trailers: [] });
    return {
      messages,
      end: this.end ?? (isBetween ? 'whole' : 'unfinished'),
      why: this.why,
      heads: this.heads,
    };
  }

  /** Reads a head at `pos`; the offset behind it, or INCOMPLETE. */
  protected abstract takeHead(bytes: Buffer, pos: number): number;

  /** Whether nothing that follows belongs to this reader. */
  protected abstract isLast(): boolean;

  /** Whether another message must come. */
  protected abstract isAwaiting(): boolean;

  protected stop(end: End, why: string): number {
    this.end = end;
    this.why = why;
    return Number.MAX_SAFE_INTEGER;
  }

  /** A head is whole; `passed` is what goes on of it. */
  protected begin(start: string, fields: FieldLines, kind: number, length: number, passed: string): void {
    this.output.writeText(passed);
    this.isPassedInChunks = kind === BodyKind.chunked || kind === BodyKind.untilClose;
    this.message = { start, fields: listFields(fields), body: '', trailers: [], isWhole: false };
    this.heads.push(fields.text);
    this.body.start(kind, length);
    if (this.body.isComplete) this.finishMessage();
  }

  private takeBody(bytes: Buffer, pos: number): number {
    const { body } = this;
    const after = body.decode(bytes, pos, bytes.length);
    if (after === MALFORMED) return this.stop('malformed', body.reason);
    if (body.payloadStart < pos || body.payloadEnd > after || body.payloadStart > body.payloadEnd) {
      throw new Error(`Payload ${body.payloadStart}-${body.payloadEnd} outside of ${pos}-${after}`);
    }
    this.message!.body += bytes.toString('latin1', body.payloadStart, body.payloadEnd);
    const end = body.isComplete && this.isPassedInChunks ? chunkedEnd(body.trailers) : '';
    writeMessage(
      this.output as unknown as Connection,
      '',
      bytes,
      body.payloadStart,
      body.payloadEnd,
      this.isPassedInChunks,
      end,
      true,
    );
    if (body.isComplete) this.finishMessage();
    return after;
  }

  private finishMessage(): void {
    const message = this.message!;
    message.isWhole = true;
    message.trailers = this.body.trailers === null ? [] : listFields(this.body.trailers);
    this.messages.push(message);
    this.message = null;
    if (this.isLast()) this.stop('whole', 'the last of its connection');
  }
}

/** All requests of a client's connection, until one that is the last. */
export class RequestFeed extends MessageFeed {
  private readonly head = new RequestHead(DEFAULT_HEAD_LIMITS);
  private isInHead = false;

  protected takeHead(bytes: Buffer, from: number): number {
    const { head } = this;
    let pos = from;
    if (!this.isInHead) {
      pos = skipEmptyLines(bytes, from);
      if (pos === bytes.length) return pos;
      if (pos > from) return pos;
      if (bytes[pos] === CR && pos + 1 === bytes.length) return INCOMPLETE;
      head.reset();
      this.isInHead = true;
    }
    const after = head.parse(bytes, pos, bytes.length);
    if (after === INCOMPLETE) return INCOMPLETE;
    this.isInHead = false;
    if (after === MALFORMED)
      return this.stop('malformed', `${head.malformed!.status} ${head.malformed!.reason}`);
    // Where no tunnels are opened; a request to be passed on it never is.
    if (head.method === 'CONNECT') return this.stop('malformed', '405 CONNECT method');
    let kind: number = BodyKind.none;
    if (head.isChunked) kind = BodyKind.chunked;
    else if (head.contentLength >= 0) kind = BodyKind.length;
    const bodyBytes =
      kind === BodyKind.chunked ? CHUNKED_BODY : kind === BodyKind.length ? head.contentLength : NO_BODY;
    const passed = upstreamRequestHead(requestOf(head), PLAN, DESTINATION, bodyBytes);
    this.begin(head.requestLine, head.fields, kind, head.contentLength, passed);
    return after;
  }

  protected isLast(): boolean {
    const { connection, versionMinor } = this.head;
    return versionMinor === 1 ? connection.hasClose : !connection.hasKeepAlive;
  }

  protected isAwaiting(): boolean {
    return this.isInHead;
  }
}

/** A proxy_pass without any other directive. */
const PLAN = {
  method: null,
  versionMinor: 1,
  uri: null,
  locationPath: '/',
  host: null,
  fields: [],
  dropped: fieldSet(FIELD_ID_COUNT, ...HOP_BY_HOP, FieldId.host, FieldId.contentLength, FieldId.expect),
  droppedNames: null,
  passesFields: true,
  passesBody: true,
  body: null,
  passesExpect: false,
} satisfies RequestPlan;

const DESTINATION = { schema: 'http://', host: 'fallback.example', port: '80', uri: null } as Destination;

const SETTINGS = {
  hidden: fieldSet(FIELD_ID_COUNT, ...HOP_BY_HOP_IN_ANSWERS),
  hiddenNames: null,
} as unknown as UpstreamSettings;

const ANY_REQUEST = new RequestHead(DEFAULT_HEAD_LIMITS);

/** As much of a request as making heads needs. */
function requestOf(head: RequestHead): HttpRequest {
  return {
    head,
    method: head.method,
    rawPath: head.target,
    keepsAlive: true,
    response: {},
    client: { settleKeepalive() {} },
    server: { settings: { ignoreInvalidHeaders: true, underscoresInHeaders: false } },
    location: { settings: { keepaliveHeaderSeconds: 0, serverTokens: { constant: '' } } },
  } as unknown as HttpRequest;
}

/** The interim responses and the final one to a request, passed on to a client of HTTP/1.1. */
export class ResponseFeed extends MessageFeed {
  private readonly head = new ResponseHead(DEFAULT_HEAD_LIMITS);
  private readonly isHead: boolean;
  private isInHead = false;

  /** `method` is the request's. */
  constructor(method: string) {
    super();
    this.isHead = method === 'HEAD';
  }

  protected takeHead(bytes: Buffer, pos: number): number {
    const { head } = this;
    if (!this.isInHead) head.reset();
    const after = head.parse(bytes, pos, bytes.length);
    this.isInHead = after === INCOMPLETE;
    if (after === INCOMPLETE) return INCOMPLETE;
    if (after === MALFORMED) return this.stop('malformed', head.malformed!.reason);
    const { status } = head;
    const isBodyless = this.isHead || status < 200 || status === 204 || status === 304;
    let kind: number = BodyKind.untilClose;
    if (isBodyless) kind = BodyKind.none;
    else if (head.isChunked) kind = BodyKind.chunked;
    else if (head.contentLength >= 0) kind = BodyKind.length;
    const start = head.statusLine.slice('HTTP/1.1 '.length, -2);
    const isInChunks = kind === BodyKind.chunked || kind === BodyKind.untilClose;
    const passed = downstreamResponseHead(requestOf(ANY_REQUEST), head, SETTINGS, isInChunks);
    this.begin(start, head.fields, kind, head.contentLength, passed);
    return after;
  }

  protected isLast(): boolean {
    return this.head.status >= 200 || this.head.status === 101;
  }

  protected isAwaiting(): boolean {
    return true;
  }
}

/** As the proxy does between two requests. */
function skipEmptyLines(bytes: Buffer, start: number): number {
  let pos = start;
  while (pos < bytes.length) {
    if (bytes[pos] === LF) pos++;
    else if (bytes[pos] === CR && bytes[pos + 1] === LF) pos += 2;
    else break;
  }
  return pos;
}
