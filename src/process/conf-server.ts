/*
 * Who serves the configurations of a process: its one thread, or workers.
 */
import type { Cycle } from '../compile/cycle.js';
import { type RunningServer, type ServerOptions, serveCycle } from '../server/proxy-server.js';
import type { ZoneMemories } from '../zones/zone-memories.js';
import type { ConfSnapshot } from './conf-snapshot.js';

/** A configuration that can be served. */
export interface ServableConf {
  readonly cycle: Cycle;
  readonly snapshot: ConfSnapshot;
  readonly memories: ZoneMemories;
}

/** Serves one configuration after the other. */
export interface ConfServer {
  readonly connectionCount: number;
  /** Of its listening sockets, for a program that takes over. */
  readonly descriptors: ReadonlyMap<string, number>;
  /** Serves another one from now on. Rejects with a ListenError or an Error; nothing has changed then. */
  reload(conf: ServableConf): Promise<void>;
  /** Accepts nobody until the next reload. */
  rest(): void;
  reopenLogs(): void;
  /** The paths that it listens on stay when it ends: a new program listens on the same sockets. */
  leavePaths(): void;
  /** Lets what runs finish, and ends. */
  drain(): Promise<void>;
  /** Ends everything now. */
  stop(): Promise<void>;
}

/** This thread does all. Rejects with a ListenError. */
export async function serveAlone({ cycle }: ServableConf, options: ServerOptions): Promise<ConfServer> {
  const server: RunningServer = await serveCycle(cycle, options);
  return {
    get connectionCount() {
      return server.connectionCount;
    },
    get descriptors() {
      return server.descriptors;
    },
    reload: (conf) => server.reload(conf.cycle),
    rest: () => server.rest(),
    reopenLogs: () => server.reopenLogs(),
    leavePaths: () => server.leavePaths(),
    drain: () => server.drain(),
    stop: () => server.stop(),
  };
}
