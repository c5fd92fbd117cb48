/*
 * The process that serves a configuration file: start, pid file, reload, logs, end. Which signal or command means what
 * is told elsewhere.
 */
import type { CompiledConf } from '../compile/compile-conf.js';
import { describeChanges } from '../compile/conf-changes.js';
import type { Cycle } from '../compile/cycle.js';
import { renderForLog } from '../conf/diagnostics/render.js';
import type { Conf } from '../conf/load/load.js';
import type { Scope } from '../conf/schema/scope.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { ErrorLog } from '../log/error-log.js';
import { formatAddress } from '../net/address.js';
import { inheritanceKey } from '../server/proxy-server.js';
import { DefectLog, makeWheel } from '../server/start-proxy.js';
import { ONLY_WORKER, type WorkerPlace } from '../zones/worker-place.js';
import { ZoneMemories } from '../zones/zone-memories.js';
import type { BootLog } from './boot-log.js';
import { buildConf } from './conf-build.js';
import type { ConfFiles } from './conf-files.js';
import { type ConfServer, type ServableConf, serveAlone } from './conf-server.js';
import { recordingReader } from './conf-snapshot.js';
import { diskConfReader } from './disk-conf-reader.js';
import { tellDrainProgress } from './drain-progress.js';
import { PidFile } from './pid-file.js';
import { dropPrivileges, giveAway, giveSockets, rightsHint, whyNotWritable } from './privileges.js';
import { ownTerminal, ReadingProgress } from './reading-progress.js';
import { ServiceManager } from './service-manager.js';
import { canSharePorts, type ProcessSettings, processSettings, wantedWorkers } from './settings.js';
import { isStarterThere, startNewProgram } from './upgrade.js';
import { WorkerPool } from './worker-pool.js';
import { socketsForWorkers, socketsOfWorker } from './worker-sockets.js';

/** So many are named where all would be too long a line. */
const MOST_ADDRESSES = 8;

/** A configuration can't be used; what is wrong has been told. */
export class ConfError extends Error {}

/** A configuration that can be served, with its text. */
export interface UsableConf extends CompiledConf, ServableConf {
  readonly conf: Conf;
  readonly cycle: Cycle;
  readonly settings: ProcessSettings;
}

/** Serves a file's configuration. */
export class ConfProcess {
  readonly files: ConfFiles;
  private readonly wheel: TimerWheel;
  private readonly defects: DefectLog;
  private readonly bootLog: BootLog;
  private readonly workerEntry: URL;
  private readonly manager: ServiceManager;
  private server: ConfServer | null;
  /** The configuration that serves. */
  private cycle: Cycle | null;
  /** Its main level. */
  private main: Scope | null;
  private memories: ZoneMemories;
  private pid: PidFile;
  /** Whom root's rights were given up for; null: nobody. */
  private droppedTo: string | null;
  private isReloading: boolean;
  private isReloadWanted: boolean;
  /** A new program was started and has not ended. */
  private hasSuccessor: boolean;
  private isEnding: boolean;

  /** @param workerEntry the module that a worker thread runs */
  constructor(files: ConfFiles, bootLog: BootLog, workerEntry: URL) {
    this.files = files;
    this.defects = new DefectLog();
    this.wheel = makeWheel(this.defects.report);
    this.bootLog = bootLog;
    this.workerEntry = workerEntry;
    this.manager = new ServiceManager(process.env, (message) =>
      this.cycle?.context.errorLog.log('warn', message),
    );
    this.server = null;
    this.cycle = null;
    this.main = null;
    this.memories = new ZoneMemories();
    this.pid = new PidFile('');
    this.droppedTo = null;
    this.isReloading = false;
    this.isReloadWanted = false;
    this.hasSuccessor = false;
    this.isEnding = false;
  }

  /** Of the configuration that serves. */
  get errorLog(): ErrorLog {
    return this.cycle!.context.errorLog;
  }

  get connectionCount(): number {
    return this.server?.connectionCount ?? 0;
  }

  /** How long what runs may go on once it drains. */
  get drainMs(): number {
    return this.cycle?.drainMs ?? 0;
  }

  /** A new program is started on the sockets of this one, unless it would be a third one. */
  startNewProgram(): void {
    const { errorLog, pid: pidFile } = this;
    const isOtherThere = this.hasSuccessor || isStarterThere();
    if (this.server === null || this.isEnding || isOtherThere) {
      const why = isOtherThere ? 'end the old process or the new one first' : 'this process starts or ends';
      errorLog.log('notice', `changing binary is ignored: ${why}`);
      return;
    }
    const { descriptors } = this.server;
    const onReturn = () => {
      this.hasSuccessor = false;
      if (!this.isEnding) this.tellReady();
    };
    this.hasSuccessor = startNewProgram({ errorLog, pidFile, descriptors, onReturn });
  }

