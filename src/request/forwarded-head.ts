/*
 * The heads that are passed on: a client's request as the upstream gets it, an upstream's response as the
 * client gets it. What belongs to one hop stays here (RFC 9110 section 7.6.1); no Via, as in nginx.
 */
import { fieldSet } from '../http/h1/field-lines.js';
import type { RequestHead } from '../http/h1/request-head.js';
import type { ResponseHead } from '../http/h1/response-head.js';
import { FIELD_ID_COUNT, FieldId } from '../http/message/field-id.js';

const HOP_BY_HOP = [
  FieldId.connection,
  FieldId.keepAlive,
  FieldId.proxyConnection,
  FieldId.transferEncoding,
  FieldId.te,
  FieldId.upgrade,
];

const FORWARDED = [FieldId.forwardedFor, FieldId.forwardedProto, FieldId.forwardedHost];

const DROPPED_FROM_REQUEST = fieldSet(FIELD_ID_COUNT, ...HOP_BY_HOP, ...FORWARDED);
const DROPPED_WITH_HOST = fieldSet(FIELD_ID_COUNT, ...HOP_BY_HOP, ...FORWARDED, FieldId.host);
const DROPPED_WITH_EXPECT = fieldSet(
  FIELD_ID_COUNT,
  ...HOP_BY_HOP,
  ...FORWARDED,
  FieldId.host,
  FieldId.expect,
);
const DROPPED_FROM_RESPONSE = fieldSet(FIELD_ID_COUNT, ...HOP_BY_HOP);
const DROPPED_FROM_BODYLESS = fieldSet(FIELD_ID_COUNT, ...HOP_BY_HOP, FieldId.contentLength);

/**
 * The request head for an upstream. `clientAddress` ends X-Forwarded-For; `fallbackHost` is Host when an
 * HTTP/1.0 client named none; `keepsAlive` says whether the connection may serve again.
 * differs from nginx: Host is the client's and X-Forwarded-* are set unasked, as almost every configuration has it.
 */
export function upstreamRequestHead(
  head: RequestHead,
  clientAddress: string,
  fallbackHost: string,
  keepsAlive: boolean,
): string {
  const { fields } = head;
  const isHostAsReceived = head.isLineVerbatim && head.host !== '';
  const line = head.isLineVerbatim
    ? fields.text.substring(0, head.requestLineEnd + 2)
    : `${head.method} ${head.target} HTTP/1.1\r\n`;
  let dropped = DROPPED_WITH_HOST;
  if (head.versionMinor === 0) dropped = DROPPED_WITH_EXPECT;
  else if (isHostAsReceived) dropped = DROPPED_FROM_REQUEST;
  const host = head.host === '' ? fallbackHost : head.host;
  let out = isHostAsReceived ? line : `${line}Host: ${host}\r\n`;
  out += fields.passOn(dropped, true, head.connection.named);
  out += `X-Forwarded-For: ${forwardedFor(head, clientAddress)}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: ${host}\r\n`;
  if (head.isChunked) out += 'Transfer-Encoding: chunked\r\n';
  if (head.upgrade !== '') return `${out}Connection: upgrade\r\nUpgrade: ${head.upgrade}\r\n\r\n`;
  return keepsAlive ? `${out}\r\n` : `${out}Connection: close\r\n\r\n`;
}

/** The response head for a client. `connectionField` is '' or a whole line; `isChunked` is how it is sent. */
export function downstreamResponseHead(
  head: ResponseHead,
  isChunked: boolean,
  connectionField: string,
): string {
  const dropped = head.status === 204 || head.status < 200 ? DROPPED_FROM_BODYLESS : DROPPED_FROM_RESPONSE;
  let out = head.statusLine + head.fields.passOn(dropped, false, head.connection.named);
  if (isChunked) out += 'Transfer-Encoding: chunked\r\n';
  return `${out}${connectionField}\r\n`;
}

function forwardedFor(head: RequestHead, clientAddress: string): string {
  let list = '';
  const { fields } = head;
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== FieldId.forwardedFor) continue;
    const value = fields.value(i);
    if (value !== '') list += `${value}, `;
  }
  return list + clientAddress;
}
