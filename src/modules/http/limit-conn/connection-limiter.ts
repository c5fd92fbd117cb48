/*
 * What limit_conn does to a request at one level: count it until it is over, or refuse it. As in nginx, a connection
 * counts while a request of it is under way.
 */
import type { OutcomeCounters } from '../../../metrics/outcome-counters.js';
import type { ClientSide } from '../../../request/client-side.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest, RequestEnding } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { DECLINED, type Outcome, type PhaseHandler } from '../../../request/phase.js';
import { LastingState } from '../../../request/request-state.js';
import { type ConnectionCounts, LIMIT_REACHED, ZONE_FULL } from '../../../zones/connection-counts.js';

/** $limit_conn_status. A request is counted once, whatever redirects and subrequests come of it. */
export const STATUS: LastingState<Uppercase<LimitConnOutcome>> = new LastingState();

/** What became of a request, as it is counted by zone. */
export const OUTCOMES = ['passed', 'rejected', 'rejected_dry_run'] as const;
type LimitConnOutcome = (typeof OUTCOMES)[number];

/** nginx's, for what a key may be. */
const MAX_KEY_BYTES = 255;

/** A zone as the configuration declares it. */
export interface CountZone {
  readonly name: string;
  readonly key: RequestText;
  /** As written. */
  readonly keyText: string;
  readonly counts: ConnectionCounts;
  readonly outcomes: OutcomeCounters<LimitConnOutcome>;
  /** Who holds the places of each key here. */
  readonly places: Map<string, Set<Place>>;
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
    let last: Place | null = null;
    for (const { zone, most } of this.limits) {
      const key = keyOf(zone, request);
      if (key === '') continue;
      let ticket = zone.counts.take(key, most);
      if (ticket === LIMIT_REACHED && freePlace(zone, key)) ticket = zone.counts.take(key, most);
      if (ticket === LIMIT_REACHED || ticket === ZONE_FULL) {
        last?.onRequestEnd();
        return this.refuse(request, zone, ticket);
      }
      last = new Place(zone, key, ticket, request.main.client, last);
    }
    if (last === null) return DECLINED;
    last.zone.outcomes.note('passed');
    STATUS.set(request, 'PASSED');
    request.whenEnded(last);
    return DECLINED;
  };

  private refuse(request: HttpRequest, zone: CountZone, reason: number): Outcome {
    const { logLevel, status, isDryRun } = this.settings;
    if (reason === ZONE_FULL) logErrorOf(request, 'crit', `no memory in limit_conn_zone "${zone.name}"`);
    else {
      const what = `limiting connections${isDryRun ? ', dry run,' : ''}`;
      logErrorOf(request, logLevel, `${what} by zone "${zone.name}"`);
    }
    zone.outcomes.note(isDryRun ? 'rejected_dry_run' : 'rejected');
    STATUS.set(request, isDryRun ? 'REJECTED_DRY_RUN' : 'REJECTED');
    return isDryRun ? DECLINED : status;
  }
}

/** What a request holds of a zone until it is over. */
class Place implements RequestEnding {
  readonly client: ClientSide;
  readonly zone: CountZone;
  private readonly key: string;
  private readonly ticket: number;
  /** That of another zone; null without. */
  private readonly other: Place | null;

  constructor(zone: CountZone, key: string, ticket: number, client: ClientSide, other: Place | null) {
    this.client = client;
    this.zone = zone;
    this.key = key;
    this.ticket = ticket;
    this.other = other;
    const places = zone.places.get(key);
    if (places === undefined) zone.places.set(key, new Set([this]));
    else places.add(this);
  }

  onRequestEnd(): void {
    this.release();
    this.other?.onRequestEnd();
  }

  /** Does nothing the second time. */
  release(): void {
    const { places, counts } = this.zone;
    const ofKey = places.get(this.key);
    if (ofKey?.delete(this) !== true) return;
    if (ofKey.size === 0) places.delete(this.key);
    counts.release(this.ticket);
  }
}

/**
 * Takes the place of a client that has ended its side and waits, which may be the very one that asks again: it closed
 * the connection and made a new one. Whether there was one.
 */
function freePlace(zone: CountZone, key: string): boolean {
  for (const place of zone.places.get(key) ?? []) {
    if (!place.client.leaveIfEnded()) continue;
    place.release();
    return true;
  }
  return false;
}

/** '' where the zone doesn't count the request. */
function keyOf(zone: CountZone, request: HttpRequest): string {
  const key = zone.key.evaluate(request);
  if (key.length <= MAX_KEY_BYTES) return key;
  const what = `the value of the "${zone.keyText}" key is more than ${MAX_KEY_BYTES} bytes`;
  logErrorOf(request, 'error', `${what}: "${key}"`);
  return '';
}
