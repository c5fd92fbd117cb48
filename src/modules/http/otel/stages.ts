/*
 * What the time of a request and of a try went to, as parts of it. Pure: records of times become lists.
 */
import type { ClientTls } from '../../../request/client-tls.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Timeline } from '../../../request/timeline.js';
import type { Try } from '../../../request/upstream-tries.js';
import type { Attributes } from './tracer.js';

/** One part, by the clock. */
export interface Stage {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes?: Attributes;
  readonly inner?: Stage;
}

/**
 * What took less has no stage: the trace of a quick request is short, and whoever wants to know finds it in what comes
 * before and behind. nginx's clock knows no less, either.
 */
const LEAST_MS = 1;

function isWorthTelling({ startMs, endMs }: Stage): boolean {
  return endMs - startMs >= LEAST_MS;
}

/**
 * Those of a request that is over, but for its tries at upstreams. `headMs`: when its head was there; `beganMs`: since
 * when its timeline tells what it waited for.
 */
export function stagesOf(request: HttpRequest, timeline: Timeline, headMs: number, beganMs: number): Stage[] {
  const endMs = request.startMs + request.requestTimeMs;
  const answeredMs = answeredAt(request, timeline);
  const untilMs = answeredMs < 0 ? endMs : answeredMs;
  const waits = timeline.waits.map(({ phase, startMs, endMs: overMs }) => ({
    name: phase,
    startMs,
    endMs: overMs < 0 ? Math.max(startMs, untilMs) : overMs,
  }));
  const body = bodyOf(request, timeline, endMs);
  const told = [...waits, ...body, ...triesOf(request, endMs)];
  return [
    ...acceptOf(request),
    { name: 'request head', startMs: request.startMs, endMs: headMs },
    ...waits,
    ...body,
    ...contentOf(told, beganMs, untilMs),
    ...answerOf(request, answeredMs, endMs),
  ].filter(isWorthTelling);
}

/** Of the connection, for its first request: later ones find it there, and what a client waits in between is its own. */
function acceptOf({ client, startMs }: HttpRequest): Stage[] {
  if (client.requestCount > 1) return [];
  const { connectedMs, tls } = client;
  const accept = { name: 'accept', startMs: connectedMs, endMs: startMs };
  const handshake = tls === null ? null : handshakeOf(tls);
  return [handshake === null || !isWorthTelling(handshake) ? accept : { ...accept, inner: handshake }];
}

function handshakeOf({ startedMs, agreedMs, socket }: ClientTls): Stage {
  const version = socket.getProtocol()?.replace(/^TLSv/, '') ?? '';
  const attributes = {
    ...(version === '' ? {} : { 'tls.protocol.name': 'tls', 'tls.protocol.version': version }),
    'tls.resumed': socket.isSessionReused(),
  };
  return { name: 'TLS handshake', startMs: startedMs, endMs: agreedMs, attributes };
}

/** The client's body, where it did not come with the head. */
function bodyOf({ head }: HttpRequest, { bodyStartMs, bodyEndMs }: Timeline, endMs: number): Stage[] {
  if (bodyStartMs < 0) return [];
  const isWhole = bodyEndMs >= 0;
  const attributes: Attributes =
    isWhole && head.contentLength >= 0 ? { 'http.request.body.size': head.contentLength } : {};
  return [{ name: 'request body', startMs: bodyStartMs, endMs: isWhole ? bodyEndMs : endMs, attributes }];
}

function triesOf({ tries }: HttpRequest, endMs: number): Stage[] {
  return Array.from({ length: tries.count }, (_, i) => {
    const { name, startMs, endMs: overMs } = tries.at(i);
    return { name, startMs, endMs: overMs < 0 ? endMs : overMs };
  });
}

/**
 * What is left until the answer when all else is told is what content handlers wait for besides upstreams: looking up a
 * name, a server that is free, a lock of the cache, a file. Nothing else takes time by the clock of events.
 */
function contentOf(told: readonly Stage[], fromMs: number, untilMs: number): Stage[] {
  const content: Stage[] = [];
  let atMs = fromMs;
  const note = (toMs: number) => {
    if (toMs > atMs) content.push({ name: 'content', startMs: atMs, endMs: Math.min(toMs, untilMs) });
  };
  for (const { startMs, endMs } of [...told].sort((a, b) => a.startMs - b.startMs)) {
    note(startMs);
    atMs = Math.max(atMs, endMs);
  }
  note(untilMs);
  return content;
}

/** When the head of the answer went on to the client; -1: never. */
function answeredAt({ isResponseStarted, tries }: HttpRequest, { answeredMs }: Timeline): number {
  if (!isResponseStarted || answeredMs >= 0) return answeredMs;
  return tries.count === 0 ? -1 : tries.at(tries.count - 1).headerMs;
}

/** From its head to the last byte that the system took. Not with a post_action, which comes behind it. */
function answerOf(request: HttpRequest, answeredMs: number, endMs: number): Stage[] {
  if (answeredMs < 0 || request.isPostAction) return [];
  if (request.isTunnel) return [{ name: 'tunnel', startMs: answeredMs, endMs }];
  const attributes = { 'http.response.body.size': request.bodyBytesSent };
  return [{ name: 'response body', startMs: answeredMs, endMs, attributes }];
}

/** What a try took: to connect, to send the request until the head of the answer came, and for the answer's body. */
export function stagesOfTry({ startMs, connectedMs, headerMs }: Readonly<Try>, endMs: number): Stage[] {
  const stages: Stage[] = [{ name: 'connect', startMs, endMs: connectedMs < 0 ? endMs : connectedMs }];
  if (connectedMs >= 0)
    stages.push({ name: 'response head', startMs: connectedMs, endMs: headerMs < 0 ? endMs : headerMs });
  if (headerMs >= 0) stages.push({ name: 'response body', startMs: headerMs, endMs });
  return stages.filter(isWorthTelling);
}
