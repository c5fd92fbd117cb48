/*
 * One running proxy: its listening sockets and the cycles it serves, from start to drained. No globals, no signals: a
 * program may run several.
 */
import type { Cycle } from '../compile/cycle.js';
import type { ListenSocket } from '../compile/listen-points.js';
import { eventClock } from '../core/clock.js';
import { describeErrno } from '../core/errno.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { type Address, formatAddress } from '../net/address.js';
import type { DefectReporter } from '../net/connection.js';
import { Listener } from '../net/listener.js';
import { SOCKETS } from '../net/socket-budget.js';
import { CycleRun } from './cycle-run.js';
import { Door } from './door.js';

/** When there was no connection to close, one isn't looked for again so soon. */
const RECLAIM_PAUSE_MS = 100;

/** How often a server that rests does nothing. */
const REST_TICK_MS = 60_000;

/** An address can't be listened on. */
export class ListenError extends Error {
  readonly address: Address;
  /** EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND ... */
  readonly code: string;

  constructor(address: Address, cause: NodeJS.ErrnoException) {
    const code = cause.code ?? 'UNKNOWN';
    super(`Cannot listen on "${formatAddress(address)}": ${describeErrno(code)} (${code})`, { cause });
    this.name = 'ListenError';
    this.address = address;
    this.code = code;
  }
}

/** What a server needs besides its first cycle. */
export interface ServerOptions {
  /** The wheel that its cycles were built with; the server closes it at its end. */
  readonly wheel: TimerWheel;
  readonly onDefect: DefectReporter;
  /** Descriptors of listening sockets that are open already, by inheritanceKey. */
  readonly inherited?: ReadonlyMap<string, number>;
  /** Among workers: the keys of sockets that can't be shared by port. */
  readonly unshared?: ReadonlySet<string>;
  /** As in ListenerOptions: for tests. */
  readonly isOnReadDisabled?: boolean;
}

/** A running proxy. */
export interface ProxyServer {
  /** Where it listens, with the real port where 0 was asked for. */
  readonly addresses: readonly Address[];
  /** Client connections open now. */
  readonly connectionCount: number;
  /** Stops accepting, lets what runs finish for at most the drain timeout, then ends. */
  drain(): Promise<void>;
  /** Ends everything now. */
  stop(): Promise<void>;
  /** Opens the log files again, after they were moved away. */
  reopenLogs(): void;
}

