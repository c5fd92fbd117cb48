/*
 * An upstream whose client has gone, left to finish what it was asked: by proxy_ignore_client_abort, or since its answer
 * is being kept.
 */
import { MALFORMED } from '../http/h1/malformed.js';
import type { Connection } from '../net/connection.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';
import type { AnswerKeeper } from './stored-copy.js';

/** Reads an answer and keeps it if that has begun, else throws it away, until the upstream ends or says nothing for too long. */
export class UnwatchedAnswer implements UpstreamUser {
  readonly served: Connection;
  private readonly upstream: UpstreamConnection;
  private readonly readTimeoutMs: number;
  private readonly keeper: AnswerKeeper | null;

  /** Takes the connection over; the request on it has been sent whole. */
  constructor(upstream: UpstreamConnection, readTimeoutMs: number, keeper: AnswerKeeper | null) {
    this.served = upstream.connection;
    this.upstream = upstream;
    this.readTimeoutMs = readTimeoutMs;
    this.keeper = keeper;
    // The client's connection may still write from the buffer that was read into.
    upstream.connection.renewBuffer();
    upstream.handOver(this);
    upstream.deadline.set(readTimeoutMs);
    upstream.connection.resumeReading();
  }

  onUpstreamConnect(): void {}

  onUpstreamBytes(bytes: Buffer, end: number): void {
    const { upstream, keeper } = this;
    upstream.deadline.set(this.readTimeoutMs);
    if (keeper === null) return;
    const { body } = upstream;
    if (body.decode(bytes, 0, end) === MALFORMED) {
      this.leave();
      return;
    }
    if (body.payloadEnd > body.payloadStart) keeper.write(bytes.subarray(body.payloadStart, body.payloadEnd));
    if (!body.isComplete) return;
    keeper.complete();
    this.leave();
  }

  onUpstreamEnd(): void {
    if (this.keeper !== null && this.upstream.body.endAtClose()) this.keeper.complete();
    this.leave();
  }

  onUpstreamDrain(): void {}
  onUpstreamClose(): void {
    this.keeper?.end();
  }

  onUpstreamDeadline(): void {
    this.leave();
  }

  private leave(): void {
    this.keeper?.end();
    this.upstream.destroy();
  }
}
