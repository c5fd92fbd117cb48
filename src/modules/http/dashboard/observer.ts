/*
 * Looks at all requests for the dashboard: counts them, keeps the slow and the failed ones, and writes down once a
 * second what was counted.
 */
import { sharedMs, systemClock } from '../../../core/clock.js';
import { SECONDS_BOUNDS } from '../../../metrics/histogram.js';
import { History, historyBytes } from '../../../metrics/history.js';
import { RECENT_REQUESTS_BYTES, RecentRequests } from '../../../metrics/recent-requests.js';
import { ANSWER_CLASSES, RouteCounters } from '../../../metrics/route-counters.js';
import { CONNECTION_COUNTS_BYTES, ConnectionCounts } from '../../../request/connection-counts.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { PhaseHandler } from '../../../request/phase.js';
import { BuildKey, type HttpBuild } from '../../module.js';
import { makeRouteCounter } from '../../route-counter.js';
import { describeRecent, hasFailed } from './recent-request.js';

const EVERY_MS = 1000;

/** A row of the history: its time and length, connections by what they do, answers by class, durations by bound. */
const COLUMNS = 2 + 3 + ANSWER_CLASSES.length + SECONDS_BOUNDS.length + 1;

/** The one of this configuration; null where it has no dashboard. */
export const OBSERVER: BuildKey<{ current: Observer | null }> = new BuildKey('dashboard', () => ({
  current: null,
}));

/** One worker's. What it counts is in memory that all share, and goes on over a reload. */
export class Observer {
  readonly recent: RecentRequests;
  readonly history: History;
  readonly connections: ConnectionCounts;
  /** Unix milliseconds; tells one life of the server from another. */
  readonly startedAtMs: number;
  private readonly counters: RouteCounters;
  /** What had been counted by the last row; null where nobody knows. */
  private before: readonly number[] | null;

  private constructor(build: HttpBuild) {
    const memory = (what: string, bytes: number) => build.sharedMemory('dashboard', what, bytes);
    const connections = build.sharedMemory('connections', '', CONNECTION_COUNTS_BYTES);
    this.recent = new RecentRequests(memory('recent', RECENT_REQUESTS_BYTES));
    this.history = new History(memory('history', historyBytes(COLUMNS)), COLUMNS);
    this.connections = new ConnectionCounts(connections, build.worker);
    const start = new BigInt64Array(memory('start', 8));
    Atomics.compareExchange(start, 0, 0n, BigInt(Date.now()));
    this.startedAtMs = Number(Atomics.load(start, 0));
    this.counters = new RouteCounters(memory('counters', RouteCounters.bytes(build.worker)), build.worker);
    this.before = this.history.lastAtMs === 0 ? this.counted() : null;
  }

  /** For the configuration that is built. */
  static of(build: HttpBuild): Observer {
    const observer = build.carried('dashboard', '', () => new Observer(build));
    if (build.worker.index === 0) {
      const timer = setInterval(() => observer.noteSecond(), EVERY_MS).unref();
      build.onClose(() => clearInterval(timer));
    }
    return observer;
  }

  /** A log handler for a location of that name. */
  watcher(location: string): PhaseHandler {
    const count = makeRouteCounter(this.counters);
    return (request) => {
      if (request.parent === null) this.keep(request, location);
      return count(request);
    };
  }

  private keep(request: HttpRequest, location: string): void {
    const { recent } = this;
    const durationMs = request.requestTimeMs;
    const nowMs = sharedMs(request.context.clock);
    const isFailed = hasFailed(request) && recent.hasRoomForFailed(nowMs);
    // A tunnel takes as long as both sides like.
    const isTunnel = request.status === 101 || request.method === 'CONNECT';
    const isSlow = recent.isSlow(durationMs, nowMs) && !isTunnel;
    if (!isFailed && !isSlow) return;
    const text = describeRecent(request, location);
    if (text === '') return;
    if (isFailed) recent.keepFailed(durationMs, nowMs, text);
    if (isSlow) recent.keepSlow(durationMs, nowMs, text);
  }

  private noteSecond(): void {
    const { history, before, connections } = this;
    const nowMs = sharedMs(systemClock);
    const lengthMs = history.lastAtMs === 0 ? EVERY_MS : nowMs - history.lastAtMs;
    // The configuration before still serves somebody, and has just done it.
    if (lengthMs < EVERY_MS / 2) return;
    const counted = this.counted();
    this.before = counted;
    if (before === null) return;
    const { reading, writing, waiting } = connections;
    const news = counted.map((count, i) => count - before[i]!);
    history.add([nowMs, lengthMs, reading, writing, waiting, ...news]);
  }

  private counted(): number[] {
    const { answers, duration } = this.counters.snapshot();
    const upTo = [...duration.cumulative, duration.count];
    return [...answers, ...upTo.map((count, i) => count - (upTo[i - 1] ?? 0))];
  }
}
