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

/** $proxy_host, $proxy_port, $proxy_add_x_forwarded_for */
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
  table.define({ name: 'proxy_add_x_forwarded_for', isVolatile: true, get: forwardedFor });
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
