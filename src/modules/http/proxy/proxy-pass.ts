/*
 * `proxy_pass`: where a location's requests go, decided once or for each request if the URL has variables.
 */

import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Destination, UpstreamSettings } from '../../../request/upstream-settings.js';
import type { UpstreamTarget } from '../../../upstream/upstream-target.js';
import type { LocationBuild } from '../../module.js';
import { fixedTarget, targetFinder } from '../../upstream-address.js';
import { proxyPass } from './directives.js';
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
  const locationPath = hasPath(directive, scope, build) ? build.path : '';
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
  const target = fixedTarget(url, directive.node, build);
  if (target === null) return null;
  const { schema, usesTls, hostField: host, portText: port, uri } = url;
  const destination = { target, schema, usesTls, host, port, uri: null };
  return { url: text, uri, locationPath, hasVariables: false, destination, choose: null };
}

/** Whether the level that says proxy_pass is a location with a path; that of the location around it may hold here too. */
function hasPath(directive: ProxyPass, scope: Scope, build: LocationBuild): boolean {
  const isOwn = scope.own(proxyPass).includes(directive);
  if (isOwn) return build.kind === 'prefix' || build.kind === 'exact';
  const [first] = scope.parent!.opener!.node.args;
  return !/^[~@]/.test(first!.text);
}

function reportUrl({ node }: ProxyPass, reason: string, build: LocationBuild): void {
  const word = node.args[0]!;
  if (reason === 'invalid URL prefix') {
    const hint = 'begin it with http:// or https://';
    build.report(word, finding('proxy-pass', `Cannot pass requests to "${word.text}"`, hint, reason));
    return;
  }
  const address = word.text.replace(/^https?:\/\//i, '');
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

/** What finds the destination of each request. */
function chooser(
  evaluate: (request: HttpRequest) => string,
  scope: Scope,
  build: LocationBuild,
): NonNullable<UpstreamSettings['choose']> {
  const find = targetFinder(scope, build);
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
          : `${url.reason} in upstream "${text.replace(/^https?:\/\//i, '')}"`,
      );
      return 500;
    }
    const target = find(request, url);
    if (typeof target === 'number') return target;
    if (!(target instanceof Promise)) return destinationOf(url, target);
    return target.then((found) => (typeof found === 'number' ? found : destinationOf(url, found)));
  };
}

function destinationOf(
  { schema, usesTls, hostField, portText, uri }: UpstreamUrl,
  target: UpstreamTarget,
): Destination {
  const path = uri?.startsWith('?') ? `/${uri}` : uri;
  return { target, schema, usesTls, host: hostField, port: portText, uri: path };
}
