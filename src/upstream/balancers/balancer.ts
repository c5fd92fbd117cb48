/*
 * The seam between a group and its way of choosing. Each balancer is one file beside this one and
 * passes the one suite in contract.ts. Failures, windows and backups are the group's: see ../group.ts.
 */
import type { Peer } from '../peer.js';

/** What a choice may depend on. The group owns one and fills it anew for each pick: do not keep it. */
export interface PickContext {
  /** Peers this request has tried already. Seldom more than a few, so it is searched as it is. */
  tried: readonly Peer[];
  nowMs: number;
  /** Who asks: a request or a session. Read only by the key functions that a balancer was made with. */
  subject: unknown;
}

/** Chooses among the peers it was made for. */
export interface Balancer {
  /** A peer that is usable and not tried, or null. May change the peers' weights, nothing else. */
  pick(context: PickContext): Peer | null;
  /** `peer` gets the request though it was not picked here: the request asked for it. */
  charge?(peer: Peer, context: PickContext): void;
  /** The head of the response has come, after so many milliseconds. */
  noteHeader?(peer: Peer, headerMs: number, nowMs: number): void;
  /** The try is over after responseMs. headerMs is -1 when no answer of it went to the client. */
  noteEnd?(peer: Peer, headerMs: number, responseMs: number, nowMs: number): void;
}

/** Makes the balancer of some peers; called anew when peers come, go or change their weight. */
export type BalancerFactory = (peers: readonly Peer[]) => Balancer;

/** Whether the context's request may get the peer. */
export function canPick(peer: Peer, { tried, nowMs }: PickContext): boolean {
  return peer.isUsable(nowMs) && !(tried.length > 0 && tried.includes(peer));
}
