/*
 * All routes, and how a path finds its own. What has routes below it and is no route itself lists them.
 */
import { ApiError } from './api-error.js';
import { GENERAL_ROUTES } from './general.js';
import { LAST_VERSION, type Route } from './route.js';
import { SERVER_ROUTES } from './servers.js';
import { UPSTREAM_ROUTES } from './upstreams.js';
import { ZONE_ROUTES } from './zones.js';

const LEAVES: readonly Route[] = [...GENERAL_ROUTES, ...ZONE_ROUTES, ...UPSTREAM_ROUTES, ...SERVER_ROUTES];

/** Each with the parts of its path. */
const TABLE = [listing(''), listing('/http'), ...LEAVES].map((route) => ({
  route,
  parts: partsOf(route.path),
}));

/** All of them, for documents about them. */
export const ROUTES: readonly Route[] = TABLE.map(({ route }) => route);

/** The route of a path and what stands for its `{...}`. Throws an ApiError when that version has none. */
export function findRoute(version: number, parts: readonly string[]): { route: Route; names: string[] } {
  for (const { route, parts: wanted } of TABLE) {
    if (route.since > version || wanted.length !== parts.length) continue;
    if (!wanted.every((part, i) => part.startsWith('{') || part === parts[i])) continue;
    return { route, names: parts.filter((_, i) => wanted[i]!.startsWith('{')) };
  }
  throw new ApiError(404, 'PathNotFound', `path "/${parts.join('/')}" not found in version ${version}`);
}

export function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

/** The names of what is below a path, for the version that is asked. */
function listing(path: string): Route {
  const depth = partsOf(path).length;
  return {
    path,
    since: 1,
    get: ({ version }) => {
      const below = LEAVES.filter((route) => route.since <= version && route.path.startsWith(`${path}/`));
      return [...new Set(below.map((route) => partsOf(route.path)[depth]!))];
    },
  };
}

/** The versions that there are. */
export const VERSIONS: readonly number[] = Array.from({ length: LAST_VERSION }, (_, i) => i + 1);
