/*
 * What limit_req does to a request at one level: pass, delay or refuse. Where several zones limit it, all of them count
 * it or none does, and it waits for the one that has it wait longest.
 */
import { sharedMs } from '../../../core/clock.js';
import type { LogLevel } from '../../../log/error-log.js';
import type { OutcomeCounters } from '../../../metrics/outcome-counters.js';
import { delayOutcome } from '../../../request/delay.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { DECLINED, type Outcome, type PhaseHandler } from '../../../request/phase.js';
import { LastingState } from '../../../request/request-state.js';
import { NO_ROOM, type RequestRates } from '../../../zones/request-rates.js';

/** $limit_req_status. A request is limited once, whatever redirects and subrequests come of it. */
export const STATUS: LastingState<Uppercase<LimitReqOutcome>> = new LastingState();

/** What became of a request, as it is counted by zone. */
export const OUTCOMES = ['passed', 'delayed', 'rejected', 'delayed_dry_run', 'rejected_dry_run'] as const;
type LimitReqOutcome = (typeof OUTCOMES)[number];

/** nginx's, for what a key may be. */
const MAX_KEY_BYTES = 65535;

/** A zone as the configuration declares it. */
export interface RateZone {
  readonly name: string;
  readonly key: RequestText;
  /** As written. */
  readonly keyText: string;
  /** Thousandths of a request a second. */
  readonly rate: number;
  readonly rates: RequestRates;
  readonly outcomes: OutcomeCounters<LimitReqOutcome>;
}

/** One limit_req. In thousandths of a request. */
export interface Limit {
  readonly zone: RateZone;
  readonly burst: number;
  /** Excess up to which nothing is delayed. */
  readonly undelayed: number;
}

export interface LimiterSettings {
  /** Of the line about a refused request. */
  readonly logLevel: 'info' | 'notice' | 'warn' | 'error';
  readonly status: number;
  readonly isDryRun: boolean;
}

const LEVEL_BELOW: Readonly<Record<LimiterSettings['logLevel'], LogLevel>> = {
  info: 'info',
  notice: 'info',
  warn: 'notice',
  error: 'warn',
};

/** The limits of one level. */
export class RequestLimiter {
  private readonly limits: readonly Limit[];
  private readonly settings: LimiterSettings;

  constructor(limits: readonly Limit[], settings: LimiterSettings) {
    this.limits = limits;
    this.settings = settings;
  }

  readonly handle: PhaseHandler = (request) => {
    if (STATUS.of(request) !== undefined) return DECLINED;
    const { limits } = this;
    const last = limits.length - 1;
    const nowMs = sharedMs(request.context.clock);
    let isLimited = false;
    let waitMs = 0;
    let excess = 0;
    let strictest = limits[last]!;
    for (let i = 0; i <= last; i++) {
      const limit = limits[i]!;
      const key = keyOf(limit.zone, request);
      if (key === '') continue;
      isLimited = true;
      const { rate, rates } = limit.zone;
      const ahead = i === last ? rates.take(key, rate, limit.burst, nowMs) : rates.probe(key, rate, nowMs);
      if (ahead > limit.burst || ahead === NO_ROOM) return this.refuse(request, limit.zone, ahead);
      if (i === last) {
        excess = ahead;
        waitMs = waitOf(limit, ahead);
      }
    }
    if (!isLimited) return DECLINED;
    // All let it pass, so now the others count it too.
    for (let i = last - 1; i >= 0; i--) {
      const limit = limits[i]!;
      const key = keyOf(limit.zone, request);
      if (key === '') continue;
      const ahead = limit.zone.rates.take(key, limit.zone.rate, Number.POSITIVE_INFINITY, nowMs);
      const ms = waitOf(limit, ahead);
      if (ms <= waitMs) continue;
      waitMs = ms;
      excess = ahead;
      strictest = limit;
    }
    if (waitMs > 0) return this.delay(request, strictest.zone, excess, waitMs);
    strictest.zone.outcomes.note('passed');
    STATUS.set(request, 'PASSED');
    return DECLINED;
  };

  private refuse(request: HttpRequest, zone: RateZone, excess: number): Outcome {
    const { logLevel, status, isDryRun } = this.settings;
    if (excess === NO_ROOM)
      logErrorOf(request, 'alert', `could not allocate node in limit_req zone "${zone.name}"`);
    else {
      const what = `limiting requests${isDryRun ? ', dry run' : ''}`;
      logErrorOf(request, logLevel, `${what}, excess: ${shown(excess)} by zone "${zone.name}"`);
    }
    zone.outcomes.note(isDryRun ? 'rejected_dry_run' : 'rejected');
    STATUS.set(request, isDryRun ? 'REJECTED_DRY_RUN' : 'REJECTED');
    return isDryRun ? DECLINED : status;
  }

  private delay(
    request: HttpRequest,
    zone: RateZone,
    excess: number,
    waitMs: number,
  ): Outcome | Promise<Outcome> {
    const { logLevel, isDryRun } = this.settings;
    const what = `delaying request${isDryRun ? ', dry run' : ''}`;
    logErrorOf(request, LEVEL_BELOW[logLevel], `${what}, excess: ${shown(excess)}, by zone "${zone.name}"`);
    zone.outcomes.note(isDryRun ? 'delayed_dry_run' : 'delayed');
    STATUS.set(request, isDryRun ? 'DELAYED_DRY_RUN' : 'DELAYED');
    return isDryRun ? DECLINED : delayOutcome(request, waitMs, DECLINED);
  }
}

/** '' where the zone doesn't count the request. */
function keyOf(zone: RateZone, request: HttpRequest): string {
  const key = zone.key.evaluate(request);
  if (key.length <= MAX_KEY_BYTES) return key;
  const what = `the value of the "${zone.keyText}" key is more than ${MAX_KEY_BYTES} bytes`;
  logErrorOf(request, 'error', `${what}: "${key}"`);
  return '';
}

function waitOf(limit: Limit, excess: number): number {
  return excess <= limit.undelayed ? 0 : Math.floor(((excess - limit.undelayed) * 1000) / limit.zone.rate);
}

function shown(excess: number): string {
  return `${Math.floor(excess / 1000)}.${String(excess % 1000).padStart(3, '0')}`;
}
