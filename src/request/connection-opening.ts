/*
 * What may come on a client's connection before its first request: a PROXY protocol header, and a TLS handshake.
 */

import type { Connection } from '../net/connection.js';
import { type ProxyProtocolHeader, readProxyProtocol } from '../net/proxy-protocol.js';
import { readFirstBytes } from '../net/tls/client-hello.js';
import { type ClientTls, startClientTls } from './client-tls.js';
import type { ListenPoint, ServiceContext } from './virtual-server.js';

/** The loop of a connection that opens. */
export interface OpeningOwner {
  readonly connection: Connection;
  /** The connection is open for requests: bytes[start,end) are the beginning of the first, perhaps none. */
  onOpened(bytes: Buffer, start: number, end: number): void;
  /** Both sides have begun a handshake: it has the time of a request's head from now on. */
  onHandshakeStart(): void;
  /** A handshake that no server here wants: the client has been told. */
  onHandshakeRejected(): void;
  /** What came is no PROXY protocol header; why, in nginx's words. */
  onBadProxyHeader(reason: string): void;
}

/** Whether a connection by that address has anything to say before its first request. */
export function needsOpening({ options }: ListenPoint): boolean {
  return options.usesProxyProtocol || options.usesTls;
}

/** A connection until it is open for requests. */
export class ConnectionOpening {
  proxyProtocol: ProxyProtocolHeader | null;
  tls: ClientTls | null;
  private readonly owner: OpeningOwner;
  private readonly point: ListenPoint;
  private readonly context: ServiceContext;
  private awaitsProxyHeader: boolean;
  /** What has come of a header or a ClientHello that isn't whole yet. */
  private held: Buffer | null;

  constructor(owner: OpeningOwner, point: ListenPoint, context: ServiceContext) {
    this.proxyProtocol = null;
    this.tls = null;
    this.owner = owner;
    this.point = point;
    this.context = context;
    this.awaitsProxyHeader = point.options.usesProxyProtocol;
    this.held = null;
  }

  /** Whether what it waits for is the client's part of a handshake. */
  get isHandshaking(): boolean {
    return !this.awaitsProxyHeader;
  }

  /** More bytes have come, before there was TLS. */
  read(bytes: Buffer, end: number): void {
    const rest = bytes.subarray(0, end);
    // A copy: the next read overwrites them.
    this.held = this.held === null ? Buffer.from(rest) : Buffer.concat([this.held, rest]);
    if (this.awaitsProxyHeader) this.readProxyHeader(this.held);
    else this.readHello(this.held);
  }

  private readProxyHeader(held: Buffer): void {
    const start = readProxyProtocol(held, held.length);
    if (start.kind === 'incomplete') return;
    if (start.kind === 'malformed') {
      this.owner.onBadProxyHeader(start.reason);
      return;
    }
    this.awaitsProxyHeader = false;
    this.proxyProtocol = start.header;
    this.held = held.subarray(start.after);
    if (!this.point.options.usesTls) this.owner.onOpened(held, start.after, held.length);
    else if (this.held.length > 0) this.readHello(this.held);
  }

  private readHello(held: Buffer): void {
    const hello = readFirstBytes(held, held.length);
    if (hello === 'incomplete') return;
    if (hello === 'plain') {
      // A request that is answered with what is wrong with it.
      this.owner.onOpened(held, 0, held.length);
      return;
    }
    this.held = null;
    this.owner.onHandshakeStart();
    const { connection } = this.owner;
    const isBegun = startClientTls(connection, this.point, this.context.clock, hello, held, (tls) => {
      this.tls = tls;
      this.owner.onOpened(held, held.length, held.length);
    });
    if (!isBegun) this.owner.onHandshakeRejected();
  }
}
