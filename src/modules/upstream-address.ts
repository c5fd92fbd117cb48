/*
 * Where a request is to be sent, as directives name it or variables make it: an address taken apart, and the group of
 * peers that it stands for. Below the modules' folders, since all that pass requests on ask for it.
 */
import { finding } from '../conf/diagnostics/catalogue.js';
import type { Scope } from '../conf/schema/scope.js';
import type { Directive } from '../conf/syntax/ast.js';
import { parseIpAddress } from '../core/ip-address.js';
import { describeResolveCode, type Resolver } from '../net/resolver/resolver.js';
import { logErrorOf } from '../request/error-line.js';
import type { HttpRequest } from '../request/http-request.js';
import { makeImplicitTarget, makeResolvedGroup, makeUnkeptPool } from '../upstream/make-target.js';
import { noKnownAddresses } from '../upstream/peer-source.js';
import type { UpstreamTarget } from '../upstream/upstream-target.js';
import { BuildKey, type HttpBuild } from './module.js';
import { resolverOf, resolverTimeout } from './resolver.js';

/** Where a text leads. */
export interface UpstreamAddress {
  /** A name or an IP address without brackets, or '' for a unix socket. */
  readonly host: string;
  /** The port that is asked; 0 for a unix socket, or where none is named and there is none by default. */
  readonly port: number;
  /** Whether the text names no port. */
  readonly hasNoPort: boolean;
  /** A unix socket's path; null for others. */
  readonly path: string | null;
  /** As Host and $proxy_host have it: without the default port. */
  readonly hostField: string;
  /** As $proxy_port has it. */
  readonly portText: string;
}

/** Why a text is no such address, in nginx's words. */
export interface AddressProblem {
  readonly reason: string;
}

/** Takes `host`, `host:port`, `[address]:port` or `unix:path` apart. */
export function parseUpstreamAddress(text: string, defaultPort: number): UpstreamAddress | AddressProblem {
  if (/^unix:/i.test(text)) return unixAddress(text.slice('unix:'.length));
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text);
  if (match === null) return { reason: 'invalid host' };
  const host = match[1]!;
  const port = match[2] === undefined ? defaultPort : parsePort(match[2]);
  if (port === null) return { reason: 'invalid port' };
  if (host === '') return { reason: 'no host' };
  const isDefault = port === defaultPort;
  return {
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port,
    hasNoPort: match[2] === undefined,
    path: null,
    hostField: isDefault ? host : `${host}:${match[2]}`,
    portText: isDefault ? String(defaultPort) : match[2]!,
  };
}

function unixAddress(path: string): UpstreamAddress | AddressProblem {
  if (path === '') return { reason: 'no path in the unix domain socket' };
  return { host: '', port: 0, hasNoPort: true, path, hostField: 'localhost', portText: '' };
}

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

/** The group that an address of the configuration stands for; null if it was reported, at `node`. */
export function fixedTarget(
  address: UpstreamAddress,
  node: Directive,
  build: HttpBuild,
): UpstreamTarget | null {
  const { host, hasNoPort, path, port } = address;
  const named = build.upstreams.get(host.toLowerCase());
  if (named === undefined || path !== null) return implicitTarget(address, build);
  if (hasNoPort) return named;
  const nginxText = `upstream "${host}" may not have port ${port}`;
  build.report(node, finding('upstream-port', nginxText, 'leave out the port', nginxText));
  return null;
}

/** The group of an address, the same for all who name it. */
function implicitTarget(address: UpstreamAddress, build: HttpBuild): UpstreamTarget {
  const { host, port, path } = address;
  const name = path === null ? `${host.includes(':') ? `[${host}]` : host}:${port}` : `unix:${path}`;
  const key = name.toLowerCase();
  let target = build.upstreams.get(key);
  if (target === undefined) {
    const isName = path === null && parseIpAddress(host) === null;
    const known = isName ? build.carried('host', host, noKnownAddresses) : noKnownAddresses();
    target = makeImplicitTarget({ name, address: { host, port, path }, isName, known }, build);
    build.upstreams.set(key, target);
  }
  return target;
}

/** Finds the group of an address that was made for one request, or the status to answer with. */
export type TargetFinder = (
  request: HttpRequest,
  address: UpstreamAddress,
) => UpstreamTarget | number | Promise<UpstreamTarget | number>;

/** Connections to where variables lead are not kept, as in nginx. */
const UNKEPT = new BuildKey<{ pool: UpstreamTarget['pool'] | null }>('unkept connections', () => ({
  pool: null,
}));

/** For a level: names are asked of its resolver. */
export function targetFinder(scope: Scope, build: HttpBuild): TargetFinder {
  const resolver = resolverOf(scope, build);
  const timeoutMs = scope.value(resolverTimeout)[0];
  const shared = build.shared(UNKEPT);
  shared.pool ??= makeUnkeptPool(build);
  const { pool } = shared;
  const { upstreams } = build;
  return (request, address) => {
    const { host, hasNoPort, port, path, hostField } = address;
    const named = hasNoPort && path === null ? upstreams.get(host.toLowerCase()) : undefined;
    if (named !== undefined) return named;
    if (path === null && port === 0) {
      logErrorOf(request, 'error', `no port in upstream "${host}"`);
      return 500;
    }
    if (path === null && parseIpAddress(host) === null)
      return resolve(request, address, resolver, timeoutMs, pool);
    return { group: makeResolvedGroup(hostField, [{ host, port, path }]), pool, servers: null };
  };
}

function resolve(
  request: HttpRequest,
  { host, port, hostField }: UpstreamAddress,
  resolver: Resolver | null,
  timeoutMs: number,
  pool: UpstreamTarget['pool'],
): number | Promise<UpstreamTarget | number> {
  if (resolver === null) {
    logErrorOf(request, 'error', `no resolver defined to resolve ${host}`);
    return 502;
  }
  return new Promise((done) => {
    resolver.resolve(host, timeoutMs, ({ code, addresses }) => {
      if (code !== 0) {
        const reason = `(${code}: ${describeResolveCode(code)})`;
        logErrorOf(request, 'error', `${host} could not be resolved ${reason}`);
        done(502);
        return;
      }
      const peers = addresses.map((each) => ({ host: each, port, path: null }));
      done({ group: makeResolvedGroup(hostField, peers), pool, servers: null });
    });
  });
}
