/*
 * nginx's limit_conn: so many requests with the same key may be under way at once. Zones live on across reloads.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import type { Scope } from '../../../conf/schema/scope.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { ConnectionCounts } from '../../../zones/connection-counts.js';
import { BuildKey, type HttpBuild, type HttpModule, type LocationBuild } from '../../module.js';
import { carryZone, declareZone, reportMissingZone, reportUnknownZone } from '../../shared-zones.js';
import { limitOutcomes } from '../../status-zones.js';
import { ConnectionLimiter, type CountZone, type Limit, OUTCOMES, STATUS } from './connection-limiter.js';
import {
  limitConn,
  limitConnDryRun,
  limitConnLogLevel,
  limitConnStatus,
  limitConnZone,
} from './directives.js';

export const limitConnModule: HttpModule = {
  name: 'limit_conn',
  directives: [limitConnZone, limitConn, limitConnLogLevel, limitConnStatus, limitConnDryRun],
  variables: (table) =>
    table.define({
      name: 'limit_conn_status',
      get: (request: HttpRequest) => STATUS.of(request) ?? null,
      isVolatile: true,
    }),
  declare: declareZones,
  location: addLimiter,
};

const ZONES = new BuildKey('limit_conn zones', () => new Map<string, CountZone>());

function declareZones(directives: readonly CheckedDirective[], build: HttpBuild): void {
  const zones = build.shared(ZONES);
  for (const directive of directives) {
    const values = valuesOf(limitConnZone, directive);
    if (values === null) continue;
    const { node } = directive;
    const [keyParts, { zone }] = values;
    if (zone === undefined || zone.name === '') {
      reportMissingZone(build, node);
      continue;
    }
    const { name } = zone;
    const known = zones.get(name);
    if (known !== undefined) {
      const nginxText = `limit_conn_zone "${name}" is already bound to key "${known.keyText}"`;
      build.report(
        node,
        finding('zone-key', `zone "${name}" is declared twice`, 'keep one of them', nginxText),
      );
      continue;
    }
    if (!declareZone(build, node, 'limit_conn', name, zone.bytes)) continue;
    const counts = carryZone(build, node, 'limit_conn', zone, (memory) => new ConnectionCounts(memory));
    if (counts === null) continue;
    build.onWorkerDeath((_index, hasFinished) => {
      if (!hasFinished) counts.clear();
    });
    const key = build.text(keyParts, node.args[0]!);
    const outcomes = limitOutcomes(build, 'limitConns', name, OUTCOMES);
    zones.set(name, { name, key, keyText: node.args[0]!.text, counts, outcomes, places: new Map() });
  }
}

function addLimiter(scope: Scope, build: LocationBuild): void {
  const limits: Limit[] = [];
  const zones = build.shared(ZONES);
  for (const { node, values } of scope.all(limitConn)) {
    const [name, most] = values;
    const zone = zones.get(name);
    if (zone === undefined) reportUnknownZone(build, node, name, 'limit_conn_zone');
    else if (limits.some((limit) => limit.zone === zone)) {
      const nginxText = '"limit_conn" directive is duplicate';
      const message = `zone "${name}" limits requests here twice`;
      build.report(node, finding('duplicate-directive', message, 'keep one of them', nginxText));
    } else limits.push({ zone, most });
  }
  if (limits.length === 0) return;
  const limiter = new ConnectionLimiter(limits, {
    logLevel: scope.value(limitConnLogLevel)[0],
    status: scope.value(limitConnStatus)[0],
    isDryRun: scope.value(limitConnDryRun)[0],
  });
  build.addHandler('preaccess', limiter.handle);
}
