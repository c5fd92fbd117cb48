/*
 * What has become of the requests of one peer, in numbers since it is there: what the status API tells. Peers of groups
 * without a zone are not counted.
 */
import { readStatusCounts, STATUS_SLOTS, type StatusCounts, statusSlot } from '../metrics/status-table.js';
import { ONLY_WORKER, type WorkerPlace } from '../zones/worker-place.js';

/** Where each worker counts for itself, as others do in rows of their own. */
const REQUESTS = 0;
const SELECTED_AT_MS = 1;
const SENT = 2;
const RECEIVED = 3;
const FAILS = 4;
const UNAVAIL = 5;
const HEADER_MS = 6;
const RESPONSE_MS = 7;
const CHECKS = 8;
const FAILED_CHECKS = 9;
const UNHEALTHY = 10;
/** What all write in the first row: it changes seldom. */
const LAST_CHECK = 11;
const DOWN_MS = 12;
const DOWN_SINCE_MS = 13;
const IS_DOWN = 14;
const STATUSES = 15;
const SLOTS = STATUSES + STATUS_SLOTS;

const PASSED = 1;
const FAILED = 2;

/** Bytes for the counts of one peer. */
export function peerStatsBytes({ count }: WorkerPlace): number {
  return count * SLOTS * Float64Array.BYTES_PER_ELEMENT;
}

/** Times are milliseconds of the clock that the group reads. */
export class PeerStats {
  private readonly rows: Float64Array;
  private readonly own: Float64Array;
  private readonly shared: Float64Array;

  /** In memory of this thread's own, or in `peerStatsBytes` of one that workers share, from byte `start` on. */
  constructor(
    memory: ArrayBufferLike = new ArrayBuffer(peerStatsBytes(ONLY_WORKER)),
    start = 0,
    worker: WorkerPlace = ONLY_WORKER,
  ) {
    const first = Math.max(0, worker.index) * SLOTS;
    this.rows = new Float64Array(memory, start, worker.count * SLOTS);
    this.own = this.rows.subarray(first, first + SLOTS);
    this.shared = this.rows.subarray(0, SLOTS);
  }

  /** A request, or another try of one, goes there. */
  notePick(nowMs: number): void {
    this.own[REQUESTS]!++;
    this.own[SELECTED_AT_MS] = nowMs;
  }

  /** A try is over. `status` is 0 where no head came, `headerMs` is -1 where none came that went to the client. */
  noteEnd(status: number, sent: number, received: number, headerMs: number, responseMs: number): void {
    const { own: slots } = this;
    slots[SENT]! += sent;
    slots[RECEIVED]! += received;
    if (status !== 0) slots[STATUSES + statusSlot(status)]!++;
    if (headerMs < 0) return;
    slots[HEADER_MS] = average(slots[HEADER_MS]!, headerMs);
    slots[RESPONSE_MS] = average(slots[RESPONSE_MS]!, responseMs);
  }

  /** A try has failed. */
  noteFailure(): void {
    this.own[FAILS]!++;
  }

  /** So many have that it gets no requests. */
  noteUnavailable(): void {
    this.own[UNAVAIL]!++;
  }

  /** A health check has passed, or hasn't. */
  noteCheck(hasPassed: boolean): void {
    this.own[CHECKS]!++;
    this.shared[LAST_CHECK] = hasPassed ? PASSED : FAILED;
    if (!hasPassed) this.own[FAILED_CHECKS]!++;
  }

  /** Health checks have put it out. */
  noteUnhealthy(): void {
    this.own[UNHEALTHY]!++;
  }

  /** Whether it is out now, by failures or by health checks. */
  noteOutage(isDown: boolean, nowMs: number): void {
    const { shared: slots } = this;
    if (isDown === (slots[IS_DOWN] === 1)) return;
    slots[IS_DOWN] = isDown ? 1 : 0;
    if (isDown) slots[DOWN_SINCE_MS] = nowMs;
    else slots[DOWN_MS]! += nowMs - slots[DOWN_SINCE_MS]!;
  }

  /** Begins to count anew; an outage under way begins now. */
  reset(nowMs: number): void {
    const isDown = this.shared[IS_DOWN] === 1;
    this.rows.fill(0);
    this.noteOutage(isDown, nowMs);
  }

  /** All of them as they are now. */
  read(nowMs: number): PeerCounts {
    const { shared } = this;
    const last = shared[LAST_CHECK]!;
    const isDown = shared[IS_DOWN] === 1;
    return {
      requests: this.sum(REQUESTS),
      selectedAtMs: this.each(SELECTED_AT_MS).reduce((a, b) => Math.max(a, b), 0),
      sent: this.sum(SENT),
      received: this.sum(RECEIVED),
      fails: this.sum(FAILS),
      unavail: this.sum(UNAVAIL),
      headerMs: this.mean(HEADER_MS),
      responseMs: this.mean(RESPONSE_MS),
      checks: this.sum(CHECKS),
      failedChecks: this.sum(FAILED_CHECKS),
      unhealthy: this.sum(UNHEALTHY),
      hasPassedLastCheck: last === 0 ? null : last === PASSED,
      downSinceMs: shared[DOWN_SINCE_MS]!,
      downMs: shared[DOWN_MS]! + (isDown ? nowMs - shared[DOWN_SINCE_MS]! : 0),
      responses: readStatusCounts((slot) => this.sum(STATUSES + slot)),
    };
  }

  private each(slot: number): number[] {
    return Array.from({ length: this.rows.length / SLOTS }, (_, row) => this.rows[row * SLOTS + slot]!);
  }

  private sum(slot: number): number {
    return this.each(slot).reduce((sum, count) => sum + count, 0);
  }

  /** Of those who have measured any. */
  private mean(slot: number): number {
    const measured = this.each(slot).filter((ms) => ms > 0);
    return measured.length === 0 ? 0 : measured.reduce((sum, ms) => sum + ms) / measured.length;
  }
}

/** What was counted of a peer by all workers. */
export interface PeerCounts {
  readonly requests: number;
  /** When it was last chosen; 0: never. */
  readonly selectedAtMs: number;
  readonly sent: number;
  readonly received: number;
  readonly fails: number;
  readonly unavail: number;
  /** Of answers that went to clients, the moving averages. */
  readonly headerMs: number;
  readonly responseMs: number;
  readonly checks: number;
  readonly failedChecks: number;
  readonly unhealthy: number;
  /** Null before the first. */
  readonly hasPassedLastCheck: boolean | null;
  /** When it last went out; 0: never. */
  readonly downSinceMs: number;
  /** How long it was out, all in all. */
  readonly downMs: number;
  readonly responses: StatusCounts;
}

/** As least time has it: the first value counts as it is, each other for a twentieth. */
function average(beforeMs: number, ms: number): number {
  return beforeMs === 0 ? ms : ms * 0.05 + beforeMs * 0.95;
}
