/*
 * The client's connection as those see it who serve a request of it.
 */
import type { Connection } from '../net/connection.js';
import type { ProxyProtocolHeader } from '../net/proxy-protocol.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import type { DrainListener } from './body-sink.js';
import type { ClientTls } from './client-tls.js';

/** Takes a request's payload as it comes in. */
export interface BodyReceiver {
  /**
   * More payload, perhaps none; with the request's `body.isComplete` this is its end. Whether nothing refers to
   * `bytes` when it returns.
   */
  onPayload(bytes: Buffer, start: number, end: number): boolean;
}

/** The body of the request being served, as it comes in. */
export interface Intake {
  /**
   * Payload that came with the head: earlyBytes[earlyStart,earlyEnd), borrowed while the head is being served and a
   * copy afterwards. Whoever sets `receiver` takes it from here first.
   */
  readonly earlyBytes: Buffer;
  readonly earlyStart: number;
  readonly earlyEnd: number;
  /** Who takes what comes of the payload from now on; reading goes on when `resumeBody` says so. Null: nobody yet. */
  receiver: BodyReceiver | null;
  /** Whether the client waits with its body for a 100 that nobody has sent. */
  readonly awaitsContinue: boolean;
  /** The client is told 100 now, if it waits for that. */
  sendContinue(): void;
  /**
   * An upstream has asked the client to go on, or has answered: no 100 of our own is needed. Whether none was sent, so
   * that the upstream's may be.
   */
  noteContinue(): boolean;
}

/** A client's connection, while it waits for the answer to a request. */
export interface ClientSide {
  readonly connection: Connection;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Counts the connections since the start. */
  readonly connectionNumber: number;
  /** Counts the requests of this connection, the one under way included. */
  readonly requestCount: number;
  /** Bytes of this request had come before the one before it was over. */
  readonly isPipelined: boolean;
  /** When it was accepted. */
  readonly connectedMs: number;
  /** What a PROXY protocol header said; null without one. */
  readonly proxyProtocol: ProxyProtocolHeader | null;
  /** Null for a plain connection. */
  readonly tls: ClientTls | null;
  /** Whether it came by an address for TLS, be it plain. */
  readonly isForTls: boolean;
  readonly intake: Intake;
  /** Who is told when the client has taken all that was written. */
  drainListener: DrainListener | null;
  /** Decides whether the connection outlives the response that begins now: sets `keepsAlive` of the client's request. */
  settleKeepalive(): void;
  /** Bytes were written; the client's send timeout counts if they wait. */
  noteWritten(): void;
  /** The request's body may go on. */
  resumeBody(): void;
  /** The last byte of the response was written. */
  endResponse(): void;
  /** The response can't be completed: the client must notice. */
  breakOff(): void;
  /**
   * Somebody else wants what is kept for this client. One that has ended its side and was answered nothing yet is let
   * go then, as nginx does with all such: whether it is. The end of its request follows.
   */
  leaveIfEnded(): boolean;
  /** The last subrequest of the request being served is over. */
  noteSubrequestsOver(): void;
  /** Closes without a word (nginx: 444), or after what was written. */
  close(): void;
  /**
   * Both sides have switched protocols, or the client asked for a tunnel and has been told that it stands: from here on bytes go both ways, bytes[start,end) first. `idleMs`: how long
   * both may be silent (proxy_read_timeout). The request's responder stays; its `abort` is called when the tunnel is
   * over, and lets go of the peer. By then the connection to it is closed.
   */
  startTunnel(upstream: UpstreamConnection, idleMs: number, bytes: Buffer, start: number, end: number): void;
}
