/*
 * Variables about the machine and the time, and the number that tells one request from all others.
 */
import { hostname } from 'node:os';
import { systemClock } from '../../../core/clock.js';
import { randomId } from '../../../core/random-id.js';
import { NGINX_VERSION } from '../../../core/version.js';
import { formatSeconds } from '../../../log/seconds.js';
import { formatTimeIso8601, formatTimeLocal, TimeStamp } from '../../../log/time-stamp.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { VariableTable } from '../../../variables/variable-table.js';

/** $hostname, $pid, $msec, $time_local, $request_id ... */
export function addSystemVariables(table: VariableTable<HttpRequest>): void {
  const host = hostname().toLowerCase();
  const local = new TimeStamp(systemClock, formatTimeLocal);
  const iso8601 = new TimeStamp(systemClock, formatTimeIso8601);
  table.define({ name: 'nginx_version', get: () => NGINX_VERSION });
  table.define({ name: 'hostname', get: () => host });
  table.define({ name: 'pid', get: () => String(process.pid) });
  table.define({ name: 'request_id', get: () => randomId(16) });
  table.define({
    name: 'msec',
    isVolatile: true,
    get: ({ context }) => formatSeconds(context.clock.wallMs()),
  });
  table.define({ name: 'time_local', isVolatile: true, get: () => local.text() });
  table.define({ name: 'time_iso8601', isVolatile: true, get: () => iso8601.text() });
}
