/*
 * What spans say of a request and of a try, by the names of OpenTelemetry's conventions for HTTP.
 */
import type { HttpRequest } from '../../../request/http-request.js';
import type { Try } from '../../../request/upstream-tries.js';
import type { Attributes } from './tracer.js';

/** What a span failed of. */
export interface Failure {
  /** One of a few, for counting: a status, or a word of ours. */
  readonly type: string;
  /** '' where the type tells it all. */
  readonly message: string;
}

/** Those that the conventions call known (RFC 9110, RFC 5789). */
const METHODS: ReadonlySet<string> = new Set(
  'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH'.split(' '),
);

/** A client may send any method, which would be as many different names. */
export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : '_OTHER';
}

/** security: values of these sign a URL, and whoever reads traces could use it. */
const SECRETS = /(^|&)(AWSAccessKeyId|Signature|sig|X-Goog-Signature)=[^&]*/g;

/** What samplers may decide by, so that it is said when the request begins; nothing more, as most may not be sampled. */
export function requestAttributes(request: HttpRequest): Attributes {
  const { head, client, host, hostPort, userAgent, args } = request;
  const attributes: Record<string, string | number> = {
    'http.request.method': knownMethod(head.method),
    'url.scheme': client.tls === null ? 'http' : 'https',
    'url.path': decode(request.rawPath || request.path),
    'server.address': decode(host),
    'server.port': hostPort === 0 ? client.localPort : hostPort,
    'client.address': request.remoteAddress,
  };
  if (args !== '') attributes['url.query'] = decode(args.replace(SECRETS, '$1$2=REDACTED'));
  if (userAgent !== '') attributes['user_agent.original'] = decode(userAgent);
  return attributes;
}

/** All else, when it is over. */
export function answerAttributes(request: HttpRequest, route: string): Attributes {
  const { head, client, answeredStatus, requestBytes, bytesSent } = request;
  const isKnown = METHODS.has(head.method);
  return {
    ...(isKnown ? {} : { 'http.request.method_original': decode(head.method) }),
    'http.route': route,
    'network.protocol.version': `1.${head.versionMinor}`,
    'network.peer.address': client.remoteAddress,
    'network.peer.port': client.remotePort,
    ...(answeredStatus === 0 ? {} : { 'http.response.status_code': answeredStatus }),
    'http.request.size': requestBytes,
    'http.response.size': bytesSent,
  };
}

/** What went wrong for the client; null for nothing. What it did wrong itself is no failure of ours. */
export function failureOf(request: HttpRequest): Failure | null {
  const { status, answeredStatus } = request;
  // The client left before it was answered; 444: we would not answer.
  if (answeredStatus === 0) return status === 444 ? null : { type: String(status), message: '' };
  if (answeredStatus >= 500) return { type: String(answeredStatus), message: '' };
  return request.isResponseComplete || request.isTunnel ? null : { type: 'incomplete', message: '' };
}

/** What is known when a try begins. `resends`: tries of the same exchange before it. */
export function tryAttributes(
  { name }: Readonly<Try>,
  request: HttpRequest,
  method: string,
  resends: number,
): Attributes {
  return {
    'http.request.method': method,
    ...peerAttributes(name),
    ...(resends === 0 ? {} : { 'http.request.resend_count': resends }),
    ...(request.parent === null ? {} : { 'url.path': decode(request.path) }),
  };
}

/** A peer's address, or the name of a group of which no server could be asked. */
function peerAttributes(name: string): Attributes {
  if (name.startsWith('unix:')) {
    const path = decode(name.slice('unix:'.length));
    return { 'server.address': path, 'network.peer.address': path };
  }
  const [, ip6, ip4, port] = /^(?:\[(.+)\]|([\d.]+)):(\d+)$/.exec(name) ?? [];
  const address = ip6 ?? ip4;
  if (address === undefined) return { 'server.address': decode(name) };
  return {
    'server.address': address,
    'server.port': Number(port),
    'network.peer.address': address,
    'network.peer.port': Number(port),
  };
}

/** What is known when it is over. `endMs`: by the clock, as its own times. */
export function triedAttributes(each: Readonly<Try>, endMs: number): Attributes {
  const { startMs, connectedMs, headerMs, status, bytesSent, bytesReceived } = each;
  return {
    ...(headerMs < 0 ? {} : { 'http.response.status_code': status }),
    'http.request.size': bytesSent,
    'http.response.size': bytesReceived,
    ...(connectedMs < 0 ? {} : { 'sluice.upstream.connect_time': seconds(connectedMs - startMs) }),
    ...(headerMs < 0 ? {} : { 'sluice.upstream.header_time': seconds(headerMs - startMs) }),
    ...(headerMs < 0 ? {} : { 'sluice.upstream.body_time': seconds(endMs - headerMs) }),
  };
}

/** By the beginnings of what the error log says; all else is _OTHER, among it what is wrong with TLS. */
const FAILURES: readonly (readonly [start: string, type: string])[] = [
  ['upstream timed out', 'timeout'],
  ['connect() failed', 'connect'],
  ['upstream prematurely closed', 'closed'],
  ['recv() failed', 'reset'],
  ['upstream sent', 'invalid_response'],
  ['upstream switched', 'invalid_response'],
  ['no live upstreams', 'no_live_upstreams'],
];

/** What went wrong with a try; null for nothing. A 4xx is an answer that the client gets, not a failure. */
export function tryFailureOf({ failure, headerMs, status }: Readonly<Try>): Failure | null {
  if (failure !== '') {
    const type = FAILURES.find(([start]) => failure.startsWith(start))?.[1] ?? '_OTHER';
    return { type, message: decode(failure) };
  }
  if (headerMs < 0) return { type: 'canceled', message: '' };
  return status >= 500 ? { type: String(status), message: '' } : null;
}

/** To the microsecond, which the clock has. */
function seconds(ms: number): number {
  return Math.round(Math.max(0, ms) * 1000) / 1e6;
}

/** What came as bytes, as it is meant to be read. */
export function decode(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
