/*
 * A configuration served in the test's own process: `listen` as written, logs that are read from memory.
 */
import { createServer } from 'node:net';
import { compileConf } from '../compile/compile-conf.js';
import { renderForLog } from '../conf/diagnostics/render.js';
import { type Conf, loadConf } from '../conf/load/load.js';
import { eventClock } from '../core/clock.js';
import { openLogTarget } from '../modules/log-sinks.js';
import type { Address } from '../net/address.js';
import { type RunningServer, serveCycle } from '../server/proxy-server.js';
import { BUILT_IN, DefectLog, makeWheel } from '../server/start-proxy.js';
import { RawClient } from './raw-client.js';
import { RecordingSink } from './recording-sink.js';

export interface TestConfOptions {
  /** Where relative paths start; ends in a slash. Default "/nowhere/". */
  prefix?: string;
  /** Other files of the configuration, by absolute path. */
  files?: Readonly<Record<string, string>>;
  isOnReadDisabled?: boolean;
}

/** A configuration that is served. */
export interface TestConf {
  readonly server: RunningServer;
  /** Of the first socket. */
  readonly address: Address;
  /** What was written to `target`, as the configuration names it; relative ones behind the prefix. Syslog is real. */
  log(target: string): RecordingSink;
  /** Deadlines armed. */
  readonly deadlineCount: number;
  /** A connected client. */
  connect(): Promise<RawClient>;
  /** Serves another configuration. Throws an Error with nginx's words for what is wrong with it. */
  reload(text: string): Promise<void>;
  stop(): Promise<void>;
}

const MAIN = '/nowhere/nginx.conf';

/**
 * Serves the text of a main file, or of a fragment such as one `server {}`. In it `%PORT%` stands for a free port, the
 * same each time; the error log is `error.log` at level info unless it says otherwise.
 * Throws an Error with nginx's words for what is wrong.
 */
export async function startTestConf(text: string, options: TestConfOptions = {}): Promise<TestConf> {
  const { prefix = '/nowhere/', files = {}, isOnReadDisabled = false } = options;
  const port = await freePort();
  const sinks = new Map<string, RecordingSink>();
  const defects = new DefectLog();
  const wheel = makeWheel(defects.report);
  const log = (target: string): RecordingSink => {
    const path = target.startsWith('/') || target === 'stderr' ? target : prefix + target;
    let sink = sinks.get(path);
    if (sink === undefined) {
      sink = new RecordingSink();
      sinks.set(path, sink);
    }
    return sink;
  };
  let server: RunningServer | null = null;
  const compile = (source: string) => {
    const { cycle, diagnostics } = compileConf(load(source, port, files), BUILT_IN, {
      prefix,
      confPrefix: prefix,
      defaultErrorLog: 'stderr',
      wheel,
      clock: eventClock,
      onDefect: defects.report,
      carried: server?.cycle.carried ?? new Map(),
      openSink: (target, how, onTrouble) =>
        target.startsWith('syslog:') ? openLogTarget(target, how, onTrouble) : log(target).openAnew(),
    });
    if (cycle === null) throw new Error(diagnostics.map(renderForLog).join('\n'));
    defects.cycle = cycle;
    return cycle;
  };
  const running = await serveCycle(compile(text), { wheel, onDefect: defects.report, isOnReadDisabled });
  server = running;
  const address = running.addresses[0]!;
  return {
    server: running,
    address,
    log,
    get deadlineCount() {
      return wheel.size;
    },
    connect: () => RawClient.connect(address),
    reload: async (source) => running.reload(compile(source)),
    stop: () => running.stop(),
  };
}

function load(source: string, port: number, files: Readonly<Record<string, string>>): Conf {
  const withPort = (some: string | undefined) => some?.replaceAll('%PORT%', String(port));
  const text = withPort(source)!;
  return loadConf(
    MAIN,
    {
      readFile: (path) => (path === MAIN ? text : (withPort(files[path]) ?? { code: 'ENOENT', number: 2 })),
      listFolder: (folder) => {
        const names = Object.keys(files).filter((path) => path.startsWith(folder));
        return names.map((path) => path.slice(folder.length).replace(/^\//, ''));
      },
    },
    /^\s*error_log/m.test(source) ? '' : 'error_log error.log info;',
  );
}

/** A port nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
