/*
 * A client's connection: heads and bodies out of bytes, one request after the other in order, keepalive,
 * timeouts, and closing so that the client still reads what it was told. What is done for a request is the
 * exchange's business.
 */
import { Deadline, type DeadlineOwner } from '../core/timer-wheel.js';
import { BodyKind } from '../http/h1/body-decoder.js';
import { INCOMPLETE, MALFORMED } from '../http/h1/malformed.js';
import type { Connection, ConnectionHandler } from '../net/connection.js';
import { SOCKETS } from '../net/socket-budget.js';
import type { Peer } from '../upstream/peer.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import { errorPage, errorResponse } from './error-page.js';
import { CLIENT_CLOSED_REQUEST, type HttpRequest } from './http-request.js';
import { LingeringClose } from './lingering-close.js';
import type { Serving, ServingPool } from './serving-pool.js';
import { Tunnel, type TunnelOwner } from './tunnel.js';
import type { Downstream, UpstreamExchange } from './upstream-exchange.js';
import type { VirtualServer } from './virtual-server.js';

/** Who keeps the client connections: told when one is gone. */
export interface ConnectionOwner {
  readonly isDraining: boolean;
  readonly servings: ServingPool;
  onConnectionClosed(loop: ConnectionLoop): void;
}

/** Between two requests, or before the first. */
const WAITING = 0;
/** Part of a head has come. */
const READING_HEAD = 1;
/** A request is being served; its body may still come. */
const SERVING = 2;
/** The response is written but not taken yet. */
const FLUSHING = 3;
/** Somebody else handles the connection: a tunnel, or what closes it. */
const HANDED_OVER = 4;
const CLOSED = 5;

const CR = 13;
const LF = 10;

/** One that rests for less may have its next request, or the end of a response, on the way. */
const SPARE_AFTER_MS = 500;

/**
 * A client that ended its side may still read: it is served as long as it takes bytes, and counts as gone
 * after this long without any.
 * differs from nginx: it cancels at once, which leaves one-shot clients (`nc -N`) without an answer.
 */
const HALF_CLOSED_MS = 1000;

/** How long a drained server waits for the first request of a connection it has accepted. */
const FIRST_REQUEST_MS = 1000;

/**
 * How long an upstream may leave `Expect: 100-continue` unanswered before we answer it ourselves.
 * differs from nginx: it answers at once, so that no origin can refuse a body before it is sent.
 */
const CONTINUE_MS = 1000;

/** The loop of one client connection. */
export class ConnectionLoop implements ConnectionHandler, DeadlineOwner, Downstream, TunnelOwner {
  readonly connection: Connection;
  readonly remoteAddress: string;
  readonly connectionNumber: number;
  awaitsContinue: boolean;
  private readonly server: VirtualServer;
  private readonly owner: ConnectionOwner;
  /** Null between two requests. */
  private serving: Serving | null;
  private readonly readDeadline: Deadline;
  private readonly sendDeadline: Deadline;
  private state: number;
  /** Bytes not looked at yet: the start of a head, or requests behind the one being served. */
  private held: Buffer | null;
  private isHalfClosed: boolean;
  /** Whether this proxy sent a 100 of its own, so that the upstream's is one too many. */
  private hasSentContinue: boolean;
  /** When its last response was out: since then it waits for the next request, or lingers; 0: none was. */
  private restingSinceMs: number;
  private isLingering: boolean;

  constructor(
    connection: Connection,
    server: VirtualServer,
    owner: ConnectionOwner,
    connectionNumber: number,
  ) {
    this.connection = connection;
    this.remoteAddress = clientAddress(connection);
    this.connectionNumber = connectionNumber;
    this.awaitsContinue = false;
    this.server = server;
    this.owner = owner;
    this.serving = null;
    this.readDeadline = new Deadline(server.wheel, this);
    this.sendDeadline = new Deadline(server.wheel, this);
    this.state = WAITING;
    this.held = null;
    this.isHalfClosed = false;
    this.hasSentContinue = false;
    this.restingSinceMs = 0;
    this.isLingering = false;
    this.readDeadline.set(server.timeouts.clientHeaderMs);
  }

  /** Ends what is idle, for a server that drains; a request under way ends the connection with its response. */
  drain(): void {
    if (this.serving !== null) this.serving.request.keepsAlive = false;
    if (this.state !== WAITING) return;
    // A first request may be on its way already: accepted connections are given the time to bring it.
    if (this.restingSinceMs > 0) this.connection.destroy();
    else this.readDeadline.set(FIRST_REQUEST_MS);
  }

