/*
 * The status zones of the configuration that is built: their counters live on across reloads.
 */
import { OutcomeCounters, outcomeBytes } from '../metrics/outcome-counters.js';
import { StatusZones } from '../metrics/status-zones.js';
import { ZoneCounters } from '../metrics/zone-counters.js';
import { BuildKey, type HttpBuild } from './module.js';

export const STATUS_ZONES: BuildKey<StatusZones> = new BuildKey('status zones', () => new StatusZones());

/** The counters of that name; what they have counted before goes on. */
export function statusZone(build: HttpBuild, kind: 'servers' | 'locations', name: string): ZoneCounters {
  const zones = build.shared(STATUS_ZONES)[kind];
  let zone = zones.get(name);
  if (zone === undefined) {
    const kindOfZone = `status_zone ${kind}`;
    const memory = build.sharedMemory(kindOfZone, name, ZoneCounters.bytes);
    zone = build.carried(kindOfZone, name, () => new ZoneCounters(name, memory, build.worker));
    zones.set(name, zone);
  }
  return zone;
}

/** The counters of a limit's zone; what they have counted before goes on. */
export function limitOutcomes<Name extends string>(
  build: HttpBuild,
  kind: 'limitReqs' | 'limitConns',
  name: string,
  outcomes: readonly Name[],
): OutcomeCounters<Name> {
  const memory = build.sharedMemory(kind, name, outcomeBytes(outcomes));
  const counters = build.carried(kind, name, () => new OutcomeCounters(outcomes, memory, build.worker));
  build.shared(STATUS_ZONES)[kind].set(name, counters as unknown as OutcomeCounters);
  return counters;
}
