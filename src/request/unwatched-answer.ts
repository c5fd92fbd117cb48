/*
 * An upstream whose client has gone, left to finish what it was asked: by proxy_ignore_client_abort, or since its answer
 * is being kept.
 */
import { MALFORMED } from '../http/h1/malformed.js';
import type { Connection } from '../net/connection.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';
import type { AnswerKeeper } from './stored-copy.js';
import type { UpstreamSender } from './upstream-sender.js';
import type { UpstreamSettings } from './upstream-settings.js';

/** What is left to be sent of a request. */
export interface Unsent {
  readonly sender: UpstreamSender;
  /** '' if it is sent. */
  readonly head: string;
}

/**
 * Sends the rest of the request, reads the answer and keeps it if that has begun, else throws it away, until the upstream
 * ends or says nothing for too long.
 */
export class UnwatchedAnswer implements UpstreamUser {
  readonly served: Connection;
  private readonly upstream: UpstreamConnection;
  private readonly settings: UpstreamSettings;
  private readonly keeper: AnswerKeeper | null;
  /** Null when all is sent. */
  private unsent: Unsent | null;

  /** Takes the connection over. */
  constructor(
    upstream: UpstreamConnection,
    settings: UpstreamSettings,
    keeper: AnswerKeeper | null,
    unsent: Unsent | null,
  ) {
    this.served = upstream.connection;
    this.upstream = upstream;
    this.settings = settings;
    this.keeper = keeper;
    this.unsent = unsent;
    upstream.handOver(this);
    if (!upstream.isConnected) return;
    // The client's connection may still write from the buffer that was read into.
    upstream.connection.renewBuffer();
    upstream.connection.resumeReading();
    this.armDeadline();
  }

  onUpstreamConnect(): void {
    const { sender, head } = this.unsent!;
    this.send(() => sender.sendDetached(this.upstream, head));
  }

  onUpstreamDrain(): void {
    if (this.unsent === null) return;
    const { sender } = this.unsent;
    this.send(() => sender.pump(this.upstream));
  }

  private send(sendMore: () => void): void {
    const { sender } = this.unsent!;
    try {
      sendMore();
    } catch {
      // The body can't be read back, and there is nobody to be told.
      this.leave();
      return;
    }
    if (sender.isDone) {
      this.unsent = null;
      sender.reset();
    }
    this.armDeadline();
  }

  private armDeadline(): void {
    const { connection, deadline } = this.upstream;
    const { sendTimeoutMs, readTimeoutMs } = this.settings;
    deadline.set(connection.hasPendingWrites ? sendTimeoutMs : readTimeoutMs);
  }

  onUpstreamBytes(bytes: Buffer, end: number): void {
    const { upstream, keeper } = this;
    this.armDeadline();
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

  onUpstreamClose(): void {
    this.letGo();
  }

  onUpstreamDeadline(): void {
    const { connection } = this.upstream;
    if (connection.hasPendingWrites && connection.hasSendProgress()) this.armDeadline();
    else this.leave();
  }

  private leave(): void {
    this.letGo();
    this.upstream.destroy();
  }

  private letGo(): void {
    this.keeper?.end();
    this.unsent?.sender.reset();
    this.unsent = null;
  }
}
