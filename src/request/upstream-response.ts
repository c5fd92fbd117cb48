/*
 * An upstream's answer as a response of ours: what its fields say to this proxy, and what of them the client gets.
 * Answers that nothing looks at never come here: forwarded-head.ts passes their text on.
 */
import { formatHttpDate, parseHttpDate } from '../core/http-date.js';
import { BodyKind } from '../http/h1/body-decoder.js';
import type { FieldLines } from '../http/h1/field-lines.js';
import type { ResponseHead } from '../http/h1/response-head.js';
import { FieldId } from '../http/message/field-id.js';
import { FORBIDDEN_IN_TRAILER } from '../http/message/trailer-fields.js';
import { FieldList } from './field-list.js';
import type { HttpRequest } from './http-request.js';
import { parseInternalUri } from './internal-uri.js';
import { finalize, redirectInternally, redirectToNamed } from './lifecycle.js';
import { isAny } from './predicate.js';
import { IgnoredField, type UpstreamSettings } from './upstream-settings.js';

/** "HTTP/1.1 200 " */
const REASON_START = 13;

/** Whether an answer can't go to the client as it is: something here has to see or change it. */
export function needsOwnResponse(
  request: HttpRequest,
  head: ResponseHead,
  { noted, forcesRanges, buffersResponse, limitRate, store }: UpstreamSettings,
): boolean {
  const { location } = request;
  if (!location.isTransparent || request.parent !== null || request.errorStatus !== 0 || forcesRanges)
    return true;
  if (request.response.fields.count > 0 || request.isPostAction || store !== null) return true;
  if (buffersResponse && (limitRate !== null || isLimited(request))) return true;
  const { fields } = head;
  const { count } = fields;
  for (let i = 0; i < count; i++) if (noted[fields.id(i)] === 1) return true;
  return false;
}

function isLimited(request: HttpRequest): boolean {
  if (request.limitRate >= 0) return request.limitRate > 0;
  const { limitRate } = request.location.settings;
  return limitRate !== null && limitRate.constant !== '0';
}

/** Whether what is read goes to the client at once (proxy_buffering, X-Accel-Buffering). */
export function isFlushedAtOnce(head: ResponseHead, settings: UpstreamSettings): boolean {
  if ((settings.ignored & IgnoredField.accelBuffering) !== 0) return !settings.buffersResponse;
  const value = head.fields.valueOf(FieldId.xAccelBuffering).toLowerCase();
  if (value === 'no') return true;
  return value === 'yes' ? false : !settings.buffersResponse;
}

/** What a field of the answer has the request answered by instead (X-Accel-Redirect); null if none does. */
export function answerByFields(
  request: HttpRequest,
  head: ResponseHead,
  settings: UpstreamSettings,
): (() => void) | null {
  if ((settings.ignored & IgnoredField.accelRedirect) !== 0) return null;
  const value = head.fields.valueOf(FieldId.xAccelRedirect);
  if (value === '') return null;
  const { response } = request;
  const { fields } = head;
  for (let i = 0; i < fields.count; i++) keepForRedirect(response, fields, i, settings, request);
  return () => redirectBy(request, value);
}

/** What of the answer holds for the one that is given instead. */
function keepForRedirect(
  response: HttpRequest['response'],
  fields: FieldLines,
  index: number,
  settings: UpstreamSettings,
  request: HttpRequest,
): void {
  switch (fields.id(index)) {
    case FieldId.contentType:
      setContentType(response, fields.value(index));
      break;
    case FieldId.setCookie:
      response.fields.add(fields.name(index), rewriteCookie(request, settings, fields.value(index)));
      break;
    case FieldId.cacheControl:
    case FieldId.expires:
    case FieldId.acceptRanges:
      response.fields.add(fields.name(index), fields.value(index));
      break;
    case FieldId.xAccelLimitRate:
      limitByField(request, settings, fields.value(index));
      break;
    case FieldId.xAccelCharset:
      if ((settings.ignored & IgnoredField.accelCharset) === 0)
        response.overrideCharset = fields.value(index);
      break;
    default:
      if (fields.name(index).toLowerCase() === 'content-disposition')
        response.fields.add(fields.name(index), fields.value(index));
  }
}

function redirectBy(request: HttpRequest, value: string): void {
  if (value.startsWith('@')) {
    redirectToNamed(request, value);
    return;
  }
  const uri = parseInternalUri(value);
  if (uri === null) {
    finalize(request, 404);
    return;
  }
  if (request.method !== 'HEAD') request.method = 'GET';
  redirectInternally(request, uri.path, uri.args);
}

/** How the body of an answer ends. `isToHead`: it was asked for by HEAD. */
export function bodyKindOf({ status, isChunked, contentLength }: ResponseHead, isToHead: boolean): number {
  if (isToHead || status === 204 || status === 304) return BodyKind.none;
  if (isChunked) return BodyKind.chunked;
  return contentLength >= 0 ? BodyKind.length : BodyKind.untilClose;
}

/** What asks for credentials goes along with an error page of ours. */
export function copyChallenges({ response }: HttpRequest, { fields }: ResponseHead): void {
  for (let i = 0; i < fields.count; i++) {
    if (fields.name(i).toLowerCase() === 'www-authenticate')
      response.fields.add('WWW-Authenticate', fields.value(i));
  }
}

