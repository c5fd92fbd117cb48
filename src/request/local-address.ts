/*
 * The local address of connections to upstreams (nginx: proxy_bind).
 */
import { type Address, parseLocalAddress } from '../net/address.js';
import { logErrorOf } from './error-line.js';
import type { HttpRequest } from './http-request.js';
import type { RequestText } from './location.js';

/** What `bind` says for a request; null for any, also where it says what is none, which is logged. */
export function localAddressOf(request: HttpRequest, bind: RequestText | null): Address | null {
  const text = bind === null ? '' : bind.evaluate(request);
  if (text === '') return null;
  const address = parseLocalAddress(text);
  if (address === null) logErrorOf(request, 'error', `invalid local address "${text}"`);
  return address;
}
