/*
 * What is counted by zones, as the API tells it: status zones of servers and locations, limits, caches, resolvers.
 */
import type { StatusZones } from '../../../metrics/status-zones.js';
import { ApiError } from './api-error.js';
import { type ApiCall, NOTHING, type Route } from './route.js';

/** Zones of one kind: what to tell of them, and the code of the error for a name that none of them has. */
interface Kind<T> {
  readonly path: string;
  readonly since: number;
  /** What stands for the name in the path, as NGINX Plus's reference has it. */
  readonly placeholder: string;
  readonly noun: string;
  readonly code: string;
  all(zones: StatusZones): ReadonlyMap<string, T>;
  describe(zone: T): unknown;
  /** Begins to count anew. */
  reset(zone: T): void;
}

export const ZONE_ROUTES: readonly Route[] = [
  ...routesOf({
    path: '/http/server_zones',
    since: 1,
    placeholder: 'httpServerZoneName',
    noun: 'server zone',
    code: 'ServerZoneNotFound',
    all: ({ servers }) => servers,
    describe: (zone) => zone.snapshot(),
    reset: (zone) => zone.reset(),
  }),
  ...routesOf({
    path: '/http/location_zones',
    since: 5,
    placeholder: 'httpLocationZoneName',
    noun: 'location zone',
    code: 'LocationZoneNotFound',
    all: ({ locations }) => locations,
    describe: (zone) => {
      const { processing, ...counts } = zone.snapshot();
      return counts;
    },
    reset: (zone) => zone.reset(),
  }),
  ...routesOf({
    path: '/http/limit_conns',
    since: 6,
    placeholder: 'httpLimitConnZoneName',
    noun: 'limit_conn zone',
    code: 'LimitConnNotFound',
    all: ({ limitConns }) => limitConns,
    describe: (zone) => zone.snapshot(),
    reset: (zone) => zone.reset(),
  }),
  ...routesOf({
    path: '/http/limit_reqs',
    since: 6,
    placeholder: 'httpLimitReqZoneName',
    noun: 'limit_req zone',
    code: 'LimitReqNotFound',
    all: ({ limitReqs }) => limitReqs,
    describe: (zone) => zone.snapshot(),
    reset: (zone) => zone.reset(),
  }),
  ...routesOf({
    path: '/http/caches',
    since: 1,
    placeholder: 'httpCacheZoneName',
    noun: 'cache',
    code: 'CacheNotFound',
    all: ({ caches }) => caches,
    describe: ({ sizeBytes, maxBytes, isCold, counters }) => ({
      size: sizeBytes,
      ...(maxBytes === Number.POSITIVE_INFINITY ? {} : { max_size: maxBytes }),
      cold: isCold,
      ...counters.snapshot(),
    }),
    reset: ({ counters }) => counters.reset(),
  }),
  ...routesOf({
    path: '/resolvers',
    since: 5,
    placeholder: 'resolverZoneName',
    noun: 'resolver zone',
    code: 'ResolverZoneNotFound',
    all: ({ resolvers }) => resolvers,
    describe: (zone) => {
      const { name, srv, addr, ...responses } = zone.snapshot();
      return { requests: { name, srv, addr }, responses };
    },
    reset: (zone) => zone.reset(),
  }),
];

/** All of a kind, and one of them. */
function routesOf<T>(kind: Kind<T>): Route[] {
  const { path, since, placeholder, noun, code, all, describe, reset } = kind;
  const find = ({ request, names }: ApiCall): T => {
    const zone = all(request.context.statusZones).get(names[0]!);
    if (zone !== undefined) return zone;
    throw new ApiError(404, code, `${noun} "${names[0]}" not found`);
  };
  return [
    {
      path,
      since,
      isMap: true,
      get: ({ request }) => {
        const zones = [...all(request.context.statusZones)];
        return Object.fromEntries(zones.map(([name, zone]) => [name, describe(zone)]));
      },
    },
    {
      path: `${path}/{${placeholder}}`,
      since,
      get: (call) => describe(find(call)),
      delete: (call) => {
        reset(find(call));
        return NOTHING;
      },
    },
  ];
}
