/*
 * The record of a request's tries at upstreams: which peers, how each ended, when, and what was sent. Read by the log,
 * by $upstream_* variables and by the choice of the next peer.
 */
import type { Clock } from '../core/clock.js';
import { formatSeconds } from '../log/seconds.js';
import { NO_PEERS } from '../upstream/group.js';
import type { Peer } from '../upstream/peer.js';
import type { PeerStats } from '../upstream/peer-stats.js';

/** One try; times are milliseconds of the clock, -1 where it did not get so far. Reused, see `begin`. */
export class Try {
  /** The peer's, or that of the group when none could be had. */
  name: string;
  /** Whether it is the first of another exchange: after an internal redirect, or of a subrequest. */
  isOfAnother: boolean;
  startMs: number;
  connectedMs: number;
  headerMs: number;
  endMs: number;
  status: number;
  bytesSent: number;
  bytesReceived: number;
  /** Of the response's body, framing not counted. */
  bodyBytes: number;
  /** What went wrong, as the error log has it; '' for nothing that ended it. */
  failure: string;

  constructor() {
    this.name = '';
    this.isOfAnother = false;
    this.startMs = 0;
    this.connectedMs = -1;
    this.headerMs = -1;
    this.endMs = -1;
    this.status = 0;
    this.bytesSent = 0;
    this.bytesReceived = 0;
    this.bodyBytes = 0;
    this.failure = '';
  }
}

/** Stands in before the first. */
const NO_TRY = new Try();

/** All tries of one request, the last one under way. */
export class UpstreamTries {
  /** Peers that failed the exchange under way and are not asked again in it. */
  failedPeers: readonly Peer[];
  count: number;
  /** The head of the last response as it came; '' before. For $upstream_http_* and $upstream_cookie_*. */
  responseHead: string;
  /** The trailer section of the last response as it came. */
  responseTrailer: string;
  /** Tries before the exchange under way. */
  private firstOfExchange: number;
  private readonly clock: Clock;
  /** Grows to the most tries a request of this connection took; the first `count` are this request's. */
  private readonly list: Try[];
  /** The one under way. */
  private last: Try;

  constructor(clock: Clock) {
    this.failedPeers = NO_PEERS;
    this.count = 0;
    this.responseHead = '';
    this.responseTrailer = '';
    this.firstOfExchange = 0;
    this.clock = clock;
    this.list = [];
    this.last = NO_TRY;
  }

  reset(): void {
    this.count = 0;
    this.failedPeers = NO_PEERS;
    this.responseHead = '';
    this.responseTrailer = '';
    this.firstOfExchange = 0;
  }

  /** An exchange begins; it is not the first where the request was redirected within. */
  beginExchange(): void {
    this.firstOfExchange = this.count;
    this.failedPeers = NO_PEERS;
    this.responseHead = '';
    this.responseTrailer = '';
  }

  begin(name: string): void {
    let next = this.list[this.count];
    if (next === undefined) {
      next = new Try();
      this.list.push(next);
    }
    next.isOfAnother = this.count > 0 && this.count === this.firstOfExchange;
    this.count++;
    this.last = next;
    next.name = name;
    next.startMs = this.clock.nowMs();
    next.connectedMs = -1;
    next.headerMs = -1;
    next.endMs = -1;
    next.status = 0;
    next.bytesSent = 0;
    next.bytesReceived = 0;
    next.bodyBytes = 0;
    next.failure = '';
  }

  connected(): void {
    if (this.count > 0) this.last.connectedMs = this.clock.nowMs();
  }

  sent(bytes: number): void {
    this.last.bytesSent += bytes;
  }

  received(bytes: number): void {
    this.last.bytesReceived += bytes;
  }

  gotHeader(status: number, head: string): void {
    this.last.headerMs = this.clock.nowMs();
    this.last.status = status;
    this.responseHead = head;
  }

  gotBody(bytes: number): void {
    this.last.bodyBytes += bytes;
  }

  /** The last try is over; `status` is what it counts as when no head came, 0 for none. `failure`: what ended it. */
  end(status: number, failure = ''): void {
    if (this.count === 0 || this.last.endMs >= 0) return;
    this.last.endMs = this.clock.nowMs();
    this.last.failure = failure;
    if (this.last.status === 0) this.last.status = status;
  }

  /** Has the last one counted, as it is now. `answeredMs` is when the head came of an answer that is used; else -1. */
  report(stats: PeerStats, answeredMs: number): void {
    const { headerMs, status, bytesSent, bytesReceived } = this.last;
    stats.noteEnd(headerMs < 0 ? 0 : status, bytesSent, bytesReceived, answeredMs, this.elapsedMs);
  }

  /** Marks the last try's peer as one not to be asked again for this request. */
  exclude(peer: Peer): void {
    this.failedPeers = [...this.failedPeers, peer];
  }

  /** One of the first `count`; valid until the request is over. */
  at(index: number): Readonly<Try> {
    return this.list[index]!;
  }

  /** Milliseconds since the last try began. */
  get elapsedMs(): number {
    return this.count === 0 ? 0 : this.clock.nowMs() - this.last.startMs;
  }

  /** Milliseconds from the last try's start to the head of its response; -1 without one. */
  get headerMs(): number {
    const { headerMs, startMs } = this.last;
    return headerMs < 0 ? -1 : headerMs - startMs;
  }

  get addresses(): string {
    return this.join((each) => each.name);
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
  get responseLengths(): string {
    return this.join((each) => String(each.bodyBytes));
  }
  get bytesSent(): string {
    return this.join((each) => String(each.bytesSent));
  }
  get bytesReceived(): string {
    return this.join((each) => String(each.bytesReceived));
  }

  /** As nginx joins them: a comma between tries, a colon where another exchange began. */
  private join(print: (each: Try) => string): string {
    if (this.count === 1) return print(this.last);
    let text = '';
    for (let i = 0; i < this.count; i++) {
      const each = this.list[i]!;
      if (i > 0) text += each.isOfAnother ? ' : ' : ', ';
      text += print(each);
    }
    return text;
  }
}

function secondsFrom(each: Try, atMs: number): string {
  return atMs < 0 ? '-' : formatSeconds(atMs - each.startMs);
}
