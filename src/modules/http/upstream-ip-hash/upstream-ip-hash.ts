/*
 * nginx's http upstream ip_hash module.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { IpHashBalancer } from '../../../upstream/balancers/ip-hash.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';

const ipHash = defineDirective({
  name: 'ip_hash',
  syntax: 'ip_hash',
  contexts: ['upstream'],
  args: [],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: "Chooses the server by the client's address: of IPv4 its first three octets, of IPv6 all of it.",
  since: '0.2.0',
  effect: 'full',
});

export const upstreamIpHashModule: HttpModule = {
  name: 'upstream_ip_hash',
  directives: [ipHash],
  upstream: chooseIpHash,
};

const addressOf = (subject: unknown) => (subject as HttpRequest).remoteAddress;

function chooseIpHash(scope: Scope, build: UpstreamBuild): void {
  const [directive] = scope.own(ipHash);
  if (directive === undefined) return;
  build.setBalancer(directive.node, (peers) => new IpHashBalancer(peers, addressOf));
}
