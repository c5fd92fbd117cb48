/*
 * A checked configuration to a cycle: one immutable generation of configuration, with the objects that serve it. Opens
 * the logs, but no socket.
 */
import type { Diagnostic } from '../conf/diagnostics/diagnostic.js';
import type { CheckedDirective } from '../conf/schema/checked.js';
import { Scope } from '../conf/schema/scope.js';
import { describeDefect } from '../core/describe-defect.js';
import { ErrorLog } from '../log/error-log.js';
import { type LogSink, NO_SINK } from '../log/sink.js';
import { workerShutdownTimeout } from '../modules/core/directives.js';
import { openMainErrorLog } from '../modules/error-log.js';
import * as core from '../modules/http/core/directives.js';
import type { HttpModule } from '../modules/module.js';
import { STATUS_ZONES } from '../modules/status-zones.js';
import { CONNECTION_COUNTS_BYTES, ConnectionCounts } from '../request/connection-counts.js';
import type { ServiceContext } from '../request/virtual-server.js';
import type { UpstreamTarget } from '../upstream/upstream-target.js';
import { ONLY_WORKER, type WorkerPlace } from '../zones/worker-place.js';
import type { BuildEnvironment } from './environment.js';
import { HttpBuilder } from './http-builder.js';
import { buildListenSockets, type ListenSocket } from './listen-points.js';
import { buildServers } from './server-builder.js';
import { buildUpstreams } from './upstream-builder.js';

/** Everything a server needs to serve one configuration. */
export interface Cycle {
  readonly sockets: readonly ListenSocket[];
  readonly context: ServiceContext;
  readonly upstreams: ReadonlyMap<string, UpstreamTarget>;
  /** How long `drain` lets requests run on (worker_shutdown_timeout); Infinity: as long as they take. */
  readonly drainMs: number;
  /** To be flushed and reopened by whoever runs the cycle. */
  readonly sinks: readonly LogSink[];
  /** Absolute paths of what is written while it serves: the user of the process has to own them. */
  readonly logFiles: readonly string[];
  readonly folders: readonly string[];
  /** What the next configuration may carry over, by kind and name. */
  readonly carried: ReadonlyMap<string, unknown>;
  /** Which worker it is for. */
  readonly worker: WorkerPlace;
  /** Gives back what a worker that is gone had counted; for the thread that watches over them. */
  forgetWorker(index: number, hasFinished: boolean): void;
  /** Lets go of pools and timers, and closes the logs, when nothing is served by it any more. Once, however often it is asked. */
  close(): Promise<void>;
}

/** What building gives: the cycle, or why there is none. Warnings come with a cycle too. */
export interface BuiltCycle {
  /** Null when a diagnostic is an error. */
  readonly cycle: Cycle | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** The main level of a checked configuration. */
export function mainScope(directives: readonly CheckedDirective[]): Scope {
  return new Scope('main', null, null, directives);
}

/**
 * Builds a cycle of what was checked. Throws an Error with the reason when a log can't be opened; whatever was opened
 * is closed again then, as it is when there are errors.
 */
export function buildCycle(
  main: Scope,
  modules: readonly HttpModule[],
  environment: BuildEnvironment,
): BuiltCycle {
  const { worker = ONLY_WORKER } = environment;
  const placed = { ...environment, worker: typeof worker === 'function' ? worker(main) : worker };
  const builder = environment.makeBuilder?.(placed, NO_LOG) ?? new HttpBuilder(placed, NO_LOG);
  builder.errorLog = openMainErrorLog(main, builder, environment.defaultErrorLog);
  try {
    const sockets = buildHttp(main, modules, builder);
    if (builder.diagnostics.some(({ severity }) => severity === 'error')) {
      void closeAll(builder);
      return { cycle: null, diagnostics: builder.diagnostics };
    }
    const [drainMs] = main.find(workerShutdownTimeout)?.values ?? [Number.POSITIVE_INFINITY];
    const { wheel, clock } = environment;
    let closing: Promise<void> | null = null;
    const cycle: Cycle = {
      sockets,
      context: {
        wheel,
        clock,
        errorLog: builder.errorLog,
        connections: connectionCounts(builder),
        statusZones: builder.shared(STATUS_ZONES),
        generation: nextGeneration(builder),
        loadedAtMs: clock.wallMs(),
        keepsBodies: ['request_body', 'request_body_file'].some((name) => builder.variables.isUsed(name)),
      },
      upstreams: builder.upstreams,
      drainMs,
      sinks: builder.sinks,
      logFiles: [...builder.logTargets].filter((target) => target.startsWith('/')),
      folders: [...builder.folders],
      carried: builder.carriedNow,
      worker: builder.worker,
      forgetWorker: (index, hasFinished) => {
        for (const forget of builder.mourners) forget(index, hasFinished);
      },
      close: () => {
        closing ??= closeAll(builder);
        return closing;
      },
    };
    return { cycle, diagnostics: builder.diagnostics };
  } catch (error) {
    void closeAll(builder);
    throw error;
  }
}

/** Builds that come to nothing don't count: what they carry is dropped. */
function nextGeneration(builder: HttpBuilder): number {
  const generation = builder.carried('generation', '', () => 0) + 1;
  builder.carriedNow.set('generation ', generation);
  return generation;
}

function connectionCounts(builder: HttpBuilder): ConnectionCounts {
  const memory = builder.sharedMemory('connections', '', CONNECTION_COUNTS_BYTES);
  const counts = builder.carried('connections', '', () => new ConnectionCounts(memory, builder.worker));
  builder.onWorkerDeath((index) => counts.forget(index));
  return counts;
}

const NO_LOG = new ErrorLog(NO_SINK, 'emerg');

async function closeAll(builder: HttpBuilder): Promise<void> {
  for (const close of builder.closers) {
    try {
      close();
    } catch (defect) {
      builder.errorLog.log('alert', describeDefect(defect));
    }
  }
  for (const { pool } of builder.upstreams.values()) pool.close();
  await Promise.all(builder.sinks.map((sink) => sink.close()));
}

function buildHttp(main: Scope, modules: readonly HttpModule[], builder: HttpBuilder): ListenSocket[] {
  const [block] = main.own(core.http);
  if (block === undefined) return [];
  const http = new Scope('http', main, block, block.block);
  for (const module of modules) module.variables?.(builder.variables);
  const byDefinition = groupByDefinition(http.directives);
  for (const module of modules) module.declare?.(directivesOf(module, byDefinition), builder);
  buildUpstreams(http, builder, modules);
  const sockets = buildListenSockets(buildServers(http, builder, modules), builder);
  builder.reportUnknownVariables();
  return sockets;
}

/** Every directive below `http`, wherever it stands, with its place in the file. */
function groupByDefinition(directives: readonly CheckedDirective[]): Map<unknown, Ordered[]> {
  const groups = new Map<unknown, Ordered[]>();
  let order = 0;
  const visit = (some: readonly CheckedDirective[]) => {
    for (const directive of some) {
      const group = groups.get(directive.definition);
      const ordered = { directive, order: order++ };
      if (group === undefined) groups.set(directive.definition, [ordered]);
      else group.push(ordered);
      visit(directive.block);
    }
  };
  visit(directives);
  return groups;
}

interface Ordered {
  readonly directive: CheckedDirective;
  readonly order: number;
}

function directivesOf(
  module: HttpModule,
  groups: ReadonlyMap<unknown, readonly Ordered[]>,
): CheckedDirective[] {
  return module.directives
    .flatMap((definition) => groups.get(definition) ?? [])
    .sort((a, b) => a.order - b.order)
    .map(({ directive }) => directive);
}
