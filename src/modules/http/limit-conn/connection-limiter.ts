/*
 * What limit_conn does to a request at one level: count it until it is over, or refuse it. As in nginx, a connection
 * counts while a request of it is under way.
 */
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest, RequestEnding } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { DECLINED, type Outcome, type PhaseHandler } from '../../../request/phase.js';
import { LastingState } from '../../../request/request-state.js';
import { type ConnectionCounts, LIMIT_REACHED, ZONE_FULL } from '../../../zones/connection-counts.js';

/** $limit_conn_status. A request is counted once, whatever redirects and subrequests come of it. */
export const STATUS: LastingState<'PASSED' | 'REJECTED' | 'REJECTED_DRY_RUN'> = new LastingState();

/** nginx's, for what a key may be. */
const MAX_KEY_BYTES = 255;

/** A zone as the configuration declares it. */
export interface CountZone {
  readonly name: string;
  readonly key: RequestText;
  /** As written. */
  readonly keyText: string;
  readonly counts: ConnectionCounts;
}

/** One limit_conn. */
export interface Limit {
  readonly zone: CountZone;
  readonly most: number;
}

export interface LimiterSettings {
  readonly logLevel: 'info' | 'notice' | 'warn' | 'error';
  readonly status: number;
  readonly isDryRun: boolean;
}

/** The limits of one level. */
export class ConnectionLimiter {
  private readonly limits: readonly Limit[];
  private readonly settings: LimiterSettings;

  constructor(limits: readonly Limit[], settings: LimiterSettings) {
    this.limits = limits;
    this.settings = settings;
  }

  readonly handle: PhaseHandler = (request) => {
    if (STATUS.of(request) !== undefined) return DECLINED;
    let held: Held | null = null;
    for (const { zone, most } of this.limits) {
      const key = keyOf(zone, request);
      if (key === '') continue;
      const ticket = zone.counts.take(key, most);
      if (ticket === LIMIT_REACHED || ticket === ZONE_FULL) {
        held?.onRequestEnd();
        return this.refuse(request, zone, ticket);
      }
      held = new Held(zone.counts, ticket, held);
    }
    if (held === null) return DECLINED;
    STATUS.set(request, 'PASSED');
    request.whenEnded(held);
    return DECLINED;
  };

  private refuse(request: HttpRequest, zone: CountZone, reason: number): Outcome {
    const { logLevel, status, isDryRun } = this.settings;
    if (reason === ZONE_FULL) logErrorOf(request, 'crit', `no memory in limit_conn_zone "${zone.name}"`);
    else {
      const what = `limiting connections${isDryRun ? ', dry run,' : ''}`;
      logErrorOf(request, logLevel, `${what} by zone "${zone.name}"`);
    }
    STATUS.set(request, isDryRun ? 'REJECTED_DRY_RUN' : 'REJECTED');
    return isDryRun ? DECLINED : status;
  }
}

/** Where a request is counted: let go when it is over. */
class Held implements RequestEnding {
  private readonly counts: ConnectionCounts;
  private readonly ticket: number;
  private readonly others: Held | null;

  constructor(counts: ConnectionCounts, ticket: number, others: Held | null) {
    this.counts = counts;
    this.ticket = ticket;
    this.others = others;
  }

  onRequestEnd(): void {
    this.counts.release(this.ticket);
    this.others?.onRequestEnd();
  }
}

/** '' where the zone doesn't count the request. */
function keyOf(zone: CountZone, request: HttpRequest): string {
  const key = zone.key.evaluate(request);
  if (key.length <= MAX_KEY_BYTES) return key;
  const what = `the value of the "${zone.keyText}" key is more than ${MAX_KEY_BYTES} bytes`;
  logErrorOf(request, 'error', `${what}: "${key}"`);
  return '';
}
