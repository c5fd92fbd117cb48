/*
 * nginx's http upstream hash module: `hash key [consistent]`.
 */
import { optional } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { keyword } from '../../../conf/values/keyword.js';
import { variableText } from '../../../conf/values/variable-text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { ConsistentHashBalancer } from '../../../upstream/balancers/consistent-hash.js';
import { HashBalancer } from '../../../upstream/balancers/hash.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';

const hash = defineDirective({
  name: 'hash',
  syntax: 'hash key [consistent]',
  contexts: ['upstream'],
  args: [variableText, optional(keyword('consistent'))],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Chooses the server by a hash of a text; with consistent, a change of servers moves few keys.',
  since: '0.2.0',
  effect: 'full',
});

export const upstreamHashModule: HttpModule = {
  name: 'upstream_hash',
  directives: [hash],
  upstream: chooseHash,
};

function chooseHash(scope: Scope, build: UpstreamBuild): void {
  const [directive] = scope.own(hash);
  if (directive === undefined) return;
  const [parts, consistent] = directive.values;
  const text = build.text(parts, directive.node);
  const key = (subject: unknown) => text.evaluate(subject as HttpRequest);
  build.setBalancer(directive.node, (peers) =>
    consistent === undefined ? new HashBalancer(peers, key) : new ConsistentHashBalancer(peers, key),
  );
}
