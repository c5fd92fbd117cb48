/*
 * Options to a cycle: one immutable generation of configuration, with the objects that serve it. Opens the
 * logs, but no socket.
 */
import { eventClock } from '../core/clock.js';
import { describeDefect } from '../core/describe-defect.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { DEFAULT_HEAD_LIMITS } from '../http/h1/malformed.js';
import { AccessLog } from '../log/access-log.js';
import { ErrorLog } from '../log/error-log.js';
import { type LogSink, openLogSink } from '../log/log-sink.js';
import type { Address } from '../net/address.js';
import type { DefectReporter } from '../net/connection.js';
import type { VirtualServer } from '../request/virtual-server.js';
import { UpstreamGroup } from '../upstream/group.js';
import { KeepalivePool } from '../upstream/keepalive-pool.js';
import type { Peer } from '../upstream/peer.js';
import { DEFAULT_TIMEOUTS, type ProxyOptions } from './proxy-options.js';

const DEFAULT_KEEPALIVE_CONNECTIONS = 32;
const DEFAULT_UPSTREAM_KEEPALIVE_MS = 60_000;

/** Everything a server needs to serve one configuration. */
export interface Cycle {
  readonly listen: readonly Address[];
  readonly server: VirtualServer;
  readonly drainMs: number;
  readonly errorLog: ErrorLog;
  readonly onDefect: DefectReporter;
  /** To be flushed, reopened and closed by whoever runs the cycle. */
  readonly sinks: readonly LogSink[];
}

/** Builds the cycle. Throws an Error that says which option can't be used and why. */
export function buildCycle(
  options: ProxyOptions,
  openSink: (target: string) => LogSink = openLogSink,
): Cycle {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const errorSink = openSink(options.errorLog ?? 'stderr');
  const errorLog = new ErrorLog(errorSink, options.errorLogLevel ?? 'error');
  const accessTarget = options.accessLog ?? 'off';
  const accessSink = accessTarget === 'off' ? null : openSink(accessTarget);
  const wheel = new TimerWheel(eventClock);
  const onDefect = (defect: unknown) => errorLog.log('alert', describeDefect(defect));
  wheel.onError = onDefect;
  const upstream = new UpstreamGroup('default', options.peers, eventClock);
  upstream.onPeerDown = (peer) => errorLog.log('warn', peerIsOut(upstream, peer));
  upstream.onPeerUp = (peer) =>
    errorLog.log('notice', `upstream "${upstream.name}" ${peer.name} answers again`);
  const pool = new KeepalivePool(
    {
      connections: options.keepaliveConnections ?? DEFAULT_KEEPALIVE_CONNECTIONS,
      idleTimeoutMs: options.upstreamKeepaliveMs ?? DEFAULT_UPSTREAM_KEEPALIVE_MS,
      limits: DEFAULT_HEAD_LIMITS,
      onUnaskedBytes: (peer, bytes) =>
        errorLog.log(
          'warn',
          `upstream "${upstream.name}" ${peer.name} sent ${bytes} bytes unasked on an idle connection`,
        ),
      onDefect,
    },
    wheel,
  );
  return {
    listen: options.listen,
    drainMs: timeouts.drainMs,
    errorLog,
    onDefect,
    sinks: accessSink === null ? [errorSink] : [errorSink, accessSink],
    server: {
      timeouts,
      headLimits: DEFAULT_HEAD_LIMITS,
      upstream,
      pool,
      wheel,
      clock: eventClock,
      accessLog: accessSink === null ? null : new AccessLog(accessSink),
      errorLog,
    },
  };
}

function peerIsOut(upstream: UpstreamGroup, peer: Peer): string {
  const failures = `${peer.fails} failed ${peer.fails === 1 ? 'try' : 'tries'}`;
  return `upstream "${upstream.name}" ${peer.name} is out for ${peer.failTimeoutMs / 1000} s after ${failures}`;
}
