/*
 * What a configuration is built in: the folders its paths start from, time, and what the one before left.
 */
import type { Scope } from '../conf/schema/scope.js';
import type { Clock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { ErrorLog } from '../log/error-log.js';
import type { LogSink, SinkOptions } from '../log/sink.js';
import type { DefectReporter } from '../net/connection.js';
import type { WorkerPlace } from '../zones/worker-place.js';
import type { ZoneMemories } from '../zones/zone-memories.js';
import type { HttpBuilder } from './http-builder.js';

export interface BuildEnvironment {
  /** Where relative paths of files and logs start (`-p`); ends in a slash. */
  readonly prefix: string;
  /** The folder of the main file, for what nginx looks for beside it; ends in a slash. */
  readonly confPrefix: string;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly onDefect: DefectReporter;
  /** Who builds `http {}`; an HttpBuilder of its own kind looks on while requests are served. Left out: an HttpBuilder. */
  makeBuilder?(environment: PlacedEnvironment, errorLog: ErrorLog): HttpBuilder;
  /** The main error log where the configuration names no file for it. */
  readonly defaultErrorLog: string;
  /** For which of the threads that serve it, which may be for the configuration to say. Default: there is one. */
  readonly worker?: WorkerPlace | ((main: Scope) => WorkerPlace);
  /** Where memory comes from that all workers share. Default: new. */
  readonly memories?: ZoneMemories;
  /** Reads a file that the configuration names, in latin1. Throws what the system does. Default: from the disk. */
  readonly readFile?: (path: string) => string;
  /** What the configuration before has to carry over, by kind and name. */
  readonly carried: ReadonlyMap<string, unknown>;
  /**
   * Opens a log by its target in nginx's notation, a path made absolute. Throws an Error with the reason when it can't
   * be opened.
   * @param onTrouble told when lines get lost
   */
  openSink(target: string, options: SinkOptions, onTrouble: (message: string) => void): LogSink;
}

/** With the worker known. */
export type PlacedEnvironment = BuildEnvironment & { readonly worker: WorkerPlace };
