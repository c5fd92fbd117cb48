/*
 * `proxy_cookie_domain`, `proxy_cookie_path`, `proxy_cookie_flags`: what becomes of an upstream's cookies.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Scope } from '../../../conf/schema/scope.js';
import type { Directive } from '../../../conf/syntax/ast.js';
import { type Matcher, regex as regexType } from '../../../conf/values/regex.js';
import { Refusal } from '../../../conf/values/value-type.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Text } from '../../../variables/text.js';
import type { LocationBuild } from '../../module.js';
import * as proxy from './directives.js';
import { firstOf, makeRewrite, type Rewrite, textOf } from './rewrites.js';

/** A name of a cookie or of one of its attributes, and what follows the '='; null without one. */
interface Attribute {
  name: string;
  value: string | null;
}

interface FlagRule {
  readonly fits: (request: HttpRequest, cookie: string) => boolean;
  readonly flags: readonly Text<HttpRequest>[];
}

/** What a level does to Set-Cookie; null for nothing. */
export function cookieRewrite(
  scope: Scope,
  build: LocationBuild,
): ((request: HttpRequest, cookie: string) => string) | null {
  const domain = domainRewrite(scope, build);
  const path = pathRewrite(scope, build);
  const flags = flagRules(scope, build);
  if (domain === null && path === null && flags.length === 0) return null;
  return (request, cookie) => {
    const attributes = parseCookie(cookie);
    if (attributes[0]!.value === null) return cookie;
    const isDomainChanged = rewriteValues(attributes, 'domain', domain, request);
    const isPathChanged = rewriteValues(attributes, 'path', path, request);
    const hasNewFlags = applyFlags(attributes, flags, request);
    return isDomainChanged || isPathChanged || hasNewFlags ? printCookie(attributes) : cookie;
  };
}

function parseCookie(cookie: string): Attribute[] {
  return cookie.split(';').map((part) => {
    const equals = part.indexOf('=');
    if (equals < 0) return { name: trimSpaces(part), value: null };
    return { name: trimSpaces(part.slice(0, equals)), value: trimSpaces(part.slice(equals + 1)) };
  });
}

function trimSpaces(text: string): string {
  return text.replace(/^ +| +$/g, '');
}

function printCookie(attributes: readonly Attribute[]): string {
  return attributes.map(({ name, value }) => (value === null ? name : `${name}=${value}`)).join('; ');
}

function rewriteValues(
  attributes: readonly Attribute[],
  name: string,
  rewrite: Rewrite | null,
  request: HttpRequest,
): boolean {
  if (rewrite === null) return false;
  let isChanged = false;
  for (let i = 1; i < attributes.length; i++) {
    const attribute = attributes[i]!;
    if (attribute.value === null || attribute.name.toLowerCase() !== name) continue;
    const rewritten = rewrite(request, attribute.value);
    if (rewritten === null) continue;
    attribute.value = rewritten;
    isChanged = true;
  }
  return isChanged;
}

// --- proxy_cookie_domain ------------------------------------------------------------------------------

function domainRewrite(scope: Scope, build: LocationBuild): Rewrite | null {
  const rules: Rewrite[] = [];
  const directives = scope.all(proxy.proxyCookieDomain);
  for (const { node, values } of directives) {
    const [domain, replacement] = values;
    if (replacement === undefined) checkOff(node, domain, directives.length, build);
    else rules.push(domainRule(node, domain, replacement, build));
  }
  return rules.length === 0 ? null : firstOf(rules);
}

function domainRule(node: Directive, domain: string, replacement: string, build: LocationBuild): Rewrite {
  const [word, newWord] = node.args;
  if (domain.startsWith('~')) {
    const parsed = regexType({ isCaseless: true }).parse(domain.slice(1));
    if (parsed instanceof Refusal) {
      build.report(word!, finding('regex', parsed.message, null, parsed.nginxText('proxy_cookie_domain')));
      return () => null;
    }
    return makeRewrite({ kind: 'regex', regex: parsed }, word!, textOf(replacement, newWord!, build), build);
  }
  const pattern = textOf(withoutDot(domain), word!, build);
  const text = textOf(withoutDot(replacement), newWord!, build);
  return (request, value) => {
    const isSame = withoutDot(value).toLowerCase() === pattern.evaluate(request).toLowerCase();
    if (!isSame) return null;
    return value.startsWith('.') ? `.${text.evaluate(request)}` : text.evaluate(request);
  };
}

function withoutDot(domain: string): string {
  return domain.startsWith('.') ? domain.slice(1) : domain;
}

// --- proxy_cookie_path --------------------------------------------------------------------------------

