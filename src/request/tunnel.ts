/*
 * A connection that switched protocols (RFC 9110 section 7.8), WebSocket above all, or that CONNECT asked for: bytes
 * both ways, as fast as the slower side takes them, each direction ended on its own.
 */
import { writeMessage } from '../http/h1/message-writer.js';
import type { Connection, ConnectionHandler } from '../net/connection.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';

export interface TunnelOwner {
  /** Payload went to the client, or to the upstream. */
  noteTunnelBytes(down: number, up: number): void;
  /**
   * Both directions are done, or one broke, or nothing moved for the idle time. The client's connection is the
   * owner's again; `isClosed`: it is gone.
   */
  onTunnelEnd(isClosed: boolean): void;
}

/** Bytes between a client and an upstream until either is gone. */
export class Tunnel implements ConnectionHandler, UpstreamUser {
  /** The client's side. */
  readonly served: Connection;
  private readonly upstream: UpstreamConnection;
  private readonly idleMs: number;
  private readonly owner: TunnelOwner;
  private isOver: boolean;

  /** Takes both connections over; `idleMs` is how long both sides may be silent (proxy_read_timeout). */
  constructor(downstream: Connection, upstream: UpstreamConnection, idleMs: number, owner: TunnelOwner) {
    this.served = downstream;
    this.upstream = upstream;
    this.idleMs = idleMs;
    this.owner = owner;
    this.isOver = false;
    downstream.handler = this;
    upstream.handOver(this);
    downstream.resumeReading();
    upstream.deadline.set(idleMs);
  }

  onBytes(bytes: Buffer, end: number): void {
    this.passUp(bytes, 0, end);
  }

  onEnd(): void {
    this.upstream.connection.end();
    this.endWhenBothAre();
  }

  onDrain(): void {
    this.upstream.connection.resumeReading();
  }

  onClose(): void {
    this.finish(true);
  }

  onUpstreamConnect(): void {}

  onUpstreamBytes(bytes: Buffer, end: number): void {
    this.passDown(bytes, 0, end);
  }

  /** Bytes for the client: also those that came together with the upstream's 101. */
  passDown(bytes: Buffer, start: number, end: number): void {
    this.owner.noteTunnelBytes(end - start, 0);
    this.pump(this.upstream.connection, this.served, bytes, start, end);
  }

  /** Bytes for the upstream: also those that the client sent before it had the 101. */
  passUp(bytes: Buffer, start: number, end: number): void {
    this.owner.noteTunnelBytes(0, end - start);
    this.pump(this.served, this.upstream.connection, bytes, start, end);
  }

  onUpstreamEnd(): void {
    this.served.end();
    this.endWhenBothAre();
  }

  onUpstreamDrain(): void {
    this.served.resumeReading();
  }

  onUpstreamClose(): void {
    this.finish();
  }

  onUpstreamDeadline(): void {
    const isMoving = this.served.hasSendProgress() || this.upstream.connection.hasSendProgress();
    if (isMoving) this.upstream.deadline.set(this.idleMs);
    else this.finish();
  }

  private finish(isDownstreamClosed = false): void {
    if (this.isOver) return;
    this.isOver = true;
    this.upstream.destroy();
    this.owner.onTunnelEnd(isDownstreamClosed);
  }

  private pump(from: Connection, to: Connection, bytes: Buffer, start: number, end: number): void {
    writeMessage(to, '', bytes, start, end, false, '', !from.ownsBytes(bytes));
    if (to.hasPendingWrites) from.pauseReading();
    this.upstream.deadline.set(this.idleMs);
  }

  private endWhenBothAre(): void {
    if (this.served.isEnded && this.upstream.connection.isEnded) this.finish();
  }
}
