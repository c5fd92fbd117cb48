/*
 * `proxy_pass`: where a location's requests go, decided once or for each request if the URL has variables.
 */

import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import { parseIpAddress } from '../../../core/ip-address.js';
import { describeResolveCode, type Resolver } from '../../../net/resolver/resolver.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Destination, UpstreamSettings } from '../../../request/upstream-settings.js';
import { makeImplicitTarget, makeResolvedGroup, makeUnkeptPool } from '../../../upstream/make-target.js';
import { noKnownAddresses } from '../../../upstream/peer-source.js';
import type { UpstreamTarget } from '../../../upstream/upstream-target.js';
import { BuildKey, type HttpBuild, type LocationBuild } from '../../module.js';
import { resolverOf, resolverTimeout } from '../../resolver.js';
import type { proxyPass } from './directives.js';
import { parseUpstreamUrl, type UpstreamUrl } from './upstream-url.js';

export type ProxyPass = Placed<(typeof proxyPass)['args']>;

/** What proxy_pass says at a level, for what depends on it. */
export interface PassedUrl {
  /** As written. */
  readonly url: string;
  /** Its path, if it has one and no variables. */
  readonly uri: string | null;
  /** What of a request's path that stands for; '' where the location has no path. */
  readonly locationPath: string;
  readonly hasVariables: boolean;
  readonly destination: UpstreamSettings['destination'];
  readonly choose: UpstreamSettings['choose'];
}

/** Reads the directive; null if it was reported. */
export function passedUrl(directive: ProxyPass, scope: Scope, build: LocationBuild): PassedUrl | null {
  const [parts] = directive.values;
  const word = directive.node.args[0]!;
  const locationPath = build.kind === 'prefix' || build.kind === 'exact' ? build.path : '';
  if (parts.some(({ kind }) => kind !== 'literal')) {
    const text = build.text(parts, word);
    const choose = chooser(text.evaluate.bind(text), scope, build);
    return { url: word.text, uri: null, locationPath, hasVariables: true, destination: null, choose };
  }
  const text = build.text(parts, word).constant!;
  const url = parseUpstreamUrl(text);
  if ('reason' in url) {
    reportUrl(directive, url.reason, build);
    return null;
  }
  if (url.uri !== null && locationPath === '') {
    reportUri(directive, build);
    return null;
  }
  const target = fixedTarget(url, directive, build);
  if (target === null) return null;
  const { schema, hostField: host, portText: port, uri } = url;
  const destination = { target, schema, host, port, uri: null };
  return { url: text, uri, locationPath, hasVariables: false, destination, choose: null };
}

function reportUrl({ node }: ProxyPass, reason: string, build: LocationBuild): void {
  const word = node.args[0]!;
  if (reason === 'invalid URL prefix') {
    const hint = /^https:/i.test(word.text)
      ? 'upstreams are not reached by TLS yet: use http://'
      : 'begin it with http://';
    build.report(word, finding('proxy-pass', `Cannot pass requests to "${word.text}"`, hint, reason));
    return;
  }
  const address = word.text.replace(/^http:\/\//i, '');
  const nginxText = `${reason} in upstream "${address}"`;
  const hint = 'use http://HOST, http://HOST:PORT or http://unix:/PATH';
  build.report(
    word,
    finding('proxy-pass', `Cannot pass requests to "${word.text}": ${reason}`, hint, nginxText),
  );
}

function reportUri({ node }: ProxyPass, build: LocationBuild): void {
  const nginxText =
    '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, ' +
    'or inside "if" statement, or inside "limit_except" block';
  const message = `"proxy_pass" cannot replace the path of requests here: leave out what follows the address in "${node.args[0]!.text}"`;
  build.report(node.args[0]!, finding('proxy-pass', message, null, nginxText));
}

/** The group that a URL without variables names; null if it was reported. */
function fixedTarget(url: UpstreamUrl, { node }: ProxyPass, build: LocationBuild): UpstreamTarget | null {
  const named = build.upstreams.get(url.host.toLowerCase());
  if (named !== undefined && url.path === null) {
    if (url.hasNoPort) return named;
    const nginxText = `upstream "${url.host}" may not have port ${url.port}`;
    build.report(node, finding('proxy-pass', nginxText, `use http://${url.host}`, nginxText));
    return null;
  }
  return implicitTarget(url, build);
}

/** The group of an address, the same for all who name it. */
function implicitTarget(url: UpstreamUrl, build: HttpBuild): UpstreamTarget {
  const { host, port, path } = url;
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

/** Connections to where variables lead are not kept, as in nginx. */
const UNKEPT = new BuildKey<{ pool: UpstreamTarget['pool'] | null }>('unkept connections', () => ({
  pool: null,
}));

/** What finds the destination of each request. */
function chooser(
  evaluate: (request: HttpRequest) => string,
  scope: Scope,
  build: LocationBuild,
): NonNullable<UpstreamSettings['choose']> {
  const resolver = resolverOf(scope, build);
  const timeoutMs = scope.value(resolverTimeout)[0];
  const shared = build.shared(UNKEPT);
  shared.pool ??= makeUnkeptPool(build);
  const { pool } = shared;
  const { upstreams } = build;
  return (request) => {
    const text = evaluate(request);
    const url = parseUpstreamUrl(text);
    if ('reason' in url) {
      const isPrefix = url.reason === 'invalid URL prefix';
      logErrorOf(
        request,
        'error',
        isPrefix
          ? `${url.reason} in "${text}"`
          : `${url.reason} in upstream "${text.replace(/^http:\/\//i, '')}"`,
      );
      return 500;
    }
    const named = url.hasNoPort && url.path === null ? upstreams.get(url.host.toLowerCase()) : undefined;
    if (named !== undefined) return destinationOf(url, named);
    if (url.path !== null || parseIpAddress(url.host) !== null) {
      const { host, port, path } = url;
      const address = { host, port, path };
      return destinationOf(url, { group: makeResolvedGroup(url.hostField, [address]), pool });
    }
    return resolve(request, url, resolver, timeoutMs, pool);
  };
}

function destinationOf(
  { schema, hostField, portText, uri }: UpstreamUrl,
  target: UpstreamTarget,
): Destination {
  const path = uri?.startsWith('?') ? `/${uri}` : uri;
  return { target, schema, host: hostField, port: portText, uri: path };
}

function resolve(
  request: HttpRequest,
  url: UpstreamUrl,
  resolver: Resolver | null,
  timeoutMs: number,
  pool: UpstreamTarget['pool'],
): number | Promise<Destination | number> {
  if (resolver === null) {
    logErrorOf(request, 'error', `no resolver defined to resolve ${url.host}`);
    return 502;
  }
  return new Promise((done) => {
    resolver.resolve(url.host, timeoutMs, ({ code, addresses }) => {
      if (code !== 0) {
        const reason = `(${code}: ${describeResolveCode(code)})`;
        logErrorOf(request, 'error', `${url.host} could not be resolved ${reason}`);
        done(502);
        return;
      }
      const peers = addresses.map((host) => ({ host, port: url.port, path: null }));
      done(destinationOf(url, { group: makeResolvedGroup(url.hostField, peers), pool }));
    });
  });
}