  /** Whether it has had nothing to do for a while, so that closing costs the client a connection at most. */
  get isSpare(): boolean {
    const isAnswered = this.isLingering || (this.state === WAITING && this.restingSinceMs > 0);
    const restsMs = this.server.clock.nowMs() - this.restingSinceMs;
    return isAnswered && restsMs >= SPARE_AFTER_MS && !this.connection.isDestroyed;
  }

  get served(): Connection {
    return this.connection;
  }

  private get request(): HttpRequest {
    return this.serving!.request;
  }

  private get exchange(): UpstreamExchange {
    return this.serving!.exchange;
  }

  /** Closes without waiting for what is under way. */
  destroy(): void {
    this.connection.destroy();
  }

  // --- what the client does -------------------------------------------------------------------------

  onBytes(bytes: Buffer, end: number): void {
    switch (this.state) {
      case WAITING:
      case READING_HEAD:
        if (this.held === null) this.readHead(bytes, 0, end);
        else {
          const whole = Buffer.concat([this.held, bytes.subarray(0, end)]);
          this.held = null;
          this.readHead(whole, 0, whole.length);
        }
        break;
      case SERVING:
        this.readBody(bytes, end);
        break;
      default:
        // security: a client that reads nothing could otherwise have any amount of requests kept here.
        this.hold(bytes, 0, end);
        this.connection.pauseReading();
    }
  }

  onEnd(): void {
    switch (this.state) {
      case WAITING:
        this.connection.destroy();
        break;
      case READING_HEAD:
        this.logInfo('client closed in the middle of a request head');
        this.request.status = 400;
        this.endServing();
        this.state = WAITING;
        this.connection.destroy();
        break;
      default:
        this.isHalfClosed = true;
        this.request.keepsAlive = false;
        if (this.request.body.isComplete || this.request.isResponseStarted)
          this.readDeadline.set(HALF_CLOSED_MS);
        else this.clientGone('client closed in the middle of a request body');
    }
  }

  onDrain(): void {
    this.sendDeadline.clear();
    if (this.state === SERVING) this.exchange.onDownstreamDrain();
    else if (this.state === FLUSHING) this.finishRequest();
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    const { state, serving } = this;
    this.state = CLOSED;
    this.readDeadline.cancel();
    this.sendDeadline.cancel();
    // First, so that a defect in what follows holds up nobody who waits for the last connection.
    this.owner.onConnectionClosed(this);
    if (serving === null) return;
    if (state === SERVING || state === FLUSHING) {
      this.exchange.abort();
      if (!this.request.isResponseStarted) this.request.status = CLIENT_CLOSED_REQUEST;
      if (error !== null && error.code !== 'ECONNRESET' && error.code !== 'EPIPE')
        this.logInfo(`client: ${error.message}`);
      this.endServing();
      return;
    }
    this.serving = null;
    this.owner.servings.give(serving);
  }

  onDeadline(deadline: Deadline): void {
    try {
      this.endWaiting(deadline);
    } catch (defect) {
      this.connection.failBy(defect);
    }
  }

  private endWaiting(deadline: Deadline): void {
    if (deadline === this.sendDeadline) {
      this.checkSending();
      return;
    }
    switch (this.state) {
      case WAITING:
        this.connection.destroy();
        break;
      case READING_HEAD:
        this.logInfo('client sent no whole request head in time');
        // differs from nginx: it closes without a word, which a client can't tell from a lost connection.
        this.refuse(408);
        break;
      case SERVING:
      case FLUSHING:
        this.checkReading();
        break;
    }
  }

  // --- reading requests -----------------------------------------------------------------------------

  private readHead(bytes: Buffer, start: number, end: number): void {
    let pos = start;
    const isFirstPart = this.state === WAITING;
    if (isFirstPart) {
      pos = skipEmptyLines(bytes, start, end);
      if (pos === end) return;
      if (pos + 1 === end && bytes[pos] === CR) {
        // The first half of one more empty line, or of something worse.
        this.hold(bytes, pos, end);
        return;
      }
      this.state = READING_HEAD;
      this.serving = this.owner.servings.take(this);
    }
    const { head } = this.request;
    const after = head.parse(bytes, pos, end);
    if (after === INCOMPLETE) {
      this.hold(bytes, pos, end);
      if (isFirstPart) this.readDeadline.set(this.server.timeouts.clientHeaderMs);
    } else if (after === MALFORMED) {
      this.logInfo(`client sent ${head.malformed!.reason}`);
      this.refuse(head.malformed!.status);
    } else this.serve(bytes, after, end);
  }

