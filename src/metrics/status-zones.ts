/*
 * The zones of a configuration that are counted, by name: status zones of servers and of locations, and the zones of
 * limits.
 */
import type { OutcomeCounters } from './outcome-counters.js';
import type { ZoneCounters } from './zone-counters.js';

/** Zones of one configuration; servers, or locations, with the same name in their status_zone share one. */
export class StatusZones {
  readonly servers: Map<string, ZoneCounters> = new Map();
  readonly locations: Map<string, ZoneCounters> = new Map();
  /** Of limit_req_zone: passed, delayed, rejected, delayed_dry_run, rejected_dry_run. */
  readonly limitReqs: Map<string, OutcomeCounters> = new Map();
  /** Of limit_conn_zone: passed, rejected, rejected_dry_run. */
  readonly limitConns: Map<string, OutcomeCounters> = new Map();
}
