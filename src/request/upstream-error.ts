/*
 * Lines in the error log about an upstream, in nginx's words.
 */
import { describeErrno } from '../core/errno.js';
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

/** A socket can't be had. The peer is not to blame, and no other would fare better. */
export const SHORTAGES: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** `111: Connection refused`, as the system numbers and words it; the error's own message if it isn't the system's. */
export function describeSystemError({ errno, code, message }: NodeJS.ErrnoException): string {
  if (code === undefined) return message;
  return errno === undefined ? describeErrno(code) : `${Math.abs(errno)}: ${describeErrno(code)}`;
}
