/*
 * Outgoing connections.
 */
import { connect as netConnect } from 'node:net';
import { eventClock } from '../core/clock.js';
import type { Address } from './address.js';
import { Connection, type ConnectionHandler, type DefectReporter } from './connection.js';
import { SOCKETS } from './socket-budget.js';
import type { ClientTlsOptions } from './tls/secure-socket.js';

/** What the opener of a connection is told, besides what every handler is. */
export interface ConnectHandler extends ConnectionHandler {
  /** The connection stands. When it can't be had, `onClose` comes with the error instead. */
  onConnect(): void;
}

/** How connections are opened: by `connect`, unless nobody is to be reached. */
export type Connect = typeof connect;

/**
 * Begins to connect, at once or when a descriptor is free; what happens is told to `handler`, never before
 * this returns. The connection reads into a buffer of its own, since what it brings is written on to a client
 * that may be slow. `local` is where it comes from, any address and port unless it says. With `tls` the connection stands
 * when both sides agree on that.
 */
export function connect(
  address: Address,
  handler: ConnectHandler,
  onDefect: DefectReporter,
  local: Address | null = null,
  tls: ClientTlsOptions | null = null,
): Connection {
  const connection = new Connection(handler, false, onDefect);
  if (tls === null) connection.takeBuffer();
  if (SOCKETS.hasRoom) openSocket(address, handler, connection, local, tls);
  else SOCKETS.whenRoom(() => openSocket(address, handler, connection, local, tls));
  return connection;
}

function openSocket(
  { host, port, path }: Address,
  handler: ConnectHandler,
  connection: Connection,
  local: Address | null,
  tls: ClientTlsOptions | null,
): void {
  if (connection.isEnded) return; // destroyed while it waited
  const target = path === null ? { host, port, noDelay: true } : { path };
  const from = local === null ? null : { localAddress: local.host, localPort: local.port };
  const socket = netConnect({ ...connection.socketOptions, ...target, ...from });
  connection.attach(socket);
  socket.on('connect', () => {
    eventClock.refresh();
    const { served } = handler;
    try {
      if (tls === null) handler.onConnect();
      else connection.startTls(tls, null, () => handler.onConnect());
    } catch (defect) {
      served.failBy(defect);
    }
  });
}
