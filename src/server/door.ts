/*
 * A listening socket through its life: it may serve one configuration after the other.
 */
import type { ListenSocket } from '../compile/listen-points.js';
import type { Listener } from '../net/listener.js';
import type { ListenPoint } from '../request/virtual-server.js';
import type { CycleRun } from './cycle-run.js';

/** Where connections come in, and what serves them now. */
export class Door {
  /** Null until it listens. */
  listener: Listener | null;
  /** Which of the cycle's sockets it stands for. */
  socket: ListenSocket;
  /** Null once it is closed: nothing serves after what serves now. */
  run: CycleRun | null;

  constructor(socket: ListenSocket, run: CycleRun) {
    this.listener = null;
    this.socket = socket;
    this.run = run;
  }

  /** What serves a connection to a local address. */
  pointOf(localAddress: string): ListenPoint {
    const { pointsByHost, point } = this.socket;
    return pointsByHost.size === 0 ? point : (pointsByHost.get(localAddress) ?? point);
  }

  /** Accepts nobody any more; who has come in stays. Resolves when the socket is closed. */
  async close(): Promise<void> {
    this.run = null;
    await this.listener?.close();
  }
}
