/*
 * What one request has to do with a cache: looks for its answer there, waits for another who fetches it, stores what the
 * upstream says, or answers with what is stored.
 */
import type { CacheNode } from '../cache/cache-index.js';
import { type AboutAnswer, type CachedFile, CachedFileWriter } from '../cache/cached-file.js';
import type { FileCache } from '../cache/file-cache.js';
import { eventClock, sharedMs } from '../core/clock.js';
import { Deadline, type DeadlineOwner } from '../core/timer-wheel.js';
import type { ResponseHead } from '../http/h1/response-head.js';
import { FieldId } from '../http/message/field-id.js';
import type { CacheCounters, CacheOutcome } from '../metrics/cache-counters.js';
import type { CacheStatus } from '../metrics/route-counters.js';
import type { Connection } from '../net/connection.js';
import { freshnessOf, validByRules } from './answer-freshness.js';
import { CacheEntry } from './cache-entry.js';
import { type CacheSettings, STALE_WHILE_UPDATING } from './cache-settings.js';
import { allowParts, sendCached, storedHead } from './cached-response.js';
import { logErrorOf } from './error-line.js';
import { describeFailure } from './file-access.js';
import { upstreamTarget } from './forwarded-head.js';
import type { HttpRequest, Responder } from './http-request.js';
import { finalize } from './lifecycle.js';
import { isAny } from './predicate.js';
import { RequestState } from './request-state.js';
import type { AnswerKeeper } from './stored-copy.js';
import {
  type Destination,
  NextUpstream,
  type RequestPlan,
  type UpstreamSettings,
} from './upstream-settings.js';

/** Failures of which no answer came. */
const UNANSWERED = NextUpstream.error | NextUpstream.timeout | NextUpstream.invalidHeader;

/** For variables. */
export const CACHE_USE: RequestState<CacheUse> = new RequestState();

/** A request's use of a cache; null if it has none, or the status to answer with. */
export function cacheUseOf(
  request: HttpRequest,
  settings: UpstreamSettings,
  destination: Destination,
): CacheUse | null | 500 {
  const plan = settings.cache!;
  if (!plan.methods.has(request.method)) return null;
  const cache = plan.choose(request);
  if (cache === 'unknown') return 500;
  return cache === null ? null : new CacheUse(request, settings, plan, cache, destination);
}

/** Asks the upstream for what isn't stored; `use` is who stores it. */
export type AskForCache = (
  request: HttpRequest,
  settings: UpstreamSettings,
  destination: Destination,
  use: CacheUse,
) => void;

/** What counters call it. */
const OUTCOMES: Readonly<Record<CacheStatus, CacheOutcome>> = {
  HIT: 'hit',
  STALE: 'stale',
  UPDATING: 'updating',
  REVALIDATED: 'revalidated',
  MISS: 'miss',
  EXPIRED: 'expired',
  BYPASS: 'bypass',
};

/** One request's. Ended by whoever has it. */
export class CacheUse implements Responder, DeadlineOwner, AnswerKeeper {
  readonly served: Connection;
  plan: RequestPlan;
  status: CacheStatus;
  private readonly request: HttpRequest;
  private readonly upstreamSettings: UpstreamSettings;
  private readonly settings: CacheSettings;
  private readonly destination: Destination;
  private readonly cache: FileCache;
  private readonly entry: CacheEntry;
  private mayStore: boolean;
  /** Null while nothing is being stored. */
  private writer: CachedFileWriter | null;
  private storeHash: string;
  private deadline: Deadline | null;
  private isWaiting: boolean;
  /** Until when it waits for another who fetches it. */
  private waitsUntilMs: number;
  private ask: AskForCache | null;
  private update: AskForCache | null;

