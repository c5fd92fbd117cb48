/*
 * What a request is served by: the limits, timeouts, upstream group and logs of one virtual server. Built by
 * compile/, read by everything in request/, changed by nobody while it serves.
 */
import type { Clock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { HeadLimits } from '../http/h1/malformed.js';
import type { AccessLog } from '../log/access-log.js';
import type { ErrorLog } from '../log/error-log.js';
import type { UpstreamGroup } from '../upstream/group.js';
import type { KeepalivePool } from '../upstream/keepalive-pool.js';

/** Every time a request can run out of. Milliseconds; nginx's directive in each line. */
export interface Timeouts {
  /** client_header_timeout: for the whole head, from its first byte or the accept. */
  readonly clientHeaderMs: number;
  /** client_body_timeout: between two reads of a body. */
  readonly clientBodyMs: number;
  /** keepalive_timeout: between two requests of a client. */
  readonly keepaliveMs: number;
  /** send_timeout: a client takes nothing of what waits for it. */
  readonly sendMs: number;
  /** proxy_connect_timeout. */
  readonly connectMs: number;
  /** proxy_read_timeout: between two reads of a response. */
  readonly upstreamReadMs: number;
  /** proxy_send_timeout: an upstream takes nothing of a request. */
  readonly upstreamSendMs: number;
}

/** One virtual server. */
export interface VirtualServer {
  readonly timeouts: Timeouts;
  readonly headLimits: HeadLimits;
  readonly upstream: UpstreamGroup;
  readonly pool: KeepalivePool;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  /** Null: no access log. */
  readonly accessLog: AccessLog | null;
  readonly errorLog: ErrorLog;
}
