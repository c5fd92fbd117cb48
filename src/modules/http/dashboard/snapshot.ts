/*
 * What the page is told each second, as JSON: numbers since it last asked, groups as they are, and requests if there are
 * others than it knows.
 */
import { sharedMs } from '../../../core/clock.js';
import { version } from '../../../core/version.js';
import { SECONDS_BOUNDS } from '../../../metrics/histogram.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Peer, PeerCondition } from '../../../upstream/peer.js';
import type { UpstreamTarget } from '../../../upstream/upstream-target.js';
import type { Observer } from './observer.js';
import type { RecentRequest } from './recent-request.js';

/** A server of a group. */
export interface PeerSnapshot {
  /** Its number in the API; null for one that can't be changed. */
  readonly id: number | null;
  readonly address: string;
  /** As the configuration has it. */
  readonly server: string;
  readonly state: PeerCondition;
  readonly isBackup: boolean;
  readonly weight: number;
  readonly active: number;
  /** 0: no limit. */
  readonly maxConns: number;
  /** Tries it ever got. */
  readonly requests: number;
  /** Failures that count now, and how many put it out; 0: none does. */
  readonly fails: number;
  readonly maxFails: number;
}

export interface UpstreamSnapshot {
  readonly name: string;
  /** Idle connections kept to its servers by the worker that answers. */
  readonly idle: number;
  /** Requests that wait for a server there; null without a queue. */
  readonly queued: number | null;
  readonly peers: readonly PeerSnapshot[];
}

export interface Snapshot {
  readonly version: string;
  readonly pid: number;
  readonly workers: number;
  /** Unix milliseconds; another one: the server was started anew, and knows nothing of before. */
  readonly startedAtMs: number;
  /** The same moment by the history's clock and in Unix time. */
  readonly nowMs: number;
  readonly wallMs: number;
  readonly mayWrite: boolean;
  readonly accepted: number;
  readonly requests: number;
  /** Upper bounds of durations in seconds; what is longer comes behind. */
  readonly bounds: readonly number[];
  /**
   * Of each second: when and how long it was in milliseconds; connections that were reading, writing, waiting; answers
   * (none, 1xx to 5xx) and durations by bound, counted in it.
   */
  readonly history: readonly (readonly number[])[];
  readonly upstreams: readonly UpstreamSnapshot[];
  /** Null: as before. */
  readonly recent: {
    readonly version: number;
    readonly slow: readonly RecentRequest[];
    readonly failed: readonly RecentRequest[];
  } | null;
}

/** What it is made of. */
export interface Shown {
  readonly observer: Observer;
  readonly upstreams: ReadonlyMap<string, UpstreamTarget>;
  readonly workers: number;
  readonly mayWrite: boolean;
}

/** JSON, in latin1 as all texts of requests. The arguments `since` and `seen` say what the page knows. */
export function writeSnapshot(
  request: HttpRequest,
  { observer, upstreams, workers, mayWrite }: Shown,
): string {
  const { context, args } = request;
  const nowMs = sharedMs(context.clock);
  const snapshot: Omit<Snapshot, 'recent'> = {
    version,
    pid: process.pid,
    workers,
    startedAtMs: observer.startedAtMs,
    nowMs,
    wallMs: context.clock.wallMs(),
    mayWrite,
    accepted: context.connections.accepted,
    requests: context.connections.requests,
    bounds: SECONDS_BOUNDS,
    history: observer.history.since(numberOf(args, 'since')),
    upstreams: [...upstreams.values()].map(describeGroup),
  };
  const recent = observer.recent.read(nowMs, numberOf(args, 'seen'));
  const recentText =
    recent === null
      ? 'null'
      : `{"version":${recent.version},"slow":[${recent.slow.join()}],"failed":[${recent.failed.join()}]}`;
  return `${JSON.stringify(snapshot).slice(0, -1)},"recent":${recentText}}`;
}

function numberOf(args: string, name: string): number {
  const argument = args.split('&').find((each) => each.startsWith(`${name}=`));
  return Number(argument?.slice(name.length + 1) ?? -1);
}

function describeGroup({ group, pool, servers }: UpstreamTarget): UpstreamSnapshot {
  return {
    name: group.name,
    idle: pool.idleCount,
    queued: group.waitingRoom?.size ?? null,
    peers: group.peers.map((peer) => ({ id: servers === null ? null : peer.number, ...describePeer(peer) })),
  };
}

function describePeer(peer: Peer): Omit<PeerSnapshot, 'id'> {
  return {
    address: peer.name,
    server: peer.server,
    state: peer.condition,
    isBackup: peer.isBackup,
    weight: peer.weight,
    active: peer.activeRequests,
    maxConns: peer.maxConns,
    requests: peer.requests,
    fails: peer.fails,
    maxFails: peer.maxFails,
  };
}