  /** The head is whole: bytes[start,end) are its body's beginning and whatever follows. */
  private serve(bytes: Buffer, start: number, end: number): void {
    const { head, body } = this.request;
    this.state = SERVING;
    this.readDeadline.clear();
    let kind: number = BodyKind.none;
    if (head.isChunked) kind = BodyKind.chunked;
    else if (head.contentLength >= 0) kind = BodyKind.length;
    body.start(kind, head.contentLength);
    const after = body.decode(bytes, start, end);
    if (after === MALFORMED) {
      this.refuseBody();
      return;
    }
    const { connection } = head;
    this.request.keepsAlive =
      (head.versionMinor === 1 ? !connection.hasClose : connection.hasKeepAlive) &&
      this.server.timeouts.keepaliveMs > 0 &&
      !this.owner.isDraining &&
      // Others wait for its place: it may come back behind them.
      !SOCKETS.isPaused;
    this.awaitsContinue = head.expectsContinue && !body.isComplete && body.payloadEnd === body.payloadStart;
    this.hasSentContinue = false;
    if (after < end) {
      this.hold(bytes, after, end);
      this.connection.pauseReading();
    }
    if (head.method === 'TRACE') {
      this.refuse(405);
      return;
    }
    if (!body.isComplete) this.armBodyDeadline();
    this.exchange.start(bytes, body.payloadStart, body.payloadEnd);
    if (!body.isComplete && this.state === SERVING) this.connection.takeBuffer();
  }

  private readBody(bytes: Buffer, end: number): void {
    const { body } = this.request;
    if (body.isComplete) {
      // Pipelined requests wait here, at most one read of them.
      this.hold(bytes, 0, end);
      this.connection.pauseReading();
      return;
    }
    const after = body.decode(bytes, 0, end);
    if (after === MALFORMED) {
      this.refuseBody();
      return;
    }
    this.awaitsContinue = false;
    if (body.isComplete) this.readDeadline.clear();
    if (after < end) {
      this.hold(bytes, after, end);
      this.connection.pauseReading();
    }
    const isTaken = this.exchange.sendBody(bytes, body.payloadStart, body.payloadEnd);
    if (!body.isComplete) return;
    if (isTaken) this.connection.releaseBuffer();
    else this.connection.leaveBuffer();
  }

  private refuseBody(): void {
    this.logInfo(`client sent ${this.request.body.reason}`);
    this.exchange.abort();
    if (this.request.isResponseStarted) this.breakOff();
    else this.refuse(400);
  }

  /** Keeps bytes[start,end) for later; copied if the next read would overwrite them. */
  private hold(bytes: Buffer, start: number, end: number): void {
    const rest = bytes.subarray(start, end);
    if (this.held !== null) this.held = Buffer.concat([this.held, rest]);
    else this.held = this.connection.isReadInto(bytes) ? Buffer.from(rest) : rest;
  }

  // --- what the exchange says (Downstream) ----------------------------------------------------------

  noteWritten(): void {
    if (this.connection.hasPendingWrites) {
      if (!this.sendDeadline.isArmed) {
        this.connection.hasSendProgress(); // From now on.
        this.sendDeadline.set(this.server.timeouts.sendMs);
      }
    }
    if (this.isHalfClosed) this.readDeadline.set(HALF_CLOSED_MS);
  }

  resumeBody(): void {
    if (this.held !== null || this.state !== SERVING) return;
    this.armBodyDeadline();
    this.connection.resumeReading();
  }

  noteContinue(): boolean {
    if (this.awaitsContinue) {
      this.awaitsContinue = false;
      this.armBodyDeadline();
    }
    return !this.hasSentContinue;
  }

  endResponse(): void {
    this.state = FLUSHING;
    this.readDeadline.clear();
    if (this.connection.hasPendingWrites) this.noteWritten();
    else this.finishRequest();
  }

  refuse(status: number): void {
    const { request } = this;
    request.status = status;
    request.isResponseStarted = true;
    // Its connection goes on only if all of the request was read and understood.
    if (this.state !== SERVING || !request.body.isComplete || status === 400) request.keepsAlive = false;
    const isHead = request.head.method === 'HEAD';
    request.bodyBytesSent = isHead ? 0 : errorPage(status).length;
    this.connection.writeText(errorResponse(status, isHead, request.connectionField));
    this.endResponse();
  }

  breakOff(): void {
    this.request.keepsAlive = false;
    if (this.exchange.isResponseUntilClose) this.connection.reset();
    else this.endResponse();
  }

  startTunnel(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    this.state = HANDED_OVER;
    this.readDeadline.clear();
    const tunnel = new Tunnel(this.connection, upstream, this.server.timeouts.upstreamReadMs, this);
    if (end > start) tunnel.passDown(bytes, start, end);
    const early = this.held;
    this.held = null;
    if (early !== null) tunnel.passUp(early, 0, early.length);
    if (this.isHalfClosed) tunnel.onEnd();
  }

