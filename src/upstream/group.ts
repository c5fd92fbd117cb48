/*
 * An upstream group: its peers, who is next, and what success and failure mean for a peer. How one
 * is chosen is a balancer's, connections are the pool's, whether to try again is the request's.
 */
import { type Clock, systemClock } from '../core/clock.js';
import type { ZoneLock } from '../zones/zone-lock.js';
import type { Affinity } from './affinity.js';
import type { Balancer, BalancerFactory, PickContext } from './balancers/balancer.js';
import { createRoundRobin } from './balancers/round-robin.js';
import { Peer, type PeerChange, PeerFlag, type PeerOptions } from './peer.js';
import type { WaitingRoom } from './waiting-room.js';

/** What pick() takes for a request's first try: no allocation. */
export const NO_PEERS: readonly Peer[] = [];

/** What a group is beside its peers. */
export interface GroupOptions {
  /** All workers', where the peers' records are theirs together. */
  readonly clock?: Clock;
  /** Held around changes of the peers' records; left out where they are one thread's own. */
  readonly lock?: ZoneLock;
  /** Default: round robin. */
  readonly balancer?: BalancerFactory;
  /** Peers come later, from DNS: none at all is no mistake. */
  readonly mayBeEmpty?: boolean;
}

/**
 * The peers of one name.
 *
 * For each try: pick(), then noteHeader() when an answer comes that goes to the client, noteSuccess() or
 * noteFailure() or, when the try says nothing of the peer (the client went away), neither, then release().
 *
 * Availability follows nginx 1.31. A failure counts until a success comes from a request that was
 * picked after failTimeoutMs had passed since that failure, the first of a new window. With
 * maxFails failures the peer is out for failTimeoutMs; then one request tries it, the others pass it
 * by for another failTimeoutMs or until that one succeeded. A failure also takes weight/maxFails
 * (whole number) off its effective weight. Backups are asked only when no other peer can be used.
 * When none at all can be used pick() gives null at once; nothing is reset, so a group recovers as
 * its peers' windows pass. A group of one single peer always uses it unless it is down or at its
 * max_conns, and counts no failures: there is nobody else to ask.
 */
export class UpstreamGroup {
  readonly name: string;
  /** Those asked first, then backups. */
  peers: readonly Peer[];
  /** Sticky sessions; null for none. */
  affinity: Affinity | null;
  /**
   * Called when failures have put a peer out; not again until it was up.
   * differs from nginx: it logs every failure from the max_fails-th on, which at a peer's death
   * under load is one line for each request under way.
   */
  onPeerDown: ((peer: Peer) => void) | null;
  /** Called when a peer that failures had put out has answered. */
  onPeerUp: ((peer: Peer) => void) | null;
  /** Where requests wait that can't have a peer at once; null where they aren't to. */
  waitingRoom: WaitingRoom | null;
  /** Called when it has other peers. */
  readonly onPeersChange: (() => void)[];
  readonly #clock: Clock;
  readonly #makeBalancer: BalancerFactory;
  /** The only peer, or null when there are several. */
  #singlePeer: Peer | null;
  #primaryPeers: readonly Peer[];
  #backupPeers: readonly Peer[];
  #primaries: Balancer | null;
  #backups: Balancer | null;
  readonly #context: PickContext;
  readonly #lock: ZoneLock | null;
  /** Peers that are no longer in the group and had requests then. */
  #leaving: readonly Peer[];

  /** Throws an Error when no peer is a primary one and none can come. */
  constructor(name: string, peers: readonly PeerOptions[], options: GroupOptions = {}) {
    this.name = name;
    this.peers = NO_PEERS;
    this.affinity = null;
    this.onPeerDown = null;
    this.onPeerUp = null;
    this.waitingRoom = null;
    this.onPeersChange = [];
    this.#clock = options.clock ?? systemClock;
    this.#lock = options.lock ?? null;
    this.#makeBalancer = options.balancer ?? createRoundRobin;
    this.#singlePeer = null;
    this.#primaryPeers = NO_PEERS;
    this.#backupPeers = NO_PEERS;
    this.#primaries = null;
    this.#backups = null;
    this.#context = { tried: NO_PEERS, nowMs: 0, subject: null };
    this.#leaving = NO_PEERS;
    this.setPeers(peers.map((each) => new Peer(each)));
    if (this.#primaries === null && !options.mayBeEmpty) {
      throw new Error(`Cannot use upstream "${name}": no peer besides backups; add one without backup`);
    }
  }

