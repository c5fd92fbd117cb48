/*
 * nginx's http tunnel module: CONNECT. The work is request/tunnel-exchange.ts's; here is what directives tell it.
 * security: a server takes CONNECT only where tunnel_pass stands in it, and goes only where that says.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import type { Directive } from '../../../conf/syntax/ast.js';
import type { TextPart } from '../../../conf/values/variable-text.js';
import { logErrorOf } from '../../../request/error-line.js';
import { openTunnel, type TunnelSettings } from '../../../request/tunnel-exchange.js';
import { NextUpstream } from '../../../request/upstream-settings.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { fixedTarget, parseUpstreamAddress, targetFinder } from '../../upstream-address.js';
import { localAddressText } from '../../upstream-bind.js';
import * as tunnel from './directives.js';

export const tunnelModule: HttpModule = {
  name: 'tunnel',
  directives: tunnel.TUNNEL_DIRECTIVES,
  location: addTunnels,
};

type TunnelPass = Placed<(typeof tunnel.tunnelPass)['args']>;

function addTunnels(scope: Scope, build: LocationBuild): void {
  const directive = passIn(scope, build);
  if (directive === null) return;
  build.server.allowsConnect = true;
  const passed = passedTarget(directive, scope, build);
  if (passed === null) return;
  const settings: TunnelSettings = {
    ...passed,
    bind: localAddressText(scope.find(tunnel.tunnelBind), build),
    connectTimeoutMs: scope.value(tunnel.tunnelConnectTimeout)[0],
    readTimeoutMs: scope.value(tunnel.tunnelReadTimeout)[0],
    nextUpstream: nextUpstream(scope),
    nextUpstreamTries: scope.value(tunnel.tunnelNextUpstreamTries)[0],
    nextUpstreamTimeoutMs: scope.value(tunnel.tunnelNextUpstreamTimeout)[0],
  };
  build.setContent((request) => openTunnel(request, settings));
}

/** The tunnel_pass of a level: blocks that only change settings have that of the location around them. */
function passIn(scope: Scope, build: LocationBuild): TunnelPass | null {
  const own = scope.own(tunnel.tunnelPass)[0];
  if (own !== undefined) return own;
  if (build.kind !== 'if' && build.kind !== 'limit_except') return null;
  return scope.parent!.own(tunnel.tunnelPass)[0] ?? null;
}

/** What the client names. */
const NAMED: readonly TextPart[] = [
  { kind: 'variable', name: 'host' },
  { kind: 'literal', text: ':' },
  { kind: 'variable', name: 'request_port' },
];

/** Where the tunnels lead; null if it was reported. */
function passedTarget(
  { node, values: [written] }: TunnelPass,
  scope: Scope,
  build: LocationBuild,
): Pick<TunnelSettings, 'target' | 'choose'> | null {
  const text = build.text(written ?? NAMED, node.args[0] ?? node);
  if (text.constant === null) {
    const find = targetFinder(scope, build);
    return {
      target: null,
      choose(request) {
        const named = text.evaluate(request);
        const address = parseUpstreamAddress(named, 0);
        if (!('reason' in address)) return find(request, address);
        logErrorOf(request, 'info', `${address.reason} in upstream "${named}"`);
        return 500;
      },
    };
  }
  const address = parseUpstreamAddress(text.constant, 0);
  if ('reason' in address) return report(node, text.constant, address.reason, build);
  if (address.hasNoPort && address.path === null && !build.upstreams.has(address.host.toLowerCase()))
    return report(node, text.constant, 'no port', build);
  const target = fixedTarget(address, node, build);
  return target === null ? null : { target, choose: null };
}

function report(node: Directive, address: string, reason: string, build: LocationBuild): null {
  const message = `Cannot open tunnels to "${address}": ${reason}`;
  const hint = 'use HOST:PORT, unix:/PATH or the name of an upstream';
  build.report(node, finding('tunnel-pass', message, hint, `${reason} in upstream "${address}"`));
  return null;
}

function nextUpstream(scope: Scope): number {
  const words = scope.value(tunnel.tunnelNextUpstream);
  if (words.includes('off')) return 0;
  const error = words.includes('error') ? NextUpstream.error : 0;
  return error | (words.includes('timeout') ? NextUpstream.timeout : 0);
}
