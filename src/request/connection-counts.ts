/*
 * How many client connections there are, and what they are doing: what stub_status tells. Counted by whoever accepts
 * connections and serves requests on them. Each worker writes a row of its own, and who reads adds them up.
 */
import { MAX_WORKERS, ONLY_WORKER, type WorkerPlace } from '../zones/worker-place.js';

/** What a connection is doing: a request's head comes in, or it is answered, or nothing. */
export const ConnectionActivity = { reading: 0, writing: 1, waiting: 2 } as const;
export type ConnectionActivity = (typeof ConnectionActivity)[keyof typeof ConnectionActivity];

/** Behind the activities in a row. */
const ACCEPTED = 3;
const REQUESTS = 4;
/** What had been counted of both when that was last to begin anew. */
const ACCEPTED_BEFORE = 5;
const REQUESTS_BEFORE = 6;
const ROW_LENGTH = 8;

/** What the memory of the counts needs. */
export const CONNECTION_COUNTS_BYTES: number = MAX_WORKERS * ROW_LENGTH * 8;

/** Counters of a server, over all its addresses. They live on when the configuration changes. */
export class ConnectionCounts {
  private readonly rows: Float64Array;
  /** This worker's. */
  private readonly row: Float64Array;

  /** @param memory CONNECTION_COUNTS_BYTES of it */
  constructor(memory: SharedArrayBuffer, { index }: WorkerPlace = ONLY_WORKER) {
    this.rows = new Float64Array(memory);
    this.row = this.rowOf(Math.max(0, index));
  }

  /** Since the start. */
  get accepted(): number {
    return this.sum(ACCEPTED);
  }

  /** Since the start. */
  get requests(): number {
    return this.sum(REQUESTS);
  }

  /** Since they were to begin anew. */
  get acceptedSince(): number {
    return this.accepted - this.sum(ACCEPTED_BEFORE);
  }

  /** Likewise. */
  get requestsSince(): number {
    return this.requests - this.sum(REQUESTS_BEFORE);
  }

  beginAcceptedAnew(): void {
    this.row[ACCEPTED_BEFORE]! += this.acceptedSince;
  }

  beginRequestsAnew(): void {
    this.row[REQUESTS_BEFORE]! += this.requestsSince;
  }

  /** Now. */
  get active(): number {
    return this.reading + this.writing + this.waiting;
  }

  get reading(): number {
    return this.sum(ConnectionActivity.reading);
  }

  get writing(): number {
    return this.sum(ConnectionActivity.writing);
  }

  get waiting(): number {
    return this.sum(ConnectionActivity.waiting);
  }

  /** A connection was accepted and waits for its first request. */
  noteOpened(): void {
    this.row[ACCEPTED]!++;
    this.row[ConnectionActivity.waiting]!++;
  }

  noteRequest(): void {
    this.row[REQUESTS]!++;
  }

  /** It does something else now. */
  change(from: ConnectionActivity, to: ConnectionActivity): void {
    this.row[from]!--;
    this.row[to]!++;
  }

  noteClosed(last: ConnectionActivity): void {
    this.row[last]!--;
  }

  /** A worker has died, and its connections with it. */
  forget(index: number): void {
    this.rowOf(index).fill(0, 0, ACCEPTED);
  }

  private rowOf(index: number): Float64Array {
    return this.rows.subarray(index * ROW_LENGTH, (index + 1) * ROW_LENGTH);
  }

  private sum(column: number): number {
    let sum = 0;
    for (let at = column; at < this.rows.length; at += ROW_LENGTH) sum += this.rows[at]!;
    return sum;
  }
}
