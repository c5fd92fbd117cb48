/*
 * What a method means for a proxy (RFC 9110 section 9.2.2).
 */

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** Whether sending the request twice has the effect of sending it once, so that it may be tried again. */
export function isIdempotent(method: string): boolean {
  return method === 'GET' || IDEMPOTENT.has(method);
}
