/*
 * How many client connections there are, and what they are doing: what stub_status tells. Counted by whoever accepts
 * connections and serves requests on them.
 */

/** What a connection is doing: a request's head comes in, or it is answered, or nothing. */
export type ConnectionActivity = 'reading' | 'writing' | 'waiting';

/** Counters of a server, over all its addresses. They live on when the configuration changes. */
export class ConnectionCounts {
  /** Since the start. */
  accepted = 0;
  handled = 0;
  requests = 0;
  /** Now. */
  active = 0;
  reading = 0;
  writing = 0;
  waiting = 0;

  /** A connection was accepted and waits for its first request. */
  noteOpened(): void {
    this.accepted++;
    this.handled++;
    this.active++;
    this.waiting++;
  }

  /** It does something else now. */
  change(from: ConnectionActivity, to: ConnectionActivity): void {
    this[from]--;
    this[to]++;
  }

  noteClosed(last: ConnectionActivity): void {
    this[last]--;
    this.active--;
  }
}
