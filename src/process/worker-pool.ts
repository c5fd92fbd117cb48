/*
 * The workers of a process, watched by its main thread: starts them, publishes configurations to all of them or none,
 * and starts another one where one has died. Serves nobody itself.
 */
import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { Cycle } from '../compile/cycle.js';
import { describeDefect } from '../core/describe-defect.js';
import type { LogLevel } from '../log/level.js';
import { formatAddress } from '../net/address.js';
import { forgetSockets, makeSocketCounts } from '../net/socket-counts.js';
import { tryAddress } from '../net/try-address.js';
import { inheritanceKey, ListenError } from '../server/proxy-server.js';
import { MAX_WORKERS } from '../zones/worker-place.js';
import { DEAD_THREADS_BYTES, noteDeadThread, shareDeadThreads } from '../zones/zone-lock.js';
import type { ConfFiles } from './conf-files.js';
import type { ConfServer, ServableConf } from './conf-server.js';
import type { Published, Refusal, WorkerOrder, WorkerReport, WorkerStart } from './worker-messages.js';
import { keyOfWorker, socketsOfWorker, unsharedAmong } from './worker-sockets.js';

/** A worker that died is replaced at once; one that dies again within this, after a while that doubles each time. */
const SETTLED_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** What a worker may take to end everything, before it is ended as it is. */
const STOP_MS = 5000;

export interface PoolOptions {
  /** The module that a worker thread runs. */
  readonly entry: URL;
  readonly files: ConfFiles;
  /** Descriptors of sockets that are open already: see worker-sockets.ts. */
  readonly inherited: ReadonlyMap<string, number>;
  /** What to add to a message about something that the process may do no more; '' for other messages. */
  readonly hintFor: (message: string) => string;
}

/** One worker as the pool knows it. */
interface Member {
  readonly index: number;
  readonly thread: Worker;
  readonly startedMs: number;
  descriptors: ReadonlyMap<string, number>;
  /** It was told to end. */
  isLeaving: boolean;
}

/** See above. */
export class WorkerPool implements ConfServer {
  private readonly options: PoolOptions;
  private readonly deadThreads: SharedArrayBuffer;
  private readonly socketCounts: SharedArrayBuffer;
  private readonly members: Map<number, Member>;
  /** How long each has to wait for its next start, by index. */
  private readonly pauses: Map<number, number>;
  /** Of those that are to be started, by index. */
  private readonly timers: Map<number, NodeJS.Timeout>;
  private published: Published | null;
  private cycle: Cycle | null;
  private isEnding: boolean;
  /** A configuration is being given to all: meanwhile none is started with the one before. */
  private isPublishing: boolean;
  /** Those that are being started. */
  private readonly starting: Set<Promise<void>>;

  constructor(options: PoolOptions) {
    this.options = options;
    this.deadThreads = new SharedArrayBuffer(DEAD_THREADS_BYTES);
    this.socketCounts = makeSocketCounts(MAX_WORKERS);
    this.members = new Map();
    this.pauses = new Map();
    this.timers = new Map();
    this.published = null;
    this.cycle = null;
    this.isEnding = false;
    this.isPublishing = false;
    this.starting = new Set();
    shareDeadThreads(this.deadThreads);
  }

  get connectionCount(): number {
    return this.cycle?.context.connections.active ?? 0;
  }

  get descriptors(): ReadonlyMap<string, number> {
    const all = new Map<string, number>();
    for (const { index, descriptors, isLeaving } of this.members.values())
      if (!isLeaving) for (const [key, fd] of descriptors) all.set(keyOfWorker(key, index), fd);
    return all;
  }

