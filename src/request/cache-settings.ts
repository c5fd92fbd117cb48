/*
 * How a location uses a cache, decided once for each. Made by the module whose directives say it (proxy), changed by
 * nobody.
 */
import type { FileCache } from '../cache/file-cache.js';
import type { ValidRule } from './answer-freshness.js';
import type { HttpRequest } from './http-request.js';
import type { RequestText } from './location.js';
import type { RequestPlan } from './upstream-settings.js';

/** In `useStale`, beside the bits of NextUpstream: while another request fetches it. */
export const STALE_WHILE_UPDATING = 65536;

/** One location's way to use a cache. The directive has the name of the field, behind proxy_cache_. */
export interface CacheSettings {
  /** The cache of a request; null for none, 'unknown' for one that there isn't. */
  readonly choose: (request: HttpRequest) => FileCache | null | 'unknown';
  /** Null: where the upstream is and what it is asked for. */
  readonly key: RequestText | null;
  readonly methods: ReadonlySet<string>;
  readonly minUses: number;
  readonly bypass: readonly RequestText[];
  readonly noCache: readonly RequestText[];
  readonly valid: readonly ValidRule[];
  /** Of NextUpstream, and STALE_WHILE_UPDATING. */
  readonly useStale: number;
  readonly revalidates: boolean;
  /** proxy_cache_background_update */
  readonly updatesInBackground: boolean;
  readonly locks: boolean;
  readonly lockTimeoutMs: number;
  readonly lockAgeMs: number;
  /** Infinity: any part of an answer is asked for as the whole of it. */
  readonly maxRangeOffset: number;
  /** What is asked for is the whole answer, whatever part of it the client wants. */
  readonly plan: RequestPlan;
  /** The same for HEAD. */
  readonly headPlan: RequestPlan;
  /** For what isn't stored, so that the client may have a part alone; and the same for HEAD. */
  readonly passedPlan: RequestPlan;
  readonly passedHeadPlan: RequestPlan;
}
