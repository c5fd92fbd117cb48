/*
 * nginx's realip module: behind proxies that are trusted the client is who they say it is.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { flag } from '../../../conf/values/flag.js';
import { text } from '../../../conf/values/text.js';
import { type Cidr, CidrSet, parseCidr } from '../../../core/cidr-set.js';
import { formatIpAddress, parseIpAddress } from '../../../core/ip-address.js';
import { lookUpHost, lookUpInHostsFile } from '../../../net/host-lookup.js';
import { type ForwardedAddress, forwardedAddress } from '../../../request/forwarded-address.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DECLINED, type PhaseHandler } from '../../../request/phase.js';
import { LastingState } from '../../../request/request-state.js';
import type { HttpModule, LocationBuild } from '../../module.js';

const PLACES = ['http', 'server', 'location'] as const;

const setRealIpFrom = defineDirective({
  name: 'set_real_ip_from',
  syntax: 'set_real_ip_from address | network | name | unix:',
  contexts: PLACES,
  args: [text('address | network | name | unix:')],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'A proxy that is trusted to say who its client is.',
  since: '0.2.0',
  effect: 'full',
});

const realIpHeader = defineDirective({
  name: 'real_ip_header',
  syntax: 'real_ip_header field | proxy_protocol',
  contexts: PLACES,
  args: [text('field | proxy_protocol')],
  block: null,
  default: 'X-Real-IP',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Where a trusted proxy says who its client is: a field of the request, or the PROXY protocol.',
  since: '0.2.0',
  effect: 'full',
});

const realIpRecursive = defineDirective({
  name: 'real_ip_recursive',
  syntax: 'real_ip_recursive on | off',
  contexts: PLACES,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether to look for the last address in the field that is not trusted, instead of the last one.',
  since: '0.2.0',
  effect: 'full',
});

export const realipModule: HttpModule = {
  name: 'realip',
  directives: [setRealIpFrom, realIpHeader, realIpRecursive],
  variables(table) {
    const originalOf = (request: HttpRequest) => original.of(request) ?? null;
    table.define({
      name: 'realip_remote_addr',
      get: (request) => originalOf(request)?.address ?? request.remoteAddress,
    });
    table.define({
      name: 'realip_remote_port',
      get: (request) => String((originalOf(request)?.port ?? request.remotePort) || ''),
    });
  },
  location: addHandler,
};

/** Where the connection comes from, once the client has another address. */
const original = new LastingState<ForwardedAddress>();

function addHandler(scope: Scope, build: LocationBuild): void {
  if (build.kind === 'if' || scope.all(setRealIpFrom).length === 0) return;
  if (build.kind === 'server') build.addHandler('postRead', handlerFor(scope, build));
  // What the server says has had its turn when a location is found.
  else if (hasOwnSettings(scope)) build.addHandler('preaccess', handlerFor(scope, build));
}

function hasOwnSettings(scope: Scope): boolean {
  for (let level: Scope | null = scope; level !== null && level.context !== 'server'; level = level.parent) {
    if (level.has(setRealIpFrom) || level.has(realIpHeader) || level.has(realIpRecursive)) return true;
  }
  return false;
}

function handlerFor(scope: Scope, build: LocationBuild): PhaseHandler {
  const trusted = trustedOf(scope, build);
  const [header] = scope.value(realIpHeader);
  const [isRecursive] = scope.value(realIpRecursive);
  const usesProxyProtocol = header === 'proxy_protocol';
  const name = header.toLowerCase();
  const isList = name === 'x-forwarded-for';
  return (request) => {
    if (original.of(request) !== undefined) return DECLINED;
    const lines = usesProxyProtocol ? sourceOf(request) : request.fieldLines(name);
    const used = isList ? lines : lines.slice(0, 1);
    const found = forwardedAddress(request.remoteAddress, used, (one) => trusted.has(one), isRecursive);
    if (found === null) return DECLINED;
    const port = usesProxyProtocol ? request.client.proxyProtocol!.sourcePort : found.port;
    original.set(request, { address: request.remoteAddress, port: request.remotePort });
    request.remoteAddress = formatIpAddress(parseIpAddress(found.address)!);
    request.remotePort = port;
    return DECLINED;
  };
}

function sourceOf({ client }: HttpRequest): string[] {
  return client.proxyProtocol === null ? [] : [client.proxyProtocol.sourceAddress];
}

function trustedOf(scope: Scope, build: LocationBuild): CidrSet {
  const cidrs: Cidr[] = [];
  let hasUnix = false;
  for (const { values, node } of scope.all(setRealIpFrom)) {
    const [from] = values;
    const parsed = parseCidr(from);
    if (from === 'unix:') hasUnix = true;
    else if (parsed !== null) {
      cidrs.push(parsed.cidr);
      if (parsed.hadHostBits) {
        const message = `low address bits of ${from} are meaningless`;
        build.report(node.args[0]!, { ...finding('realip-bits', message, null), severity: 'warning' });
      }
    } else if (/^[\w.-]+$/.test(from)) addHost(from, cidrs, build);
    else {
      const nginxText = `host not found in set_real_ip_from "${from}"`;
      const hint = 'use an address, a network such as 10.0.0.0/8, a name or unix:';
      build.report(
        node.args[0]!,
        finding('realip-from', `Cannot trust "${from}": it is no address`, hint, nginxText),
      );
    }
  }
  return new CidrSet(cidrs, hasUnix);
}

/** differs from nginx: a name that only a name server knows is trusted from when it has answered, not before. */
function addHost(name: string, cidrs: Cidr[], build: LocationBuild): void {
  const add = (addresses: readonly string[]) => {
    for (const address of addresses) cidrs.push(parseCidr(address)!.cidr);
  };
  const known = lookUpInHostsFile(name);
  add(known);
  if (known.length > 0) return;
  lookUpHost(name, (addresses, reason) => {
    add(addresses);
    if (addresses.length > 0) return;
    build.errorLog.log(
      'error',
      `host not found in set_real_ip_from "${name}" (${reason}): it is not trusted`,
    );
  });
}