  /**
   * From now on these are its peers; those that stay are the same objects. Requests under way end on the peers they
   * have. To be called too when a weight has changed.
   */
  setPeers(peers: readonly Peer[]): void {
    const staying = new Set(peers);
    const hasLeft = (peer: Peer) => peer.activeRequests > 0 && !staying.has(peer);
    this.#leaving = [...this.#leaving, ...this.peers].filter(hasLeft);
    this.#primaryPeers = peers.filter((peer) => !peer.isBackup);
    this.#backupPeers = peers.filter((peer) => peer.isBackup);
    this.peers = [...this.#primaryPeers, ...this.#backupPeers];
    const [first] = this.#primaryPeers;
    this.#singlePeer = this.peers.length === 1 ? (first ?? null) : null;
    this.#primaries = first === undefined ? null : this.#makeBalancer(this.#primaryPeers);
    this.#backups = this.#backupPeers.length === 0 ? null : this.#makeBalancer(this.#backupPeers);
    for (const tell of this.onPeersChange) tell();
    this.waitingRoom?.wake();
  }

  /** By the clock that times of its peers are read from. */
  get nowMs(): number {
    return this.#clock.nowMs();
  }

  /** How many peers that were taken away still have requests. */
  get leavingCount(): number {
    this.#leaving = this.#leaving.filter((peer) => peer.activeRequests > 0);
    return this.#leaving.length;
  }

  /** Says something anew of a peer, from now on. */
  change(peer: Peer, change: PeerChange): void {
    const { weight } = peer;
    peer.change(change);
    if (change.isDown !== undefined) this.setFlags(peer, PeerFlag.down, change.isDown);
    if (change.isDraining !== undefined) this.setFlags(peer, PeerFlag.draining, change.isDraining);
    if (weight !== peer.weight) this.setPeers(this.peers);
    else this.waitingRoom?.wake();
  }

  /**
   * Whether a request that fails on `peer` after `tried` can hope for another one: as the group is now, and whether or
   * not they are well (nginx counts the tries beforehand).
   */
  hasOther(peer: Peer, tried: readonly Peer[]): boolean {
    const isOff = PeerFlag.down | PeerFlag.draining;
    return this.peers.some((each) => each !== peer && (each.flags & isOff) === 0 && !tried.includes(each));
  }

  /**
   * The peer for the next try of a request, or null when none is left ("no live upstreams"). tried
   * are the peers it must not get again, NO_PEERS at first; `subject` is the request or session itself, for balancers
   * and sticky sessions that go by what it says. A peer must be given back to release().
   */
  pick(tried: readonly Peer[], subject: unknown = null): Peer | null {
    const context = this.#context;
    context.tried = tried;
    const nowMs = this.#clock.nowMs();
    context.nowMs = nowMs;
    context.subject = subject;
    const wanted = this.affinity?.find(subject, this.peers) ?? null;
    this.#lock?.acquire();
    const peer = this.#choose(wanted);
    if (peer !== null) {
      peer.countActive(1);
      peer.requests++;
    }
    this.#lock?.release();
    context.tried = NO_PEERS;
    context.subject = null;
    if (peer === null) return null;
    peer.stats?.notePick(nowMs);
    this.affinity?.onPick(subject, peer);
    return peer;
  }

  #choose(wanted: string | null): Peer | null {
    if (this.#singlePeer !== null) return this.#pickSingle(this.#singlePeer, wanted);
    return (
      this.#pickFrom(this.#primaries, this.#primaryPeers, wanted) ??
      this.#pickFrom(this.#backups, this.#backupPeers, wanted)
    );
  }

  /** The head of an answer that goes to the client has come, headerMs after the try began. */
  noteHeader(peer: Peer, subject: unknown, headerMs: number): void {
    const balancer = this.#balancerOf(peer);
    if (balancer?.noteHeader !== undefined) {
      this.#lock?.acquire();
      balancer.noteHeader(peer, headerMs, this.#clock.nowMs());
      this.#lock?.release();
    }
    this.affinity?.onHeader(subject, peer);
  }

  /** The peer answered, whatever the status said, unless that counts as a failure. */
  noteSuccess(peer: Peer): void {
    if (peer.fails === 0 || peer.accessedAtMs >= peer.checkedAtMs) return;
    this.#lock?.acquire();
    const wasFailed = peer.isFailed;
    peer.fails = 0;
    if (wasFailed) peer.startSlowly(this.#clock.nowMs());
    this.#lock?.release();
    if (!wasFailed) return;
    this.#noteState(peer);
    this.onPeerUp?.(peer);
    this.waitingRoom?.wake();
  }

  /** The peer could not be connected to, timed out, broke off or answered what counts as a failure. */
  noteFailure(peer: Peer): void {
    peer.stats?.noteFailure();
    if (this.#singlePeer !== null) return;
    this.#lock?.acquire();
    const wasFailed = peer.isFailed;
    const nowMs = this.#clock.nowMs();
    peer.fails++;
    peer.accessedAtMs = nowMs;
    peer.checkedAtMs = nowMs;
    if (peer.maxFails > 0)
      peer.effectiveWeight = Math.max(0, peer.effectiveWeight - Math.trunc(peer.weight / peer.maxFails));
    this.#lock?.release();
    if (wasFailed || !peer.isFailed) return;
    peer.stats?.noteUnavailable();
    this.#noteState(peer);
    this.onPeerDown?.(peer);
  }

  /**
   * Ends the try that pick() began, after responseMs. Once for each picked peer. headerMs is when the head came of
   * the answer that went to the client; -1 if none of this try did.
   */
  release(peer: Peer, subject: unknown = null, headerMs = -1, responseMs = 0): void {
    this.#lock?.acquire();
    peer.countActive(-1);
    this.#balancerOf(peer)?.noteEnd?.(peer, headerMs, responseMs, this.#clock.nowMs());
    this.#lock?.release();
    if (headerMs >= 0) this.affinity?.onServed(subject, peer);
    this.waitingRoom?.wake();
  }

  /** Sets or clears flags of a peer (PeerFlag), and what follows from it. */
  setFlags(peer: Peer, flags: number, isSet: boolean): void {
    this.#lock?.acquire();
    const before = peer.flags;
    peer.flags = isSet ? before | flags : before & ~flags;
    const isBack = before !== 0 && peer.flags === 0;
    if (isBack) {
      peer.fails = 0;
      peer.startSlowly(this.#clock.nowMs());
    }
    this.#lock?.release();
    if ((~before & peer.flags & PeerFlag.unhealthy) !== 0) peer.stats?.noteUnhealthy();
    this.#noteState(peer);
    if (isBack) this.waitingRoom?.wake();
  }

  /** Counts how long it is out. */
  #noteState(peer: Peer): void {
    peer.stats?.noteOutage(peer.isOut, this.#clock.nowMs());
  }

  #balancerOf(peer: Peer): Balancer | null {
    return peer.isBackup ? this.#backups : this.#primaries;
  }

  #pickSingle(peer: Peer, wanted: string | null): Peer | null {
    const { tried } = this.#context;
    if (tried.length > 0 && tried.includes(peer)) return null;
    const isOff = wanted === peer.id ? peer.flags & ~PeerFlag.draining : peer.flags;
    if (isOff !== 0 || (peer.maxConns > 0 && peer.activeRequests >= peer.maxConns)) return null;
    this.#primaries!.charge?.(peer, this.#context);
    return peer;
  }

  #pickFrom(balancer: Balancer | null, peers: readonly Peer[], wanted: string | null): Peer | null {
    if (balancer === null) return null;
    const context = this.#context;
    let peer = wanted === null ? null : findById(peers, wanted, context);
    if (peer === null) peer = balancer.pick(context);
    else balancer.charge?.(peer, context);
    // Opens a new window: if the peer is a failed one, this request is its trial and no other passes.
    if (peer !== null && context.nowMs - peer.checkedAtMs > peer.failTimeoutMs) {
      peer.checkedAtMs = context.nowMs;
    }
    return peer;
  }
}

/** The first peer of that id, if a request that asks for it may have it. */
function findById(peers: readonly Peer[], id: string, { tried, nowMs }: PickContext): Peer | null {
  const peer = peers.find((each) => each.id === id);
  if (peer === undefined || tried.includes(peer) || !peer.isUsableByName(nowMs)) return null;
  return peer;
}
