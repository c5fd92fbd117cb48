/*
 * Whether a client's connection may serve another request: what the location that answered says about it.
 */
import type { HttpRequest } from './http-request.js';

/** Browsers that can't cope with it: the digit behind "MSIE ". */
const MSIE = /MSIE ([456])\../;

/** By keepalive_timeout, keepalive_requests, keepalive_time and keepalive_disable. */
export function isKeepaliveAllowed(request: HttpRequest): boolean {
  const { settings } = request.location;
  const { client } = request;
  if (settings.keepaliveTimeoutMs === 0 || client.requestCount >= settings.keepaliveRequests) return false;
  if (request.context.clock.nowMs() - client.connectedMs > settings.keepaliveTimeMs) return false;
  switch (settings.keepaliveDisabledFor) {
    case 'none':
      return true;
    case 'msie6':
      return !isOldMsie(request);
    case 'safari':
      return !isSafari(request);
    case 'both':
      return !isOldMsie(request) && !isSafari(request);
  }
}

/** Old Internet Explorers, which lose what they POST on a kept connection. */
function isOldMsie({ method, userAgent }: HttpRequest): boolean {
  if (method !== 'POST' || userAgent.includes('Opera')) return false;
  const version = MSIE.exec(userAgent)?.[1];
  return version !== undefined && (version !== '6' || !userAgent.includes('SV1'));
}

/** Safari on macOS. */
function isSafari({ userAgent }: HttpRequest): boolean {
  return (
    /Safari\//.test(userAgent) &&
    userAgent.includes('Mac OS X') &&
    !/MSIE |Opera|Gecko\/|Chrome\//.test(userAgent)
  );
}