  constructor(
    request: HttpRequest,
    upstreamSettings: UpstreamSettings,
    settings: CacheSettings,
    cache: FileCache,
    destination: Destination,
  ) {
    const { schema, host } = destination;
    this.served = request.client.connection;
    this.request = request;
    this.upstreamSettings = upstreamSettings;
    this.settings = settings;
    this.destination = destination;
    this.cache = cache;
    this.plan = request.method === 'HEAD' ? settings.headPlan : settings.plan;
    const key =
      settings.key === null
        ? schema + host + upstreamTarget(request, upstreamSettings.plan, destination)
        : settings.key.evaluate(request);
    this.entry = new CacheEntry(request, cache, key);
    this.status = 'MISS';
    this.mayStore = true;
    this.writer = null;
    this.storeHash = '';
    this.deadline = null;
    this.isWaiting = false;
    this.waitsUntilMs = 0;
    this.ask = null;
    this.update = null;
    CACHE_USE.set(request, this);
  }

  /** The value of If-Modified-Since and of If-None-Match for the upstream; '' for none. */
  get lastModified(): string {
    return this.settings.revalidates ? (this.entry.file?.about.lastModified ?? '') : '';
  }
  get etag(): string {
    return this.settings.revalidates ? (this.entry.file?.about.etag ?? '') : '';
  }

  /**
   * Answers, or has the upstream asked: `ask` is called then, now or later. Or `update` is called, which is to have
   * what is stored replaced behind the answer; null where this is that already.
   */
  look(ask: AskForCache, update: AskForCache | null): void {
    const { request } = this;
    this.ask = ask;
    this.update = update;
    if (isAny(this.settings.bypass, request)) {
      this.status = 'BYPASS';
      ask(request, this.upstreamSettings, this.destination, this);
    } else this.lookAgain();
  }

  private lookAgain(): void {
    const { request, settings } = this;
    const nowMs = this.nowMs();
    const now = this.now();
    const node = this.entry.find(nowMs);
    const { file } = this.entry;
    if (node.errorStatus !== 0 && node.errorUntil >= now) {
      this.status = 'HIT';
      const status = node.errorStatus;
      this.end();
      finalize(request, status);
      return;
    }
    if (file === null) {
      this.status = 'MISS';
      if (node.uses < settings.minUses) this.mayStore = false;
      else if (settings.locks && !this.takeLock(node, nowMs)) return;
    } else if (file.validUntil >= now) {
      this.serve('HIT');
      return;
    } else if (node.isUpdating && this.mayServeMeanwhile(file)) {
      this.serve('UPDATING');
      return;
    } else if (
      !node.isUpdating &&
      settings.updatesInBackground &&
      this.update !== null &&
      this.mayServeMeanwhile(file)
    ) {
      this.update(request, this.upstreamSettings, this.destination, this);
      this.serve('STALE');
      return;
    } else {
      const isSecond = !node.isUpdating && !this.cache.index.beginUpdate(node, nowMs, settings.lockAgeMs);
      // Another worker was quicker.
      if (isSecond && this.mayServeMeanwhile(file)) {
        this.serve('UPDATING');
        return;
      }
      this.status = 'EXPIRED';
    }
    if (this.isBeyondRange()) this.mayStore = false;
    if (!this.mayStore) this.plan = request.method === 'HEAD' ? settings.passedHeadPlan : settings.passedPlan;
    this.ask!(request, this.upstreamSettings, this.destination, this);
  }

  /** Whether what is too old may be the answer while another is fetched. */
  private mayServeMeanwhile(file: CachedFile): boolean {
    const { useStale } = this.settings;
    if ((useStale & STALE_WHILE_UPDATING) !== 0) return true;
    return file.validUntil + file.about.staleWhileUpdating >= this.now();
  }

  /** Whether a part is wanted that begins too far into the answer, or at a distance from its end. */
  private isBeyondRange(): boolean {
    const { maxRangeOffset } = this.settings;
    if (maxRangeOffset === Number.POSITIVE_INFINITY) return false;
    const range = this.request.field('range');
    if (range === null || maxRangeOffset === 0) return range !== null;
    const first = /^bytes= *(-|\d*)/i.exec(range)?.[1];
    return first === '-' || Number(first || 0) >= maxRangeOffset;
  }

