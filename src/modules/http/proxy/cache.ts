/*
 * What a level says of caching: proxy_cache and its kin.
 */
import { type CachePath, FileCache } from '../../../cache/file-cache.js';
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import type { Scope } from '../../../conf/schema/scope.js';
import type { Directive, Word } from '../../../conf/syntax/ast.js';
import { sharedMs } from '../../../core/clock.js';
import { parseDurationMs } from '../../../core/duration.js';
import { CacheCounters, cacheCounterBytes } from '../../../metrics/cache-counters.js';
import type { ValidRule } from '../../../request/answer-freshness.js';
import { type CacheSettings, STALE_WHILE_UPDATING } from '../../../request/cache-settings.js';
import { CACHE_USE } from '../../../request/cache-use.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { RequestText } from '../../../request/location.js';
import { type RequestPlan, setField } from '../../../request/upstream-settings.js';
import { constantText } from '../../../variables/text.js';
import { BuildKey, type HttpBuild, type LocationBuild } from '../../module.js';
import { declareZone, reportUnknownZone } from '../../shared-zones.js';
import { STATUS_ZONES } from '../../status-zones.js';
import * as caching from './cache-directives.js';
import { NEXT_UPSTREAM_BITS } from './next-upstream.js';

/** nginx's. */
const INACTIVE_MS = 600_000;
const SWEEP_MS = 1000;
const MAX_LEVELS = 3;

/** Caches by the names of their zones. */
const CACHES = new BuildKey('proxy caches', () => new Map<string, FileCache>());

/** For proxy_cache_path. */
export function declareCaches(directives: readonly CheckedDirective[], build: HttpBuild): void {
  const caches = build.shared(CACHES);
  for (const directive of directives) {
    const values = valuesOf(caching.proxyCachePath, directive);
    if (values === null) continue;
    const { node } = directive;
    const [
      written,
      { levels: levelsText = '', keys_zone: zone, inactive = INACTIVE_MS, max_size, min_free },
    ] = values;
    const levels = levelsText === '' ? [] : levelsText.split(':').map(Number);
    if (levels.length > MAX_LEVELS || !levels.every((level) => level === 1 || level === 2)) {
      const message = `Cannot use levels "${levelsText}": write one to three of 1 and 2, such as 1:2`;
      build.report(node, finding('cache-levels', message, null, `invalid "levels" "levels=${levelsText}"`));
    } else if (zone === undefined || zone.name === '') {
      const nginxText = '"proxy_cache_path" must have "keys_zone" parameter';
      build.report(
        node,
        finding('missing-zone', '"proxy_cache_path" needs a zone', 'add keys_zone=NAME:SIZE', nginxText),
      );
    } else if (caches.has(zone.name)) {
      const nginxText = `duplicate zone "${zone.name}"`;
      const message = `zone "${zone.name}" is declared twice`;
      build.report(node, finding('zone-conflict', message, 'give it another name', nginxText));
    } else if (declareZone(build, node, 'proxy_cache', zone.name, zone.bytes)) {
      const path = build.writtenFolder(written);
      const maxBytes = max_size === undefined || max_size === 0 ? Number.POSITIVE_INFINITY : max_size;
      const minFreeBytes = min_free ?? 0;
      const limits = { path, levels, zoneBytes: zone.bytes, maxBytes, minFreeBytes, inactiveMs: inactive };
      const cache = carryCache(build, node, zone.name, limits);
      caches.set(zone.name, cache);
      build.shared(STATUS_ZONES).caches.set(zone.name, cache);
      build.onWorkerDeath(() => cache.index.forgetDead());
      keepInBounds(cache, limits, build);
    }
  }
}

/** The cache of a zone: that of the configuration before if the zone's size is the same, and an error if that one had another folder. */
function carryCache(build: HttpBuild, node: Directive, name: string, limits: CachePath): FileCache {
  const { path, levels, zoneBytes } = limits;
  const identity = `${name}:${zoneBytes}`;
  // Asked for each time, so that they are among what the next configuration takes over.
  const memory = build.sharedMemory('proxy_cache', identity, zoneBytes);
  const countsMemory = build.sharedMemory('cache counts', identity, cacheCounterBytes(build.worker));
  const cache = build.carried('proxy_cache', identity, () => {
    return new FileCache(limits, memory, new CacheCounters(countsMemory, build.worker));
  });
  const before = cache.limits;
  const levelsText = levels.join(':');
  const levelsBefore = before.levels.join(':');
  if (before.path !== path) {
    const nginxText = `cache "${name}" uses the "${path}" cache path while previously it used the "${before.path}" cache path`;
    const message = `cache "${name}" was kept in "${before.path}" before, and can't go on in "${path}"`;
    build.report(node, finding('zone-key', message, 'give it another name', nginxText));
  } else if (levelsBefore !== levelsText) {
    const nginxText = `cache "${name}" had previously different levels`;
    const message = `cache "${name}" was kept with levels "${levelsBefore}" before, and can't go on with "${levelsText}"`;
    build.report(node, finding('zone-key', message, 'give it another name', nginxText));
  }
  return cache;
}

/**
 * The bounds of a configuration hold once it is in use, not when it is only tried. One worker sees to it that they are
 * kept while nobody asks.
 */
function keepInBounds(cache: FileCache, limits: CachePath, build: HttpBuild): void {
  let isKnown = false;
  if (build.worker.index < 0) return;
  const timer = setInterval(() => {
    if (!isKnown) cache.limits = limits;
    isKnown = true;
    if (build.worker.index === 0) cache.sweep(sharedMs(build.clock));
    else clearInterval(timer);
  }, SWEEP_MS);
  timer.unref();
  build.onClose(() => clearInterval(timer));
}

