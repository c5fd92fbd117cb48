/*
 * nginx's http upstream least_conn module.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { LeastConnBalancer } from '../../../upstream/balancers/least-conn.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';

const leastConn = defineDirective({
  name: 'least_conn',
  syntax: 'least_conn',
  contexts: ['upstream'],
  args: [],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Chooses the server with the fewest requests under way for its weight.',
  since: '0.2.0',
  effect: 'full',
});

export const upstreamLeastConnModule: HttpModule = {
  name: 'upstream_least_conn',
  directives: [leastConn],
  upstream: chooseLeastConn,
};

function chooseLeastConn(scope: Scope, build: UpstreamBuild): void {
  const [directive] = scope.own(leastConn);
  if (directive === undefined) return;
  build.setBalancer(directive.node, (peers) => new LeastConnBalancer(peers));
}
