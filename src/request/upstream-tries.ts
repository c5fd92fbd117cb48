/*
 * The record of a request's tries at upstreams: which peers, how each ended and when. Read by the access log
 * and by the choice of the next peer.
 */
import type { Clock } from '../core/clock.js';
import { formatSeconds } from '../log/seconds.js';
import { NO_PEERS } from '../upstream/group.js';
import type { Peer } from '../upstream/peer.js';

/** One try; times are milliseconds of the clock, -1 where it did not get so far. Reused, see `begin`. */
class Try {
  peer: Peer;
  startMs: number;
  connectedMs: number;
  headerMs: number;
  endMs: number;
  status: number;

  constructor(peer: Peer) {
    this.peer = peer;
    this.startMs = 0;
    this.connectedMs = -1;
    this.headerMs = -1;
    this.endMs = -1;
    this.status = 0;
  }
}

/** All tries of one request, the last one under way. */
export class UpstreamTries {
  /** Peers that failed this request and are not asked again. */
  failedPeers: readonly Peer[];
  count: number;
  private readonly clock: Clock;
  /** Grows to the most tries a request of this connection took; the first `count` are this request's. */
  private readonly list: Try[];

  constructor(clock: Clock) {
    this.failedPeers = NO_PEERS;
    this.count = 0;
    this.clock = clock;
    this.list = [];
  }

  reset(): void {
    this.count = 0;
    this.failedPeers = NO_PEERS;
  }

  begin(peer: Peer): void {
    let next = this.list[this.count];
    if (next === undefined) {
      next = new Try(peer);
      this.list.push(next);
    }
    this.count++;
    next.peer = peer;
    next.startMs = this.clock.nowMs();
    next.connectedMs = -1;
    next.headerMs = -1;
    next.endMs = -1;
    next.status = 0;
  }

  connected(): void {
    if (this.count > 0) this.last.connectedMs = this.clock.nowMs();
  }

  gotHeader(status: number): void {
    if (this.count === 0) return;
    this.last.headerMs = this.clock.nowMs();
    this.last.status = status;
  }

  /** The last try is over; `status` is what it counts as when no head came, 0 for none. */
  end(status: number): void {
    if (this.count === 0 || this.last.endMs >= 0) return;
    this.last.endMs = this.clock.nowMs();
    if (this.last.status === 0) this.last.status = status;
  }

  /** Marks the last try's peer as one not to be asked again for this request. */
  exclude(peer: Peer): void {
    this.failedPeers = [...this.failedPeers, peer];
  }

  /** Milliseconds since the last try began. */
  get elapsedMs(): number {
    return this.count === 0 ? 0 : this.clock.nowMs() - this.last.startMs;
  }

  get addresses(): string {
    return this.join((each) => each.peer.name);
  }
  get statuses(): string {
    return this.join((each) => (each.status === 0 ? '-' : String(each.status)));
  }
  get connectTimes(): string {
    return this.join((each) => secondsFrom(each, each.connectedMs));
  }
  get headerTimes(): string {
    return this.join((each) => secondsFrom(each, each.headerMs));
  }
  get responseTimes(): string {
    return this.join((each) => secondsFrom(each, each.endMs));
  }

  private get last(): Try {
    return this.list[this.count - 1]!;
  }

  private join(print: (each: Try) => string): string {
    if (this.count === 1) return print(this.last);
    return this.list.slice(0, this.count).map(print).join(', ');
  }
}

function secondsFrom(each: Try, atMs: number): string {
  return atMs < 0 ? '-' : formatSeconds(atMs - each.startMs);
}
