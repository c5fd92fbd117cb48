/*
 * An upstream group: its peers, who is next, and what success and failure mean for a peer. How one
 * is chosen is a balancer's, connections are the pool's, whether to try again is the request's.
 */

import { type Clock, systemClock } from '../core/clock.js';
import type { Balancer, PickContext } from './balancers/balancer.js';
import { RoundRobinBalancer } from './balancers/round-robin.js';
import { Peer, type PeerOptions } from './peer.js';

/** What pick() takes for a request's first try: no allocation. */
export const NO_PEERS: readonly Peer[] = [];

/**
 * The peers of one name.
 *
 * For each try: pick(), then noteSuccess() or noteFailure() or, when the try says nothing of the
 * peer (the client went away), neither, then release().
 *
 * Availability follows nginx 1.31. A failure counts until a success comes from a request that was
 * picked after failTimeoutMs had passed since that failure, the first of a new window. With
 * maxFails failures the peer is out for failTimeoutMs; then one request tries it, the others pass it
 * by for another failTimeoutMs or until that one succeeded. A failure also takes weight/maxFails
 * (whole number) off its effective weight. Backups are asked only when no other peer can be used.
 * When none at all can be used pick() gives null at once; nothing is reset, so a group recovers as
 * its peers' windows pass. A group of one single peer always uses it unless it is down, and counts
 * no failures: there is nobody else to ask.
 */
export class UpstreamGroup {
  readonly name: string;
  readonly peers: readonly Peer[];
  /**
   * Called when failures have put a peer out; not again until it was up.
   * differs from nginx: it logs every failure from the max_fails-th on, which at a peer's death
   * under load is one line for each request under way.
   */
  onPeerDown: ((peer: Peer) => void) | null;
  /** Called when a peer that failures had put out has answered. */
  onPeerUp: ((peer: Peer) => void) | null;
  readonly #clock: Clock;
  /** The only peer, or null when there are several. */
  readonly #singlePeer: Peer | null;
  readonly #primaries: Balancer;
  readonly #backups: Balancer | null;
  readonly #context: PickContext;

  /** Throws an Error when no peer is a primary one. */
  constructor(name: string, peers: readonly PeerOptions[], clock: Clock = systemClock) {
    this.name = name;
    this.peers = peers.map((options) => new Peer(options));
    this.onPeerDown = null;
    this.onPeerUp = null;
    this.#clock = clock;
    const primaries = this.peers.filter((peer) => !peer.isBackup);
    const backups = this.peers.filter((peer) => peer.isBackup);
    const [first] = primaries;
    if (first === undefined) {
      throw new Error(`Cannot use upstream "${name}": no peer besides backups; add one without backup`);
    }
    this.#singlePeer = this.peers.length === 1 ? first : null;
    this.#primaries = new RoundRobinBalancer(primaries);
    this.#backups = backups.length > 0 ? new RoundRobinBalancer(backups) : null;
    this.#context = { tried: NO_PEERS, nowMs: 0 };
  }

  /**
   * The peer for the next try of a request, or null when none is left ("no live upstreams"). tried
   * are the peers it must not get again, NO_PEERS at first. A peer must be given back to release().
   */
  pick(tried: readonly Peer[]): Peer | null {
    const peer =
      this.#singlePeer === null ? this.#choose(tried) : this.#chooseSingle(this.#singlePeer, tried);
    if (peer !== null) peer.activeRequests++;
    return peer;
  }

  /** The peer answered, whatever the status said, unless that counts as a failure. */
  noteSuccess(peer: Peer): void {
    if (peer.fails === 0 || peer.accessedAtMs >= peer.checkedAtMs) return;
    const wasFailed = peer.isFailed;
    peer.fails = 0;
    if (wasFailed) this.onPeerUp?.(peer);
  }

  /** The peer could not be connected to, timed out, broke off or answered what counts as a failure. */
  noteFailure(peer: Peer): void {
    if (this.#singlePeer !== null) return;
    const wasFailed = peer.isFailed;
    const nowMs = this.#clock.nowMs();
    peer.fails++;
    peer.accessedAtMs = nowMs;
    peer.checkedAtMs = nowMs;
    if (peer.maxFails === 0) return;
    peer.effectiveWeight = Math.max(0, peer.effectiveWeight - Math.trunc(peer.weight / peer.maxFails));
    if (!wasFailed && peer.isFailed) this.onPeerDown?.(peer);
  }

  /** Ends the try that pick() began. Once for each picked peer. */
  release(peer: Peer): void {
    peer.activeRequests--;
  }

  #chooseSingle(peer: Peer, tried: readonly Peer[]): Peer | null {
    return peer.isDown || tried.includes(peer) ? null : peer;
  }

  #choose(tried: readonly Peer[]): Peer | null {
    const context = this.#context;
    const nowMs = this.#clock.nowMs();
    context.tried = tried;
    context.nowMs = nowMs;
    const peer = this.#primaries.pick(context) ?? this.#backups?.pick(context) ?? null;
    context.tried = NO_PEERS;
    // Opens a new window: if the peer is a failed one, this request is its trial and no other passes.
    if (peer !== null && nowMs - peer.checkedAtMs > peer.failTimeoutMs) peer.checkedAtMs = nowMs;
    return peer;
  }
}
