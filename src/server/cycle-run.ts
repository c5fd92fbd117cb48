/*
 * A cycle while it serves: its client connections, until the last of them is gone or has been handed to the cycle after
 * it. After a reload what was under way lives on here.
 */
import type { Cycle } from '../compile/cycle.js';
import type { Connection } from '../net/connection.js';
import { ConnectionLoop, type ConnectionOwner } from '../request/connection-loop.js';
import { RequestPool } from '../request/request-pool.js';
import type { ListenPoint } from '../request/virtual-server.js';
import type { Door } from './door.js';

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
  /** With where each came in. */
  readonly loops: Map<ConnectionLoop, Door>;
  /** Who waits until the last client connection is gone. */
  private readonly emptyWaiters: (() => void)[];

  constructor(cycle: Cycle) {
    this.isDraining = false;
    this.cycle = cycle;
    this.pools = new Map();
    this.loops = new Map();
    this.emptyWaiters = [];
  }

  /** Serves a connection that was accepted. */
  accept(connection: Connection, door: Door, connectionNumber: number): ConnectionLoop {
    const point = door.pointOf(connection.localAddress);
    const loop = new ConnectionLoop(connection, point, this.cycle.context, this, connectionNumber);
    this.loops.set(loop, door);
    return loop;
  }

  hasHeir(loop: ConnectionLoop): boolean {
    return this.heirOf(loop) !== null;
  }

  handOver(loop: ConnectionLoop): void {
    const heir = this.heirOf(loop);
    if (heir === null) return;
    const door = this.loops.get(loop)!;
    heir.loops.set(loop, door);
    loop.moveTo(door.pointOf(loop.connection.localAddress), heir.cycle.context, heir);
    this.onConnectionClosed(loop);
  }

  /** What serves now where a connection came in, if that is another cycle which takes the same for a connection. */
  private heirOf(loop: ConnectionLoop): CycleRun | null {
    const door = this.loops.get(loop);
    if (door === undefined || door.run === null || door.run === this) return null;
    return loop.suits(door.pointOf(loop.connection.localAddress)) ? door.run : null;
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

  /** Hands over or ends idle connections, and the others with the request that they serve. */
  rest(): void {
    this.isDraining = true;
    for (const loop of this.loops.keys()) loop.drain();
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
    for (const loop of this.loops.keys()) loop.destroy();
    // What was cut is still to be logged.
    await this.waitUntilEmpty(Number.POSITIVE_INFINITY);
    await this.cycle.close();
  }

  /** Closes clients' connections that have been answered, eldest first. How many. */
  closeSpare(): number {
    const most = Math.min(RECLAIM_AT_ONCE, Math.ceil(this.loops.size / 8));
    let count = 0;
    for (const loop of this.loops.keys()) {
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
