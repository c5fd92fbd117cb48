/*
 * `proxy_redirect`: what becomes of URLs in Location and Refresh.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import type { LocationBuild } from '../../module.js';
import { proxyRedirect } from './directives.js';
import type { PassedUrl } from './proxy-pass.js';
import { firstOf, makeRewrite, type Rewrite } from './rewrites.js';

type RedirectDirective = Placed<(typeof proxyRedirect)['args']>;

/** What a level does to redirects of `passed`; null for nothing. */
export function redirectRewrite(scope: Scope, build: LocationBuild, passed: PassedUrl): Rewrite | null {
  const directives = scope.all(proxyRedirect);
  if (directives.length === 0) return defaultRewrite(passed);
  const rules: Rewrite[] = [];
  let isOff = false;
  for (const directive of directives) {
    const [pattern, replacement] = directive.values;
    const { node } = directive;
    if (replacement !== undefined) {
      rules.push(makeRewrite(pattern, node.args[0]!, build.text(replacement, node.args[1]!), build));
      continue;
    }
    const word = pattern.kind === 'text' ? pattern.text : '';
    if (word === 'off') {
      isOff = true;
      if (directives.length > 1) reportDuplicate(directive, build);
    } else if (word === 'default') {
      const rule = defaultOf(directive, build, passed);
      if (rule !== null) rules.push(rule);
    } else reportParameter(directive, build);
  }
  return isOff || rules.length === 0 ? null : firstOf(rules);
}

/** The URL of proxy_pass becomes the path of the location. */
function defaultRewrite({ url, uri, locationPath, hasVariables }: PassedUrl): Rewrite | null {
  if (hasVariables) return null;
  const [begin, instead] = uri === null ? [`${url}/`, '/'] : [url, locationPath];
  return (_, value) => (value.startsWith(begin) ? instead + value.slice(begin.length) : null);
}

function defaultOf({ node }: RedirectDirective, build: LocationBuild, passed: PassedUrl): Rewrite | null {
  if (passed.hasVariables) {
    const nginxText = '"proxy_redirect default" cannot be used with "proxy_pass" directive with variables';
    build.report(node, finding('proxy-redirect', nginxText, 'name the URL and its replacement', nginxText));
    return null;
  }
  return defaultRewrite(passed);
}

function reportParameter({ node }: RedirectDirective, build: LocationBuild): void {
  const { text } = node.args[0]!;
  const hint = 'use default, off, or a URL and its replacement';
  build.report(
    node.args[0]!,
    finding('proxy-redirect', `Cannot take "${text}" alone`, hint, `invalid parameter "${text}"`),
  );
}

function reportDuplicate({ node }: RedirectDirective, build: LocationBuild): void {
  const message = '"proxy_redirect off" leaves no room for another proxy_redirect beside it';
  build.report(node, finding('proxy-redirect', message, null, '"proxy_redirect" directive is duplicate'));
}
