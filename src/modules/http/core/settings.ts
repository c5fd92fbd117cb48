/*
 * What the core directives say at one level, as request/ reads it.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import { countBytes, toByteString } from '../../../conf/syntax/source-text.js';
import type { HeadLimits } from '../../../http/h1/malformed.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { ErrorPage, LocationSettings, ServerSettings } from '../../../request/settings.js';
import { constantText, type Text } from '../../../variables/text.js';
import { openErrorLog } from '../../error-log.js';
import type { HttpBuild } from '../../module.js';
import { resolverDirective, resolverOf, resolverTimeout } from '../../resolver.js';
import * as core from './directives.js';
import { errorPagesOf } from './error-pages.js';
import { FILE_ACCESS_DIRECTIVES, fileAccess } from './file-access.js';
import { SERVER_SIGNATURE, SERVER_SIGNATURE_SHORT } from './signature.js';
import { typesOf } from './types.js';

const CORE: ReadonlySet<unknown> = new Set([
  ...core.CORE_DIRECTIVES,
  ...FILE_ACCESS_DIRECTIVES,
  resolverDirective,
  resolverTimeout,
]);

/** Of a server, whose first name is `serverName`. */
export function serverSettings(scope: Scope, serverName: string): ServerSettings {
  return {
    serverName,
    clientHeaderTimeoutMs: scope.value(core.clientHeaderTimeout)[0],
    headLimits: headLimits(scope),
    ignoreInvalidHeaders: scope.value(core.ignoreInvalidHeaders)[0],
    underscoresInHeaders: scope.value(core.underscoresInHeaders)[0],
    mergeSlashes: scope.value(core.mergeSlashes)[0],
  };
}

/** nginx has a small buffer and a number of large ones; a line fits into one, a head into all. */
function headLimits(scope: Scope): HeadLimits {
  const [smallBytes] = scope.value(core.clientHeaderBufferSize);
  const [count, largeBytes] = scope.value(core.largeClientHeaderBuffers);
  const [fieldCount] = scope.value(core.maxHeaders);
  return {
    lineBytes: Math.max(smallBytes, largeBytes),
    headBytes: smallBytes + count * largeBytes,
    fieldCount,
  };
}

/** Of a location or what stands for one. `outer` are those of the level around it, which it shares if it can. */
export function locationSettings(
  scope: Scope,
  build: HttpBuild,
  outer: LocationSettings | null,
): LocationSettings {
  const isSame = outer !== null && !scope.directives.some((directive) => CORE.has(directive.definition));
  if (isSame && openErrorLog(scope, build) === outer.errorLog) return outer;
  const [tempPath, ...levels] = scope.value(core.clientBodyTempPath);
  const [keepaliveMs, headerMs] = scope.value(core.keepaliveTimeout);
  const keepaliveDisabled = scope.value(core.keepaliveDisable);
  const { root, isAlias, aliasLength } = rootOf(scope, build);
  return {
    root,
    isAlias,
    aliasLength,
    files: fileAccess(scope, build),
    isInternal: scope.has(core.internal),
    types: typesOf(scope),
    defaultType: toByteString(scope.value(core.defaultType)[0]),
    errorPages: errorPages(scope, build),
    recursiveErrorPages: scope.value(core.recursiveErrorPages)[0],
    postAction: toByteString(scope.find(core.postAction)?.values[0] ?? ''),
    earlyHints: earlyHintsOf(scope, build),
    satisfiesAny: scope.value(core.satisfy)[0] === 'any',
    keepaliveTimeoutMs: keepaliveMs,
    keepaliveHeaderSeconds: headerMs === undefined ? 0 : headerMs / 1000,
    keepaliveRequests: scope.value(core.keepaliveRequests)[0],
    keepaliveTimeMs: scope.value(core.keepaliveTime)[0],
    keepaliveMinTimeoutMs: scope.value(core.keepaliveMinTimeout)[0],
    keepaliveDisabledFor: disabledFor(keepaliveDisabled),
    lingeringClose: scope.value(core.lingeringClose)[0],
    lingeringTimeMs: scope.value(core.lingeringTime)[0],
    lingeringTimeoutMs: scope.value(core.lingeringTimeout)[0],
    resetTimedoutConnection: scope.value(core.resetTimedoutConnection)[0],
    sendTimeoutMs: scope.value(core.sendTimeout)[0],
    clientBodyTimeoutMs: scope.value(core.clientBodyTimeout)[0],
    clientMaxBodySize: scope.value(core.clientMaxBodySize)[0],
    clientBodyBufferSize: scope.value(core.clientBodyBufferSize)[0],
    clientBodyTempPath: { path: build.writtenFolder(tempPath), levels },
    clientBodyInFileOnly: scope.value(core.clientBodyInFileOnly)[0],
    clientBodyInSingleBuffer: scope.value(core.clientBodyInSingleBuffer)[0],
    limitRate: rateText(scope, build, core.limitRate),
    limitRateAfter: rateText(scope, build, core.limitRateAfter),
    serverTokens: TOKENS[scope.value(core.serverTokens)[0]],
    etag: scope.value(core.etag)[0],
    ifModifiedSince: scope.value(core.ifModifiedSince)[0],
    maxRanges: scope.value(core.maxRanges)[0],
    absoluteRedirect: scope.value(core.absoluteRedirect)[0],
    serverNameInRedirect: scope.value(core.serverNameInRedirect)[0],
    portInRedirect: scope.value(core.portInRedirect)[0],
    msiePadding: scope.value(core.msiePadding)[0],
    msieRefresh: scope.value(core.msieRefresh)[0],
    chunkedTransferEncoding: scope.value(core.chunkedTransferEncoding)[0],
    subrequestOutputBufferSize: scope.value(core.subrequestOutputBufferSize)[0],
    authDelayMs: scope.value(core.authDelay)[0],
    logNotFound: scope.value(core.logNotFound)[0],
    logSubrequest: scope.value(core.logSubrequest)[0],
    resolver: resolverOf(scope, build),
    resolverTimeoutMs: scope.value(resolverTimeout)[0],
    errorLog: openErrorLog(scope, build),
  };
}

