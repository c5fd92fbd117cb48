/*
 * What the page shows, put together from one answer of the server to the next.
 */
import type { RecentRequest } from '../src/modules/http/dashboard/recent-request.js';
import type { Snapshot, UpstreamSnapshot } from '../src/modules/http/dashboard/snapshot.js';
import { readSecond, type Second } from './series.js';

/** As long as the server remembers. */
const KEPT_MS = 600_000;
const MOST_CHANGES = 20;

/** A server that is not as it was. */
export interface PeerChange {
  readonly atMs: number;
  readonly upstream: string;
  readonly address: string;
  readonly from: string;
  readonly to: string;
}

export interface View {
  readonly snapshot: Snapshot;
  readonly seconds: readonly Second[];
  readonly slow: readonly RecentRequest[];
  readonly failed: readonly RecentRequest[];
  /** While this page was open, the latest first. */
  readonly changes: readonly PeerChange[];
  /** Tries a second of each server, by keyOf. */
  readonly rates: ReadonlyMap<string, number>;
  /** When another process was found to answer; null as long as it is the first. */
  readonly restartedAtMs: number | null;
  /** What of the history and of the requests is known, for the next question. */
  readonly lastAtMs: number;
  readonly seen: number;
}

/** Names a server among all. */
export function keyOf(upstream: string, address: string): string {
  return `${upstream} ${address}`;
}

export function nextView(before: View | null, snapshot: Snapshot): View {
  const { history, recent, wallMs, nowMs, startedAtMs } = snapshot;
  const isSame = before !== null && before.snapshot.startedAtMs === startedAtMs;
  const old = isSame ? before : null;
  const news = history.map((row) => readSecond(row, wallMs - nowMs));
  const seconds = [...(old?.seconds ?? []), ...news].filter(({ atMs }) => atMs > wallMs - KEPT_MS);
  return {
    snapshot,
    seconds,
    slow: recent?.slow ?? old?.slow ?? [],
    failed: recent?.failed ?? old?.failed ?? [],
    changes: [...changesOf(before, snapshot), ...(before?.changes ?? [])].slice(0, MOST_CHANGES),
    rates: ratesOf(old, snapshot),
    restartedAtMs: before === null || isSame ? (before?.restartedAtMs ?? null) : wallMs,
    lastAtMs: history.at(-1)?.[0] ?? old?.lastAtMs ?? -1,
    seen: recent?.version ?? old?.seen ?? -1,
  };
}

function changesOf(before: View | null, { upstreams, wallMs }: Snapshot): PeerChange[] {
  if (before === null) return [];
  const states = new Map(eachPeer(before.snapshot.upstreams).map(({ key, peer }) => [key, peer.state]));
  return eachPeer(upstreams).flatMap(({ key, name, peer }) => {
    const from = states.get(key);
    if (from === undefined || from === peer.state) return [];
    return [{ atMs: wallMs, upstream: name, address: peer.address, from, to: peer.state }];
  });
}

function ratesOf(old: View | null, { upstreams, nowMs }: Snapshot): Map<string, number> {
  if (old === null) return new Map();
  const seconds = (nowMs - old.snapshot.nowMs) / 1000;
  const counts = new Map(eachPeer(old.snapshot.upstreams).map(({ key, peer }) => [key, peer.requests]));
  return new Map(
    eachPeer(upstreams).map(({ key, peer }) => {
      const news = peer.requests - (counts.get(key) ?? peer.requests);
      return [key, seconds > 0 && news > 0 ? news / seconds : 0];
    }),
  );
}

function eachPeer(upstreams: readonly UpstreamSnapshot[]) {
  return upstreams.flatMap(({ name, peers }) =>
    peers.map((peer) => ({ key: keyOf(name, peer.address), name, peer })),
  );
}
