/*
 * What a request that is over means for the counters of a route: its answer, its tries, what the cache had.
 */
import type { RouteCounters } from '../metrics/route-counters.js';
import { CACHE_USE } from '../request/cache-use.js';
import type { HttpRequest } from '../request/http-request.js';
import { DECLINED, type PhaseHandler } from '../request/phase.js';

/** A log handler that counts clients' requests there. */
export function makeRouteCounter(counters: RouteCounters): PhaseHandler {
  return (request) => {
    if (request.parent !== null) return DECLINED;
    counters.noteEnd(request.answeredStatus, request.requestTimeMs);
    if (request.tries.count > 0) countTries(counters, request);
    const cacheUse = CACHE_USE.of(request);
    if (cacheUse !== undefined) counters.noteCache(cacheUse.status);
    return DECLINED;
  };
}

function countTries(counters: RouteCounters, { tries }: HttpRequest): void {
  for (let i = 0; i < tries.count; i++) {
    const { isOfAnother, startMs, connectedMs, headerMs } = tries.at(i);
    if (i > 0 && !isOfAnother) counters.noteRetry();
    // A connection that was kept is there in the same moment.
    if (connectedMs > startMs) counters.noteConnect(connectedMs - startMs);
    if (headerMs >= 0) counters.noteHeader(headerMs - startMs);
  }
}
