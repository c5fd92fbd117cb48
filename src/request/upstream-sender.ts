/*
 * A request on its way to an upstream: its head, its payload as it comes in or as it was read before, and what is kept
 * of it so that it can be sent later or once more.
 */
import { chunkedEnd, writeMessage } from '../http/h1/message-writer.js';
import { isIdempotent } from '../http/message/method.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import { CHUNKED_BODY, NO_BODY, upstreamRequestHead } from './forwarded-head.js';
import type { HttpRequest } from './http-request.js';
import { PayloadReader } from './payload-reader.js';
import type { RequestBody } from './request-body.js';
import type { Destination, RequestPlan } from './upstream-settings.js';

const NO_BYTES = Buffer.alloc(0);

/** Nothing to send it to yet. */
const NO_REQUEST = null as unknown as HttpRequest;

/** Sends one request; reused from request to request. */
export class UpstreamSender {
  /** Payload not sent yet, or kept in case the request must be sent again. At most one read. */
  held: Buffer;
  /** Whether all of the request has been written. */
  isDone: boolean;
  /** Whether `held` is all that came of the payload, so that the request can be sent from its start. */
  private isWhole: boolean;
  /** Whether the payload is passed on as it comes in. */
  private isStreaming: boolean;
  /** A body that doesn't fit into memory; null for all others. */
  private reader: PayloadReader | null;
  /** Its length, NO_BODY or CHUNKED_BODY. */
  private bodyBytes: number;
  private request: HttpRequest;

  constructor() {
    this.held = NO_BYTES;
    this.isDone = false;
    this.isWhole = true;
    this.isStreaming = false;
    this.reader = null;
    this.bodyBytes = NO_BODY;
    this.request = NO_REQUEST;
  }

  reset(): void {
    this.held = NO_BYTES;
    this.isDone = false;
    this.isWhole = true;
    this.isStreaming = false;
    this.reader?.close();
    this.reader = null;
    this.bodyBytes = NO_BODY;
    this.request = NO_REQUEST;
  }

  /** The request has no body for the upstream, or `bodyBytes` of one that the caller has at hand. */
  begin(request: HttpRequest, bodyBytes: number): void {
    this.request = request;
    this.bodyBytes = bodyBytes;
  }

  /** Its body is passed on as the client sends it. */
  beginStreaming(request: HttpRequest): void {
    const { isChunked, contentLength } = request.head;
    this.begin(request, isChunked ? CHUNKED_BODY : contentLength);
    this.isStreaming = true;
  }

  /** Its body has been read whole. */
  beginRead(request: HttpRequest, payload: RequestBody): void {
    this.begin(request, payload.length);
    const inMemory = payload.inMemory;
    if (inMemory === null) this.reader = new PayloadReader(payload.path!);
    else this.held = inMemory;
  }

  /** Whether what was sent may be sent again: all of it is at hand. */
  get canRepeat(): boolean {
    return this.isWhole;
  }

  /** Keeps payload in case the request is sent later or again. */
  hold(bytes: Buffer, start: number, end: number): void {
    if (bytes === this.held) return;
    this.held = end > start ? Buffer.from(bytes.subarray(start, end)) : NO_BYTES;
  }

  /** Sends the head with the payload there is, in one write. `mayBeRepeated`: it may be asked for once more. */
  sendHead(
    upstream: UpstreamConnection,
    plan: RequestPlan,
    destination: Destination,
    bytes: Buffer,
    start: number,
    end: number,
    isBorrowed: boolean,
    mayBeRepeated: boolean,
  ): void {
    const { request } = this;
    if (end > start) {
      if (mayBeRepeated || isIdempotent(request.method)) this.hold(bytes, start, end);
      else if (bytes !== this.held) this.isWhole = false;
    }
    const head = upstreamRequestHead(request, plan, destination, this.bodyBytes);
    if (this.reader !== null) {
      this.reader.rewind();
      this.isDone = false;
      this.count(head.length);
      upstream.connection.writeText(head);
      this.pump(upstream);
      return;
    }
    this.write(upstream, head, bytes, start, end, isBorrowed);
  }

  /**
   * The client's request is over, and what is left of it is sent by whoever has this now. Returns the head, which can't be
   * made later: '' if it is sent already. Throws what opening a file for the body throws.
   */
  detach(plan: RequestPlan, destination: Destination, isHeadSent: boolean): string {
    this.reader?.open();
    if (isHeadSent) return '';
    this.reader?.rewind();
    return upstreamRequestHead(this.request, plan, destination, this.bodyBytes);
  }

  /** Sends the head that `detach` gave, with what follows it. Throws what reading the body throws. */
  sendDetached(upstream: UpstreamConnection, head: string): void {
    if (this.reader === null) this.write(upstream, head, this.held, 0, this.held.length, false);
    else {
      upstream.connection.writeText(head);
      this.pump(upstream);
    }
  }

  /** Sends more payload as it came in; with the request's body complete, its end. */
  sendBody(
    upstream: UpstreamConnection,
    bytes: Buffer,
    start: number,
    end: number,
    isBorrowed: boolean,
  ): void {
    this.isWhole = false;
    this.held = NO_BYTES;
    this.write(upstream, '', bytes, start, end, isBorrowed);
  }

  /** The upstream takes more: goes on with a body from a file. Throws what reading it throws. */
  pump(upstream: UpstreamConnection): void {
    const { reader } = this;
    if (reader === null) return;
    while (!this.isDone && !upstream.connection.hasPendingWrites) {
      const bytes = reader.read();
      if (bytes === null) this.isDone = true;
      else {
        this.count(bytes.length);
        upstream.connection.writeBytes(bytes);
      }
    }
  }

  private write(
    upstream: UpstreamConnection,
    head: string,
    bytes: Buffer,
    start: number,
    end: number,
    isBorrowed: boolean,
  ): void {
    const { body } = this.request;
    const isChunked = this.bodyBytes === CHUNKED_BODY;
    this.isDone = !this.isStreaming || body.isComplete;
    const tail = isChunked && this.isDone ? chunkedEnd(body.trailers) : '';
    this.count(head.length + end - start + tail.length);
    writeMessage(upstream.connection, head, bytes, start, end, isChunked, tail, isBorrowed);
  }

  private count(bytes: number): void {
    this.request.tries.sent(bytes);
  }
}