  noteTunnelBytes(bytes: number): void {
    this.request.bodyBytesSent += bytes;
  }

  onTunnelEnd(peer: Peer, isClosed: boolean): void {
    this.request.tries.end(0);
    this.server.upstream.release(peer);
    this.connection.handler = this;
    this.state = FLUSHING;
    if (isClosed) this.onClose(null);
    else this.endResponse();
  }

  // --- the end of a request, the end of the connection ----------------------------------------------

  /** The client has all of the response: on to its next request, or to the end. */
  private finishRequest(): void {
    const { request } = this;
    const canGoOn = request.keepsAlive && !this.owner.isDraining && request.body.isComplete;
    this.endServing();
    if (!canGoOn) {
      this.startLingering();
      return;
    }
    this.state = WAITING;
    this.readDeadline.set(this.server.timeouts.keepaliveMs);
    if (this.held === null) this.connection.resumeReading();
    else setImmediate(() => this.readHeld());
  }

  /** The request is over: it is logged, and what served it is free for another. */
  private endServing(): void {
    const serving = this.serving!;
    this.serving = null;
    this.restingSinceMs = this.server.clock.nowMs();
    serving.request.log();
    this.owner.servings.give(serving);
  }

  /** Goes on with a pipelined request: in a turn of its own, so that a long row of them is no deep stack. */
  private readHeld(): void {
    const { held } = this;
    if (this.state !== WAITING || held === null || this.connection.isDestroyed) return;
    this.held = null;
    try {
      this.readHead(held, 0, held.length);
    } catch (defect) {
      this.connection.failBy(defect);
    }
    if (this.waitsForBytes) this.connection.resumeReading();
  }

  /** Whether more of a head is to come; or nothing but the client's going away, which only reading tells. */
  private get waitsForBytes(): boolean {
    if (this.state === SERVING) return this.held === null && this.request.body.isComplete;
    return this.state === WAITING || this.state === READING_HEAD;
  }

  private startLingering(): void {
    this.state = HANDED_OVER;
    this.isLingering = true;
    this.held = null;
    this.readDeadline.cancel();
    this.sendDeadline.cancel();
    new LingeringClose(this.connection, this.server.wheel, this.server.clock, () => this.onClose(null));
  }

  private armBodyDeadline(): void {
    this.readDeadline.set(this.awaitsContinue ? CONTINUE_MS : this.server.timeouts.clientBodyMs);
  }

  /** The read deadline passed while a request is served. */
  private checkReading(): void {
    if (this.isHalfClosed) {
      if (this.connection.hasPendingWrites && this.connection.hasSendProgress())
        this.readDeadline.set(HALF_CLOSED_MS);
      else this.clientGone('client closed before it was answered');
    } else if (this.awaitsContinue) {
      this.awaitsContinue = false;
      this.hasSentContinue = true;
      this.connection.writeText('HTTP/1.1 100 Continue\r\n\r\n');
      this.armBodyDeadline();
    } else if (!this.request.body.isComplete && !this.connection.isReadingPaused) {
      this.logInfo('client sent nothing of its request body in time');
      this.exchange.abort();
      if (this.request.isResponseStarted) this.breakOff();
      else this.refuse(408);
    }
  }

  /** The send deadline passed. */
  private checkSending(): void {
    if (!this.connection.hasPendingWrites) return;
    if (this.connection.hasSendProgress()) this.sendDeadline.set(this.server.timeouts.sendMs);
    else this.clientGone('client took nothing of its response in time');
  }

  private clientGone(what: string): void {
    this.logInfo(what);
    this.connection.destroy();
  }

  private logInfo(what: string): void {
    if (this.server.errorLog.isEnabled('info')) {
      this.server.errorLog.log('info', `${what}, ${this.request.describe()}`, this.connectionNumber);
    }
  }
}

/** Past the CRLFs some clients send behind a body (RFC 9112 section 2.2). */
function skipEmptyLines(bytes: Buffer, start: number, end: number): number {
  let pos = start;
  while (pos < end) {
    if (bytes[pos] === LF) pos++;
    else if (bytes[pos] === CR && pos + 1 < end && bytes[pos + 1] === LF) pos += 2;
    else break;
  }
  return pos;
}

/** As X-Forwarded-For and the logs name the client: IPv4 as such on a dual-stack socket, nginx's "unix:". */
function clientAddress(connection: Connection): string {
  const address = connection.remoteAddress;
  if (address === '') return 'unix:';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
