/*
 * An upstream whose client has gone, left to finish what it was asked (nginx: proxy_ignore_client_abort).
 */
import { MALFORMED } from '../http/h1/malformed.js';
import type { Connection } from '../net/connection.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';
import type { CacheUse } from './cache-use.js';

/** Reads an answer and stores it if that has begun, else throws it away, until the upstream ends or says nothing for too long. */
export class UnwatchedAnswer implements UpstreamUser {
  readonly served: Connection;
  private readonly upstream: UpstreamConnection;
  private readonly readTimeoutMs: number;
  private readonly cacheUse: CacheUse | null;

  /** Takes the connection over; the request on it has been sent whole. */
  constructor(upstream: UpstreamConnection, readTimeoutMs: number, cacheUse: CacheUse | null) {
    this.served = upstream.connection;
    this.upstream = upstream;
    this.readTimeoutMs = readTimeoutMs;
    this.cacheUse = cacheUse;
    // The client's connection may still write from the buffer that was read into.
    upstream.connection.renewBuffer();
    upstream.handOver(this);
    upstream.deadline.set(readTimeoutMs);
    upstream.connection.resumeReading();
  }

  onUpstreamConnect(): void {}

  onUpstreamBytes(bytes: Buffer, end: number): void {
    const { upstream, cacheUse } = this;
    upstream.deadline.set(this.readTimeoutMs);
    if (cacheUse === null) return;
    const { body } = upstream;
    if (body.decode(bytes, 0, end) === MALFORMED) {
      this.leave();
      return;
    }
    if (body.payloadEnd > body.payloadStart)
      cacheUse.write(bytes.subarray(body.payloadStart, body.payloadEnd));
    if (!body.isComplete) return;
    cacheUse.complete();
    this.leave();
  }

  onUpstreamEnd(): void {
    if (this.cacheUse !== null && this.upstream.body.endAtClose()) this.cacheUse.complete();
    this.leave();
  }

  onUpstreamDrain(): void {}
  onUpstreamClose(): void {
    this.cacheUse?.end();
  }

  onUpstreamDeadline(): void {
    this.leave();
  }

  private leave(): void {
    this.cacheUse?.end();
    this.upstream.destroy();
  }
}
