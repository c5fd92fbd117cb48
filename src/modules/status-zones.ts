/*
 * The status zones of the configuration that is built: their counters live on across reloads.
 */
import { OutcomeCounters, outcomeBytes } from '../metrics/outcome-counters.js';
import { StatusZones } from '../metrics/status-zones.js';
import { ZoneCounters } from '../metrics/zone-counters.js';
import { RESOLVER_EVENTS, type ResolverEvent } from '../net/resolver/resolver.js';
import { BuildKey, type HttpBuild } from './module.js';

export const STATUS_ZONES: BuildKey<StatusZones> = new BuildKey('status zones', () => new StatusZones());

/** The counters of that name; what they have counted before goes on. */
export function statusZone(build: HttpBuild, kind: 'servers' | 'locations', name: string): ZoneCounters {
  const zones = build.shared(STATUS_ZONES)[kind];
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = zoneCounters(build, `status_zone ${kind}`, name);
    zones.set(name, zone);
  }
  return zone;
}

/** Counters by what they are for and their name, which live on. */
export function zoneCounters(build: HttpBuild, kind: string, name: string): ZoneCounters {
  const memory = build.sharedMemory(kind, name, ZoneCounters.bytes(build.worker));
  const zone = build.carried(kind, name, () => new ZoneCounters(name, memory, build.worker));
  build.onWorkerDeath((index) => zone.forget(index));
  return zone;
}

/** The counters of resolvers with that status_zone; what they have counted before goes on. */
export function resolverZone(build: HttpBuild, name: string): OutcomeCounters<ResolverEvent> {
  return outcomes(build, 'resolvers', name, RESOLVER_EVENTS);
}

/** The counters of a limit's zone; what they have counted before goes on. */
export function limitOutcomes<Name extends string>(
  build: HttpBuild,
  kind: 'limitReqs' | 'limitConns',
  name: string,
  names: readonly Name[],
): OutcomeCounters<Name> {
  return outcomes(build, kind, name, names);
}

function outcomes<Name extends string>(
  build: HttpBuild,
  kind: 'limitReqs' | 'limitConns' | 'resolvers',
  name: string,
  names: readonly Name[],
): OutcomeCounters<Name> {
  const memory = build.sharedMemory(kind, name, outcomeBytes(names, build.worker));
  const counters = build.carried(kind, name, () => new OutcomeCounters(names, memory, build.worker));
  build.shared(STATUS_ZONES)[kind].set(name, counters as unknown as OutcomeCounters);
  return counters;
}
