/*
 * The request target and the authority inside it (RFC 9112 section 3.2): which form it has, and whether
 * a Host is one. Text only; the bytes were checked by the head parser.
 */

/** What an absolute-form target says: who is asked, and the origin-form that goes upstream. */
export interface AbsoluteTarget {
  readonly host: string;
  readonly target: string;
}

/** host [ ":" port ] of RFC 3986; laxer inside IPv6 brackets, as nginx is. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~%!$&'()*+,;=]+)(?::\d*)?$/;

/** The host last found valid: on a keepalive connection it is the same again and again. */
let lastValidHost = '';

/** Whether `text` can be a Host field's value. An empty one can't: it names nobody. */
export function isValidHost(text: string): boolean {
  if (text === lastValidHost) return text !== '';
  if (!HOST.test(text)) return false;
  lastValidHost = text;
  return true;
}

/** Scheme, user information, authority, path and query of an absolute target. */
const ABSOLUTE = /^https?:\/\/(?:[A-Za-z0-9\-._~%!$&'()*+,;=:]*@)?([^/?@]*)((?:[/?].*)?)$/i;

/**
 * Splits "http://user@host:port/path?query". User information is left out of the host (RFC 9110 section
 * 4.2.4). Null when the scheme isn't http or https or the authority isn't valid.
 * security: a backslash or a second "@" in front of the host is refused, for others end the host there.
 */
export function splitAbsoluteTarget(text: string): AbsoluteTarget | null {
  const parts = ABSOLUTE.exec(text);
  if (!parts) return null;
  const host = parts[1]!;
  if (!isValidHost(host)) return null;
  const rest = parts[2]!;
  return { host, target: rest.startsWith('/') ? rest : `/${rest}` };
}
