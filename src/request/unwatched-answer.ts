/*
 * An upstream whose client has gone, left to finish what it was asked (nginx: proxy_ignore_client_abort).
 */
import type { Connection } from '../net/connection.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';

/** Reads an answer and throws it away, until the upstream ends or says nothing for too long. */
export class UnwatchedAnswer implements UpstreamUser {
  readonly served: Connection;
  private readonly upstream: UpstreamConnection;
  private readonly readTimeoutMs: number;

  /** Takes the connection over; the request on it has been sent whole. */
  constructor(upstream: UpstreamConnection, readTimeoutMs: number) {
    this.served = upstream.connection;
    this.upstream = upstream;
    this.readTimeoutMs = readTimeoutMs;
    // The client's connection may still write from the buffer that was read into.
    upstream.connection.renewBuffer();
    upstream.handOver(this);
    upstream.deadline.set(readTimeoutMs);
    upstream.connection.resumeReading();
  }

  onUpstreamConnect(): void {}

  onUpstreamBytes(): void {
    this.upstream.deadline.set(this.readTimeoutMs);
  }

  onUpstreamEnd(): void {
    this.upstream.destroy();
  }

  onUpstreamDrain(): void {}
  onUpstreamClose(): void {}

  onUpstreamDeadline(): void {
    this.upstream.destroy();
  }
}
