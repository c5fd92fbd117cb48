/*
 * A listening socket, and the one place where accepted sockets are taken from it before Node wraps them, so that
 * they read into our buffer (`onread`), which Node offers for outgoing sockets only.
 */
import { linkSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { eventClock } from '../core/clock.js';
import { removeAbandoned } from './abandoned-socket.js';
import { AcceptGate } from './accept-gate.js';
import { type Address, formatAddress } from './address.js';
import { Connection, type ConnectionHandler, type DefectReporter } from './connection.js';
import { SOCKETS } from './socket-budget.js';

export interface ListenerOptions {
  readonly address: Address;
  /** How many connections the kernel queues before accept (nginx: listen backlog=). */
  readonly backlog: number;
  /** A socket that is bound to the address already; -1 or left out: one is made. */
  readonly fd?: number;
  /** On IPv6: not for IPv4 clients too. Default false. */
  readonly isIpv6Only?: boolean;
  /** Others may listen on the same address (SO_REUSEPORT), where Node can: from 22.12 and 23.1 on. */
  readonly reusesPort?: boolean;
  /** Milliseconds of idleness before TCP keepalive probes; 0 or left out: no probes; -1: as the system has it. */
  readonly keepaliveIdleMs?: number;
  /** Makes the handler for an accepted connection; it gets the connection by `attach`. */
  readonly accept: (connection: Connection) => ConnectionHandler;
  /** An accept failed. */
  readonly onError: (error: NodeJS.ErrnoException) => void;
  /** Clients wait in the kernel's queue for want of descriptors (true), or have not for a while (false). */
  readonly onShortage: (isShort: boolean) => void;
  /** A descriptor is needed: closes connections that nobody would miss, if there are any. */
  readonly reclaim: () => void;
  /** What serves an accepted connection threw; only that connection ends. */
  readonly onDefect: DefectReporter;
  /** Reads by 'data' events even where `onread` could be used: the fallback, for tests. */
  readonly isOnReadDisabled?: boolean;
  /** Turns clients away where accepting could be paused: the fallback, for tests. */
  readonly isPauseDisabled?: boolean;
}

/** Node's internals this file relies on, each checked before it is used. */
interface ServerInternals {
  readonly _handle: ListeningHandle | null;
}
interface ListeningHandle {
  readonly fd?: unknown;
  /** Called by libuv for each connection; `status` isn't 0 when accept failed. */
  onconnection?: (this: ListeningHandle, status: number, accepted: AcceptedHandle | undefined) => void;
}
interface AcceptedHandle {
  readonly useUserBuffer?: unknown;
}

/** Accepts connections on one address. */
export class Listener {
  /** The address listened on; the port is the real one when 0 was asked for. */
  address: Address;
  /** Whether the path of a unix socket stays when it is closed, since another process listens on the same socket. */
  leavesPath: boolean;
  private readonly server: Server;
  private readonly gate: AcceptGate;

  private constructor(options: ListenerOptions) {
    this.address = options.address;
    this.leavesPath = false;
    this.server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      if (this.gate.mustShed) socket.destroy();
      else acceptSocket(socket, options);
    });
    this.gate = new AcceptGate(this.server, options);
  }

  /**
   * Listens. Rejects with Node's error (EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND ...).
   * differs from nginx: a unix socket that nobody listens on is replaced, so that a process that was killed needs no help
   * to start again.
   */
  static async open(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    try {
      await listener.listen(options);
      return listener;
    } catch (error) {
      const { path } = options.address;
      const isTaken = path !== null && (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || !(await removeAbandoned(path))) throw error;
    }
    const next = new Listener(options);
    await next.listen(options);
    return next;
  }

  /** Accepts nobody until `resume`: clients wait in the kernel's queue; where Node can't do that, they are turned away. */
  pause(): void {
    SOCKETS.removeGate(this.gate);
    this.gate.pause();
  }

  /** Accepts again after `pause`. */
  resume(): void {
    this.gate.resume();
    SOCKETS.addGate(this.gate);
  }

  /** Stops accepting; connections live on. */
  async close(): Promise<void> {
    SOCKETS.removeGate(this.gate);
    const { path } = this.address;
    const putBack = this.leavesPath && path !== null ? setAside(path) : null;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      putBack?.();
    });
  }

  /** The descriptor of the listening socket; -1 where Node doesn't tell. */
  get fd(): number {
    const { _handle: handle } = this.server as unknown as ServerInternals;
    return typeof handle?.fd === 'number' ? handle.fd : -1;
  }

  private listen(options: ListenerOptions): Promise<void> {
    const { server } = this;
    const { host, port, path } = options.address;
    const { backlog, fd = -1, isIpv6Only = false, reusesPort = false } = options;
    const bound =
      path === null
        ? { host, port, ipv6Only: isIpv6Only, ...(reusesPort ? { reusePort: true } : {}) }
        : // As nginx has them: whoever may enter the folder may connect.
          { path, readableAll: true, writableAll: true };
    const where = fd >= 0 ? { fd } : bound;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...where, backlog }, () => {
        server.removeListener('error', reject);
        server.on('error', options.onError);
        const listened = server.address();
        if (listened !== null && typeof listened === 'object')
          this.address = { host: options.address.host, port: listened.port, path: null };
        if (!options.isOnReadDisabled) this.takeAccepted(options);
        this.gate.prepare();
        SOCKETS.addGate(this.gate);
        resolve();
      });
    });
  }

  /**
   * From now on has accepted sockets wrapped once, by us. Where that can't be, they come by the server's event, wrapped
   * by Node, and read by 'data' events.
   * perf: 23 instead of 27 us of CPU a small request by `onread`, see docs/benchmarks.md; to wrap them again behind Node
   * made a connection of one request 4 us dearer.
   */
  private takeAccepted(options: ListenerOptions): void {
    const { _handle: handle } = this.server as unknown as ServerInternals;
    if (typeof handle?.onconnection !== 'function') return;
    const { onconnection } = handle;
    handle.onconnection = (status, accepted) => {
      if (status !== 0 || typeof accepted?.useUserBuffer !== 'function' || this.gate.mustShed)
        onconnection.call(handle, status, accepted);
      else acceptHandle(accepted, options);
    };
  }

  toString(): string {
    return formatAddress(this.address);
  }
}

