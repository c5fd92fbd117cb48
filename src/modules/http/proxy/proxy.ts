/*
 * nginx's http proxy module: passes requests on to other servers. The work is request/ask-upstream.ts's; here is
 * what a location's directives tell it.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { fieldSet } from '../../../http/h1/field-lines.js';
import { FIELD_ID_COUNT, FieldId, fieldIdOf } from '../../../http/message/field-id.js';
import { askUpstream } from '../../../request/ask-upstream.js';
import { HOP_BY_HOP_IN_ANSWERS } from '../../../request/forwarded-head.js';
import { IgnoredField, type UpstreamSettings } from '../../../request/upstream-settings.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { localAddressText } from '../../upstream-bind.js';
import { cacheSettings, declareCaches } from './cache.js';
import { PROXY_CACHE_DIRECTIVES } from './cache-directives.js';
import { cookieRewrite } from './cookies.js';
import * as proxy from './directives.js';
import { nextUpstream } from './next-upstream.js';
import { type PassedUrl, type ProxyPass, passedUrl } from './proxy-pass.js';
import { redirectRewrite } from './redirects.js';
import { requestPlan } from './request-plan.js';
import { howAnswersAreKept, storeSettings } from './store.js';
import { PROXY_TLS_DIRECTIVES } from './tls-directives.js';
import { upstreamTls } from './upstream-tls.js';
import { addProxyVariables, CHOSEN_DESTINATION, FIXED_DESTINATIONS } from './variables.js';

export const proxyModule: HttpModule = {
  name: 'proxy',
  directives: [...proxy.PROXY_DIRECTIVES, ...PROXY_CACHE_DIRECTIVES, ...PROXY_TLS_DIRECTIVES],
  variables: addProxyVariables,
  declare: declareCaches,
  location: addProxying,
};

function addProxying(scope: Scope, build: LocationBuild): void {
  const directive = passIn(scope, build);
  if (directive === null) return;
  const passed = passedUrl(directive, scope, build);
  if (passed === null) return;
  const settings = settingsOf(scope, build, passed);
  if (passed.destination !== null) FIXED_DESTINATIONS.set(build.location, passed.destination);
  build.setContent((request) => askUpstream(request, settings));
  if (build.path.endsWith('/') && (build.kind === 'prefix' || build.kind === 'exact'))
    build.location.hasAutoRedirect = true;
}

/** The proxy_pass of a level: blocks that only change settings have that of the location around them. */
function passIn(scope: Scope, build: LocationBuild): ProxyPass | null {
  const own = scope.own(proxy.proxyPass)[0];
  if (own !== undefined) return own;
  if (build.kind !== 'if' && build.kind !== 'limit_except') return null;
  return scope.parent!.own(proxy.proxyPass)[0] ?? null;
}

function settingsOf(scope: Scope, build: LocationBuild, passed: PassedUrl): UpstreamSettings {
  const ms = (definition: typeof proxy.proxyReadTimeout) => scope.value(definition)[0];
  const isOn = (definition: typeof proxy.proxyBuffering) => scope.value(definition)[0];
  const [count, size] = scope.value(proxy.proxyBuffers);
  const [tempPath, ...levels] = scope.value(proxy.proxyTempPath);
  const limitRate = scope.find(proxy.proxyLimitRate);
  const rate = limitRate === null ? null : build.text(limitRate.values[0], limitRate.node.args[0]!);
  const rewriteRedirect = redirectRewrite(scope, build, passed);
  const rewriteCookie = cookieRewrite(scope, build);
  const ignored = ignoredFields(scope);
  const { choose } = passed;
  const plan = requestPlan(scope, build, passed.uri, passed.locationPath);
  const tempFiles = { path: build.writtenFolder(tempPath), levels };
  const keeps = howAnswersAreKept(scope, build);
  return {
    destination: passed.destination,
    choose: choose === null ? null : remembering(choose),
    plan,
    tls: upstreamTls(scope, build, passed),
    cache: keeps === 'cached' ? cacheSettings(scope, build, plan) : null,
    store: keeps === 'stored' ? storeSettings(scope, build, tempFiles) : null,
    bind: localAddressText(scope.find(proxy.proxyBind), build),
    connectTimeoutMs: ms(proxy.proxyConnectTimeout),
    sendTimeoutMs: ms(proxy.proxySendTimeout),
    readTimeoutMs: ms(proxy.proxyReadTimeout),
    nextUpstream: nextUpstream(scope),
    nextUpstreamTries: scope.value(proxy.proxyNextUpstreamTries)[0],
    nextUpstreamTimeoutMs: ms(proxy.proxyNextUpstreamTimeout),
    buffersRequest: isOn(proxy.proxyRequestBuffering),
    buffersResponse: isOn(proxy.proxyBuffering),
    bufferSize: scope.value(proxy.proxyBufferSize)[0],
    buffersSize: count * size,
    maxTempFileSize: scope.value(proxy.proxyMaxTempFileSize)[0],
    tempPath: tempFiles,
    ignoresClientAbort: isOn(proxy.proxyIgnoreClientAbort),
    interceptsErrors: isOn(proxy.proxyInterceptErrors),
    ...hiddenFields(scope),
    noted: notedFields(ignored, rewriteRedirect !== null, rewriteCookie !== null),
    ignored,
    limitRate: rate?.constant === '0' ? null : rate,
    rewriteRedirect,
    rewriteCookie,
    forcesRanges: isOn(proxy.proxyForceRanges),
    passesTrailers: isOn(proxy.proxyPassTrailers),
  };
}