/**
 * Whether a 1xx goes on: to clients that can know it (RFC 9110 section 15.2), a 103 where early_hints says so. Not the
 * 100, which is for who sends a body.
 * differs from nginx: it takes any other but 103 for the answer itself.
 */
export function passesInterim(request: HttpRequest, status: number): boolean {
  if (request.parent !== null || request.head.versionMinor === 0) return false;
  if (status !== 103) return true;
  const { earlyHints } = request.location.settings;
  return earlyHints !== null && !request.isPostAction && isAny(earlyHints, request);
}

/** Fills `request.response` with an answer whose body is delimited by `bodyKind`. */
export function fillResponse(
  request: HttpRequest,
  head: ResponseHead,
  settings: UpstreamSettings,
  bodyKind: number,
): void {
  const { response } = request;
  const { fields, connection } = head;
  const { hidden, hiddenNames } = settings;
  response.status = head.status;
  response.reason = head.statusLine.slice(REASON_START, -2);
  // Where those are passed on, the upstream's are or none.
  response.server = hidden[FieldId.server] === 1 ? null : '';
  response.date = hidden[FieldId.date] === 1 ? null : '';
  response.ignoresConditions = true;
  response.allowsRanges = settings.forcesRanges;
  if (bodyKind !== BodyKind.chunked && head.status !== 204) response.contentLength = head.contentLength;
  for (let i = 0; i < fields.count; i++) {
    const id = fields.id(i);
    obey(request, settings, id, fields, i);
    if (hidden[id] === 1) continue;
    const isOther = id === FieldId.other && hiddenNames !== null;
    if (isOther && hiddenNames.has(fields.name(i).toLowerCase())) continue;
    if (connection.named?.has(fields.name(i).toLowerCase())) continue;
    copyField(request, settings, id, fields, i);
  }
}

/** What a field says to this proxy. */
function obey(
  request: HttpRequest,
  settings: UpstreamSettings,
  id: number,
  fields: FieldLines,
  i: number,
): void {
  if (id === FieldId.xAccelLimitRate) limitByField(request, settings, fields.value(i));
  else if (id === FieldId.xAccelCharset && (settings.ignored & IgnoredField.accelCharset) === 0)
    request.response.overrideCharset = fields.value(i);
}

function limitByField(request: HttpRequest, { ignored }: UpstreamSettings, value: string): void {
  if ((ignored & IgnoredField.accelLimitRate) === 0 && /^\d+$/.test(value)) request.limitRate = Number(value);
}

function copyField(
  request: HttpRequest,
  settings: UpstreamSettings,
  id: number,
  fields: FieldLines,
  i: number,
): void {
  const { response } = request;
  const value = fields.value(i);
  switch (id) {
    case FieldId.contentLength:
      break;
    case FieldId.contentType:
      setContentType(response, value);
      break;
    case FieldId.contentEncoding:
      response.contentEncoding = value;
      break;
    case FieldId.etag:
      response.etag = value;
      break;
    case FieldId.lastModified: {
      const seconds = parseHttpDate(value);
      if (seconds >= 0 && formatHttpDate(seconds) === value) response.lastModified = seconds;
      else response.fields.add(fields.name(i), value);
      break;
    }
    case FieldId.acceptRanges:
      if (!settings.forcesRanges) response.fields.add(fields.name(i), value);
      break;
    case FieldId.server:
      response.server = value;
      break;
    case FieldId.date:
      response.date = value;
      break;
    case FieldId.location: {
      const rewritten = settings.rewriteRedirect?.(request, value) ?? null;
      // A path that nothing was done to stays one, whatever absolute_redirect says.
      if (rewritten === null) response.fields.add(fields.name(i), value);
      else response.location = rewritten;
      break;
    }
    case FieldId.refresh:
      response.fields.add(fields.name(i), rewriteRefresh(request, settings, value));
      break;
    case FieldId.setCookie:
      response.fields.add(fields.name(i), rewriteCookie(request, settings, value));
      break;
    default:
      response.fields.add(fields.name(i), value);
  }
}

function setContentType(response: HttpRequest['response'], value: string): void {
  const semicolon = value.indexOf(';');
  const charset = semicolon < 0 ? null : /;\s*charset=("?)([^";]*)\1/i.exec(value);
  response.contentType = charset === null ? value : value.slice(0, charset.index).trimEnd();
  response.charset = charset === null ? '' : charset[2]!;
}

function rewriteRefresh(request: HttpRequest, { rewriteRedirect }: UpstreamSettings, value: string): string {
  const at = rewriteRedirect === null ? -1 : value.toLowerCase().indexOf('url=');
  if (at < 0) return value;
  const rewritten = rewriteRedirect!(request, value.slice(at + 4));
  return rewritten === null ? value : value.slice(0, at + 4) + rewritten;
}

function rewriteCookie(
  request: HttpRequest,
  { rewriteCookie: rewrite }: UpstreamSettings,
  value: string,
): string {
  return rewrite === null ? value : rewrite(request, value);
}

/** Has the trailer section of an answer follow its body. */
export function fillTrailers(request: HttpRequest, trailers: FieldLines): void {
  const list = new FieldList();
  for (let i = 0; i < trailers.count; i++) {
    if (FORBIDDEN_IN_TRAILER[trailers.id(i)] === 0) list.add(trailers.name(i), trailers.value(i));
  }
  request.response.trailers = list;
}
