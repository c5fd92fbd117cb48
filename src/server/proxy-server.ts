/*
 * One running proxy: its listeners and client connections, from start to drained. No globals, no signals:
 * a program may run several.
 */
import { buildCycle, type Cycle } from '../compile/cycle.js';
import type { ProxyOptions } from '../compile/proxy-options.js';
import { eventClock } from '../core/clock.js';
import { describeErrno } from '../core/errno.js';
import { type Address, formatAddress } from '../net/address.js';
import type { Connection } from '../net/connection.js';
import { Listener } from '../net/listener.js';
import { SOCKETS } from '../net/socket-budget.js';
import { ConnectionLoop, type ConnectionOwner } from '../request/connection-loop.js';
import { ServingPool } from '../request/serving-pool.js';

/** How many connections the kernel queues before accept; nginx's default on Linux. */
const BACKLOG = 511;

/** How many client connections that can be spared are closed at once when descriptors run out, as in nginx. */
const RECLAIM_AT_ONCE = 32;

/** When there was none to close, it isn't looked for again so soon. */
const RECLAIM_PAUSE_MS = 100;

/** What setTimeout can wait at most; it takes more for nothing. */
const MAX_TIMER_MS = 2 ** 31 - 1;

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

/**
 * Starts a proxy; it serves when the promise resolves.
 * Rejects with a ListenError, or an Error that names the option that can't be used.
 */
export async function startProxy(options: ProxyOptions): Promise<ProxyServer> {
  if (options.listen.length === 0)
    throw new Error('Cannot start a proxy: no address to listen on; give at least one');
  return serveCycle(buildCycle(options), false);
}

/** Serves a cycle. `isOnReadDisabled` as in ListenerOptions: for tests. Rejects with a ListenError. */
export async function serveCycle(cycle: Cycle, isOnReadDisabled: boolean): Promise<ProxyServer> {
  const server = new RunningProxy(cycle, isOnReadDisabled);
  try {
    await server.listen();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class RunningProxy implements ProxyServer, ConnectionOwner {
  isDraining: boolean;
  readonly servings: ServingPool;
  private readonly cycle: Cycle;
  private readonly isOnReadDisabled: boolean;
  private readonly listeners: Listener[];
  private readonly loops: Set<ConnectionLoop>;
  private acceptedCount: number;
  private noReclaimUntilMs: number;
  /** Who waits until the last client connection is gone. */
  private readonly emptyWaiters: (() => void)[];

  constructor(cycle: Cycle, isOnReadDisabled: boolean) {
    this.isDraining = false;
    this.servings = new ServingPool(cycle.server);
    this.cycle = cycle;
    this.isOnReadDisabled = isOnReadDisabled;
    this.listeners = [];
    this.loops = new Set();
    this.acceptedCount = 0;
    this.noReclaimUntilMs = 0;
    this.emptyWaiters = [];
  }

  get addresses(): readonly Address[] {
    return this.listeners.map((listener) => listener.address);
  }

  get connectionCount(): number {
    return this.loops.size;
  }

  async listen(): Promise<void> {
    const { isOnReadDisabled } = this;
    for (const address of this.cycle.listen) {
      try {
        const accept = (connection: Connection) => this.accept(connection);
        const onError = (error: Error) =>
          this.cycle.errorLog.log('crit', `accept on ${formatAddress(address)}: ${error.message}`);
        const onShortage = (isShort: boolean) =>
          this.cycle.errorLog.log(isShort ? 'crit' : 'notice', describeShortage(address, isShort));
        const reclaim = () => this.closeSpare();
        const { onDefect } = this.cycle;
        const callbacks = { accept, onError, onShortage, reclaim, onDefect };
        this.listeners.push(
          await Listener.open({ address, backlog: BACKLOG, isOnReadDisabled, ...callbacks }),
        );
      } catch (error) {
        throw new ListenError(address, error as NodeJS.ErrnoException);
      }
    }
  }

  async drain(): Promise<void> {
    eventClock.refresh();
    this.isDraining = true;
    const closed = this.closeListeners();
    for (const loop of this.loops) loop.drain();
    await this.waitUntilEmpty(this.cycle.drainMs);
    await this.stop();
    await closed;
  }

  async stop(): Promise<void> {
    this.isDraining = true;
    const closed = this.closeListeners();
    for (const loop of this.loops) loop.destroy();
    this.cycle.server.pool.close();
    await closed;
    // What was cut is still to be logged.
    await this.waitUntilEmpty(Number.POSITIVE_INFINITY);
    this.cycle.server.wheel.close();
    await Promise.all(this.cycle.sinks.map((sink) => sink.close()));
  }

  reopenLogs(): void {
    for (const sink of this.cycle.sinks) sink.reopen();
  }

  onConnectionClosed(loop: ConnectionLoop): void {
    this.loops.delete(loop);
    if (this.loops.size === 0) for (const resolve of this.emptyWaiters.splice(0)) resolve();
  }

  private accept(connection: Connection): ConnectionLoop {
    this.acceptedCount++;
    const loop = new ConnectionLoop(connection, this.cycle.server, this, this.acceptedCount);
    this.loops.add(loop);
    return loop;
  }

  /** Makes room for others: closes clients' connections that have been answered, eldest first. */
  private closeSpare(): void {
    const nowMs = this.cycle.server.clock.nowMs();
    if (nowMs < this.noReclaimUntilMs) return;
    const most = Math.min(RECLAIM_AT_ONCE, Math.ceil(this.loops.size / 8));
    let count = 0;
    for (const loop of this.loops) {
      if (!loop.isSpare) continue;
      loop.destroy();
      if (++count === most) return;
    }
    if (count === 0) this.noReclaimUntilMs = nowMs + RECLAIM_PAUSE_MS;
  }

  private async closeListeners(): Promise<void> {
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }

  private waitUntilEmpty(timeoutMs: number): Promise<void> {
    if (this.loops.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = timeoutMs > MAX_TIMER_MS ? undefined : setTimeout(resolve, timeoutMs);
      this.emptyWaiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function describeShortage(address: Address, isShort: boolean): string {
  const where = `accept on ${formatAddress(address)}`;
  if (!isShort) return `${where}: no client has had to wait for a descriptor for a while`;
  const used = `${SOCKETS.openCount} of ${SOCKETS.limit} sockets that the limit of open files allows are open`;
  return `${where} pauses: ${used}; clients wait until some close; raise the limit (ulimit -n)`;
}
