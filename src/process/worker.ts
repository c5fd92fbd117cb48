/*
 * A worker: serves the configurations that the watching thread publishes, on sockets of its own.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { describeDefect } from '../core/describe-defect.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { SOCKETS } from '../net/socket-budget.js';
import { SocketCounts } from '../net/socket-counts.js';
import { ListenError, type PreparedReload, type RunningServer, serveCycle } from '../server/proxy-server.js';
import { DefectLog, makeWheel } from '../server/start-proxy.js';
import { shareDeadThreads } from '../zones/zone-lock.js';
import { ZoneMemories } from '../zones/zone-memories.js';
import { buildConf } from './conf-build.js';
import { snapshotFile, snapshotReader } from './conf-snapshot.js';
import {
  type Published,
  placeIn,
  type Refusal,
  type WorkerOrder,
  type WorkerReport,
  type WorkerStart,
} from './worker-messages.js';

/** This thread. */
export class Worker {
  private readonly port: MessagePort;
  private readonly start: WorkerStart;
  private readonly defects: DefectLog;
  private readonly wheel: TimerWheel;
  private server: RunningServer | null;
  private prepared: PreparedReload | null;

  /** Obeys from now on. Only in a worker thread. */
  constructor() {
    this.port = parentPort!;
    this.start = workerData as WorkerStart;
    this.defects = new DefectLog();
    this.wheel = makeWheel(this.defects.report);
    this.server = null;
    this.prepared = null;
    shareDeadThreads(this.start.deadThreads);
    SOCKETS.share(new SocketCounts(this.start.socketCounts, this.start.index));
    let last = Promise.resolve();
    this.port.on('message', (order: WorkerOrder) => {
      last = last.then(() => this.obey(order)).catch((defect: unknown) => this.defects.report(defect));
    });
  }

  get connectionCount(): number {
    return this.server?.connectionCount ?? 0;
  }

  /** To the error log of what it serves. */
  log(level: 'alert', message: string): void {
    this.defects.cycle?.context.errorLog.log(level, message);
  }

  /** Lets what runs finish. */
  async drain(): Promise<void> {
    await this.server?.drain();
  }

  private async obey(order: WorkerOrder): Promise<void> {
    switch (order.kind) {
      case 'prepare':
        await this.prepare(order.published);
        break;
      case 'commit':
        this.prepared?.commit();
        this.prepared = null;
        this.tell({ kind: 'committed', descriptors: this.server!.descriptors });
        break;
      case 'abort':
        await this.prepared?.abort();
        this.prepared = null;
        break;
      case 'rest':
        this.server?.rest();
        break;
      case 'reopenLogs':
        this.server?.reopenLogs();
        break;
      case 'leavePaths':
        this.server?.leavePaths();
        break;
      case 'drain':
        // Orders behind it are obeyed meanwhile: the logs are opened anew, or all is to end now.
        void this.end(this.drain());
        break;
      case 'stop':
        void this.end(this.server?.stop());
    }
  }

  /** What was only prepared is nobody's any more. */
  private async end(ending: Promise<void> | undefined): Promise<void> {
    const { prepared } = this;
    this.prepared = null;
    try {
      await Promise.all([prepared?.abort(), ending]);
    } catch (defect) {
      this.defects.report(defect);
      // What it counted is not given back: whoever watches over it does that.
      process.exit(1);
    }
    process.exit(0);
  }

  private async prepare(published: Published): Promise<void> {
    try {
      const cycle = this.build(published);
      SOCKETS.threadCount = published.workerCount;
      if (this.server === null) {
        const { wheel, start } = this;
        const { inherited, unshared } = start;
        const options = { wheel, onDefect: this.defects.report, inherited, unshared };
        this.server = await serveCycle(cycle, options);
      } else this.prepared = await this.server.prepare(cycle);
      this.defects.cycle = cycle;
      this.tell({ kind: 'prepared' });
    } catch (error) {
      this.tell({ kind: 'refused', refusal: refusalOf(error) });
    }
  }

  private build(published: Published) {
    const { files, index } = this.start;
    const { cycle, diagnostics } = buildConf(files, {
      reader: snapshotReader(published.snapshot),
      readFile: snapshotFile(published.snapshot),
      wheel: this.wheel,
      onDefect: this.defects.report,
      carried: this.server?.cycle.carried ?? new Map<string, unknown>(),
      memories: new ZoneMemories(published.memories),
      worker: placeIn(published, index),
    });
    if (cycle !== null) return cycle;
    // The watching thread has built it before, so what is wrong is what only this one found.
    throw new Error(diagnostics.find(({ severity }) => severity === 'error')?.message ?? 'it has errors');
  }

  private tell(report: WorkerReport): void {
    this.port.postMessage(report);
  }
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof Error)) return { message: describeDefect(error), address: null, code: '', errno: 0 };
  const address = error instanceof ListenError ? error.address : null;
  const { code = '', errno = 0 } = (error.cause ?? error) as NodeJS.ErrnoException;
  return { message: error.message, address, code, errno };
}