/** The same, with what it chose kept for variables. */
function remembering(
  choose: NonNullable<UpstreamSettings['choose']>,
): NonNullable<UpstreamSettings['choose']> {
  return (request) => {
    const chosen = choose(request);
    if (typeof chosen === 'number') return chosen;
    if (!(chosen instanceof Promise)) {
      CHOSEN_DESTINATION.set(request, chosen);
      return chosen;
    }
    return chosen.then((destination) => {
      if (typeof destination !== 'number') CHOSEN_DESTINATION.set(request, destination);
      return destination;
    });
  };
}

const IGNORED_BITS: Readonly<Record<string, number>> = {
  'X-Accel-Redirect': IgnoredField.accelRedirect,
  'X-Accel-Expires': IgnoredField.accelExpires,
  'X-Accel-Limit-Rate': IgnoredField.accelLimitRate,
  'X-Accel-Buffering': IgnoredField.accelBuffering,
  'X-Accel-Charset': IgnoredField.accelCharset,
  Expires: IgnoredField.expires,
  'Cache-Control': IgnoredField.cacheControl,
  'Set-Cookie': IgnoredField.setCookie,
  Vary: IgnoredField.vary,
};

function ignoredFields(scope: Scope): number {
  const words = scope.find(proxy.proxyIgnoreHeaders)?.values ?? [];
  return words.reduce((bits, word) => bits | IGNORED_BITS[word]!, 0);
}

/** Hidden unless proxy_pass_header says otherwise. */
const HIDDEN = [
  'date',
  'server',
  'x-pad',
  'x-accel-expires',
  'x-accel-redirect',
  'x-accel-limit-rate',
  'x-accel-buffering',
  'x-accel-charset',
];

function hiddenFields(scope: Scope): Pick<UpstreamSettings, 'hidden' | 'hiddenNames'> {
  const namesOf = (definition: typeof proxy.proxyHideHeader) =>
    scope.all(definition).map(({ values }) => toByteString(values[0]).toLowerCase());
  const names = new Set([...HIDDEN, ...namesOf(proxy.proxyHideHeader)]);
  for (const name of namesOf(proxy.proxyPassHeader)) names.delete(name);
  const unknown = [...names].filter((name) => fieldIdOf(name) === FieldId.other);
  return {
    hidden: fieldSet(FIELD_ID_COUNT, ...HOP_BY_HOP_IN_ANSWERS, ...[...names].map(fieldIdOf)),
    hiddenNames: unknown.length === 0 ? null : new Set(unknown),
  };
}

const ACCEL_FIELDS: readonly (readonly [number, number])[] = [
  [FieldId.xAccelRedirect, IgnoredField.accelRedirect],
  [FieldId.xAccelLimitRate, IgnoredField.accelLimitRate],
  [FieldId.xAccelBuffering, IgnoredField.accelBuffering],
  [FieldId.xAccelCharset, IgnoredField.accelCharset],
];

function notedFields(ignored: number, hasRedirects: boolean, hasCookies: boolean): Uint8Array {
  const noted = ACCEL_FIELDS.filter(([, bit]) => (ignored & bit) === 0).map(([id]) => id);
  if (hasRedirects) noted.push(FieldId.location, FieldId.refresh);
  if (hasCookies) noted.push(FieldId.setCookie);
  return fieldSet(FIELD_ID_COUNT, ...noted);
}
