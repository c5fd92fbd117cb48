/*
 * The variables of nginx's http core module: what the client sent, what it is answered, the connection, the machine.
 */
import type { HttpRequest } from '../../../request/http-request.js';
import type { VariableTable } from '../../../variables/variable-table.js';
import { addConnectionVariables } from './connection-variables.js';
import { addRequestVariables } from './request-variables.js';
import { addResponseVariables } from './response-variables.js';
import { addSystemVariables } from './system-variables.js';

/** Adds all of them. */
export function addCoreVariables(table: VariableTable<HttpRequest>): void {
  addRequestVariables(table);
  addResponseVariables(table);
  addConnectionVariables(table);
  addSystemVariables(table);
}
