/*
 * The process that serves a configuration file: start, pid file, reload, logs, end. Which signal or command means what is
 * the caller's.
 */
import { unlinkSync, writeFileSync } from 'node:fs';
import { type CompiledConf, compileConf } from '../compile/compile-conf.js';
import { renderForLog, renderForPeople } from '../conf/diagnostics/render.js';
import { loadConf } from '../conf/load/load.js';
import { eventClock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { pid } from '../modules/core/directives.js';
import { openLogTarget } from '../modules/log-sinks.js';
import { type RunningServer, serveCycle } from '../server/proxy-server.js';
import { BUILT_IN, DefectLog, makeWheel } from '../server/start-proxy.js';
import { diskConfReader } from './disk-conf-reader.js';

/** What nginx's command line says of files. */
export interface ConfFiles {
  /** The main file. */
  readonly path: string;
  /** `-p`, ends in a slash. */
  readonly prefix: string;
  /** `-g` */
  readonly commandLine: string;
  /** `-e`: the log until the configuration says where. */
  readonly errorLog: string;
}

/** A configuration can't be used; what is wrong has been told. */
export class ConfError extends Error {}

/** Serves a file's configuration. */
export class ConfProcess {
  private readonly files: ConfFiles;
  private readonly wheel: TimerWheel;
  private readonly defects: DefectLog;
  /** Prints a line for people. */
  private readonly say: (line: string) => void;
  private server: RunningServer | null;
  private pidPath: string;

  constructor(files: ConfFiles, say: (line: string) => void) {
    this.files = files;
    this.defects = new DefectLog();
    this.wheel = makeWheel(this.defects.report);
    this.say = say;
    this.server = null;
    this.pidPath = '';
  }

  /** Reads, checks and builds the configuration; what is wrong with it is told. Throws a ConfError then. */
  compile(): CompiledConf & { readonly cycle: NonNullable<CompiledConf['cycle']> } {
    const { path, prefix, commandLine } = this.files;
    const conf = loadConf(path, diskConfReader, commandLine);
    const compiled = compileConf(conf, BUILT_IN, {
      prefix,
      confPrefix: path.slice(0, path.lastIndexOf('/') + 1),
      wheel: this.wheel,
      clock: eventClock,
      onDefect: this.defects.report,
      carried: this.server?.cycle.carried ?? new Map(),
      openSink: openLogTarget,
    });
    for (const diagnostic of compiled.diagnostics) {
      this.say(renderForPeople(diagnostic, { withSource: process.stderr.isTTY === true }));
      this.server?.cycle.context.errorLog.log(
        diagnostic.severity === 'error' ? 'emerg' : 'warn',
        renderForLog(diagnostic).replace(/^\[\w+\] /, ''),
      );
    }
    const { cycle } = compiled;
    if (cycle === null) throw new ConfError(`Cannot use "${path}": see above`);
    return { ...compiled, cycle };
  }

  /** Starts to serve; the pid file is there when the promise resolves. Rejects with a ConfError or a ListenError. */
  async start(): Promise<void> {
    const { cycle, main } = this.compile();
    this.defects.cycle = cycle;
    this.server = await serveCycle(cycle, { wheel: this.wheel, onDefect: this.defects.report });
    const [file] = main.value(pid);
    this.pidPath = file.startsWith('/') ? file : this.files.prefix + file;
    writeFileSync(this.pidPath, `${process.pid}\n`);
  }

  /** Serves the configuration as it is now on disk. Whatever is wrong with it is told, and changes nothing. */
  async reload(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    try {
      const { cycle } = this.compile();
      await server.reload(cycle);
      this.defects.cycle = cycle;
    } catch (error) {
      if (error instanceof ConfError) return;
      server.cycle.context.errorLog.log('emerg', (error as Error).message);
    }
  }

  reopenLogs(): void {
    this.server?.reopenLogs();
  }

  /** Lets what runs finish, and ends. */
  async drain(): Promise<void> {
    await this.server?.drain();
    this.removePid();
  }

  /** Ends everything now. */
  async stop(): Promise<void> {
    await this.server?.stop();
    this.removePid();
  }

  private removePid(): void {
    try {
      unlinkSync(this.pidPath);
    } catch {
      // Somebody took it away.
    }
  }
}
