/*
 * The zones of a configuration that are counted, by name: status zones of servers and of locations, and the zones of
 * limits.
 */
import type { CacheCounters } from './cache-counters.js';
import type { OutcomeCounters } from './outcome-counters.js';
import type { ZoneCounters } from './zone-counters.js';

/** A cache as it is told. */
export interface CacheGauge {
  readonly sizeBytes: number;
  /** Infinity: no limit. */
  readonly maxBytes: number;
  /** Whether it is still to be found out what an earlier run left. */
  readonly isCold: boolean;
  readonly counters: CacheCounters;
}

/** Zones of one configuration; servers, or locations, with the same name in their status_zone share one. */
export class StatusZones {
  readonly servers: Map<string, ZoneCounters> = new Map();
  readonly locations: Map<string, ZoneCounters> = new Map();
  /** Of limit_req_zone: passed, delayed, rejected, delayed_dry_run, rejected_dry_run. */
  readonly limitReqs: Map<string, OutcomeCounters> = new Map();
  /** Of limit_conn_zone: passed, rejected, rejected_dry_run. */
  readonly limitConns: Map<string, OutcomeCounters> = new Map();
  /** Of resolvers with a status_zone: what they asked, and what was answered. */
  readonly resolvers: Map<string, OutcomeCounters> = new Map();
  readonly caches: Map<string, CacheGauge> = new Map();
}
