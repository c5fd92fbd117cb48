/*
 * Active health checks (nginx Plus: health_check): asks every peer of a group again and again, takes those out that
 * fail, and brings them back when they pass.
 */
import type { Clock } from '../../core/clock.js';
import { Deadline, type DeadlineOwner, type TimerWheel } from '../../core/timer-wheel.js';
import type { DefectReporter } from '../../net/connection.js';
import type { UpstreamGroup } from '../group.js';
import { type Peer, PeerFlag } from '../peer.js';
import type { UpstreamTls } from '../upstream-tls.js';
import type { HealthMatch } from './health-match.js';
import { Probe } from './probe.js';

export interface HealthCheckOptions {
  readonly intervalMs: number;
  /** Each wait is longer by up to that, at random. */
  readonly jitterMs: number;
  /** Failures in a row that take a peer out. */
  readonly fails: number;
  /** Passes in a row that bring it back. */
  readonly passes: number;
  /** 0: the peer's own. */
  readonly port: number;
  /** A peer gets its first request only when it has passed. */
  readonly isMandatory: boolean;
  /** What was known before a reload holds until the next check. */
  readonly isPersistent: boolean;
  readonly match: HealthMatch;
  /** The request that is sent, as latin1 text. */
  readonly request: string;
  /** How long an answer may take. */
  readonly timeoutMs: number;
  /** Asked at each check, null for checks without TLS. */
  readonly tls: () => UpstreamTls | null;
}

export interface HealthContext {
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly onDefect: DefectReporter;
  /** A peer went out, and why; null: it is back. */
  readonly onChange: (peer: Peer, reason: string | null) => void;
  /** Whether this thread asks; else it says what peers are taken for before somebody does. Default true. */
  readonly asks?: boolean;
}

/** How peers did, by name; lives on at a reload. */
export type KnownHealth = Map<string, boolean>;

/** One group's checks. */
export class HealthChecker {
  private readonly group: UpstreamGroup;
  private readonly options: HealthCheckOptions;
  private readonly context: HealthContext;
  private readonly known: KnownHealth;
  private readonly checks: Map<Peer, PeerCheck>;
  private isStopped: boolean;

  constructor(group: UpstreamGroup, options: HealthCheckOptions, context: HealthContext, known: KnownHealth) {
    this.group = group;
    this.options = options;
    this.context = context;
    this.known = known;
    this.checks = new Map();
    this.isStopped = false;
  }

  /** Begins to check; to be called again when the group has other peers. */
  followPeers(): void {
    if (this.isStopped) return;
    const { peers } = this.group;
    for (const [peer, check] of this.checks) {
      if (peers.includes(peer)) continue;
      check.stop();
      this.checks.delete(peer);
      if (!peers.some(({ name }) => name === peer.name)) this.known.delete(peer.name);
    }
    for (const peer of peers) {
      if (this.checks.has(peer)) continue;
      this.presume(peer);
      if (this.context.asks === false) continue;
      const check = new PeerCheck(peer, this.options, this.context, (reason) => this.note(peer, reason));
      this.checks.set(peer, check);
      check.start();
    }
  }

  stop(): void {
    this.isStopped = true;
    for (const check of this.checks.values()) check.stop();
    this.checks.clear();
  }

  /** What a peer is taken for before its first check. */
  private presume(peer: Peer): void {
    const { isMandatory, isPersistent } = this.options;
    const wasHealthy = isPersistent ? this.known.get(peer.name) : undefined;
    if (wasHealthy === false) this.group.setFlags(peer, PeerFlag.unhealthy, true);
    else if (isMandatory && wasHealthy !== true) this.group.setFlags(peer, PeerFlag.unchecked, true);
  }

  private note(peer: Peer, reason: string | null): void {
    const wasOut = (peer.flags & (PeerFlag.unhealthy | PeerFlag.unchecked)) !== 0;
    this.known.set(peer.name, reason === null);
    if (reason === null) {
      this.group.setFlags(peer, PeerFlag.unhealthy | PeerFlag.unchecked, false);
      if (wasOut) this.context.onChange(peer, null);
      return;
    }
    const isNew = (peer.flags & PeerFlag.unhealthy) === 0;
    this.group.setFlags(peer, PeerFlag.unchecked, false);
    this.group.setFlags(peer, PeerFlag.unhealthy, true);
    if (isNew) this.context.onChange(peer, reason);
  }
}

/** The checks of one peer, one after the other. */
class PeerCheck implements DeadlineOwner {
  private readonly peer: Peer;
  private readonly options: HealthCheckOptions;
  private readonly context: HealthContext;
  /** Told when enough checks in a row have failed, or passed: again at each one from then on. */
  private readonly note: (reason: string | null) => void;
  private readonly deadline: Deadline;
  private probe: Probe | null;
  private startedMs: number;
  private failCount: number;
  private passCount: number;

  constructor(
    peer: Peer,
    options: HealthCheckOptions,
    context: HealthContext,
    note: (reason: string | null) => void,
  ) {
    this.peer = peer;
    this.options = options;
    this.context = context;
    this.note = note;
    this.deadline = new Deadline(context.wheel, this);
    this.probe = null;
    this.startedMs = 0;
    this.failCount = 0;
    this.passCount = 0;
  }

  start(): void {
    this.deadline.set(Math.random() * this.options.jitterMs);
  }

  stop(): void {
    this.deadline.cancel();
    this.probe?.cancel();
    this.probe = null;
  }

  onDeadline(): void {
    const { peer, options, context } = this;
    const { wheel, onDefect, clock } = context;
    const { port, request, match, timeoutMs } = options;
    const tls = options.tls();
    this.startedMs = clock.nowMs();
    if ((peer.flags & PeerFlag.down) !== 0) {
      this.rest();
      return;
    }
    const address = port === 0 || peer.address.path !== null ? peer.address : { ...peer.address, port };
    this.probe = new Probe(address, { request, match, timeoutMs, tls, wheel, onDefect }, (reason) =>
      this.take(reason),
    );
  }

  private take(reason: string | null): void {
    const { fails, passes } = this.options;
    this.probe = null;
    this.peer.stats?.noteCheck(reason === null);
    if (reason === null) {
      this.failCount = 0;
      this.passCount++;
      // A first check that passes is enough for a peer nothing is known of.
      const isUnchecked = (this.peer.flags & PeerFlag.unchecked) !== 0;
      if (this.passCount >= passes || isUnchecked) this.note(null);
    } else {
      this.passCount = 0;
      this.failCount++;
      if (this.failCount >= fails || (this.peer.flags & PeerFlag.unchecked) !== 0) this.note(reason);
    }
    this.rest();
  }

  /** Checks begin an interval apart, however long one takes. */
  private rest(): void {
    const { intervalMs, jitterMs } = this.options;
    const spentMs = this.context.clock.nowMs() - this.startedMs;
    this.deadline.set(Math.max(0, intervalMs - spentMs) + Math.random() * jitterMs);
  }
}
