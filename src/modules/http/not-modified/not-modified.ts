/*
 * Conditional requests: If-Match and If-Unmodified-Since are answered with 412 where they don't hold, If-None-Match and
 * If-Modified-Since with 304 where the client has the answer already (RFC 9110 section 13, in nginx's reading).
 */
import { parseHttpDate } from '../../../core/http-date.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Response } from '../../../request/response.js';
import { FilterOrder, type ResponseFilter } from '../../../request/response-filter.js';
import type { HttpModule } from '../../module.js';

export const notModifiedModule: HttpModule = {
  name: 'not_modified_filter',
  directives: [],
  location: (_, build) => build.addFilter(NOT_MODIFIED_FILTER),
};

const NOT_MODIFIED_FILTER: ResponseFilter = {
  order: FilterOrder.notModified,
  isForSubrequests: false,
  skipsUpstreams: true,
  begin(request, response) {
    if (response.status !== 200 || response.ignoresConditions) return null;
    const unmodifiedSince = request.field('if-unmodified-since');
    if (unmodifiedSince !== null && !isUnmodified(response, unmodifiedSince)) return 412;
    const match = request.field('if-match');
    if (match !== null && !matchesTag(match, response.etag, false)) return 412;
    const modifiedSince = request.field('if-modified-since');
    const noneMatch = request.field('if-none-match');
    if (modifiedSince === null && noneMatch === null) return null;
    if (modifiedSince !== null && isModified(request, response, modifiedSince)) return null;
    if (noneMatch !== null && !matchesTag(noneMatch, response.etag, true)) return null;
    response.status = 304;
    response.reason = '';
    response.contentType = '';
    response.contentEncoding = '';
    response.forgetLength();
    response.fields.remove('accept-ranges');
    return null;
  },
};

function isUnmodified({ lastModified }: Response, since: string): boolean {
  return lastModified >= 0 && parseHttpDate(since) >= lastModified;
}

function isModified(request: HttpRequest, { lastModified }: Response, since: string): boolean {
  const { ifModifiedSince } = request.location.settings;
  if (lastModified < 0 || ifModifiedSince === 'off') return true;
  const seconds = parseHttpDate(since);
  if (seconds === lastModified) return false;
  return ifModifiedSince === 'exact' || seconds < lastModified;
}

/** Whether a list of entity tags has `etag`, '' for none. Weak comparison leaves W/ out of account on both sides. */
function matchesTag(list: string, etag: string, isWeak: boolean): boolean {
  if (list === '*') return true;
  if (etag === '') return false;
  const wanted = isWeak && etag.startsWith('W/') ? etag.slice(2) : etag;
  // A tag may have commas in it, so the list can't simply be split.
  for (let at = 0; at < list.length; at = nextItem(list, at)) {
    const start = isWeak && list.startsWith('W/', at) ? at + 2 : at;
    if (list.startsWith(wanted, start) && endsItem(list, start + wanted.length)) return true;
  }
  return false;
}

function endsItem(list: string, at: number): boolean {
  ITEM_END.lastIndex = at;
  return ITEM_END.test(list);
}

function nextItem(list: string, at: number): number {
  const comma = list.indexOf(',', at);
  if (comma < 0) return list.length;
  SEPARATOR.lastIndex = comma;
  SEPARATOR.test(list);
  return SEPARATOR.lastIndex;
}

const ITEM_END = /[ \t]*(?:,|$)/y;
const SEPARATOR = /[ \t,]+/y;
