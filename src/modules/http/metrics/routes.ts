/*
 * Who counts what under which names: a zone for every server, and counters for every location. There are as many names
 * as the configuration has, up to a bound; what a client sends is never part of one.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import { RouteCounters } from '../../../metrics/route-counters.js';
import type { ZoneCounters } from '../../../metrics/zone-counters.js';
import { locationName } from '../../location-name.js';
import { BuildKey, type HttpBuild, type LocationBuild } from '../../module.js';
import { makeRouteCounter } from '../../route-counter.js';
import { STATUS_ZONES, zoneCounters } from '../../status-zones.js';
import type { WorkerHealth } from './worker-health.js';

/** Each is a series for each of a dozen metrics; what comes behind is counted as `other`. */
const MOST_ZONES = 200;
const MOST_ROUTES = 1000;
const OTHER = 'other';

/** A location of a zone. */
export interface Route {
  readonly zone: string;
  /** As written behind `location`; "-" for what ends on the level of the server. */
  readonly location: string;
  readonly counters: RouteCounters;
}

/** What one configuration counts for its metrics. */
export class Routes {
  /** Null: the configuration has no metrics. */
  health: WorkerHealth | null = null;
  /** By name: zones that status_zone has not named. */
  readonly zones: Map<string, ZoneCounters> = new Map();
  private readonly routes: Map<string, Route> = new Map();

  all(): Iterable<Route> {
    return this.routes.values();
  }

  /** Counts the requests of a level from now on. */
  watch(scope: Scope, build: LocationBuild): void {
    const { server } = build;
    server.zone ??= this.zoneOf(server.settings.serverName || '-', build);
    const { counters } = this.routeOf(server.zone.name, locationName(scope) ?? '-', build);
    build.addHandler('log', makeRouteCounter(counters));
  }

  private zoneOf(name: string, build: HttpBuild): ZoneCounters {
    // The same name in a status_zone is the same zone.
    const known = build.shared(STATUS_ZONES).servers.get(name) ?? this.zones.get(name);
    if (known !== undefined) return known;
    if (this.zones.size >= MOST_ZONES && name !== OTHER) return this.zoneOf(OTHER, build);
    const zone = zoneCounters(build, 'metrics zone', name);
    this.zones.set(name, zone);
    return zone;
  }

  private routeOf(zone: string, location: string, build: HttpBuild): Route {
    const key = `${zone}\n${location}`;
    const known = this.routes.get(key);
    if (known !== undefined) return known;
    const isOther = zone === OTHER && location === OTHER;
    if (this.routes.size >= MOST_ROUTES && !isOther) return this.routeOf(OTHER, OTHER, build);
    const memory = build.sharedMemory('metrics route', key, RouteCounters.bytes(build.worker));
    const make = () => new RouteCounters(memory, build.worker);
    const route = { zone, location, counters: build.carried('metrics route', key, make) };
    this.routes.set(key, route);
    return route;
  }
}

export const ROUTES: BuildKey<Routes> = new BuildKey('metrics routes', () => new Routes());
