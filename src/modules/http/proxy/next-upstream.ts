/*
 * The words of proxy_next_upstream and of directives like it.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import { NextUpstream } from '../../../request/upstream-settings.js';
import { proxyNextUpstream } from './directives.js';

/** Bits of NextUpstream by the words for them. */
export const NEXT_UPSTREAM_BITS: Readonly<Record<string, number>> = {
  error: NextUpstream.error,
  timeout: NextUpstream.timeout,
  invalid_header: NextUpstream.invalidHeader,
  http_500: NextUpstream.http500,
  http_502: NextUpstream.http502,
  http_503: NextUpstream.http503,
  http_504: NextUpstream.http504,
  http_403: NextUpstream.http403,
  http_404: NextUpstream.http404,
  http_429: NextUpstream.http429,
  non_idempotent: NextUpstream.nonIdempotent,
};

/** What proxy_next_upstream says at a level. */
export function nextUpstream(scope: Scope): number {
  const words = scope.value(proxyNextUpstream);
  if (words.includes('off')) return 0;
  return words.reduce((bits, word) => bits | (NEXT_UPSTREAM_BITS[word] ?? 0), 0);
}
