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
}

/** Chooses among the peers it was made for. */
export interface Balancer {
  /** A peer that is usable and not tried, or null. May change the peers' weights, nothing else. */
  pick(context: PickContext): Peer | null;
}