const TOKENS: Readonly<Record<'on' | 'off' | 'build', Text<HttpRequest>>> = {
  on: constantText(SERVER_SIGNATURE),
  off: constantText(SERVER_SIGNATURE_SHORT),
  build: constantText(SERVER_SIGNATURE),
};

/** root or alias of the innermost level that has one of them; a relative one is within the prefix. */
function rootOf(scope: Scope, build: HttpBuild): Pick<LocationSettings, 'root' | 'isAlias' | 'aliasLength'> {
  for (let level: Scope | null = scope; level !== null; level = level.parent) {
    const [ownAlias] = level.own(core.alias);
    const [ownRoot] = level.own(core.root);
    const directive = ownAlias ?? ownRoot;
    if (directive === undefined) continue;
    const isAlias = ownAlias !== undefined;
    const aliasLength = isAlias ? aliasLengthOf(level) : 0;
    return { root: pathText(directive.values[0], directive.node, isAlias, build), isAlias, aliasLength };
  }
  const preset = scope.value(core.root)[0];
  return {
    root: build.text(resolveParts(preset, build), scope.opener!.node),
    isAlias: false,
    aliasLength: 0,
  };
}

type Parts = Parameters<HttpBuild['text']>[0];

function pathText(
  parts: Parts,
  at: Parameters<HttpBuild['text']>[1],
  isAlias: boolean,
  build: HttpBuild,
): Text<HttpRequest> {
  const resolved = resolveParts(parts, build);
  const last = resolved[resolved.length - 1];
  // What follows begins with a slash of its own.
  const trimmed =
    !isAlias && last?.kind === 'literal' && last.text.endsWith('/')
      ? [...resolved.slice(0, -1), { ...last, text: last.text.slice(0, -1) }]
      : resolved;
  return build.text(trimmed, at);
}

function resolveParts(parts: Parts, build: HttpBuild): Parts {
  const [first, ...others] = parts;
  // A path that begins with a variable is what that says.
  if (first?.kind !== 'literal')
    return parts.length === 0 ? [{ kind: 'literal', text: build.resolvePath('', 'prefix') }] : parts;
  return [{ kind: 'literal', text: build.resolvePath(first.text, 'prefix') }, ...others];
}

/** All of a path where a regular expression found it, else the location's own. */
function aliasLengthOf(scope: Scope): number {
  const words = scope.within('location')?.opener?.node.args ?? [];
  const written = words.map(({ text }) => text).join('');
  if (written.startsWith('~')) return Number.POSITIVE_INFINITY;
  return countBytes(written.replace(/^(?:=|\^~)/, ''));
}

function earlyHintsOf(scope: Scope, build: HttpBuild): LocationSettings['earlyHints'] {
  const found = scope.find(core.earlyHints);
  if (found === null) return null;
  return found.values.map((parts, i) => build.text(parts, found.node.args[i]!));
}

function rateText(
  scope: Scope,
  build: HttpBuild,
  definition: typeof core.limitRate,
): Text<HttpRequest> | null {
  const found = scope.find(definition);
  if (found === null) return null;
  const text = build.text(found.values[0], found.node);
  return text.constant === '0' ? null : text;
}

function disabledFor(
  words: readonly ('none' | 'msie6' | 'safari')[],
): LocationSettings['keepaliveDisabledFor'] {
  if (words.includes('none')) return 'none';
  if (words.length > 1) return 'both';
  return words[0] ?? 'none';
}

function errorPages(scope: Scope, build: HttpBuild): ReadonlyMap<number, ErrorPage> {
  const directives = scope.all(core.errorPage);
  return directives.length === 0 ? NO_PAGES : errorPagesOf(directives, build);
}

const NO_PAGES: ReadonlyMap<number, ErrorPage> = new Map();