function pathRewrite(scope: Scope, build: LocationBuild): Rewrite | null {
  const rules: Rewrite[] = [];
  const directives = scope.all(proxy.proxyCookiePath);
  for (const { node, values } of directives) {
    const [path, replacement] = values;
    if (replacement === undefined) checkOff(node, textIn(path), directives.length, build);
    else rules.push(makeRewrite(path, node.args[0]!, build.text(replacement, node.args[1]!), build));
  }
  return rules.length === 0 ? null : firstOf(rules);
}

function textIn(pattern: Matcher): string {
  return pattern.kind === 'text' ? pattern.text : '';
}

/** A word alone can only be `off`, and nothing beside it. */
function checkOff(node: Directive, word: string, count: number, build: LocationBuild): void {
  const given = node.args[0]!.text;
  if (word !== 'off') {
    const hint = 'use off, or a value and its replacement';
    build.report(
      node.args[0]!,
      finding('proxy-cookie', `Cannot take "${given}" alone`, hint, `invalid parameter "${given}"`),
    );
  } else if (count > 1) {
    const message = `"${node.name} off" leaves no room for another ${node.name} beside it`;
    build.report(node, finding('proxy-cookie', message, null, `"${node.name}" directive is duplicate`));
  }
}

// --- proxy_cookie_flags -------------------------------------------------------------------------------

const FLAGS = [
  'secure',
  'nosecure',
  'httponly',
  'nohttponly',
  'samesite=strict',
  'samesite=lax',
  'samesite=none',
  'nosamesite',
];

function flagRules(scope: Scope, build: LocationBuild): FlagRule[] {
  const rules: FlagRule[] = [];
  const directives = scope.all(proxy.proxyCookieFlags);
  for (const { node, values } of directives) {
    const [cookie, ...flags] = values as unknown as [Matcher, ...Parameters<LocationBuild['text']>[0][]];
    if (flags.length === 0) {
      checkOff(node, textIn(cookie), directives.length, build);
      continue;
    }
    const texts = flags.map((flag, i) => build.text(flag, node.args[i + 1]!));
    for (const [i, { constant }] of texts.entries()) {
      if (constant === null || FLAGS.includes(constant.toLowerCase())) continue;
      const nginxText = `invalid parameter "${constant}"`;
      build.report(
        node.args[i + 1]!,
        finding('proxy-cookie', `Cannot take flag "${constant}"`, `use ${FLAGS.join(', ')}`, nginxText),
      );
    }
    rules.push({ fits: cookieMatch(cookie, node, build), flags: texts });
  }
  return rules;
}

function cookieMatch(cookie: Matcher, node: Directive, build: LocationBuild): FlagRule['fits'] {
  if (cookie.kind === 'regex') {
    const regex = build.regex(cookie.regex, node);
    return (request, name) => regex.match(request, name);
  }
  const text = textOf(cookie.text, node.args[0]!, build);
  return (request, name) => text.evaluate(request).toLowerCase() === name.toLowerCase();
}

/** By the first rule whose cookie this is. Whether anything may have changed. */
function applyFlags(attributes: Attribute[], rules: readonly FlagRule[], request: HttpRequest): boolean {
  const rule = rules.find(({ fits }) => fits(request, attributes[0]!.name));
  if (rule === undefined) return false;
  const flags = new Set(rule.flags.map((flag) => flag.evaluate(request).toLowerCase()));
  flags.delete('');
  setFlag(attributes, 'Secure', flags);
  setFlag(attributes, 'HttpOnly', flags);
  setSameSite(attributes, flags);
  return flags.size > 0;
}

function setFlag(attributes: Attribute[], name: string, flags: ReadonlySet<string>): void {
  const lower = name.toLowerCase();
  const has = attributes.some((each, i) => i > 0 && each.name.toLowerCase() === lower);
  if (flags.has(lower)) {
    if (!has) attributes.push({ name, value: null });
  } else if (flags.has(`no${lower}`)) removeAttribute(attributes, lower);
}

function setSameSite(attributes: Attribute[], flags: ReadonlySet<string>): void {
  const wanted = ['Strict', 'Lax', 'None'].find((each) => flags.has(`samesite=${each.toLowerCase()}`));
  if (wanted === undefined) {
    if (flags.has('nosamesite')) removeAttribute(attributes, 'samesite');
    return;
  }
  const there = attributes.find((each, i) => i > 0 && each.name.toLowerCase() === 'samesite');
  if (there === undefined) attributes.push({ name: 'SameSite', value: wanted });
  else if (there.value?.toLowerCase() !== wanted.toLowerCase()) {
    there.name = 'SameSite';
    there.value = wanted;
  }
}

function removeAttribute(attributes: Attribute[], lowerName: string): void {
  for (let i = attributes.length - 1; i > 0; i--) {
    if (attributes[i]!.name.toLowerCase() === lowerName) attributes.splice(i, 1);
  }
}