/**
 * Keeps a socket through the closing of its handle, with which libuv removes the path that it bound: another name holds it
 * for that moment. Returns what gives the first one back.
 */
function setAside(path: string): () => void {
  const aside = `${path}.${process.pid}`;
  try {
    linkSync(path, aside);
  } catch {
    // In a folder that isn't ours: nor can libuv remove it then.
    return () => {};
  }
  return () => {
    renameSync(aside, path);
    // Where it was not removed, since it was bound by another process, that did nothing.
    rmSync(aside, { force: true });
  };
}

function acceptHandle(handle: AcceptedHandle, options: ListenerOptions): void {
  eventClock.refresh();
  const connection = new Connection(IDLE, true, options.onDefect);
  const socketOptions = { ...connection.socketOptions, handle };
  const socket = new Socket(socketOptions as unknown as ConstructorParameters<typeof Socket>[0]);
  if (options.address.path === null) socket.setNoDelay(true);
  connection.attach(socket);
  serve(socket, connection, options);
}

function acceptSocket(socket: Socket, options: ListenerOptions): void {
  eventClock.refresh();
  const connection = new Connection(IDLE, true, options.onDefect);
  connection.attach(socket);
  socket.on('data', (chunk: Buffer) => connection.receive(chunk, chunk.length));
  socket.resume();
  serve(socket, connection, options);
}

function serve(socket: Socket, connection: Connection, options: ListenerOptions): void {
  const { keepaliveIdleMs = 0 } = options;
  if (keepaliveIdleMs !== 0) socket.setKeepAlive(true, Math.max(0, keepaliveIdleMs));
  // security: one that has reset already can still have sent a request, but nobody could say who asked.
  if (options.address.path === null && connection.remoteAddress === '') connection.destroy();
  else connection.handler = options.accept(connection);
}

/** Stands in until `accept` has made the handler, before which no event can come; for good where none is made. */
const IDLE: ConnectionHandler = {
  served: null as unknown as Connection,
  onBytes() {},
  onEnd() {},
  onDrain() {},
  onClose() {},
};
