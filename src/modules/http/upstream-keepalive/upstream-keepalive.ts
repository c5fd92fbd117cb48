/*
 * nginx's http upstream keepalive module: how many idle connections a group keeps, and for how long.
 */
import { optional } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { timeMs } from '../../../conf/values/time.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';

const shared = {
  contexts: ['upstream'],
  block: null,
  inherit: 'none',
  isRepeatable: false,
  since: '0.2.0',
  effect: 'full',
} as const;

const keepalive = defineDirective({
  ...shared,
  name: 'keepalive',
  syntax: 'keepalive connections [local]',
  args: [number(), optional(keyword('local'))],
  default: '32 local',
  summary: 'How many idle connections are kept; with local, each for the location it was opened from.',
});

const keepaliveRequests = defineDirective({
  ...shared,
  name: 'keepalive_requests',
  syntax: 'keepalive_requests number',
  args: [number()],
  default: '1000',
  summary: 'How many requests a connection carries before it is closed.',
});

const keepaliveTime = defineDirective({
  ...shared,
  name: 'keepalive_time',
  syntax: 'keepalive_time time',
  args: [timeMs],
  default: '1h',
  summary: 'For how long requests are sent on a connection.',
});

const keepaliveTimeout = defineDirective({
  ...shared,
  name: 'keepalive_timeout',
  syntax: 'keepalive_timeout time',
  args: [timeMs],
  default: '60s',
  summary: 'How long an idle connection is kept.',
});

export const upstreamKeepaliveModule: HttpModule = {
  name: 'upstream_keepalive',
  directives: [keepalive, keepaliveRequests, keepaliveTime, keepaliveTimeout],
  upstream: setKeepalive,
};

function setKeepalive(scope: Scope, build: UpstreamBuild): void {
  const [connections, local] = scope.value(keepalive);
  build.plan.keepalive = {
    connections,
    isLocal: local !== undefined,
    requests: scope.value(keepaliveRequests)[0],
    timeMs: scope.value(keepaliveTime)[0],
    idleTimeoutMs: scope.value(keepaliveTimeout)[0],
  };
}
