/*
 * Variables about the upstreams that a request was sent to: one value for each try, and what the last answer said.
 */
import { CACHE_USE } from '../../../request/cache-use.js';
import { fieldValues, joinedField } from '../../../request/field-text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { UpstreamTries } from '../../../request/upstream-tries.js';
import type { VariableTable } from '../../../variables/variable-table.js';

/** $upstream_addr, $upstream_status, $upstream_response_time, $upstream_http_* ... */
export function addUpstreamVariables(table: VariableTable<HttpRequest>): void {
  const define = (name: string, read: (tries: UpstreamTries) => string) =>
    table.define({
      name,
      isVolatile: true,
      get: ({ tries }) => (tries.count === 0 ? null : read(tries)),
    });
  define('upstream_addr', (tries) => tries.addresses);
  define('upstream_status', (tries) => tries.statuses);
  define('upstream_connect_time', (tries) => tries.connectTimes);
  define('upstream_header_time', (tries) => tries.headerTimes);
  define('upstream_response_time', (tries) => tries.responseTimes);
  define('upstream_response_length', (tries) => tries.responseLengths);
  define('upstream_bytes_sent', (tries) => tries.bytesSent);
  define('upstream_bytes_received', (tries) => tries.bytesReceived);
  const defineCached = (name: string, get: (request: HttpRequest) => string | null) =>
    table.define({ name, isVolatile: true, get });
  defineCached('upstream_cache_status', (request) => CACHE_USE.of(request)?.status ?? null);
  defineCached('upstream_cache_last_modified', (request) => CACHE_USE.of(request)?.lastModified || null);
  defineCached('upstream_cache_etag', (request) => CACHE_USE.of(request)?.etag || null);
  table.defineFamily({
    prefix: 'upstream_http_',
    member: (name) => ({ isVolatile: true, get: ({ tries }) => joinedField(tries.responseHead, name) }),
  });
  table.defineFamily({
    prefix: 'upstream_trailer_',
    member: (name) => ({ isVolatile: true, get: ({ tries }) => joinedField(tries.responseTrailer, name) }),
  });
  table.defineFamily({
    prefix: 'upstream_cookie_',
    member: (name) => ({ isVolatile: true, get: ({ tries }) => cookie(tries.responseHead, name) }),
  });
}

/** The value of a cookie that the answer sets. */
function cookie(head: string, name: string): string | null {
  for (const value of fieldValues(head, 'set_cookie')) {
    if (value.slice(0, name.length).toLowerCase() !== name) continue;
    const match = /^ *= *([^;]*)/.exec(value.slice(name.length));
    if (match !== null) return match[1]!;
  }
  return null;
}
