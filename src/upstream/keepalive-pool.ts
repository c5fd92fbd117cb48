/*
 * Idle connections to the peers of a group, last in first out: the one used last is the likeliest to live
 * (nginx: keepalive, keepalive_timeout). Which peer is asked is decided before.
 */
import type { TimerWheel } from '../core/timer-wheel.js';
import type { HeadLimits } from '../http/h1/malformed.js';
import type { DefectReporter } from '../net/connection.js';
import { SOCKETS } from '../net/socket-budget.js';
import type { Peer } from './peer.js';
import { type IdleHome, UpstreamConnection, type UpstreamUser } from './upstream-connection.js';

export interface KeepaliveOptions {
  /** Idle connections kept per peer; 0 keeps none. */
  readonly connections: number;
  /** How long one may be idle. */
  readonly idleTimeoutMs: number;
  readonly limits: HeadLimits;
  /** An idle connection brought bytes nobody asked for; it is being closed. */
  readonly onUnaskedBytes: (peer: Peer, bytes: number) => void;
  /** What serves a connection threw; only that connection ends. */
  readonly onDefect: DefectReporter;
}

/** The connections of one group. */
export class KeepalivePool implements IdleHome {
  readonly onDefect: DefectReporter;
  private readonly options: KeepaliveOptions;
  private readonly wheel: TimerWheel;
  private readonly idle: Map<Peer, UpstreamConnection[]>;
  private isClosed: boolean;

  constructor(options: KeepaliveOptions, wheel: TimerWheel) {
    this.onDefect = options.onDefect;
    this.options = options;
    this.wheel = wheel;
    this.idle = new Map();
    this.isClosed = false;
  }

  /** An idle connection to `peer`, now `user`'s; null when there is none. */
  take(peer: Peer, user: UpstreamUser): UpstreamConnection | null {
    const connections = this.idle.get(peer);
    let connection = connections?.pop();
    // One that was reset hears of its close behind all else that this turn of the event loop brings.
    while (connection?.connection.isDestroyed) connection = connections!.pop();
    if (connection === undefined) return null;
    connection.assign(user);
    return connection;
  }

  /** A new connection to `peer`, beginning to connect. An idle one makes room for it if descriptors run out. */
  open(peer: Peer, user: UpstreamUser): UpstreamConnection {
    if (!SOCKETS.hasRoom) this.closeEldest();
    return new UpstreamConnection(peer, this, this.wheel, this.options.limits, user);
  }

  /** Takes back a connection whose exchange is over and complete. The pool owns it from here. */
  put(connection: UpstreamConnection): void {
    let connections = this.idle.get(connection.peer);
    if (connections === undefined) {
      connections = [];
      this.idle.set(connection.peer, connections);
    }
    if (this.isClosed || this.options.connections === 0 || SOCKETS.isAwaited) {
      connection.destroy();
      return;
    }
    if (connections.length >= this.options.connections) connections.shift()!.destroy();
    connections.push(connection);
    connection.rest(this.options.idleTimeoutMs);
  }

  /** For the connection: it is no longer idle because it closes. */
  remove(connection: UpstreamConnection): void {
    const connections = this.idle.get(connection.peer);
    const index = connections?.indexOf(connection) ?? -1;
    if (index >= 0) connections!.splice(index, 1);
  }

  /** For the connection. */
  onUnaskedBytes(connection: UpstreamConnection, bytes: number): void {
    this.options.onUnaskedBytes(connection.peer, bytes);
  }

  private closeEldest(): void {
    for (const connections of this.idle.values()) {
      const eldest = connections.shift();
      if (eldest === undefined) continue;
      eldest.destroy();
      return;
    }
  }

  /** Whether connections are kept at all: tells an upstream what to expect. */
  get isKeeping(): boolean {
    return this.options.connections > 0;
  }

  /** How many are idle now. */
  get idleCount(): number {
    let count = 0;
    for (const connections of this.idle.values()) count += connections.length;
    return count;
  }

  /** Closes the idle ones, and from now on every one that comes back. */
  close(): void {
    this.isClosed = true;
    for (const connections of this.idle.values()) {
      for (const connection of connections.splice(0)) connection.destroy();
    }
  }
}
