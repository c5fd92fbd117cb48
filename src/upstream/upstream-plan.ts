/*
 * What an `upstream {}` block says, gathered before a group is made of it.
 */
import type { Affinity } from './affinity.js';
import type { BalancerFactory } from './balancers/balancer.js';
import { createRoundRobin } from './balancers/round-robin.js';
import { DEFAULT_KEEPALIVE, type KeepaliveRules } from './keepalive-pool.js';
import { OWN_PEERS, type PeerMaker, type PeerSource } from './peer-source.js';
import type { PeerTable } from './peer-table.js';
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
    this.waiting = null;
  }

  /** Who makes the peers of the next source. */
  get maker(): PeerMaker {
    const { table, sources } = this;
    if (table === null) return OWN_PEERS;
    const source = sources.length;
    return {
      makePeer: (options) => table.makePeer(options, source),
      dropPeer: (peer) => table.dropPeer(peer, source),
    };
  }
}