  /** proxy_cache_lock. False: it waits for who has the lock. */
  private takeLock(node: CacheNode, nowMs: number): boolean {
    const { lockAgeMs, lockTimeoutMs } = this.settings;
    const { request, cache } = this;
    if (cache.index.beginUpdate(node, nowMs, lockAgeMs)) return true;
    if (this.deadline === null) {
      this.deadline = new Deadline(request.context.wheel, this);
      this.waitsUntilMs = nowMs + lockTimeoutMs;
    } else if (nowMs >= this.waitsUntilMs) logErrorOf(request, 'info', 'cache lock timeout');
    if (nowMs >= this.waitsUntilMs) {
      this.mayStore = false;
      return true;
    }
    this.isWaiting = true;
    request.responder = this;
    const wake = () => this.wake();
    if (!cache.index.waitForUpdate(node, wake)) setImmediate(wake);
    this.deadline.set(Math.min(this.waitsUntilMs, node.updateDueMs) - nowMs);
    return false;
  }

  private wake(): void {
    if (!this.isWaiting) return;
    eventClock.refresh();
    try {
      this.goOn();
    } catch (defect) {
      this.served.failBy(defect);
    }
  }

  private goOn(): void {
    this.isWaiting = false;
    this.request.responder = null;
    this.lookAgain();
  }

  /** It has waited long enough, or who fetches it has been at it for too long. */
  onDeadline(): void {
    if (this.isWaiting) this.goOn();
  }

  /** The client is gone while it waits. */
  abort(): void {
    this.isWaiting = false;
    this.end();
  }

  /**
   * Whether what is stored is to be the answer after such a failure of the upstream. By stale-if-error where there was no
   * answer; nginx doesn't take a status for such an error either.
   */
  maySendStale(failure: number): boolean {
    const { status, settings } = this;
    const { file } = this.entry;
    if (file === null || status !== 'EXPIRED') return false;
    if ((settings.useStale & failure) !== 0) return true;
    return (failure & UNANSWERED) !== 0 && file.validUntil + file.about.staleIfError >= this.now();
  }

  /** Whether an answer says that what is stored is still right. */
  isStillRight(status: number): boolean {
    return (
      status === 304 &&
      this.mayStore &&
      this.status === 'EXPIRED' &&
      this.settings.revalidates &&
      this.entry.file !== null
    );
  }

  /** What is stored is as fresh as that answer makes it. */
  noteStillRight(head: ResponseHead): void {
    const file = this.entry.file!;
    const { settings, upstreamSettings } = this;
    const now = this.now();
    let { mayStore, validUntil } = freshnessOf(head, upstreamSettings.ignored, now);
    const stored = storedHead(file);
    if (mayStore && validUntil === 0 && stored !== null) {
      const before = freshnessOf(stored, upstreamSettings.ignored, now);
      mayStore = before.mayStore;
      validUntil = before.validUntil || validByRules(settings.valid, stored.status, now);
    }
    if (!mayStore || validUntil === 0 || isAny(settings.noCache, this.request)) return;
    try {
      file.prolong(validUntil);
    } catch (error) {
      this.logFailure('write()', file.path, error);
    }
  }

  /** Answers with what is stored; ends this. */
  serve(status: CacheStatus): void {
    const file = this.entry.takeFile();
    this.status = status;
    this.count('responses', 1);
    this.count('bytes', file.bodyBytes);
    this.end();
    sendCached(this.request, file, this.upstreamSettings);
  }

