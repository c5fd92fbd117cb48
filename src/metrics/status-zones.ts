/*
 * The status zones of a configuration by name: of servers, and of locations.
 */
import type { ZoneCounters } from './zone-counters.js';

/** Zones of one configuration; servers, or locations, with the same name in their status_zone share one. */
export class StatusZones {
  readonly servers: Map<string, ZoneCounters> = new Map();
  readonly locations: Map<string, ZoneCounters> = new Map();

  /** The worker of that index has died, and the requests it had under way with it. */
  forget(index: number): void {
    for (const zone of this.servers.values()) zone.forget(index);
  }
}
