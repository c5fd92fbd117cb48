/*
 * Who the client says it is, by Authorization: Basic (RFC 7617). Whether that is so is a module's matter.
 */
import type { HttpRequest } from './http-request.js';

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

const BASIC = /^basic +/i;

/** Null when the client gave none, or none with a user and a colon. CONNECT has Proxy-Authorization instead. */
export function basicCredentials(request: HttpRequest): BasicCredentials | null {
  const isProxy = request.main.head.method === 'CONNECT';
  const value = request.field(isProxy ? 'proxy-authorization' : 'authorization');
  if (value === null || !BASIC.test(value)) return null;
  const encoded = value.replace(BASIC, '');
  if (!/^[A-Za-z0-9+/]+=*$/.test(encoded)) return null;
  const decoded = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = decoded.indexOf(':');
  return colon <= 0 ? null : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
