/*
 * The process that serves a configuration file: start, pid file, reload, logs, end. Which signal or command means what
 * is told elsewhere.
 */
import { type CompiledConf, compileConf } from '../compile/compile-conf.js';
import type { Cycle } from '../compile/cycle.js';
import { renderForLog } from '../conf/diagnostics/render.js';
import { type Conf, loadConf } from '../conf/load/load.js';
import { eventClock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { ErrorLog } from '../log/error-log.js';
import { openLogTarget } from '../modules/log-sinks.js';
import { type RunningServer, serveCycle } from '../server/proxy-server.js';
import { BUILT_IN, DefectLog, makeWheel } from '../server/start-proxy.js';
import type { BootLog } from './boot-log.js';
import type { ConfFiles } from './conf-files.js';
import { diskConfReader, probeFile } from './disk-conf-reader.js';
import { PidFile } from './pid-file.js';
import { dropPrivileges, giveAway, rightsHint, whyNotWritable } from './privileges.js';
import { type ProcessSettings, processSettings } from './settings.js';
import { startNewProgram } from './upgrade.js';

/** A configuration can't be used; what is wrong has been told. */
export class ConfError extends Error {}

/** A configuration that can be served, with its text. */
export interface UsableConf extends CompiledConf {
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
  private server: RunningServer | null;
  private pid: PidFile;
  /** Whom root's rights were given up for; null: nobody. */
  private droppedTo: string | null;
  private isReloading: boolean;
  private isReloadWanted: boolean;

  constructor(files: ConfFiles, bootLog: BootLog) {
    this.files = files;
    this.defects = new DefectLog();
    this.wheel = makeWheel(this.defects.report);
    this.bootLog = bootLog;
    this.server = null;
    this.pid = new PidFile('');
    this.droppedTo = null;
    this.isReloading = false;
    this.isReloadWanted = false;
  }

  /** Of the configuration that serves. */
  get errorLog(): ErrorLog {
    return this.server!.cycle.context.errorLog;
  }

  get connectionCount(): number {
    return this.server?.connectionCount ?? 0;
  }

  /** A new program is started on the sockets of this one. */
  startNewProgram(): void {
    const { errorLog, pid: pidFile } = this;
    startNewProgram({ errorLog, pidFile, descriptors: this.server?.descriptors ?? new Map() });
  }

  /** Reads, checks and builds the configuration; what is wrong with it is told. Throws a ConfError then. */
  compile(): UsableConf {
    const { path, prefix, commandLine, errorLog } = this.files;
    const conf = loadConf(path, diskConfReader, commandLine);
    const confPrefix = path.slice(0, path.lastIndexOf('/') + 1);
    const environment = {
      prefix,
      confPrefix,
      wheel: this.wheel,
      clock: eventClock,
      onDefect: this.defects.report,
      carried: this.server?.cycle.carried ?? new Map<string, unknown>(),
      openSink: openLogTarget,
      defaultErrorLog: errorLog,
    };
    const options = {
      probeFile: (file: string) => probeFile(file.startsWith('/') ? file : confPrefix + file),
    };
    const compiled = compileConf(conf, BUILT_IN, environment, options);
    for (const diagnostic of compiled.diagnostics) this.tell(diagnostic);
    const { cycle, main } = compiled;
    if (cycle === null) throw new ConfError(`Cannot use "${path}"`);
    const settings = processSettings(main, prefix);
    try {
      giveAway(settings.user, cycle, (message) => cycle.context.errorLog.log('warn', message));
    } catch (error) {
      void cycle.close();
      throw error;
    }
    return { ...compiled, conf, cycle, settings };
  }

  /**
   * Starts to serve; the pid file is there when the promise resolves. Rejects with a ListenError or an Error.
   * @param inherited descriptors of listening sockets that are open already, by their keys
   */
  async start({ cycle, settings }: UsableConf, inherited: ReadonlyMap<string, number>): Promise<void> {
    this.defects.cycle = cycle;
    for (const [name, value] of settings.environment) if (value !== null) process.env[name] = value;
    this.server = await serveCycle(cycle, { wheel: this.wheel, onDefect: this.defects.report, inherited });
    this.pid = new PidFile(settings.pidPath);
    try {
      this.pid.write(process.pid);
      if (dropPrivileges(settings.user)) this.droppedTo = settings.user!.name;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Serves the configuration as it is now on disk. Whatever is wrong with it is told, and changes nothing. One that is
   * asked for while another is under way comes after it.
   */
  async reload(): Promise<void> {
    if (this.isReloading) {
      this.isReloadWanted = true;
      return;
    }
    this.isReloading = true;
    try {
      do {
        this.isReloadWanted = false;
        await this.reloadOnce();
      } while (this.isReloadWanted);
    } finally {
      this.isReloading = false;
    }
  }

  /** Accepts nobody until the next reload (nginx: WINCH). */
  rest(): void {
    this.server?.rest();
  }

  reopenLogs(): void {
    if (this.server === null) return;
    if (this.droppedTo !== null) {
      for (const path of this.server.cycle.logFiles) {
        const reason = whyNotWritable(path);
        if (reason !== null) this.logEmergency(`open() "${path}" failed (${reason})`);
      }
    }
    this.server.reopenLogs();
  }

  /** Lets what runs finish, and ends. */
  async drain(): Promise<void> {
    await this.server?.drain();
    this.pid.remove();
  }

  /** Ends everything now. */
  async stop(): Promise<void> {
    await this.server?.stop();
    this.pid.remove();
  }

  private async reloadOnce(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    try {
      const { cycle } = this.compile();
      await server.reload(cycle);
      this.defects.cycle = cycle;
    } catch (error) {
      if (!(error instanceof ConfError)) this.logEmergency((error as Error).message);
    }
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

  /** With why and what helps where rights are missing that the process had at its start. */
  private logEmergency(message: string): void {
    const hint = this.droppedTo === null ? '' : rightsHint(this.droppedTo, message);
    this.errorLog.log('emerg', message + hint);
  }
}
