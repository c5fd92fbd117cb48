/*
 * The status zones of the configuration that is built: their counters live on across reloads.
 */
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
    zone = build.carried(kindOfZone, name, () => new ZoneCounters(memory, build.worker));
    zones.set(name, zone);
  }
  return zone;
}
