/*
 * A connection that switched protocols (RFC 9110 section 7.8), WebSocket above all: bytes both ways, as fast
 * as the slower side takes them, each direction ended on its own.
 */
import { writeMessage } from '../http/h1/message-writer.js';
import type { Connection } from '../net/connection.js';
import type { Peer } from '../upstream/peer.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';

export interface TunnelOwner {
  /** Payload went to the client. */
  noteTunnelBytes(bytes: number): void;
  /** Both directions are done, or one broke, or nothing moved for the idle time. */
  onTunnelEnd(): void;
}

/** Bytes between a client and an upstream until either is gone. */
export class Tunnel implements UpstreamUser {
  private readonly downstream: Connection;
  private readonly upstream: UpstreamConnection;
  private readonly idleMs: number;
  private readonly owner: TunnelOwner;
  private isOver: boolean;

  /** Takes the upstream connection over; `idleMs` is how long both sides may be silent (proxy_read_timeout). */
  constructor(downstream: Connection, upstream: UpstreamConnection, idleMs: number, owner: TunnelOwner) {
    this.downstream = downstream;
    this.upstream = upstream;
    this.idleMs = idleMs;
    this.owner = owner;
    this.isOver = false;
    upstream.handOver(this);
    downstream.resumeReading();
    upstream.deadline.set(idleMs);
  }

  get peer(): Peer {
    return this.upstream.peer;
  }

  onDownstreamBytes(bytes: Buffer, start: number, end: number): void {
    this.pump(this.downstream, this.upstream.connection, bytes, start, end);
  }

  onDownstreamEnd(): void {
    this.upstream.connection.end();
    this.endWhenBothAre();
  }

  onDownstreamDrain(): void {
    this.upstream.connection.resumeReading();
  }

  onUpstreamConnect(): void {}

  onUpstreamBytes(bytes: Buffer, end: number): void {
    this.passDown(bytes, 0, end);
  }

  /** Bytes for the client: also those that came together with the upstream's 101. */
  passDown(bytes: Buffer, start: number, end: number): void {
    this.owner.noteTunnelBytes(end - start);
    this.pump(this.upstream.connection, this.downstream, bytes, start, end);
  }

  onUpstreamEnd(): void {
    this.downstream.end();
    this.endWhenBothAre();
  }

  onUpstreamDrain(): void {
    this.downstream.resumeReading();
  }

  onUpstreamClose(): void {
    this.finish();
  }

  onUpstreamDeadline(): void {
    const isMoving = this.downstream.hasSendProgress() || this.upstream.connection.hasSendProgress();
    if (isMoving) this.upstream.deadline.set(this.idleMs);
    else this.finish();
  }

  /** Ends it now: the client is gone. */
  finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.upstream.destroy();
    this.owner.onTunnelEnd();
  }

  private pump(from: Connection, to: Connection, bytes: Buffer, start: number, end: number): void {
    writeMessage(to, '', bytes, start, end, false, '', !from.ownsBytes(bytes));
    if (to.hasPendingWrites) from.pauseReading();
    this.upstream.deadline.set(this.idleMs);
  }

  private endWhenBothAre(): void {
    if (this.downstream.isEnded && this.upstream.connection.isEnded) this.finish();
  }
}
