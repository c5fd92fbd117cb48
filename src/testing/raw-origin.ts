/*
 * An origin of raw bytes: each connection is played by a script, or taken by the test as it comes.
 */
import { createServer, type Server } from 'node:net';
import { type Address, formatAddress } from '../net/address.js';
import type { RawMessage } from './raw-message.js';
import { ConnectionGone, RawSocket } from './raw-socket.js';

/**
 * Plays one connection; `number` counts from 1. When the other side goes away while it reads, the script ends
 * and the connection is closed; all else it throws is the test's failure.
 */
export type OriginScript = (connection: RawSocket, number: number) => void | Promise<void>;

/** Answers each request of a connection in turn; an answer of null closes. */
export function answering(
  answer: string | Buffer | ((request: RawMessage, number: number) => string | Buffer | null),
): OriginScript {
  return async (connection) => {
    for (let number = 1; ; number++) {
      const request = await connection.readRequest();
      const bytes = typeof answer === 'function' ? answer(request, number) : answer;
      if (bytes === null) {
        connection.end();
        return;
      }
      await connection.send(bytes);
    }
  };
}

/** A listening socket. */
export class RawOrigin {
  readonly address: Address;
  /** All that were accepted, in order. */
  readonly connections: RawSocket[];
  readonly #server: Server;
  #untaken: RawSocket[];
  #waiting: ((connection: RawSocket) => void)[];

  private constructor(server: Server, address: Address) {
    this.address = address;
    this.connections = [];
    this.#server = server;
    this.#untaken = [];
    this.#waiting = [];
  }

  /** Listens on a free port of `host`; on `where`, a port that was free or a unix socket's path. */
  static start(
    script: OriginScript | null = null,
    where: number | string = 0,
    host = '127.0.0.1',
  ): Promise<RawOrigin> {
    const isPath = typeof where === 'string';
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(isPath ? { path: where } : { port: where, host }, () => {
        const address = isPath
          ? { host: '', port: 0, path: where }
          : { host, port: (server.address() as { port: number }).port, path: null };
        const origin = new RawOrigin(server, address);
        // A script may wait for a request for as long as a proxy keeps the connection.
        const readTimeoutMs = script === null ? undefined : Number.POSITIVE_INFINITY;
        server.on('connection', (socket) => origin.#accept(new RawSocket(socket, readTimeoutMs), script));
        resolve(origin);
      });
    });
  }

  /** "127.0.0.1:PORT" or "unix:PATH". */
  get name(): string {
    return formatAddress(this.address);
  }

  /** The first connection that was not taken yet; waits for one. */
  accept(): Promise<RawSocket> {
    const connection = this.#untaken.shift();
    if (connection !== undefined) return Promise.resolve(connection);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** How many connections are open. */
  get openCount(): number {
    return this.connections.filter((connection) => !connection.isClosed).length;
  }

  /** Accepts no more, and closes what is open. The port is free when it resolves. */
  stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.connections) connection.close();
    return stopped;
  }

  #accept(connection: RawSocket, script: OriginScript | null): void {
    this.connections.push(connection);
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(connection);
    else this.#untaken.push(connection);
    void Promise.resolve(script?.(connection, this.connections.length)).catch((error: unknown) => {
      if (!(error instanceof ConnectionGone)) throw error;
      connection.close();
    });
  }
}