  /** Reads, checks and builds the configuration; what is wrong with it is told. Throws a ConfError then. */
  compile(): UsableConf {
    const terminal = this.server === null ? ownTerminal() : null;
    const progress = terminal === null ? null : new ReadingProgress(diskConfReader, terminal);
    const { reader, readFile, snapshot } = recordingReader(progress ?? diskConfReader);
    const memories = new ZoneMemories(this.memories.carried);
    let wanted = 1;
    const compiled = buildConf(this.files, {
      reader,
      readFile,
      wheel: this.wheel,
      onDefect: this.defects.report,
      carried: this.cycle?.carried ?? new Map<string, unknown>(),
      memories,
      onRead: () => progress?.check(),
      worker: (main) => {
        wanted = wantedWorkers(main);
        return this.placeAmong(wanted);
      },
    });
    progress?.end();
    for (const diagnostic of compiled.diagnostics) this.tell(diagnostic);
    const { cycle, main } = compiled;
    if (cycle === null) throw new ConfError(`Cannot use "${this.files.path}"`);
    const settings = processSettings(main, this.files.prefix);
    try {
      giveAway(settings.user, cycle, (message) => cycle.context.errorLog.log('warn', message));
    } catch (error) {
      void cycle.close();
      throw error;
    }
    if (wanted !== cycle.worker.count) this.warnOfWorkers(cycle, wanted);
    return { ...compiled, cycle, settings, snapshot, memories };
  }

