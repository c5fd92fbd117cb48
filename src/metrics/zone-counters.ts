/*
 * What a status_zone counts of the requests of its servers or locations, as NGINX Plus does.
 */
import type { WorkerPlace } from '../zones/worker-place.js';
import { CounterRows, counterBytes } from './counter-rows.js';
import { readStatusCounts, STATUS_SLOTS, type StatusCounts, statusSlot } from './status-table.js';

const PROCESSING = 0;
const REQUESTS = 1;
const DISCARDED = 2;
const RECEIVED = 3;
const SENT = 4;
const STATUSES = 5;
const SLOTS = STATUSES + STATUS_SLOTS;

/** Of one zone, over all workers and since its name came up in the configuration. */
export interface ZoneSnapshot {
  /** Requests under way; 0 for a zone of locations, which are known to be one's only in the end. */
  readonly processing: number;
  readonly requests: number;
  readonly responses: StatusCounts;
  /** Requests that ended without an answer. */
  readonly discarded: number;
  /** Bytes of requests, and of answers with their heads. */
  readonly received: number;
  readonly sent: number;
}

/** The counters of one zone. */
export class ZoneCounters {
  readonly name: string;
  private readonly rows: CounterRows;
  private readonly own: Float64Array;

  /** Bytes of memory that one needs. */
  static bytes(worker?: WorkerPlace): number {
    return counterBytes(SLOTS, worker);
  }

  /** @param memory of `ZoneCounters.bytes(worker)` bytes */
  constructor(name: string, memory: SharedArrayBuffer, worker?: WorkerPlace) {
    this.name = name;
    this.rows = new CounterRows(memory, SLOTS, worker);
    this.own = this.rows.own;
  }

  /** A request has come. */
  begin(): void {
    this.own[PROCESSING]!++;
    this.own[REQUESTS]!++;
  }

  /** One that began is over. `status` is 0 where there was no answer; bytes are what came of it and went out for it. */
  end(status: number, received: number, sent: number): void {
    this.own[PROCESSING]!--;
    this.countEnd(status, received, sent);
  }

  /** One that did not begin here has ended here. */
  note(status: number, received: number, sent: number): void {
    this.own[REQUESTS]!++;
    this.countEnd(status, received, sent);
  }

  /** The worker of that index has died, and the requests it had under way with it. */
  forget(index: number): void {
    this.rows.forget(PROCESSING, index);
  }

  /** Begins to count anew, but for what is under way. */
  reset(): void {
    for (let slot = REQUESTS; slot < SLOTS; slot++) this.rows.reset(slot);
  }

  snapshot(): ZoneSnapshot {
    const { rows } = this;
    return {
      processing: rows.sum(PROCESSING),
      requests: rows.sum(REQUESTS),
      responses: readStatusCounts((slot) => rows.sum(STATUSES + slot)),
      discarded: rows.sum(DISCARDED),
      received: rows.sum(RECEIVED),
      sent: rows.sum(SENT),
    };
  }

  private countEnd(status: number, received: number, sent: number): void {
    const { own } = this;
    own[status === 0 ? DISCARDED : STATUSES + statusSlot(status)]!++;
    own[RECEIVED]! += received;
    own[SENT]! += sent;
  }
}