/** Serves a cycle. Rejects with a ListenError; the cycle is closed then. */
export async function serveCycle(cycle: Cycle, options: ServerOptions): Promise<RunningServer> {
  const server = new RunningServer(cycle, options);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** A cycle that could be served. */
export interface PreparedReload {
  commit(): void;
  abort(): Promise<void>;
}

/** See ProxyServer. */
export class RunningServer implements ProxyServer {
  /** The cycle that new connections are served by. */
  private current: CycleRun;
  /** Cycles of before whose connections aren't over, the end of each. */
  private readonly retired: Map<CycleRun, Promise<void>>;
  private readonly options: ServerOptions;
  /** By address and options, as `keyOf` gives them. */
  private open: Map<string, Door>;
  /** Descriptors of sockets that are open already and that nothing has asked for yet. */
  private readonly inherited: Map<string, number>;
  private acceptedCount: number;
  private noReclaimUntilMs: number;
  /** Set while it rests. */
  private restTimer: NodeJS.Timeout | null;
  private isEnding: boolean;

  constructor(cycle: Cycle, options: ServerOptions) {
    this.current = new CycleRun(cycle);
    this.retired = new Map();
    this.options = options;
    this.open = new Map();
    this.inherited = new Map(options.inherited);
    this.acceptedCount = 0;
    this.noReclaimUntilMs = 0;
    this.restTimer = null;
    this.isEnding = false;
  }

  get addresses(): readonly Address[] {
    return [...this.open.values()].map(({ listener }) => listener!.address);
  }

  get connectionCount(): number {
    let count = this.current.loops.size;
    for (const run of this.retired.keys()) count += run.loops.size;
    return count;
  }

  /** Of the listening sockets, for a program that takes over; without those whose descriptor isn't known. */
  get descriptors(): ReadonlyMap<string, number> {
    const descriptors = new Map(this.inherited);
    for (const { listener, socket } of this.open.values())
      if (listener!.fd >= 0) descriptors.set(inheritanceKey(socket.address), listener!.fd);
    return descriptors;
  }

  get cycle(): Cycle {
    return this.current.cycle;
  }

  /** Listens on all sockets of the first cycle. */
  async start(): Promise<void> {
    for (const socket of this.socketsOf(this.current.cycle)) {
      let key = keyOf(socket);
      // Port 0 is another one each time it is asked for.
      while (this.open.has(key)) key += '+';
      this.open.set(key, await this.listen(socket, this.current));
    }
  }

  /**
   * Serves another cycle from now on. Sockets that both have stay open; new ones are opened first, and when one can't
   * be, nothing changes and the new cycle is closed. Rejects with a ListenError then.
   */
  async reload(cycle: Cycle): Promise<void> {
    (await this.prepare(cycle)).commit();
  }

  /** Opens what another cycle needs besides. It serves once that is committed; else it is closed. Rejects as `reload`. */
  async prepare(cycle: Cycle): Promise<PreparedReload> {
    const run = new CycleRun(cycle);
    const fresh = new Map<string, Door>();
    const abort = async () => {
      const closed = [...fresh.values()].map((door) => door.close());
      // With who has come in by then.
      await Promise.all([run.stop(), ...closed]);
    };
    try {
      for (const socket of this.socketsOf(cycle)) {
        const key = keyOf(socket);
        if (!this.open.has(key)) fresh.set(key, await this.listen(socket, run));
      }
      if (this.isEnding) throw new Error('Cannot serve another configuration: this process is ending');
    } catch (error) {
      await abort();
      throw error;
    }
    return { commit: () => this.swap(run, fresh), abort };
  }

  private swap(run: CycleRun, fresh: Map<string, Door>): void {
    this.endRest();
    const before = this.current;
    const open = new Map<string, Door>();
    for (const socket of this.socketsOf(run.cycle)) {
      const key = keyOf(socket);
      const door = fresh.get(key) ?? this.open.get(key)!;
      door.socket = socket;
      door.run = run;
      open.set(key, door);
    }
    for (const [key, door] of this.open) if (!open.has(key)) void door.close();
    this.open = open;
    this.current = run;
    const end = before.retire().finally(() => {
      this.retired.delete(before);
      // In the words by which tools know that a reload is over.
      const what = `worker of the configuration before, in process ${process.pid}, exited with code 0`;
      this.current.cycle.context.errorLog.log('notice', what);
    });
    this.retired.set(before, end);
  }

  /** Accepts nobody and lets what runs finish, but keeps the sockets: `reload` serves again (nginx: WINCH). */
  rest(): void {
    if (this.restTimer !== null) return;
    for (const { listener } of this.open.values()) listener!.pause();
    this.current.rest();
    // Sockets that accept nobody keep no process alive.
    this.restTimer = setInterval(() => {}, REST_TICK_MS);
  }

  private endRest(): void {
    if (this.restTimer === null) return;
    clearInterval(this.restTimer);
    this.restTimer = null;
    for (const { listener } of this.open.values()) listener!.resume();
  }

  async drain(): Promise<void> {
    eventClock.refresh();
    this.isEnding = true;
    this.endRest();
    const closed = this.closeListeners();
    await Promise.all([this.current.retire(), ...this.retired.values()]);
    this.options.wheel.close();
    await closed;
  }

  async stop(): Promise<void> {
    this.isEnding = true;
    this.endRest();
    const closed = this.closeListeners();
    await Promise.all([this.current.stop(), ...[...this.retired.keys()].map((run) => run.stop())]);
    this.options.wheel.close();
    await closed;
  }

  reopenLogs(): void {
    for (const run of [this.current, ...this.retired.keys()]) {
      for (const sink of run.cycle.sinks) sink.reopen();
    }
  }

  /** The paths that it listens on stay when it ends: another program listens on the same sockets. */
  leavePaths(): void {
    for (const { listener } of this.open.values()) listener!.leavesPath = true;
  }

  private async listen(socket: ListenSocket, run: CycleRun): Promise<Door> {
    const { address, options } = socket;
    const { isOnReadDisabled = false, onDefect } = this.options;
    const door = new Door(socket, run);
    try {
      door.listener = await Listener.open({
        address,
        backlog: options.backlog,
        fd: this.takeInherited(socket),
        isIpv6Only: options.isIpv6Only,
        reusesPort: options.reusesPort,
        keepaliveIdleMs: options.keepaliveIdleMs,
        isOnReadDisabled,
        accept: (connection) => door.run!.accept(connection, door, this.nextNumber()),
        onError: (error) => this.log('crit', `accept on ${formatAddress(address)}: ${error.message}`),
        onShortage: (isShort) => this.log(isShort ? 'crit' : 'notice', describeShortage(address, isShort)),
        reclaim: () => this.closeSpare(),
        onDefect,
      });
      return door;
    } catch (error) {
      throw new ListenError(address, error as NodeJS.ErrnoException);
    }
  }

  private log(level: 'crit' | 'notice', message: string): void {
    this.current.cycle.context.errorLog.log(level, message);
  }

  /** Of a connection; workers number theirs in turns. */
  private nextNumber(): number {
    const { index, count } = this.current.cycle.worker;
    return this.acceptedCount++ * count + index + 1;
  }

  /**
   * What is listened on here. Among workers each has a socket of its own for an address, and the kernel distributes the
   * clients. What can't be shared so, paths and sockets that somebody else has opened, the first worker has alone.
   */
  private socketsOf({ sockets, worker }: Cycle): readonly ListenSocket[] {
    if (worker.count === 1) return sockets;
    const { unshared } = this.options;
    const isShared = ({ address }: ListenSocket) =>
      address.path === null && unshared?.has(inheritanceKey(address)) !== true;
    return sockets
      .filter((socket) => worker.index === 0 || isShared(socket))
      .map((socket) => ({ ...socket, options: { ...socket.options, reusesPort: isShared(socket) } }));
  }

  /** Once: what was closed since is no socket any more, or another. */
  private takeInherited(socket: ListenSocket): number {
    const key = inheritanceKey(socket.address);
    const fd = this.inherited.get(key) ?? -1;
    this.inherited.delete(key);
    return fd;
  }

  /** Makes room for others. */
  private closeSpare(): void {
    const nowMs = eventClock.nowMs();
    if (nowMs < this.noReclaimUntilMs) return;
    if (this.current.closeSpare() === 0) this.noReclaimUntilMs = nowMs + RECLAIM_PAUSE_MS;
  }

  private async closeListeners(): Promise<void> {
    await Promise.all([...this.open.values()].map((door) => door.close()));
  }
}

/** By what a program finds the sockets of the one before. */
export function inheritanceKey(address: Address): string {
  return formatAddress(address);
}

/**
 * Sockets of the same key are the same across a reload. Whether others may share its port is settled when it is opened:
 * a second one beside it could not be had.
 */
function keyOf({ address, options: { isIpv6Only } }: ListenSocket): string {
  return `${formatAddress(address)} ${isIpv6Only}`;
}

function describeShortage(address: Address, isShort: boolean): string {
  const where = `accept on ${formatAddress(address)}`;
  if (!isShort) return `${where}: no client has had to wait for a descriptor for a while`;
  const used = `${SOCKETS.openCount} of ${SOCKETS.limit} sockets that the limit of open files allows are open`;
  return `${where} pauses: ${used}; clients wait until some close; raise the limit (ulimit -n)`;
}
