/*
 * From the `upstream {}` blocks of a configuration to groups with their connections.
 */
import { finding } from '../conf/diagnostics/catalogue.js';
import { Scope } from '../conf/schema/scope.js';
import type { Directive } from '../conf/syntax/ast.js';
import { toByteString } from '../conf/syntax/source-text.js';
import { openErrorLog } from '../modules/error-log.js';
import { server, upstream } from '../modules/http/upstream/directives.js';
import type { HttpModule, UpstreamBuild } from '../modules/module.js';
import type { BalancerFactory } from '../upstream/balancers/balancer.js';
import { makeTarget } from '../upstream/make-target.js';
import { PeerTable, peerTableBytes, peerTableStatsBytes } from '../upstream/peer-table.js';
import { UpstreamPlan } from '../upstream/upstream-plan.js';
import type { HttpBuilder } from './http-builder.js';

/** Makes a group of each block, known by its name from then on. */
export function buildUpstreams(http: Scope, builder: HttpBuilder, modules: readonly HttpModule[]): void {
  for (const directive of http.own(upstream)) {
    const name = toByteString(directive.values[0]);
    const key = name.toLowerCase();
    if (builder.upstreams.has(key)) {
      const nginxText = `duplicate upstream "${directive.values[0]}"`;
      builder.report(directive.node, finding('duplicate-upstream', nginxText, 'keep one of them', nginxText));
      continue;
    }
    const scope = new Scope('upstream', http, directive, directive.block);
    const plan = new UpstreamPlan(name, peerTable(key, scope, builder));
    const build = makeUpstreamBuild(http, builder, plan);
    for (const module of modules) module.upstream?.(scope, build);
    builder.upstreams.set(key, makeTarget(plan, build));
  }
}

/** Servers that may be added at run time and still have records that workers share. */
const ADDED_SERVERS = 256;

/** Where the records of the peers are; null where one thread serves all. */
function peerTable(key: string, scope: Scope, builder: HttpBuilder): PeerTable | null {
  const { worker } = builder;
  if (worker.count === 1) return null;
  const isChangeable = scope.directives.some(({ definition }) => definition.name === 'zone');
  const servers = scope.own(server).length + (isChangeable ? ADDED_SERVERS : 0);
  const memory = builder.cycleMemory('peers', key, peerTableBytes(servers, worker));
  const stats = isChangeable
    ? builder.cycleMemory('peer stats', key, peerTableStatsBytes(servers, worker))
    : null;
  const table = new PeerTable(memory, worker, stats);
  builder.onWorkerDeath((index) => table.forgetWorker(index));
  return table;
}

function makeUpstreamBuild(http: Scope, builder: HttpBuilder, plan: UpstreamPlan): UpstreamBuild {
  return Object.assign(Object.create(builder) as HttpBuilder, {
    plan,
    errorLog: openErrorLog(http, builder),
    setBalancer: (at: Directive, balancer: BalancerFactory) => {
      if (plan.balancerName !== '') {
        const nginxText = 'load balancing method redefined';
        const message = `"${at.name}" replaces the balancing method "${plan.balancerName}"`;
        builder.report(at, { ...finding('balancer', message, 'keep one', nginxText), severity: 'warning' });
      }
      plan.balancer = balancer;
      plan.balancerName = at.name;
    },
  });
}
