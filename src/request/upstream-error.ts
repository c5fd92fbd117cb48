/*
 * Lines in the error log about an upstream, in nginx's words.
 */
import type { LogLevel } from '../log/error-log.js';
import { logErrorOf } from './error-line.js';
import { upstreamTarget } from './forwarded-head.js';
import type { HttpRequest } from './http-request.js';
import type { Destination, RequestPlan } from './upstream-settings.js';

/** Logs `message` with the URL that was asked for at the peer of that name. */
export function logUpstreamError(
  request: HttpRequest,
  level: LogLevel,
  message: string,
  peerName: string,
  plan: RequestPlan,
  destination: Destination,
): void {
  if (!request.location.settings.errorLog.isEnabled(level)) return;
  const colon = peerName.startsWith('unix:') ? ':' : '';
  const target = upstreamTarget(request, plan, destination);
  const url = peerName === '' ? '' : `${destination.schema}${peerName}${colon}${target}`;
  logErrorOf(request, level, message, url);
}
