/*
 * Whence the body comes that is sent to an upstream: made here, at hand with the client's head, passed on as the client
 * sends it, or read whole before.
 */
import type { HttpRequest } from './http-request.js';
import type { RequestPlan, UpstreamSettings } from './upstream-settings.js';

const TOO_LARGE = 413;

/**
 * `own`: none, or proxy_set_body's. `early`: the client's, which came whole with its head; `unused`: the same, but it is
 * not sent. `streamed`: the client's as it comes. `read`: the client's is read to its end first, be it sent or not.
 */
export type PayloadSource = 'own' | 'early' | 'unused' | 'streamed' | 'read';

/** Whether the client's body goes to the upstream. */
export function passesPayload(plan: RequestPlan): boolean {
  return plan.body === null && plan.passesBody;
}

/** Where it comes from, or the status to answer with. */
export function payloadSourceOf(
  request: HttpRequest,
  settings: UpstreamSettings,
  plan: RequestPlan,
): PayloadSource | 413 {
  const { main } = request;
  if (!request.hasPayload || main.isPayloadSpent || main.isBodyRefused) return 'own';
  if (main.payload !== null) return 'read';
  const { isChunked } = main.head;
  if (!main.body.isComplete) {
    const mayStream = !settings.buffersRequest && passesPayload(plan) && request.parent === null;
    return mayStream && (!isChunked || plan.versionMinor === 1) ? 'streamed' : 'read';
  }
  const { makesSubrequests, settings: core } = request.location;
  const isWantedLater = request.context.keepsBodies || makesSubrequests;
  if (isWantedLater || core.clientBodyInFileOnly !== 'off') return 'read';
  const { earlyStart, earlyEnd } = main.client.intake;
  const most = core.clientMaxBodySize;
  if (isChunked && most > 0 && earlyEnd - earlyStart > most) return TOO_LARGE;
  return passesPayload(plan) ? 'early' : 'unused';
}
