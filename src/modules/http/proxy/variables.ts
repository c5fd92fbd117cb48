/*
 * Variables of nginx's http proxy module.
 */
import { FieldId } from '../../../http/message/field-id.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Location } from '../../../request/location.js';
import { RequestState } from '../../../request/request-state.js';
import type { Destination } from '../../../request/upstream-settings.js';
import type { VariableTable } from '../../../variables/variable-table.js';

/** Of locations whose requests all go to one place. */
export const FIXED_DESTINATIONS = new WeakMap<Location, Destination>();

/** Where a request goes whose proxy_pass has variables. */
export const CHOSEN_DESTINATION = new RequestState<Destination>();

function destinationOf(request: HttpRequest): Destination | null {
  return CHOSEN_DESTINATION.of(request) ?? FIXED_DESTINATIONS.get(request.location) ?? null;
}

/**
 * $proxy_host, $proxy_port, $proxy_add_x_forwarded_for; and of our own $forwarded_host, $forwarded_upgrade and
 * $forwarded_connection, which nginx's configurations make with maps.
 */
export function addProxyVariables(table: VariableTable<HttpRequest>): void {
  table.define({
    name: 'proxy_host',
    isVolatile: true,
    get: (request) => destinationOf(request)?.host ?? null,
  });
  table.define({
    name: 'proxy_port',
    isVolatile: true,
    get: (request) => destinationOf(request)?.port ?? null,
  });
  table.define({ name: 'proxy_add_x_forwarded_for', isVolatile: true, isOneLine: true, get: forwardedFor });
  table.define({ name: 'forwarded_host', isVolatile: true, isOneLine: true, get: forwardedHost });
  // security: only what the Connection field names too, and never one that leads to HTTP again and would hide requests.
  table.define({
    name: 'forwarded_upgrade',
    isVolatile: true,
    isOneLine: true,
    get: ({ head }) => head.upgrade,
  });
  table.define({
    name: 'forwarded_connection',
    isOneLine: true,
    isVolatile: true,
    get: ({ head }) => (head.upgrade === '' ? '' : 'upgrade'),
  });
}

/** The host the client asked for, with the port if it named one; the upstream's when it named none. */
function forwardedHost(request: HttpRequest): string | null {
  if (request.head.host === '') return destinationOf(request)?.host ?? null;
  return request.hostPort === 0 ? request.host : `${request.host}:${request.hostPort}`;
}

function forwardedFor(request: HttpRequest): string {
  let list = '';
  const { fields } = request.head;
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== FieldId.forwardedFor) continue;
    const value = fields.value(i);
    if (value !== '') list += `${value}, `;
  }
  return list + request.remoteAddress;
}
