/*
 * Variables that are made of others, in the configuration's own words (map, geo, split_clients), may lead back to
 * themselves. That is noticed here, when one is read.
 */
import { logErrorOf } from './error-line.js';
import type { HttpRequest } from './http-request.js';

/** How deep variables may be made of others (nginx has the same). */
const MAX_DEPTH = 100;

let depth = 0;

/** `get` for a variable of that name, with no value once it is read too deep within itself. */
export function guardCycles(
  name: string,
  get: (request: HttpRequest) => string | null,
): (request: HttpRequest) => string | null {
  return (request) => {
    if (depth === MAX_DEPTH) {
      logErrorOf(request, 'error', `cycle while evaluating variable "${name}"`);
      return null;
    }
    depth++;
    try {
      return get(request);
    } finally {
      depth--;
    }
  };
}
