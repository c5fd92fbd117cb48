/*
 * Idle connections to the peers of a group, last in first out: the one used last is the likeliest to live
 * (nginx: keepalive, keepalive_requests, keepalive_time, keepalive_timeout). Which peer is asked is decided before.
 */
import { eventClock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { HeadLimits } from '../http/h1/malformed.js';
import type { Address } from '../net/address.js';
import type { DefectReporter } from '../net/connection.js';
import type { Connect } from '../net/connector.js';
import { SOCKETS } from '../net/socket-budget.js';
import type { Peer } from './peer.js';
import { type IdleHome, UpstreamConnection, type UpstreamUser } from './upstream-connection.js';
import type { UpstreamTls } from './upstream-tls.js';

/** What nginx keeps unless it is told otherwise. */
export const DEFAULT_KEEPALIVE: KeepaliveRules = {
  connections: 32,
  idleTimeoutMs: 60_000,
  requests: 1000,
  timeMs: 3_600_000,
  isLocal: true,
};

/** When connections are kept. */
export interface KeepaliveRules {
  /** Idle connections kept, to all peers together; the one longest idle gives way. 0 keeps none. */
  readonly connections: number;
  /** How long one may be idle. */
  readonly idleTimeoutMs: number;
  /** How many requests one may carry. */
  readonly requests: number;
  /** For how long requests may be sent on one. */
  readonly timeMs: number;
  /** Whether one may be used only where it was opened: with the same `place`. */
  readonly isLocal: boolean;
}

export interface KeepaliveOptions extends KeepaliveRules {
  readonly limits: HeadLimits;
  /** An idle connection brought bytes nobody asked for; it is being closed. */
  readonly onUnaskedBytes: (peer: Peer, bytes: number) => void;
  /** What serves a connection threw; only that connection ends. */
  readonly onDefect: DefectReporter;
  readonly connect: Connect;
}

/** The connections of one group. */
export class KeepalivePool implements IdleHome {
  readonly onDefect: DefectReporter;
  readonly connect: Connect;
  private readonly options: KeepaliveOptions;
  private readonly wheel: TimerWheel;
  /** By address, so that one stays of use when its peer has been replaced by another of the same address. */
  private readonly idle: Map<string, UpstreamConnection[]>;
  /** All of them, from the one longest idle. */
  private eldest: UpstreamConnection | null;
  private youngest: UpstreamConnection | null;
  /** How many are idle now. */
  idleCount: number;
  private isClosed: boolean;

  constructor(options: KeepaliveOptions, wheel: TimerWheel) {
    this.onDefect = options.onDefect;
    this.connect = options.connect;
    this.options = options;
    this.wheel = wheel;
    this.idle = new Map();
    this.eldest = null;
    this.youngest = null;
    this.idleCount = 0;
    this.isClosed = false;
  }

  /** An idle connection to `peer` that was opened by `tls`, at `place` unless it may be used anywhere, now `user`'s; or null. */
  take(
    peer: Peer,
    user: UpstreamUser,
    place: unknown = null,
    tls: UpstreamTls | null = null,
  ): UpstreamConnection | null {
    const connections = this.idle.get(peer.name);
    if (connections === undefined) return null;
    for (let i = connections.length - 1; i >= 0; i--) {
      const connection = connections[i]!;
      if (this.options.isLocal && connection.place !== place) continue;
      // security: one that is plain, or for another name, is not what was asked for.
      if (connection.tls !== tls) continue;
      // One that was reset hears of its close behind all else that this turn of the event loop brings.
      if (connection.connection.isDestroyed) continue;
      // perf: almost always the last, and splice makes an array of what it took.
      if (i === connections.length - 1) connections.pop();
      else connections.splice(i, 1);
      this.unlink(connection);
      connection.assign(peer, user);
      return connection;
    }
    return null;
  }

  /** A new connection to `peer`, beginning to connect. An idle one makes room for it if descriptors run out. */
  open(
    peer: Peer,
    user: UpstreamUser,
    place: unknown = null,
    local: Address | null = null,
    tls: UpstreamTls | null = null,
  ): UpstreamConnection {
    if (!SOCKETS.hasRoom) this.closeEldest();
    return new UpstreamConnection(peer, this, this.wheel, this.options.limits, user, place, local, tls);
  }

  /** Takes back a connection whose exchange is over and complete. The pool owns it from here. */
  put(connection: UpstreamConnection): void {
    const { connections: most, idleTimeoutMs } = this.options;
    if (this.isClosed || most === 0 || SOCKETS.isAwaited || this.isWornOut(connection)) {
      connection.discard();
      return;
    }
    if (this.idleCount >= most) this.closeEldest();
    const { name } = connection.peer;
    const connections = this.idle.get(name);
    if (connections === undefined) this.idle.set(name, [connection]);
    else connections.push(connection);
    this.link(connection);
    connection.rest(idleTimeoutMs);
  }

  /** For the connection: it is no longer idle because it closes. */
  remove(connection: UpstreamConnection): void {
    const connections = this.idle.get(connection.peer.name);
    const index = connections?.indexOf(connection) ?? -1;
    if (index < 0) return;
    connections!.splice(index, 1);
    if (connections!.length === 0) this.idle.delete(connection.peer.name);
    this.unlink(connection);
  }

  /** For the connection. */
  onUnaskedBytes(connection: UpstreamConnection, bytes: number): void {
    this.options.onUnaskedBytes(connection.peer, bytes);
  }

  /** Whether connections are kept at all: tells an upstream what to expect. */
  get isKeeping(): boolean {
    return this.options.connections > 0;
  }

  /** Closes the idle ones, and from now on every one that comes back. */
  close(): void {
    this.isClosed = true;
    while (this.eldest !== null) this.closeEldest();
  }

  private isWornOut(connection: UpstreamConnection): boolean {
    if (connection.useCount >= this.options.requests) return true;
    return eventClock.nowMs() - connection.openedAtMs > this.options.timeMs;
  }

  private closeEldest(): void {
    const { eldest } = this;
    if (eldest === null) return;
    this.remove(eldest);
    eldest.discard();
  }

  private link(connection: UpstreamConnection): void {
    connection.elder = this.youngest;
    if (this.youngest === null) this.eldest = connection;
    else this.youngest.younger = connection;
    this.youngest = connection;
    this.idleCount++;
  }

  private unlink(connection: UpstreamConnection): void {
    const { elder, younger } = connection;
    if (elder === null) this.eldest = younger;
    else elder.younger = younger;
    if (younger === null) this.youngest = elder;
    else younger.elder = elder;
    connection.elder = null;
    connection.younger = null;
    this.idleCount--;
  }
}
