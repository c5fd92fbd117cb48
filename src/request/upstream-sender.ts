/*
 * A request on its way to an upstream: its head, its payload as it comes in, and what is kept of it so that it
 * can be sent later or once more.
 */
import { chunkedEnd, writeMessage } from '../http/h1/message-writer.js';
import { isIdempotent } from '../http/message/method.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import { upstreamRequestHead } from './forwarded-head.js';
import type { HttpRequest } from './http-request.js';

const NO_BYTES = Buffer.alloc(0);

/** Sends one request; reused from request to request. */
export class UpstreamSender {
  /** Payload not sent yet, or kept in case the request must be sent again. At most one read. */
  held: Buffer;
  /** Whether all of the request has been written. */
  isDone: boolean;
  /** Whether `held` is all that came of the payload, so that the request can be sent from its start. */
  private isWhole: boolean;
  private readonly request: HttpRequest;

  constructor(request: HttpRequest) {
    this.held = NO_BYTES;
    this.isDone = false;
    this.isWhole = true;
    this.request = request;
  }

  reset(): void {
    this.held = NO_BYTES;
    this.isDone = false;
    this.isWhole = true;
  }

  /** Whether what was sent may be sent again: it has no other effect twice, and all of it is at hand. */
  get canRepeat(): boolean {
    return this.isWhole && isIdempotent(this.request.head.method);
  }

  /** Keeps payload in case the request is sent later or again. */
  hold(bytes: Buffer, start: number, end: number): void {
    if (bytes === this.held) return;
    this.held = end > start ? Buffer.from(bytes.subarray(start, end)) : NO_BYTES;
  }

  /** Sends the head with the payload there is, in one write. */
  sendHead(
    upstream: UpstreamConnection,
    bytes: Buffer,
    start: number,
    end: number,
    isBorrowed: boolean,
  ): void {
    const { request } = this;
    if (end > start && isIdempotent(request.head.method)) this.hold(bytes, start, end);
    else if (end > start) this.isWhole = false;
    const { address, name } = upstream.peer;
    const fallbackHost = address.path === null ? name : 'localhost';
    const { isKeeping } = request.server.pool;
    const head = upstreamRequestHead(request.head, request.remoteAddress, fallbackHost, isKeeping);
    this.write(upstream, head, bytes, start, end, isBorrowed);
  }

  /** Sends more payload; with the request's body complete, its end. */
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

  private write(
    upstream: UpstreamConnection,
    head: string,
    bytes: Buffer,
    start: number,
    end: number,
    isBorrowed: boolean,
  ): void {
    const { body, head: requestHead } = this.request;
    const { isChunked } = requestHead;
    const tail = isChunked && body.isComplete ? chunkedEnd(body.trailers) : '';
    this.isDone = body.isComplete;
    writeMessage(upstream.connection, head, bytes, start, end, isChunked, tail, isBorrowed);
  }
}
