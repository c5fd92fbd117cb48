/*
 * A request on its way to an upstream: its head, its payload as it comes in or as it was read before, and what is kept
 * of it so that it can be sent later or once more.
 */
import { chunkedEnd, writeMessage } from '../http/h1/message-writer.js';
import { isIdempotent } from '../http/message/method.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import type { Intake } from './client-side.js';
import { CHUNKED_BODY, NO_BODY, upstreamRequestHead } from './forwarded-head.js';
import type { HttpRequest } from './http-request.js';
import type { RequestText } from './location.js';
import { PayloadReader } from './payload-reader.js';
import type { RequestBody } from './request-body.js';
import type { Destination, RequestPlan } from './upstream-settings.js';

const NO_BYTES = Buffer.alloc(0);

/** Nothing to send it to yet. */
const NO_REQUEST = null as unknown as HttpRequest;

/** Sends one request; reused from request to request. */
export class UpstreamSender {
  /** Whether all of the request has been written. */
  isDone: boolean;
  /** Whether the payload is passed on as it comes in. */
  isStreaming: boolean;
  /** What is to be sent first, or is kept in case it must be sent again: at most one read. */
  private held: Buffer;
  private heldStart: number;
  private heldEnd: number;
  /** Whether what is held is the client's connection's, for as long as the request is begun. */
  private isLent: boolean;
  /** Whether what is held is all that came of the payload, so that the request can be sent from its start. */
  private isWhole: boolean;
  /** A body that doesn't fit into memory; null for all others. */
  private reader: PayloadReader | null;
  /** Its length, NO_BODY or CHUNKED_BODY. */
  private bodyBytes: number;
  private request: HttpRequest;

  constructor() {
    this.isDone = false;
    this.isStreaming = false;
    this.held = NO_BYTES;
    this.heldStart = 0;
    this.heldEnd = 0;
    this.isLent = false;
    this.isWhole = true;
    this.reader = null;
    this.bodyBytes = NO_BODY;
    this.request = NO_REQUEST;
  }

  reset(): void {
    this.isDone = false;
    this.isStreaming = false;
    this.held = NO_BYTES;
    this.heldStart = 0;
    this.heldEnd = 0;
    this.isLent = false;
    this.isWhole = true;
    this.reader?.close();
    this.reader = null;
    this.bodyBytes = NO_BODY;
    this.request = NO_REQUEST;
  }

  /** There is no body for the upstream, or proxy_set_body's. */
  beginOwn(request: HttpRequest, body: RequestText | null): void {
    this.request = request;
    if (body === null) return;
    const bytes = Buffer.from(body.evaluate(request), 'latin1');
    this.bodyBytes = bytes.length;
    this.hold(bytes);
  }

  /** The client's body came whole with its head. `staysChunked`: as it came, else by length. */
  beginEarly(request: HttpRequest, staysChunked: boolean): void {
    const { head, client } = request.main;
    this.request = request;
    if (staysChunked) this.bodyBytes = CHUNKED_BODY;
    else
      this.bodyBytes = head.isChunked
        ? client.intake.earlyEnd - client.intake.earlyStart
        : head.contentLength;
    this.borrow(client.intake);
  }

  /** The client's body is passed on as it comes in. */
  beginStreaming(request: HttpRequest): void {
    const { isChunked, contentLength } = request.head;
    this.request = request;
    this.bodyBytes = isChunked ? CHUNKED_BODY : contentLength;
    this.isStreaming = true;
    this.borrow(request.client.intake);
  }

  /** The client's body has been read whole. */
  beginRead(request: HttpRequest, payload: RequestBody): void {
    const { head } = request.main;
    this.request = request;
    // A request without one has none for the upstream either.
    if (payload.length === 0 && head.contentLength < 0 && !head.isChunked) return;
    this.bodyBytes = payload.length;
    const { inMemory } = payload;
    if (inMemory === null) this.reader = new PayloadReader(payload.path!);
    else this.hold(inMemory);
  }

  private hold(bytes: Buffer): void {
    this.held = bytes;
    this.heldStart = 0;
    this.heldEnd = bytes.length;
    this.isLent = false;
  }

  private borrow({ earlyBytes, earlyStart, earlyEnd }: Intake): void {
    this.held = earlyBytes;
    this.heldStart = earlyStart;
    this.heldEnd = earlyEnd;
    this.isLent = true;
  }

  /** Whether what was sent may be sent again: all of it is at hand. */
  get canRepeat(): boolean {
    return this.isWhole;
  }

  /** Keeps what is to be sent first: it is sent later, or perhaps again. */
  keep(): void {
    const { held, heldStart, heldEnd } = this;
    if (this.isLent)
      this.hold(heldEnd > heldStart ? Buffer.from(held.subarray(heldStart, heldEnd)) : NO_BYTES);
  }

  /** Sends the head with the payload there is, in one write. `mayBeRepeated`: it may be asked for once more. */
  sendHead(
    upstream: UpstreamConnection,
    plan: RequestPlan,
    destination: Destination,
    mayBeRepeated: boolean,
  ): void {
    const { request, held, heldStart, heldEnd } = this;
    const isBorrowed = this.isLent && !request.client.connection.ownsBytes(held);
    if (this.isLent) {
      if (heldEnd === heldStart || mayBeRepeated || isIdempotent(request.method)) this.keep();
      else {
        this.isWhole = false;
        this.hold(NO_BYTES);
      }
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
    this.write(upstream, head, held, heldStart, heldEnd, isBorrowed);
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
    this.hold(NO_BYTES);
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
