/*
 * The heads that are passed on: a client's request as the upstream gets it, an upstream's response as the client gets
 * it when nothing in between changes it. What belongs to one hop stays here (RFC 9110 section 7.6.1); no Via, as in
 * nginx.
 */
import type { RequestHead } from '../http/h1/request-head.js';
import type { ResponseHead } from '../http/h1/response-head.js';
import { FieldId } from '../http/message/field-id.js';
import { asFieldValue, asTarget } from '../http/message/one-line.js';
import type { HttpRequest } from './http-request.js';
import { connectionFields, dateField, ownFields, serverField } from './response-writer.js';
import type { Destination, RequestPlan, UpstreamSettings } from './upstream-settings.js';
import { escapeUri } from './uri-escape.js';

/** Fields between two neighbours: never passed on of an answer, but that one says what it could be upgraded to. */
export const HOP_BY_HOP_IN_ANSWERS: readonly number[] = [
  FieldId.connection,
  FieldId.keepAlive,
  FieldId.proxyConnection,
  FieldId.transferEncoding,
  FieldId.te,
];

/** Those never passed on of a request. */
export const HOP_BY_HOP: readonly number[] = [...HOP_BY_HOP_IN_ANSWERS, FieldId.upgrade];

/** How the body behind a request's head is delimited, where it isn't by its length. */
export const NO_BODY = -1;
export const CHUNKED_BODY = -2;

/** The request head for an upstream. `bodyBytes`: the body's length, or NO_BODY or CHUNKED_BODY. */
export function upstreamRequestHead(
  request: HttpRequest,
  plan: RequestPlan,
  destination: Destination,
  bodyBytes: number,
): string {
  const { head } = request;
  let out = requestLine(request, plan, destination);
  const host = plan.host === null ? '' : plan.host.evaluate(request);
  if (host !== '') out += `Host: ${plan.host!.isOneLine ? host : asFieldValue(host)}\r\n`;
  else if (plan.host === null || plan.versionMinor === 1) out += `Host: ${destination.host}\r\n`;
  for (const { line, prefix, value } of plan.fields) {
    if (line !== null) {
      out += line;
      continue;
    }
    const text = value.evaluate(request);
    if (text !== '') out += `${prefix}${value.isOneLine ? text : asFieldValue(text)}\r\n`;
  }
  if (bodyBytes >= 0) out += `Content-Length: ${bodyBytes}\r\n`;
  else if (bodyBytes === CHUNKED_BODY) out += 'Transfer-Encoding: chunked\r\n';
  if (plan.passesExpect && request.client.intake.awaitsContinue && request.client.intake.receiver !== null)
    out += 'Expect: 100-continue\r\n';
  if (plan.passesFields) out += passedFields(request, head, plan);
  return `${out}\r\n`;
}

function passedFields(request: HttpRequest, head: RequestHead, plan: RequestPlan): string {
  const { ignoreInvalidHeaders, underscoresInHeaders } = request.server.settings;
  return head.fields.passOn(
    plan.dropped,
    ignoreInvalidHeaders && !underscoresInHeaders,
    union(plan.droppedNames, head.connection.named),
  );
}

function union(a: ReadonlySet<string> | null, b: ReadonlySet<string> | null): ReadonlySet<string> | null {
  if (a === null) return b;
  return b === null ? a : new Set([...a, ...b]);
}

function requestLine(request: HttpRequest, plan: RequestPlan, destination: Destination): string {
  const { head } = request;
  const isUnchanged = plan.uri === null && destination.uri === null && request.rawPath !== '';
  if (
    isUnchanged &&
    plan.method === null &&
    plan.versionMinor === 1 &&
    head.isLineVerbatim &&
    request.method === head.method
  ) {
    return head.fields.text.substring(0, head.requestLineEnd + 2);
  }
  const method = plan.method === null ? request.method : plan.method.evaluate(request);
  const target = isUnchanged ? head.target : asTarget(upstreamTarget(request, plan, destination));
  return `${method} ${target} HTTP/1.${plan.versionMinor}\r\n`;
}

/** What is asked for at the upstream: path and arguments, as nginx makes them of the request's and of proxy_pass's. */
export function upstreamTarget(request: HttpRequest, plan: RequestPlan, destination: Destination): string {
  if (destination.uri !== null) return destination.uri;
  if (plan.uri === null && request.rawPath !== '') return request.head.target;
  const { path, args } = request;
  const isReplaced = plan.uri !== null && request.isPathOfLocation;
  const replaced = isReplaced ? Math.min(plan.locationPath.length, path.length) : 0;
  const rest = replaced === 0 ? path : path.substring(replaced);
  const isEscaped = request.isPathQuoted || request.isInternal;
  const target = (isReplaced ? plan.uri! : '') + (isEscaped ? escapeUri(rest, 'path') : rest);
  return args === '' ? target : `${target}?${args}`;
}

/** The head of a response for a client, as the upstream wrote it but for what concerns this hop. */
export function downstreamResponseHead(
  request: HttpRequest,
  head: ResponseHead,
  settings: UpstreamSettings,
  isChunked: boolean,
): string {
  const { hidden } = settings;
  let out = head.statusLine;
  if (hidden[FieldId.server] === 1 && hidden[FieldId.date] === 1) out += ownFields(request);
  else if (hidden[FieldId.server] === 1) out += serverField(request, null);
  else if (hidden[FieldId.date] === 1) out += dateField();
  const named = union(settings.hiddenNames, head.connection.named);
  // A 204 has no body, whatever its length field says.
  const dropped = head.status === 204 ? withoutLength(hidden) : hidden;
  const passed = head.fields.passOn(dropped, false, named);
  request.response.passedFields = passed;
  out += passed;
  if (isChunked) out += 'Transfer-Encoding: chunked\r\n';
  return `${out}${connectionFields(request)}\r\n`;
}

const lengthless = new WeakMap<Uint8Array, Uint8Array>();

function withoutLength(hidden: Uint8Array): Uint8Array {
  let table = lengthless.get(hidden);
  if (table === undefined) {
    table = hidden.slice();
    table[FieldId.contentLength] = 1;
    lengthless.set(hidden, table);
  }
  return table;
}

/** A 1xx as the client gets it: a 103 in our words, as from nginx, since origins often have none. */
export function interimHead(head: ResponseHead, hidden: Uint8Array): string {
  const line = head.status === 103 ? 'HTTP/1.1 103 Early Hints\r\n' : head.statusLine;
  return `${line}${head.fields.passOn(withoutLength(hidden), false, head.connection.named)}\r\n`;
}

/** The head of an answer that switches protocols. */
export function switchingHead(request: HttpRequest, head: ResponseHead, settings: UpstreamSettings): string {
  const fields = head.fields.passOn(withoutLength(settings.hidden), false, head.connection.named);
  request.response.passedFields = fields;
  const own = `${serverField(request, null)}${dateField()}`;
  const isNamed = head.fields.valueOf(FieldId.upgrade) !== '';
  const upgrade = isNamed ? '' : `Upgrade: ${request.head.upgrade}\r\n`;
  return `${head.statusLine}${own}${fields}Connection: upgrade\r\n${upgrade}\r\n`;
}
