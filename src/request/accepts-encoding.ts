/*
 * Whether a client takes a compressed answer: what it says in Accept-Encoding, and what nginx's gzip_* directives
 * say of old clients and of proxies (RFC 9110 section 12.5.3, nginx: ngx_http_gzip_ok). gzip, gunzip and gzip_static
 * ask the same question.
 */
import { parseHttpDate } from '../core/http-date.js';
import { FieldId } from '../http/message/field-id.js';
import type { HttpRequest } from './http-request.js';
import type { Response } from './response.js';

/** When a request that came through a proxy (it has Via) is answered compressed: gzip_proxied. */
export type ProxiedCondition =
  | 'expired'
  | 'no-cache'
  | 'no-store'
  | 'private'
  | 'no_last_modified'
  | 'no_etag'
  | 'auth';

/** What the directives say at one level. */
export interface CompressionRules {
  /** gzip_vary: `Vary: Accept-Encoding` is added where it may matter. */
  readonly addsVary: boolean;
  /** gzip_http_version: the least minor version of HTTP/1. */
  readonly leastMinorVersion: 0 | 1;
  /** 'any', or the conditions of which one must hold; none: off. */
  readonly proxied: 'any' | ReadonlySet<ProxiedCondition>;
  /** gzip_disable: user agents that get nothing compressed. */
  readonly disabledAgents: readonly RegExp[];
  /** gzip_disable msie6. */
  readonly isDisabledForMsie6: boolean;
}

/**
 * Whether `encoding` ('gzip', 'br', 'zstd') may be used for the answer to this request. Only the client's own
 * requests may: a subrequest's answer becomes part of another.
 */
export function acceptsEncoding(
  rules: CompressionRules,
  request: HttpRequest,
  response: Response,
  encoding: string,
): boolean {
  if (request.parent !== null) return false;
  const accepted = request.field('accept-encoding');
  if (accepted === null || !namesEncoding(accepted, encoding)) return false;
  if (request.head.versionMinor < rules.leastMinorVersion) return false;
  const { userAgent } = request;
  if (rules.isDisabledForMsie6 && isMsie6(userAgent)) return false;
  if (rules.disabledAgents.some((agent) => agent.test(userAgent))) return false;
  return request.field('via') === null || isAllowedForProxies(rules.proxied, request, response);
}

/** Adds `Vary: Accept-Encoding`, once. */
export function addVary(response: Response): void {
  const { fields } = response;
  if (fields.all('vary').some((value) => value.toLowerCase() === 'accept-encoding')) return;
  fields.add('Vary', 'Accept-Encoding');
}

/** Whether an Accept-Encoding takes a coding: it is in the list, with a weight above nothing. */
export function namesEncoding(accepted: string, encoding: string): boolean {
  for (const item of accepted.split(',')) {
    const [name = '', ...parameters] = item.split(';');
    // A value such as "deflate gzip" isn't in the grammar, but nginx takes it.
    const words = name.trim().toLowerCase().split(/ +/);
    if (words[words.length - 1] !== encoding) continue;
    return parameters.length === 0 || isPositiveWeight(parameters[0]!);
  }
  return false;
}

function isPositiveWeight(parameter: string): boolean {
  const text = parameter.trim();
  if (text === '') return true;
  const match = /^q=(?:0(?:\.(\d{0,3}))?|1(?:\.0{0,3})?)(?: |$)/i.exec(text);
  if (match === null) return false;
  return text[2] === '1' || /[1-9]/.test(match[1] ?? '');
}

/** Internet Explorer 4 to 6, the latter without Windows XP's second service pack. */
function isMsie6(userAgent: string): boolean {
  const at = userAgent.indexOf('MSIE ');
  if (at < 0 || userAgent.includes('Opera')) return false;
  const digit = userAgent[at + 5];
  if (digit === '4' || digit === '5') return true;
  return digit === '6' && !userAgent.includes('SV1', at + 8);
}

function isAllowedForProxies(
  proxied: CompressionRules['proxied'],
  request: HttpRequest,
  { fields, date, lastModified, etag }: Response,
): boolean {
  if (proxied === 'any') return true;
  if (proxied.size === 0) return false;
  if (proxied.has('auth') && request.head.fields.valueOf(FieldId.authorization) !== '') return true;
  const expires = fields.get('expires');
  if (expires !== null) {
    if (!proxied.has('expired')) return false;
    const expiry = parseHttpDate(expires);
    const now = date === null ? Math.floor(Date.now() / 1000) : parseHttpDate(date);
    return expiry >= 0 && now >= 0 && expiry < now;
  }
  const cacheControl = fields.all('cache-control');
  if (cacheControl.length > 0) {
    const options = cacheControl.join(',').toLowerCase().split(',');
    const says = (word: string) => options.some((option) => option.trim().split('=')[0] === word);
    return CACHE_CONTROL.some((word) => proxied.has(word) && says(word));
  }
  if (proxied.has('no_last_modified') && lastModified >= 0) return false;
  return !(proxied.has('no_etag') && etag !== '');
}

const CACHE_CONTROL = ['no-cache', 'no-store', 'private'] as const;
