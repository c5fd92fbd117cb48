/*
 * A cycle while it serves: the client connections that began with it, until the last of them is gone. After a reload
 * those of the cycle before live on here.
 */
import type { Cycle } from '../compile/cycle.js';
import type { Connection } from '../net/connection.js';
import { ConnectionLoop, type ConnectionOwner } from '../request/connection-loop.js';
import { RequestPool } from '../request/request-pool.js';
import type { ListenPoint } from '../request/virtual-server.js';

/** How many client connections that can be spared are closed at once when descriptors run out, as in nginx. */
const RECLAIM_AT_ONCE = 32;

/** What setTimeout can wait at most; it takes more for nothing. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The connections of one cycle. */
export class CycleRun implements ConnectionOwner {
  isDraining: boolean;
  readonly cycle: Cycle;
  /** Requests to serve with, by address. */
  private readonly pools: Map<ListenPoint, RequestPool>;
  readonly loops: Set<ConnectionLoop>;
  /** Who waits until the last client connection is gone. */
  private readonly emptyWaiters: (() => void)[];

  constructor(cycle: Cycle) {
    this.isDraining = false;
    this.cycle = cycle;
    this.pools = new Map();
    this.loops = new Set();
    this.emptyWaiters = [];
  }

  /** Serves a connection that was accepted. */
  accept(connection: Connection, point: ListenPoint, connectionNumber: number): ConnectionLoop {
    const loop = new ConnectionLoop(connection, point, this.cycle.context, this, connectionNumber);
    this.loops.add(loop);
    return loop;
  }

  requestsOf(point: ListenPoint): RequestPool {
    let pool = this.pools.get(point);
    if (pool === undefined) {
      pool = new RequestPool(point, this.cycle.context);
      this.pools.set(point, pool);
    }
    return pool;
  }

  onConnectionClosed(loop: ConnectionLoop): void {
    this.loops.delete(loop);
    if (this.loops.size === 0) for (const resolve of this.emptyWaiters.splice(0)) resolve();
  }

  /** Ends idle connections, and the others with the request that they serve. */
  rest(): void {
    this.isDraining = true;
    for (const loop of this.loops) loop.drain();
  }

  /** Lets what runs finish, for at most worker_shutdown_timeout, and lets go of the cycle. */
  async retire(): Promise<void> {
    this.rest();
    await this.waitUntilEmpty(this.cycle.drainMs);
    await this.stop();
  }

  /** Ends everything now. */
  async stop(): Promise<void> {
    this.isDraining = true;
    for (const loop of this.loops) loop.destroy();
    // What was cut is still to be logged.
    await this.waitUntilEmpty(Number.POSITIVE_INFINITY);
    await this.cycle.close();
  }

  /** Closes clients' connections that have been answered, eldest first. How many. */
  closeSpare(): number {
    const most = Math.min(RECLAIM_AT_ONCE, Math.ceil(this.loops.size / 8));
    let count = 0;
    for (const loop of this.loops) {
      if (!loop.isSpare) continue;
      loop.destroy();
      if (++count === most) break;
    }
    return count;
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
