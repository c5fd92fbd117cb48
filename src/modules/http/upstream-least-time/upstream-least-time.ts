/*
 * nginx's http upstream least_time module.
 */
import { optional } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { keyword } from '../../../conf/values/keyword.js';
import { LeastTimeBalancer } from '../../../upstream/balancers/least-time.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';

const leastTime = defineDirective({
  name: 'least_time',
  syntax: 'least_time header | last_byte [inflight]',
  contexts: ['upstream'],
  args: [keyword('header', 'last_byte'), optional(keyword('inflight'))],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Chooses the server that answers soonest on average, considering the requests it has.',
  since: '0.2.0',
  effect: 'full',
});

export const upstreamLeastTimeModule: HttpModule = {
  name: 'upstream_least_time',
  directives: [leastTime],
  upstream: chooseLeastTime,
};

function chooseLeastTime(scope: Scope, build: UpstreamBuild): void {
  const [directive] = scope.own(leastTime);
  if (directive === undefined) return;
  const [measured, inflight] = directive.values;
  build.setBalancer(
    directive.node,
    (peers) => new LeastTimeBalancer(peers, measured, inflight === 'inflight'),
  );
}