  /**
   * Starts to serve; the pid file is there when the promise resolves. Rejects with a ListenError or an Error.
   * @param inherited descriptors of listening sockets that are open already, by their keys
   */
  async start(conf: UsableConf, inherited: ReadonlyMap<string, number>): Promise<void> {
    const { settings } = conf;
    this.take(conf);
    for (const [name, value] of settings.environment) if (value !== null) process.env[name] = value;
    this.server = await this.serve(conf, inherited);
    this.pid = new PidFile(settings.pidPath);
    try {
      this.pid.write(process.pid);
      giveSockets(settings.user, this.server.descriptors.values());
      if (dropPrivileges(settings.user)) this.droppedTo = settings.user!.name;
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.warnOfSockets(inherited);
    this.tellReady();
    this.tellPeople(this.readiness);
    this.manager.startWatchdog(process.env);
    if (this.isReloadWanted) void this.reload();
  }

  /**
   * Serves the configuration as it is now on disk. Whatever is wrong with it is told, and changes nothing. One that is
   * asked for while another is under way comes after it; one that is asked for at the end is ignored, as in nginx.
   */
  async reload(): Promise<void> {
    if (this.isEnding) return;
    if (this.isReloading || this.server === null) {
      this.isReloadWanted = true;
      return;
    }
    this.isReloading = true;
    this.manager.reloading();
    let isNew = false;
    try {
      do {
        this.isReloadWanted = false;
        isNew = await this.reloadOnce();
      } while (this.isReloadWanted && !this.isEnding);
    } finally {
      this.isReloading = false;
      if (!this.isEnding) this.tellReloaded(isNew);
    }
  }

  /** Accepts nobody until the next reload (nginx: WINCH). */
  rest(): void {
    this.server?.rest();
  }

  reopenLogs(): void {
    if (this.server === null) return;
    if (this.droppedTo !== null) {
      for (const path of this.cycle!.logFiles) {
        const reason = whyNotWritable(path);
        if (reason !== null) this.logEmergency(`open() "${path}" failed (${reason})`);
      }
    }
    this.server.reopenLogs();
  }

  /** Lets what runs finish, and ends. */
  async drain(): Promise<void> {
    this.isEnding = true;
    this.manager.stopping('finishing what runs');
    if (this.hasSuccessor) this.server?.leavePaths();
    const endProgress = tellDrainProgress(this, (line) => {
      this.manager.status(line);
      this.tellPeople(line);
    });
    await this.server?.drain();
    endProgress();
    this.pid.remove();
  }

  /** Ends everything now. */
  async stop(): Promise<void> {
    this.isEnding = true;
    this.manager.stopping('ending');
    if (this.hasSuccessor) this.server?.leavePaths();
    await this.server?.stop();
    this.pid.remove();
  }

  private tellReloaded(isNew: boolean): void {
    this.tellReady(isNew ? '' : '; as before, since the last reload failed: see the error log');
    if (isNew) this.tellPeople(this.readiness);
    else this.errorLog.log('error', 'the reload failed: the configuration before goes on serving');
  }

  private tellReady(note = ''): void {
    this.manager.ready(this.readiness + note);
  }

  /** `serving /etc/nginx/nginx.conf on 0.0.0.0:80, 0.0.0.0:443` */
  private get readiness(): string {
    const addresses = this.cycle!.sockets.map(({ address }) => formatAddress(address));
    const rest = addresses.length - MOST_ADDRESSES;
    const more = rest > 0 ? ` and ${rest} more` : '';
    return `serving ${this.files.path} on ${addresses.slice(0, MOST_ADDRESSES).join(', ')}${more}`;
  }

  /** To who looks on, else to the log. */
  private tellPeople(line: string): void {
    if (process.stderr.isTTY === true) process.stderr.write(`sluice: ${line}\n`);
    else this.errorLog.log('notice', line);
  }

  private take({ cycle, main, memories }: UsableConf): void {
    this.cycle = cycle;
    this.main = main;
    this.memories = memories;
    this.defects.cycle = cycle;
  }

  private async serve(conf: UsableConf, inherited: ReadonlyMap<string, number>): Promise<ConfServer> {
    if (conf.cycle.worker.count === 1)
      return serveAlone(conf, {
        wheel: this.wheel,
        onDefect: this.defects.report,
        inherited: socketsOfWorker(0, socketsForWorkers(1, inherited)),
      });
    const sockets = socketsForWorkers(conf.cycle.worker.count, inherited);
    const pool = new WorkerPool({
      entry: this.workerEntry,
      files: this.files,
      inherited: sockets,
      hintFor: (message) => this.hintFor(message),
    });
    await pool.start(conf);
    return pool;
  }

  /** For this thread, which serves if it is the only one. Whether there are workers is settled at the start. */
  private placeAmong(wanted: number): WorkerPlace {
    const hasWorkers = this.server === null ? wanted > 1 && canSharePorts() : this.cycle!.worker.count > 1;
    return hasWorkers ? { index: -1, count: Math.max(2, wanted) } : ONLY_WORKER;
  }

  private warnOfWorkers({ context, worker: { count } }: Cycle, wanted: number): void {
    const why =
      this.server === null
        ? `since Node ${process.versions.node} can't share a port between threads; use 22.12, 24 or newer`
        : 'until the next start of the program (USR2 starts one on the same sockets)';
    const serving = count === 1 ? 'one worker serves' : `${count} workers serve`;
    context.errorLog.log('warn', `worker_processes ${wanted}: ${serving}, ${why}`);
  }

  /** Of those that a service manager has opened in vain; a reload may still ask for them. */
  private warnOfSockets(inherited: ReadonlyMap<string, number>): void {
    const asked = new Set(this.cycle!.sockets.map(({ address }) => inheritanceKey(address)));
    for (const key of inherited.keys()) {
      if (key.includes('#') || asked.has(key)) continue;
      const message = `socket "${key}" was handed over, but no "listen" asks for it: its clients wait`;
      this.errorLog.log('warn', message);
    }
  }

  /** Whether it serves the new one. */
  private async reloadOnce(): Promise<boolean> {
    const { server } = this;
    if (server === null) return false;
    try {
      const conf = this.compile();
      await server.reload(conf);
      const changes = describeChanges(this.main!, conf.main);
      this.take(conf);
      this.movePidFile(conf.settings.pidPath);
      for (const line of changes) this.errorLog.log('notice', `configuration: ${line}`);
      return true;
    } catch (error) {
      if (!(error instanceof ConfError) && !this.isEnding) this.logEmergency((error as Error).message);
      return false;
    }
  }

  /** To where a new configuration wants it. While a new program takes over it stays where that has put it. */
  private movePidFile(path: string): void {
    if (path === this.pid.path || this.hasSuccessor) return;
    const next = new PidFile(path);
    try {
      next.write(process.pid);
    } catch (error) {
      this.logEmergency((error as Error).message);
      return;
    }
    this.pid.remove();
    this.pid = next;
  }

  /** To who starts it; once it serves, to its log. */
  private tell(diagnostic: CompiledConf['diagnostics'][number]): void {
    if (this.server === null) {
      this.bootLog.report(diagnostic);
      return;
    }
    const message = renderForLog(diagnostic).replace(/^\[\w+\] /, '');
    if (diagnostic.severity === 'error') this.logEmergency(message);
    else this.errorLog.log('warn', message);
  }

  private logEmergency(message: string): void {
    this.errorLog.log('emerg', message + this.hintFor(message));
  }

  /** Why and what helps where rights are missing that the process had at its start. */
  private hintFor(message: string): string {
    return this.droppedTo === null ? '' : rightsHint(this.droppedTo, message);
  }
}
