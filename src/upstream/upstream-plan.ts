/*
 * What an `upstream {}` block says, gathered before a group is made of it.
 */
import type { Affinity } from './affinity.js';
import type { BalancerFactory } from './balancers/balancer.js';
import { createRoundRobin } from './balancers/round-robin.js';
import { DEFAULT_KEEPALIVE, type KeepaliveRules } from './keepalive-pool.js';
import type { PeerSource } from './peer-source.js';
import type { WaitingRules } from './waiting-room.js';

/** Filled in by those whose directives stand in the block. */
export class UpstreamPlan {
  readonly name: string;
  readonly sources: PeerSource[];
  balancer: BalancerFactory;
  /** The directive that chose the balancer; '' while it is the default. */
  balancerName: string;
  keepalive: KeepaliveRules;
  affinity: Affinity | null;
  /** '' for none. */
  zone: string;
  /** How requests wait for a peer; null: not at all. */
  waiting: WaitingRules | null;

  constructor(name: string) {
    this.name = name;
    this.sources = [];
    this.balancer = createRoundRobin;
    this.balancerName = '';
    this.keepalive = DEFAULT_KEEPALIVE;
    this.affinity = null;
    this.zone = '';
    this.waiting = null;
  }
}
