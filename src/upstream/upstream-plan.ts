/*
 * What an `upstream {}` block says, gathered before a group is made of it.
 */
import type { Affinity } from './affinity.js';
import type { BalancerFactory } from './balancers/balancer.js';
import { createRoundRobin } from './balancers/round-robin.js';
import { DEFAULT_KEEPALIVE, type KeepaliveRules } from './keepalive-pool.js';
import { OWN_PEERS, type PeerMaker, type PeerSource } from './peer-source.js';
import type { PeerTable } from './peer-table.js';
import type { ServerListRules } from './server-list.js';
import type { WaitingRules } from './waiting-room.js';

/** Filled in by those whose directives stand in the block. */
export class UpstreamPlan {
  readonly name: string;
  readonly sources: PeerSource[];
  /** The peers' records where workers share them; null where there is one worker. */
  readonly table: PeerTable | null;
  balancer: BalancerFactory;
  /** The directive that chose the balancer; '' while it is the default. */
  balancerName: string;
  keepalive: KeepaliveRules;
  affinity: Affinity | null;
  /** '' for none. */
  zone: string;
  /** How its servers may be changed at run time; null in a group without a zone. */
  runtime: ServerListRules | null;
  /** How requests wait for a peer; null: not at all. */
  waiting: WaitingRules | null;

  constructor(name: string, table: PeerTable | null) {
    this.name = name;
    this.table = table;
    this.sources = [];
    this.balancer = createRoundRobin;
    this.balancerName = '';
    this.keepalive = DEFAULT_KEEPALIVE;
    this.affinity = null;
    this.zone = '';
    this.runtime = null;
    this.waiting = null;
  }

  /** Who makes the peers of a source; the number tells it from other sources of the group, in all workers alike. */
  makerOf(source: number): PeerMaker {
    const { table } = this;
    if (table === null) return OWN_PEERS;
    return {
      makePeer: (options) => table.makePeer(options, source),
      dropPeer: (peer) => table.dropPeer(peer),
    };
  }
}