  /** Starts the workers; they serve when the promise resolves. Rejects with a ListenError or an Error. */
  async start(conf: ServableConf): Promise<void> {
    const published = publish(conf);
    this.take(conf.cycle, published);
    try {
      await this.checkAddresses(conf.cycle, null);
      const indexes = Array.from({ length: published.workerCount }, (_, index) => index);
      await Promise.all(indexes.map((index) => this.begin(index, published)));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** All serve it from now on, or none. Rejects with a ListenError or an Error then. */
  async reload(conf: ServableConf): Promise<void> {
    const published = publish(conf);
    const before = this.cycle;
    this.isPublishing = true;
    try {
      await this.prepareAll(conf.cycle, published);
      const stay = this.staying.filter(({ index }) => index < published.workerCount);
      // One that dies now is followed by one that serves it.
      await Promise.allSettled(stay.map((member) => this.commit(member)));
      this.take(conf.cycle, published);
    } catch (error) {
      await conf.cycle.close();
      throw error;
    } finally {
      this.isPublishing = false;
    }
    // The others serve it already: one that can't be started is tried again, and takes nothing back.
    const indexes = Array.from({ length: published.workerCount }, (_, index) => index);
    await Promise.all(indexes.map((index) => this.replace(index)));
    for (const member of this.staying) if (member.index >= published.workerCount) void this.dismiss(member);
    await before?.close();
  }

  private async prepareAll(cycle: Cycle, published: Published): Promise<void> {
    await this.checkAddresses(cycle, this.cycle);
    // One that has yet to take the configuration before can't be asked about another.
    await Promise.allSettled(this.starting);
    const stay = this.staying.filter(({ index }) => index < published.workerCount);
    const outcomes = await Promise.allSettled(stay.map((member) => prepare(member, published)));
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused === undefined) return;
    for (const member of stay) send(member, { kind: 'abort' });
    throw refused.reason;
  }

  rest(): void {
    for (const member of this.members.values()) if (!member.isLeaving) send(member, { kind: 'rest' });
  }

  reopenLogs(): void {
    for (const sink of this.cycle?.sinks ?? []) sink.reopen();
    for (const member of this.members.values()) send(member, { kind: 'reopenLogs' });
  }

  leavePaths(): void {
    for (const member of this.members.values()) send(member, { kind: 'leavePaths' });
  }

  async drain(): Promise<void> {
    await this.end('drain');
  }

  async stop(): Promise<void> {
    await this.end('stop');
  }

  private async end(how: 'drain' | 'stop'): Promise<void> {
    this.isEnding = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    await Promise.all([...this.members.values()].map((member) => this.leave(member, how)));
    await this.cycle?.close();
  }

  private get staying(): Member[] {
    return [...this.members.values()].filter(({ isLeaving }) => !isLeaving);
  }

  /** It is one too many. By the time it has gone, a later configuration may want one in its place. */
  private async dismiss(member: Member): Promise<void> {
    await this.leave(member, 'drain');
    await this.replace(member.index);
  }

  private async leave(member: Member, how: 'drain' | 'stop'): Promise<void> {
    member.isLeaving = true;
    // Not once() of node:events: one that fails in the end is gone as well.
    const gone = new Promise((resolve) => member.thread.once('exit', resolve));
    send(member, { kind: how });
    const timer = how === 'stop' ? setTimeout(() => void member.thread.terminate(), STOP_MS) : undefined;
    await gone;
    clearTimeout(timer);
  }

  private take(cycle: Cycle, published: Published): void {
    this.cycle = cycle;
    this.published = published;
  }

  /** Starts a worker with a configuration. Rejects when it can't serve that; it is gone then. */
  private async begin(index: number, published: Published): Promise<void> {
    const { entry, files } = this.options;
    const workerData: WorkerStart = {
      index,
      files,
      deadThreads: this.deadThreads,
      socketCounts: this.socketCounts,
      inherited: socketsOfWorker(index, this.options.inherited),
      unshared: unsharedAmong(this.options.inherited),
    };
    const thread = new Worker(entry, { workerData, env: SHARE_ENV, name: `sluice worker ${index}` });
    const member: Member = {
      index,
      thread,
      startedMs: performance.now(),
      descriptors: new Map(),
      isLeaving: false,
    };
    const { threadId } = thread;
    let reason = '';
    thread.on('error', (defect) => {
      reason = `: ${describeDefect(defect)}`;
    });
    thread.once('exit', (code) => this.bury(member, threadId, code, reason));
    this.members.set(index, member);
    try {
      await prepare(member, published);
      await this.commit(member);
    } catch (error) {
      member.isLeaving = true;
      await thread.terminate();
      throw error;
    }
  }

  private async commit(member: Member): Promise<void> {
    send(member, { kind: 'commit' });
    const report = await reportOf(member);
    if (report.kind === 'committed') member.descriptors = report.descriptors;
  }

  /** A worker is gone. What it had counted is given back, and unless it was told to go, another one takes its place. */
  private bury(member: Member, threadId: number, code: number, reason: string): void {
    const { index, isLeaving, startedMs } = member;
    this.members.delete(index);
    noteDeadThread(threadId);
    forgetSockets(this.socketCounts, index);
    this.cycle?.forgetWorker(index, isLeaving && code === 0);
    if (isLeaving || this.isEnding) return;
    this.log('alert', `worker ${index} exited with code ${code}${reason}`);
    const lived = performance.now() - startedMs;
    const pauseMs = lived > SETTLED_MS ? 0 : (this.pauses.get(index) ?? 0);
    this.pauses.set(index, Math.min(LONGEST_PAUSE_MS, pauseMs === 0 ? FIRST_PAUSE_MS : pauseMs * 2));
    this.replaceLater(index, pauseMs);
  }

  /** One that died while it was started is told of twice, and still replaced once. */
  private replaceLater(index: number, pauseMs: number): void {
    clearTimeout(this.timers.get(index));
    this.timers.set(
      index,
      setTimeout(() => void this.replace(index), pauseMs),
    );
  }

  private async replace(index: number): Promise<void> {
    const { published } = this;
    if (this.isEnding || published === null || index >= published.workerCount || this.members.has(index))
      return;
    if (this.isPublishing) {
      this.replaceLater(index, FIRST_PAUSE_MS);
      return;
    }
    this.log('notice', `start worker ${index}`);
    const started = this.begin(index, published);
    this.starting.add(started);
    try {
      await started;
    } catch (error) {
      const { message } = error as Error;
      this.log('alert', `worker ${index} can't serve: ${message}${this.options.hintFor(message)}`);
      this.replaceLater(index, LONGEST_PAUSE_MS);
    } finally {
      this.starting.delete(started);
    }
  }

  private log(level: LogLevel, message: string): void {
    this.cycle?.context.errorLog.log(level, message);
  }

  /**
   * Whether addresses can be had that are new. Among sockets that share their port nobody is told that a stranger has it
   * too.
   */
  private async checkAddresses(cycle: Cycle, before: Cycle | null): Promise<void> {
    const known = new Set(before?.sockets.map(({ address }) => formatAddress(address)));
    const { inherited } = this.options;
    for (const { address, options } of cycle.sockets) {
      const key = inheritanceKey(address);
      const isInherited = before === null && (inherited.has(key) || inherited.has(keyOfWorker(key, 0)));
      if (address.path !== null || known.has(formatAddress(address)) || isInherited) continue;
      if (!options.reusesPort) {
        try {
          await tryAddress(address, options.isIpv6Only);
        } catch (error) {
          throw new ListenError(address, error as NodeJS.ErrnoException);
        }
      }
    }
  }
}

function publish({ cycle, snapshot, memories }: ServableConf): Published {
  return { snapshot, memories: memories.all, workerCount: cycle.worker.count };
}

function send({ thread }: Member, order: WorkerOrder): void {
  thread.postMessage(order);
}

/** What a worker says next; that it is gone, if it dies before. */
async function reportOf({ thread, index }: Member): Promise<WorkerReport> {
  return new Promise((resolve, reject) => {
    const onExit = () => {
      thread.off('message', onMessage);
      reject(new Error(`worker ${index} died`));
    };
    const onMessage = (report: WorkerReport) => {
      thread.off('exit', onExit);
      resolve(report);
    };
    thread.once('message', onMessage);
    thread.once('exit', onExit);
  });
}

async function prepare(member: Member, published: Published): Promise<void> {
  send(member, { kind: 'prepare', published });
  const report = await reportOf(member);
  if (report.kind === 'refused') throw errorOf(report.refusal);
}

function errorOf({ message, address, code, errno }: Refusal): Error {
  if (address === null) return new Error(message);
  return new ListenError(address, Object.assign(new Error(message), { code, errno }));
}
