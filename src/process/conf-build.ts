/*
 * From the files of a configuration to what serves it, for a thread of this process.
 */
import { type CompiledConf, compileConf } from '../compile/compile-conf.js';
import type { BuildEnvironment } from '../compile/environment.js';
import { type Conf, loadConf } from '../conf/load/load.js';
import type { ConfReader } from '../conf/load/reader.js';
import { eventClock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { openLogTarget } from '../modules/log-sinks.js';
import type { DefectReporter } from '../net/connection.js';
import { BUILT_IN } from '../server/start-proxy.js';
import type { ZoneMemories } from '../zones/zone-memories.js';
import type { ConfFiles } from './conf-files.js';
import { probeFile } from './disk-conf-reader.js';

/** Where it is built. */
export interface ConfSurroundings {
  readonly reader: ConfReader;
  readonly wheel: TimerWheel;
  readonly onDefect: DefectReporter;
  readonly carried: ReadonlyMap<string, unknown>;
  readonly memories: ZoneMemories;
  readonly worker: BuildEnvironment['worker'];
  /** Called when all files are read. */
  readonly onRead?: () => void;
  readonly readFile: (path: string) => string;
}

/** Reads, checks and builds. */
export function buildConf(
  files: ConfFiles,
  surroundings: ConfSurroundings,
): CompiledConf & { readonly conf: Conf } {
  const { reader, onRead, ...rest } = surroundings;
  const { path, prefix, commandLine, errorLog } = files;
  const conf = loadConf(path, reader, commandLine);
  onRead?.();
  const confPrefix = path.slice(0, path.lastIndexOf('/') + 1);
  const environment = {
    ...rest,
    prefix,
    confPrefix,
    clock: eventClock,
    openSink: openLogTarget,
    defaultErrorLog: errorLog,
  };
  const options = {
    probeFile: (file: string) => probeFile(file.startsWith('/') ? file : confPrefix + file),
  };
  return { ...compileConf(conf, BUILT_IN, environment, options), conf };
}
