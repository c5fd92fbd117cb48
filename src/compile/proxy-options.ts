/*
 * What a proxy can be told in a program or on the command line, and the values of what is left out. The
 * nginx directive behind each option gives its meaning and its default.
 */
import type { LogLevel } from '../log/error-log.js';
import type { Address } from '../net/address.js';
import type { Timeouts } from '../request/virtual-server.js';
import type { PeerOptions } from '../upstream/peer.js';

/** The timeouts of a proxy, in milliseconds. */
export interface ProxyTimeouts extends Timeouts {
  /** How long `drain` lets requests run on (worker_shutdown_timeout). */
  readonly drainMs: number;
}

/** A reverse proxy: where it listens, which peers it asks, and how. */
export interface ProxyOptions {
  /** At least one. Port 0 takes a free one. */
  listen: readonly Address[];
  /** At least one that isn't a backup. */
  peers: readonly PeerOptions[];
  /** What is left out has nginx's default: 60 s each, 75 s for keepalive; 30 s to drain. */
  timeouts?: Partial<ProxyTimeouts>;
  /** Idle connections kept per peer (nginx: keepalive). Default 32; 0 closes after each request. */
  keepaliveConnections?: number;
  /** How long an upstream connection may be idle (nginx: keepalive_timeout in upstream). Default 60 s. */
  upstreamKeepaliveMs?: number;
  /** "stdout", "stderr", "off" or a file. Default "off". */
  accessLog?: string;
  /** Likewise. Default "stderr". */
  errorLog?: string;
  /** The least level written. Default "error". */
  errorLogLevel?: LogLevel;
}

export const DEFAULT_TIMEOUTS: ProxyTimeouts = {
  clientHeaderMs: 60_000,
  clientBodyMs: 60_000,
  keepaliveMs: 75_000,
  sendMs: 60_000,
  connectMs: 60_000,
  upstreamReadMs: 60_000,
  upstreamSendMs: 60_000,
  drainMs: 30_000,
};
