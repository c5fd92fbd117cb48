/*
 * What keeps pages of other sites from changing anything through the browser of somebody who may.
 */
import type { HttpRequest } from '../../../request/http-request.js';
import { ApiError } from './api-error.js';

/** Sec-Fetch-Site of what a page of another site began. */
const FOREIGN_SITES: ReadonlySet<string> = new Set(['cross-site', 'same-site']);

/**
 * Throws an ApiError for a change that a page of another origin asks for.
 * security: a form or a script elsewhere could else remove servers with the address or the password of an operator.
 */
export function checkOrigin(request: HttpRequest): void {
  const origin = request.field('origin');
  const isForeign = origin !== null && hostOf(origin) !== request.head.host.toLowerCase();
  if (!isForeign && !FOREIGN_SITES.has(request.field('sec-fetch-site') ?? '')) return;
  const text = `a page of another origin may change nothing here${origin === null ? '' : `: Origin is "${origin}"`}`;
  throw new ApiError(403, 'ForeignOrigin', text);
}

/** Throws an ApiError for a body that isn't said to be JSON: the one type that browsers don't send unasked. */
export function mustBeJson(request: HttpRequest): void {
  const type = request.field('content-type') ?? '';
  if (/^application\/json[ \t]*(;|$)/i.test(type)) return;
  const text = `the body has the type "${type}"; send JSON with Content-Type: application/json`;
  throw new ApiError(415, 'UnsupportedMediaType', text);
}

/** Host and port; '' for what has none. */
function hostOf(origin: string): string {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? '';
}
