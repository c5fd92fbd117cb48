/*
 * nginx's http upstream random module.
 */
import { optional } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { keyword } from '../../../conf/values/keyword.js';
import { type PeerCost, RandomBalancer } from '../../../upstream/balancers/random.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';

const random = defineDirective({
  name: 'random',
  syntax: 'random [two [least_conn | least_time=header | least_time=last_byte]]',
  contexts: ['upstream'],
  args: [
    optional(keyword('two')),
    optional(keyword('least_conn', 'least_time=header', 'least_time=last_byte')),
  ],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Chooses a server at random by weight, or the better one of two.',
  since: '0.2.0',
  effect: 'full',
});

export const upstreamRandomModule: HttpModule = {
  name: 'upstream_random',
  directives: [random],
  upstream: chooseRandom,
};

const COSTS = {
  least_conn: (peer) => peer.activeRequests,
  'least_time=header': (peer) => peer.headerTimeMs * (1 + peer.activeRequests),
  'least_time=last_byte': (peer) => peer.responseTimeMs * (1 + peer.activeRequests),
} as const satisfies Record<string, PeerCost>;

function chooseRandom(scope: Scope, build: UpstreamBuild): void {
  const [directive] = scope.own(random);
  if (directive === undefined) return;
  const [two, method] = directive.values;
  const cost = two === undefined ? null : COSTS[method ?? 'least_conn'];
  build.setBalancer(directive.node, (peers) => new RandomBalancer(peers, cost));
}
