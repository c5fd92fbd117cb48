/*
 * status_zone (NGINX Plus: ngx_http_api_module): counts the requests of servers and of locations under a name. Who
 * shows the numbers is told elsewhere.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { text } from '../../../conf/values/text.js';
import type { ZoneCounters } from '../../../metrics/zone-counters.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DECLINED } from '../../../request/phase.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { statusZone } from '../../status-zones.js';

const statusZoneDirective = defineDirective({
  name: 'status_zone',
  syntax: 'status_zone zone | off',
  contexts: ['server', 'location', 'location if'],
  args: [text('zone')],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary:
    'Counts the requests of this server, or those that end in this location and in locations inside of it.',
  since: '0.2.0',
  effect: 'full',
});

export const statusZoneModule: HttpModule = {
  name: 'status_zone',
  directives: [statusZoneDirective],
  location(scope, build) {
    if (build.kind === 'server') nameServerZone(scope, build);
    else countLocation(scope, build);
  },
};

function nameServerZone(scope: Scope, build: LocationBuild): void {
  const name = zoneName(scope, build);
  if (name !== null) build.server.zone = statusZone(build, 'servers', name);
}

/** A location has the zone of the location around it, but not that of its server, which counts by itself. */
function countLocation(scope: Scope, build: LocationBuild): void {
  let level: Scope | null = scope;
  while (level !== null && level.context !== 'server' && !level.has(statusZoneDirective))
    level = level.parent;
  if (level === null || level.context === 'server') return;
  const name = zoneName(level, build);
  if (name === null) return;
  const zone = statusZone(build, 'locations', name);
  build.addHandler('log', (request) => noteEnd(zone, request));
}

function noteEnd(zone: ZoneCounters, request: HttpRequest): number {
  if (request.parent === null) zone.note(request.answeredStatus, request.requestBytes, request.bytesSent);
  return DECLINED;
}

/** Null for none, and where something is wrong with it, which is reported. */
function zoneName(scope: Scope, build: LocationBuild): string | null {
  const [directive] = scope.own(statusZoneDirective);
  if (directive === undefined) return null;
  const [name] = directive.values;
  const isOff = name === 'off' && scope.context !== 'server';
  if (name !== '') return isOff ? null : toByteString(name);
  const nginxText = `invalid zone name "${name}"`;
  build.report(directive.node, finding('zone', 'a zone needs a name', 'give it one', nginxText));
  return null;
}
