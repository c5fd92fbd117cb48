/*
 * What has become of the requests of one peer, in numbers since it is there: what the status API tells. Peers of groups
 * without a zone are not counted.
 */
import { readStatusCounts, STATUS_SLOTS, type StatusCounts, statusSlot } from '../metrics/status-table.js';

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
const LAST_CHECK = 11;
const DOWN_MS = 12;
const DOWN_SINCE_MS = 13;
const IS_DOWN = 14;
const STATUSES = 15;
const SLOTS = STATUSES + STATUS_SLOTS;

const PASSED = 1;
const FAILED = 2;

/** Times are milliseconds of the clock that the group reads. */
export class PeerStats {
  private readonly slots: Float64Array;

  constructor() {
    this.slots = new Float64Array(SLOTS);
  }

  /** A request, or another try of one, goes there. */
  notePick(nowMs: number): void {
    this.slots[REQUESTS]!++;
    this.slots[SELECTED_AT_MS] = nowMs;
  }

  /** A try is over. `status` is 0 where no head came, `headerMs` is -1 where none came that went to the client. */
  noteEnd(status: number, sent: number, received: number, headerMs: number, responseMs: number): void {
    const { slots } = this;
    slots[SENT]! += sent;
    slots[RECEIVED]! += received;
    if (status !== 0) slots[STATUSES + statusSlot(status)]!++;
    if (headerMs < 0) return;
    slots[HEADER_MS] = average(slots[HEADER_MS]!, headerMs);
    slots[RESPONSE_MS] = average(slots[RESPONSE_MS]!, responseMs);
  }

  /** A try has failed. */
  noteFailure(): void {
    this.slots[FAILS]!++;
  }

  /** So many have that it gets no requests. */
  noteUnavailable(): void {
    this.slots[UNAVAIL]!++;
  }

  /** A health check has passed, or hasn't. */
  noteCheck(hasPassed: boolean): void {
    this.slots[CHECKS]!++;
    this.slots[LAST_CHECK] = hasPassed ? PASSED : FAILED;
    if (!hasPassed) this.slots[FAILED_CHECKS]!++;
  }

  /** Health checks have put it out. */
  noteUnhealthy(): void {
    this.slots[UNHEALTHY]!++;
  }

  /** Whether it is out now, by failures or by health checks. */
  noteOutage(isDown: boolean, nowMs: number): void {
    const { slots } = this;
    if (isDown === (slots[IS_DOWN] === 1)) return;
    slots[IS_DOWN] = isDown ? 1 : 0;
    if (isDown) slots[DOWN_SINCE_MS] = nowMs;
    else slots[DOWN_MS]! += nowMs - slots[DOWN_SINCE_MS]!;
  }

  /** Begins to count anew; an outage under way begins now. */
  reset(nowMs: number): void {
    const isDown = this.slots[IS_DOWN] === 1;
    this.slots.fill(0);
    this.noteOutage(isDown, nowMs);
  }

  get requests(): number {
    return this.slots[REQUESTS]!;
  }
  /** When it was last chosen; 0: never. */
  get selectedAtMs(): number {
    return this.slots[SELECTED_AT_MS]!;
  }
  get sent(): number {
    return this.slots[SENT]!;
  }
  get received(): number {
    return this.slots[RECEIVED]!;
  }
  get fails(): number {
    return this.slots[FAILS]!;
  }
  get unavail(): number {
    return this.slots[UNAVAIL]!;
  }
  /** Of answers that went to clients, the moving averages. */
  get headerMs(): number {
    return this.slots[HEADER_MS]!;
  }
  get responseMs(): number {
    return this.slots[RESPONSE_MS]!;
  }
  get checks(): number {
    return this.slots[CHECKS]!;
  }
  get failedChecks(): number {
    return this.slots[FAILED_CHECKS]!;
  }
  get unhealthy(): number {
    return this.slots[UNHEALTHY]!;
  }
  /** Null before the first. */
  get hasPassedLastCheck(): boolean | null {
    const last = this.slots[LAST_CHECK]!;
    return last === 0 ? null : last === PASSED;
  }
  /** When it last went out; 0: never. */
  get downSinceMs(): number {
    return this.slots[DOWN_SINCE_MS]!;
  }
  get responses(): StatusCounts {
    return readStatusCounts((slot) => this.slots[STATUSES + slot]!);
  }

  /** How long it was out, all in all. */
  downMs(nowMs: number): number {
    const under = this.slots[IS_DOWN] === 1 ? nowMs - this.slots[DOWN_SINCE_MS]! : 0;
    return this.slots[DOWN_MS]! + under;
  }
}

/** As least time has it: the first value counts as it is, each other for a twentieth. */
function average(beforeMs: number, ms: number): number {
  return beforeMs === 0 ? ms : ms * 0.05 + beforeMs * 0.95;
}
