/*
 * The variables of nginx's http core module.
 */
import type { HttpRequest } from '../../../request/http-request.js';
import type { VariableTable } from '../../../variables/variable-table.js';

/** Adds all of them. */
export function addCoreVariables(table: VariableTable<HttpRequest>): void {
  table.define({ name: 'uri', get: (request) => request.path, isVolatile: true });
}
