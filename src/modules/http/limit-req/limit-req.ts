/*
 * nginx's limit_req: requests with the same key may come so fast and no faster. Zones live on across reloads.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { CheckedDirective } from '../../../conf/schema/checked.js';
import { valuesOf } from '../../../conf/schema/checked.js';
import type { Scope } from '../../../conf/schema/scope.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { RequestRates } from '../../../zones/request-rates.js';
import { BuildKey, type HttpBuild, type HttpModule, type LocationBuild } from '../../module.js';
import { carryZone, declareZone, reportMissingZone, reportUnknownZone } from '../../shared-zones.js';
import { limitOutcomes } from '../../status-zones.js';
import { limitReq, limitReqDryRun, limitReqLogLevel, limitReqStatus, limitReqZone } from './directives.js';
import { type Limit, OUTCOMES, type RateZone, RequestLimiter, STATUS } from './request-limiter.js';

export const limitReqModule: HttpModule = {
  name: 'limit_req',
  directives: [limitReqZone, limitReq, limitReqLogLevel, limitReqStatus, limitReqDryRun],
  variables: (table) =>
    table.define({
      name: 'limit_req_status',
      get: (request: HttpRequest) => STATUS.of(request) ?? null,
      isVolatile: true,
    }),
  declare: declareZones,
  location: addLimiter,
};

const ZONES = new BuildKey('limit_req zones', () => new Map<string, RateZone>());

function declareZones(directives: readonly CheckedDirective[], build: HttpBuild): void {
  const zones = build.shared(ZONES);
  for (const directive of directives) {
    const values = valuesOf(limitReqZone, directive);
    if (values === null) continue;
    const { node } = directive;
    const [keyParts, { zone, rate = 1000 }] = values;
    if (zone === undefined || zone.name === '') {
      reportMissingZone(build, node);
      continue;
    }
    const { name } = zone;
    const known = zones.get(name);
    if (known !== undefined) {
      const nginxText = `limit_req_zone "${name}" is already bound to key "${known.keyText}"`;
      build.report(
        node,
        finding('zone-key', `zone "${name}" is declared twice`, 'keep one of them', nginxText),
      );
      continue;
    }
    if (!declareZone(build, node, 'limit_req', name, zone.bytes)) continue;
    const rates = carryZone(build, node, 'limit_req', zone, (memory) => new RequestRates(memory));
    if (rates === null) continue;
    const key = build.text(keyParts, node.args[0]!);
    const outcomes = limitOutcomes(build, 'limitReqs', name, OUTCOMES);
    zones.set(name, { name, key, keyText: node.args[0]!.text, rate, rates, outcomes });
  }
}

function addLimiter(scope: Scope, build: LocationBuild): void {
  const limits: Limit[] = [];
  const zones = build.shared(ZONES);
  for (const { node, values } of scope.all(limitReq)) {
    const [{ zone: name = '', burst = 0, delay = 0, nodelay }] = values;
    const zone = zones.get(name);
    if (name === '') reportMissingZone(build, node);
    else if (zone === undefined) reportUnknownZone(build, node, name, 'limit_req_zone');
    else if (limits.some((limit) => limit.zone === zone)) {
      const nginxText = '"limit_req" directive is duplicate';
      const message = `zone "${name}" limits requests here twice`;
      build.report(node, finding('duplicate-directive', message, 'keep one of them', nginxText));
    } else {
      limits.push({
        zone,
        burst: burst * 1000,
        undelayed: nodelay === true ? Number.POSITIVE_INFINITY : delay * 1000,
      });
    }
  }
  if (limits.length === 0) return;
  const limiter = new RequestLimiter(limits, {
    logLevel: scope.value(limitReqLogLevel)[0],
    status: scope.value(limitReqStatus)[0],
    isDryRun: scope.value(limitReqDryRun)[0],
  });
  build.addHandler('preaccess', limiter.handle);
}
