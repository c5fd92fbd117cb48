/*
 * The content handler that has requests answered by an upstream: where to, whether a stored answer will do, and an
 * exchange for what is asked there.
 */
import { type CacheUse, cacheUseOf } from './cache-use.js';
import type { HttpRequest } from './http-request.js';
import { DONE, type Outcome } from './phase.js';
import { startSubrequest } from './subrequest.js';
import { startExchange } from './upstream-exchange.js';
import type { Destination, UpstreamSettings } from './upstream-settings.js';

const NOT_ALLOWED = 405;

/** Has the request answered by an upstream. */
export function askUpstream(request: HttpRequest, settings: UpstreamSettings): Outcome | Promise<Outcome> {
  // security: an origin might take it, and its answer would be a tunnel that nobody here asked for.
  // differs from nginx: it passes CONNECT on like any method where something else in the server opens tunnels.
  if (request.method === 'CONNECT') return NOT_ALLOWED;
  const destination = settings.destination ?? settings.choose!(request);
  if (typeof destination === 'number') return destination;
  if (destination instanceof Promise) {
    const { turn } = request;
    return destination.then((chosen) => {
      if (typeof chosen === 'number') return chosen;
      return request.isOver || request.turn !== turn ? DONE : ask(request, settings, chosen);
    });
  }
  return ask(request, settings, destination);
}

function ask(
  request: HttpRequest,
  settings: UpstreamSettings,
  destination: Destination,
  isUpdate = false,
): Outcome {
  const cacheUse: CacheUse | number | null =
    settings.cache === null ? null : cacheUseOf(request, settings, destination);
  if (typeof cacheUse === 'number') return cacheUse;
  if (cacheUse === null) startExchange(request, settings, destination, null);
  else {
    request.tries.beginExchange();
    cacheUse.look(startExchange, isUpdate ? null : updateInBackground);
  }
  return DONE;
}

/** Asks once more for the same, of which nobody gets the answer but the cache. */
function updateInBackground(
  request: HttpRequest,
  settings: UpstreamSettings,
  destination: Destination,
): void {
  startSubrequest(request, request.path, request.args, {
    body: 'none',
    isBackground: true,
    method: request.method,
    answer: (update) => ask(update, settings, destination, true),
  });
}
