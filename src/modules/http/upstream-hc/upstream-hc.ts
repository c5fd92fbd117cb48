/*
 * nginx Plus's http upstream hc module: health checks of the group that a location passes requests to.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { parameters } from '../../../conf/schema/arguments.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { text } from '../../../conf/values/text.js';
import { timeMs } from '../../../conf/values/time.js';
import { HealthChecker, type KnownHealth } from '../../../upstream/health/health-checker.js';
import { ANY_GOOD_STATUS, type HealthMatch } from '../../../upstream/health/health-match.js';
import type { UpstreamTarget } from '../../../upstream/upstream-target.js';
import { BuildKey, type HttpBuild, type HttpModule, type LocationBuild } from '../../module.js';
import { UPSTREAM_TLS_OF } from '../../tls/upstream-tls-of.js';
import { makeMatch, match } from './match.js';

const healthCheck = defineDirective({
  name: 'health_check',
  syntax: 'health_check [parameters]',
  contexts: ['location'],
  args: [
    parameters({
      interval: timeMs,
      jitter: timeMs,
      fails: number({ min: 1 }),
      passes: number({ min: 1 }),
      uri: text('uri'),
      mandatory: null,
      persistent: null,
      match: text('name'),
      port: number({ min: 1, max: 65_535 }),
      type: keyword('http'),
    }),
  ],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary:
    'Asks the servers of the group again and again, and takes those out that do not answer as they must.',
  since: '0.2.0',
  effect: 'full',
});

export const upstreamHcModule: HttpModule = {
  name: 'upstream_hc',
  directives: [healthCheck, match],
  declare: declareMatches,
  location: checkHealth,
};

const DEFAULT_INTERVAL_MS = 5000;

/**
 * How much of the interval an answer may take: what hangs right behind a check that it passed is out when the next
 * one has failed, within two intervals, the timer's lateness included.
 */
const TIMEOUT_PART = 0.9;

const MATCHES = new BuildKey('health matches', () => new Map<string, HealthMatch>());

function declareMatches(directives: readonly CheckedDirective[], build: HttpBuild): void {
  for (const directive of directives) {
    const values = valuesOf(match, directive);
    if (values !== null) build.shared(MATCHES).set(values[0], makeMatch(directive.entries));
  }
}

function checkHealth(scope: Scope, build: LocationBuild): void {
  const [directive] = scope.own(healthCheck);
  if (directive === undefined) return;
  const target = findTarget(scope, build);
  if (target === null) {
    const message = '"health_check" needs proxy_pass to an upstream in its location';
    build.report(directive.node, finding('health-check', message, 'add proxy_pass http://NAME;'));
    return;
  }
  const conditions = findMatch(directive, build);
  if (conditions !== null) startChecks(directive, target, conditions, build);
}

/** The group that proxy_pass of the location names. */
function findTarget(scope: Scope, build: LocationBuild): UpstreamTarget | null {
  const pass = scope.directives.find(({ definition }) => definition.name === 'proxy_pass');
  const name = /^https?:\/\/([^/:$]+)/i.exec(pass?.node.args[0]?.text ?? '')?.[1];
  return name === undefined ? null : (build.upstreams.get(toByteString(name).toLowerCase()) ?? null);
}

type HealthCheckPlace = Placed<typeof healthCheck.args>;

function findMatch({ node, values: [given] }: HealthCheckPlace, build: LocationBuild): HealthMatch | null {
  if (given.match === undefined) return ANY_GOOD_STATUS;
  const found = build.shared(MATCHES).get(given.match);
  if (found !== undefined) return found;
  const message = `there is no match "${given.match}"`;
  build.report(node, finding('health-check', message, `add match ${given.match} { ... } to http`));
  return null;
}

function startChecks(
  { values: [given] }: HealthCheckPlace,
  { group }: UpstreamTarget,
  conditions: HealthMatch,
  build: LocationBuild,
): void {
  const { wheel, clock, onDefect, worker } = build;
  // One worker asks for all. What is known of before a reload, only that one knows.
  if (worker.index > 0 || (worker.index < 0 && given.persistent === true)) return;
  const { location } = build;
  const { errorLog } = location.settings;
  const tlsOf = build.shared(UPSTREAM_TLS_OF);
  const intervalMs = given.interval ?? DEFAULT_INTERVAL_MS;
  const uri = toByteString(given.uri ?? '/');
  const known = build.carried<KnownHealth>('health', group.name, () => new Map());
  const checker = new HealthChecker(
    group,
    {
      intervalMs,
      jitterMs: given.jitter ?? 0,
      fails: given.fails ?? 1,
      passes: given.passes ?? 1,
      port: given.port ?? 0,
      isMandatory: given.mandatory === true,
      isPersistent: given.persistent === true,
      match: conditions,
      request: `GET ${uri} HTTP/1.1\r\nHost: ${group.name}\r\nUser-Agent: sluice health check\r\nConnection: close\r\n\r\n`,
      // differs from nginx: there it is proxy_read_timeout, which may let a server that hangs be trusted for a minute.
      timeoutMs: intervalMs * TIMEOUT_PART,
      tls: () => tlsOf.get(location) ?? null,
    },
    {
      wheel,
      clock,
      onDefect,
      asks: worker.index === 0,
      onChange: (peer, reason) => {
        const who = `peer ${peer.name} of upstream "${group.name}"`;
        if (reason === null) errorLog.log('notice', `${who} is healthy`);
        else errorLog.log('warn', `${who} is unhealthy: ${reason}`);
      },
    },
    known,
  );
  group.onPeersChange.push(() => checker.followPeers());
  checker.followPeers();
  build.onClose(() => checker.stop());
}
