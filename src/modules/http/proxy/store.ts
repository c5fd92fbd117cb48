/*
 * What a level says of saving answers as files: proxy_store and proxy_store_access.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { fileModeOf } from '../../../conf/values/access-rights.js';
import type { TempPath } from '../../../request/settings.js';
import type { StoreSettings } from '../../../request/stored-copy.js';
import type { LocationBuild } from '../../module.js';
import { proxyCache } from './cache-directives.js';
import { proxyStore, proxyStoreAccess } from './directives.js';

/** By proxy_store or by proxy_cache: the one that stands nearer. At the same level they don't go together. */
export function howAnswersAreKept(scope: Scope, build: LocationBuild): 'stored' | 'cached' | null {
  for (let level: Scope | null = scope; level !== null; level = level.parent) {
    const [store] = level.own(proxyStore);
    const [cache] = level.own(proxyCache);
    const isStored = store !== undefined && isInForce(scope, proxyStore);
    const isCached = cache !== undefined && isInForce(scope, proxyCache);
    if (isStored && isCached) {
      const nginxText = '"proxy_store" is incompatible with "proxy_cache"';
      build.report(store.node, finding('proxy-store', nginxText, 'leave out one of them', nginxText));
    }
    if (isStored) return 'stored';
    if (isCached) return 'cached';
  }
  return null;
}

function isInForce(scope: Scope, definition: typeof proxyStore | typeof proxyCache): boolean {
  const found = scope.find(definition);
  return found !== null && found.node.args[0]!.text !== 'off';
}

/** Of a level where proxy_store is in force. */
export function storeSettings(scope: Scope, build: LocationBuild, tempPath: TempPath): StoreSettings {
  const { values, node } = scope.find(proxyStore)!;
  const [first, ...others] = values[0];
  // A path that begins with a variable is what that says.
  const resolved =
    first?.kind === 'literal'
      ? [{ ...first, text: build.resolvePath(first.text, 'prefix') }, ...others]
      : values[0];
  return {
    path: node.args[0]!.text === 'on' ? null : build.text(resolved, node.args[0]!),
    fileMode: fileModeOf(scope.value(proxyStoreAccess)),
    tempPath,
  };
}