/** How a level uses a cache; null where it doesn't. `plan` is how requests are put for the upstream without one. */
export function cacheSettings(scope: Scope, build: LocationBuild, plan: RequestPlan): CacheSettings | null {
  const found = scope.find(caching.proxyCache);
  if (found === null || found.node.args[0]!.text === 'off') return null;
  const choose = cacheChooser(build.text(found.values[0], found.node.args[0]!), scope, build);
  if (choose === null) return null;
  const key = scope.find(caching.proxyCacheKey);
  const textsOf = (definition: typeof caching.proxyCacheBypass): RequestText[] => {
    const placed = scope.find(definition);
    return placed === null ? [] : placed.values.map((parts, i) => build.text(parts, placed.node.args[i]!));
  };
  const wholePlan = planForCache(plan);
  const [convertsHead] = scope.value(caching.proxyCacheConvertHead);
  return {
    choose,
    key: key === null ? null : build.text(key.values[0], key.node.args[0]!),
    methods: new Set(['GET', 'HEAD', ...scope.value(caching.proxyCacheMethods)]),
    minUses: scope.value(caching.proxyCacheMinUses)[0],
    bypass: textsOf(caching.proxyCacheBypass),
    noCache: textsOf(caching.proxyNoCache),
    valid: validRules(scope, build),
    useStale: staleBits(scope),
    revalidates: scope.value(caching.proxyCacheRevalidate)[0],
    updatesInBackground: scope.value(caching.proxyCacheBackgroundUpdate)[0],
    locks: scope.value(caching.proxyCacheLock)[0],
    lockTimeoutMs: scope.value(caching.proxyCacheLockTimeout)[0],
    lockAgeMs: scope.value(caching.proxyCacheLockAge)[0],
    maxRangeOffset: scope.find(caching.proxyCacheMaxRangeOffset)?.values[0] ?? Number.POSITIVE_INFINITY,
    plan: wholePlan,
    headPlan: convertsHead ? byGet(wholePlan) : wholePlan,
    passedPlan: plan,
    passedHeadPlan: convertsHead ? byGet(plan) : plan,
  };
}

function byGet(plan: RequestPlan): RequestPlan {
  return { ...plan, method: constantText('GET') };
}

function cacheChooser(name: RequestText, scope: Scope, build: LocationBuild): CacheSettings['choose'] | null {
  const caches = build.shared(CACHES);
  if (name.constant !== null) {
    const cache = caches.get(name.constant);
    if (cache !== undefined) return () => cache;
    const { node } = scope.find(caching.proxyCache)!;
    reportUnknownZone(build, node, name.constant, 'proxy_cache_path');
    return null;
  }
  return (request) => {
    const text = name.evaluate(request);
    if (text === '' || text === 'off') return null;
    const cache = caches.get(text);
    if (cache === undefined) logErrorOf(request, 'error', `cache "${text}" not found`);
    return cache ?? 'unknown';
  };
}

/** What a client says of a part or a state of its own isn't said to the upstream, whose whole answer is wanted. */
const CONDITIONS = [
  'if-modified-since',
  'if-unmodified-since',
  'if-none-match',
  'if-match',
  'range',
  'if-range',
];

const REVALIDATIONS: RequestPlan['fields'] = [
  setField('If-Modified-Since', {
    constant: null,
    isOneLine: true,
    evaluate: (request) => CACHE_USE.of(request)?.lastModified ?? '',
  }),
  setField('If-None-Match', {
    constant: null,
    isOneLine: true,
    evaluate: (request) => CACHE_USE.of(request)?.etag ?? '',
  }),
];

function planForCache(plan: RequestPlan): RequestPlan {
  const own = REVALIDATIONS.filter(({ name }) => plan.droppedNames?.has(name.toLowerCase()) !== true);
  return {
    ...plan,
    fields: [...plan.fields, ...own],
    droppedNames: new Set([...(plan.droppedNames ?? []), ...CONDITIONS]),
  };
}

function staleBits(scope: Scope): number {
  const words = scope.value(caching.proxyCacheUseStale);
  if (words.includes('off')) return 0;
  return words.reduce(
    (bits, word) => bits | (word === 'updating' ? STALE_WHILE_UPDATING : (NEXT_UPSTREAM_BITS[word] ?? 0)),
    0,
  );
}

/** nginx's, where only a time is given. */
const USUAL_STATUSES = [200, 301, 302];

function validRules(scope: Scope, build: LocationBuild): ValidRule[] {
  return scope.all(caching.proxyCacheValid).flatMap(({ node }) => {
    const words = [...node.args];
    const time = words.pop()!;
    const seconds = secondsIn(time, build);
    const isAny = words.some((word) => word.text === 'any');
    const codes = words.filter((word) => word.text !== 'any');
    const statuses = codes.map((word) => statusIn(word, build));
    if (isAny) return [{ statuses: [], seconds }];
    return [{ statuses: words.length === 0 ? USUAL_STATUSES : statuses, seconds }];
  });
}

function secondsIn(word: Word, build: LocationBuild): number {
  try {
    return Math.floor(parseDurationMs(word.text, 'from-seconds') / 1000);
  } catch (error) {
    const nginxText = `invalid time value "${word.text}"`;
    build.report(word, finding('value', (error as Error).message, null, nginxText));
    return 0;
  }
}

function statusIn(word: Word, build: LocationBuild): number {
  const status = /^\d+$/.test(word.text) ? Number(word.text) : 0;
  if (status >= 100 && status <= 599) return status;
  const message = `Cannot take status "${word.text}": use a number from 100 to 599, or any`;
  build.report(word, finding('value', message, null, `invalid status "${word.text}"`));
  return 0;
}