  /** The upstream has answered, and `request.response` is filled in: begins to store the answer if it may be. */
  take(head: ResponseHead): void {
    const { request, settings, cache, entry } = this;
    const now = this.now();
    this.count('responses', 1);
    const freshness = freshnessOf(head, this.upstreamSettings.ignored, now);
    const validUntil = freshness.validUntil || validByRules(settings.valid, head.status, now);
    this.mayStore &&= freshness.mayStore && validUntil > 0 && !isAny(settings.noCache, request);
    if (!this.mayStore) return;
    allowParts(request, head, this.upstreamSettings);
    const { vary, staleWhileUpdating, staleIfError } = freshness;
    const hasValidators = head.status === 200 || head.status === 206;
    const about: AboutAnswer = {
      key: entry.key,
      head: head.statusLine + head.fields.text.slice(head.fields.text.indexOf('\n') + 1),
      lastModified: hasValidators ? head.fields.valueOf(FieldId.lastModified) : '',
      etag: hasValidators ? head.fields.valueOf(FieldId.etag) : '',
      vary,
      variant: entry.variantBy(vary),
      staleWhileUpdating,
      staleIfError,
    };
    this.storeHash = entry.hashFor(vary);
    const path = cache.temporaryPathOf(this.storeHash);
    try {
      this.writer = new CachedFileWriter(path, about, validUntil);
    } catch (error) {
      this.logFailure('open()', path, error);
    }
  }

  get isKeeping(): boolean {
    return this.writer !== null;
  }

  /** Part of the body of the answer that is stored. */
  write(bytes: Buffer): void {
    this.count('bytes', bytes.length);
    if (this.writer === null) return;
    try {
      this.writer.write(bytes);
    } catch (error) {
      this.failStoring(error);
    }
  }

  /** That was all of it; ends this. */
  complete(): void {
    const { writer, cache, storeHash } = this;
    if (writer !== null) {
      try {
        const size = writer.commit(cache.pathOf(storeHash));
        this.writer = null;
        this.count('responses_written', 1);
        this.count('bytes_written', size);
        cache.noteStored(storeHash, size, this.nowMs());
      } catch (error) {
        this.failStoring(error);
      }
    }
    this.end();
  }

  private count(measure: Parameters<CacheCounters['add']>[1], count: number): void {
    this.cache.counters.add(OUTCOMES[this.status], measure, count);
  }

  private failStoring(error: unknown): void {
    this.logFailure('write()', this.writer!.temporaryPath, error);
    this.writer!.drop();
    this.writer = null;
  }

  /** The upstream's answer, or that there was none, is replaced by a page for `status`; that is remembered. */
  noteError(status: number, head: ResponseHead | null): void {
    const { node } = this.entry;
    if (!this.mayStore || node === null || isAny(this.settings.noCache, this.request)) return;
    const now = this.now();
    const freshness = head === null ? null : freshnessOf(head, this.upstreamSettings.ignored, now);
    if (freshness?.mayStore === false) return;
    const until = freshness?.validUntil || validByRules(this.settings.valid, status, now);
    if (until === 0) return;
    this.cache.index.noteError(node, status, until);
  }

  /** Lets go of all; what isn't stored whole is dropped. */
  end(): void {
    this.entry.closeFile();
    this.deadline?.cancel();
    this.deadline = null;
    this.ask = null;
    this.update = null;
    this.writer?.drop();
    this.writer = null;
    const { node } = this.entry;
    if (node !== null) this.cache.index.leave(node, this.settings.minUses === 1);
  }

  /** As the cache has times. */
  private nowMs(): number {
    return sharedMs(this.request.context.clock);
  }

  private now(): number {
    return Math.floor(this.request.context.clock.wallMs() / 1000);
  }

  private logFailure(call: string, path: string, error: unknown): void {
    const { request } = this;
    const message = describeFailure(call, path, error as NodeJS.ErrnoException);
    // Its client may be gone while the rest of the answer is stored.
    if (request.isOver) request.location.settings.errorLog.log('crit', message);
    else logErrorOf(request, 'crit', message);
  }
}
