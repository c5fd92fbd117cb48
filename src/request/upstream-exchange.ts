/*
 * The pump between a request and an upstream: choose a peer, connect, send the request while it still comes
 * in, pass the response on while it still comes in, and try the next peer where that is safe. Neither side
 * gets ahead of the other: whoever writes faster than it is read is stopped.
 */
import { describeErrno } from '../core/errno.js';
import { BodyKind } from '../http/h1/body-decoder.js';
import { INCOMPLETE, MALFORMED } from '../http/h1/malformed.js';
import { chunkedEnd, writeMessage } from '../http/h1/message-writer.js';
import { FieldId } from '../http/message/field-id.js';
import type { LogLevel } from '../log/error-log.js';
import type { Connection } from '../net/connection.js';
import type { Peer } from '../upstream/peer.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';
import { downstreamResponseHead } from './forwarded-head.js';
import type { HttpRequest } from './http-request.js';
import { UpstreamSender } from './upstream-sender.js';

/** The client's side, as the exchange sees it. */
export interface Downstream {
  readonly connection: Connection;
  readonly remoteAddress: string;
  readonly connectionNumber: number;
  /** Whether the client waits with its body for a 100 that nobody has sent. */
  readonly awaitsContinue: boolean;
  /** Bytes were written; the client's send timeout counts if they wait. */
  noteWritten(): void;
  /** The request's body may go on. */
  resumeBody(): void;
  /** The last byte of the response was written. */
  endResponse(): void;
  /** No response has begun and none will come: answer with `status`. */
  refuse(status: number): void;
  /** The response can't be completed: the client must notice. */
  breakOff(): void;
  /** The upstream has asked the client to go on, or has answered: no 100 of our own is needed. */
  noteContinue(): boolean;
  /** Both sides have switched protocols: from here on bytes go both ways, bytes[start,end) first. */
  startTunnel(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void;
}

const IDLE = 0;
const CONNECTING = 1;
const AWAITING_HEAD = 2;
const RESPONDING = 3;

const NO_BYTES = Buffer.alloc(0);

/** A socket can't be had. The peer is not to blame, and no other would fare better. */
const SHORTAGES: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** What a failed try counts as, and what the client is answered if it was the last. */
const GATEWAY_ERROR = 502;
const GATEWAY_TIMEOUT = 504;
const UNAVAILABLE = 503;

/** Stands in while no client is served. */
const NO_DOWNSTREAM = null as unknown as Downstream;

/** The upstream side of one request under way; reused from request to request. */
export class UpstreamExchange implements UpstreamUser {
  /** The client being served: set before `start`. */
  downstream: Downstream;
  private readonly request: HttpRequest;
  private readonly sender: UpstreamSender;
  private state: number;
  private upstream: UpstreamConnection | null;
  private peer: Peer | null;
  /** How the response's body goes to the client. */
  private isResponseChunked: boolean;
  /** Whether only a close tells the client where the response ends, so that only a reset tells of its loss. */
  isResponseUntilClose: boolean;
  /** The start of a response head that came in more than one read. */
  private heldHead: Buffer;
  /** What the client is answered when no peer is left to try. */
  private lastFailure: number;

  constructor(request: HttpRequest) {
    this.downstream = NO_DOWNSTREAM;
    this.request = request;
    this.sender = new UpstreamSender(request);
    this.state = IDLE;
    this.upstream = null;
    this.peer = null;
    this.isResponseChunked = false;
    this.isResponseUntilClose = false;
    this.heldHead = NO_BYTES;
    this.lastFailure = GATEWAY_ERROR;
  }

  get served(): Connection {
    return this.downstream.connection;
  }

  /** Begins: the head is parsed, bytes[start,end) is the payload that came with it. */
  start(bytes: Buffer, start: number, end: number): void {
    this.sender.reset();
    this.tryNextPeer(bytes, start, end);
  }

  /** More payload of the request; with the body complete this is its end. Whether nothing refers to `bytes` now. */
  sendBody(bytes: Buffer, start: number, end: number): boolean {
    const { upstream } = this;
    if (upstream === null) return false;
    this.sender.sendBody(upstream, bytes, start, end, this.isBorrowed(bytes));
    this.noteUpstreamWritten(upstream);
    return !upstream.connection.hasPendingWrites;
  }

  /** The client has taken all that waited for it. */
  onDownstreamDrain(): void {
    const { upstream } = this;
    if (upstream === null || !upstream.connection.isReadingPaused) return;
    upstream.connection.resumeReading();
    this.armUpstreamDeadline(upstream);
  }

  /** The client is gone, or what it sends is no request: the upstream's work is for nothing. */
  abort(): void {
    if (this.state === IDLE) return;
    this.request.tries.end(0);
    this.leaveUpstream(false);
  }

  /** It is over: lets go of the client and of what was kept of its request. */
  forget(): void {
    this.downstream = NO_DOWNSTREAM;
    this.sender.reset();
  }

  onUpstreamConnect(): void {
    this.request.tries.connected();
    const body = this.sender.held;
    this.sendHead(body, 0, body.length, false);
  }

  onUpstreamBytes(bytes: Buffer, end: number): void {
    const upstream = this.upstream!;
    if (this.sender.isDone) upstream.deadline.set(this.request.server.timeouts.upstreamReadMs);
    if (this.state === RESPONDING) this.readBody(upstream, bytes, end);
    else if (this.heldHead.length === 0) this.readHead(upstream, bytes, 0, end);
    else {
      const whole = Buffer.concat([this.heldHead, bytes.subarray(0, end)]);
      this.heldHead = NO_BYTES;
      this.readHead(upstream, whole, 0, whole.length);
    }
  }

  onUpstreamEnd(): void {
    if (this.state === RESPONDING) this.endAtClose(this.upstream!);
    else this.failTry(GATEWAY_ERROR, 'closed the connection before it answered');
  }

  onUpstreamDrain(): void {
    if (this.state < AWAITING_HEAD) return;
    this.armUpstreamDeadline(this.upstream!);
    if (!this.sender.isDone) this.downstream.resumeBody();
  }

  onUpstreamClose(error: NodeJS.ErrnoException | null): void {
    const what = error === null ? 'closed the connection' : nameOf(error);
    if (this.state === CONNECTING && SHORTAGES.has(error?.code)) this.giveUp(what);
    else if (this.state === CONNECTING) {
      const failure = error?.code === 'ECONNREFUSED' ? 'refused to connect' : 'could not be connected to';
      this.failTry(error?.code === 'ETIMEDOUT' ? GATEWAY_TIMEOUT : GATEWAY_ERROR, `${failure}: ${what}`);
    } else {
      const when = this.state === RESPONDING ? 'in the middle of its response' : 'before it answered';
      this.failTry(
        GATEWAY_ERROR,
        error === null ? `${what} ${when}` : `broke the connection ${when}: ${what}`,
      );
    }
  }

  onUpstreamDeadline(): void {
    const { connection, deadline } = this.upstream!;
    const { timeouts } = this.request.server;
    if (this.state === CONNECTING) {
      this.failTry(GATEWAY_TIMEOUT, 'did not accept the connection in time');
    } else if (!connection.hasPendingWrites) {
      this.failTry(GATEWAY_TIMEOUT, 'sent nothing in time');
    } else if (connection.hasSendProgress()) {
      deadline.set(timeouts.upstreamSendMs);
    } else {
      this.failTry(GATEWAY_TIMEOUT, 'took nothing of the request in time');
    }
  }

  /** Chooses a peer that wasn't tried and begins to send; answers 502 at once when there is none. */
  private tryNextPeer(bytes: Buffer, start: number, end: number): void {
    const { request } = this;
    const { server } = request;
    const peer = server.upstream.pick(request.tries.failedPeers);
    if (peer === null) {
      this.state = IDLE;
      if (request.tries.count === 0) {
        server.errorLog.log('error', `no live upstream in "${server.upstream.name}", ${request.describe()}`);
        this.downstream.refuse(GATEWAY_ERROR);
      } else this.downstream.refuse(this.lastFailure);
      return;
    }
    this.peer = peer;
    request.tries.begin(peer);
    const idle = server.pool.take(peer, this);
    if (idle !== null) {
      this.upstream = idle;
      request.tries.connected();
      this.sendHead(bytes, start, end, this.isBorrowed(bytes));
    } else this.connect(peer, bytes, start, end);
  }

  private connect(peer: Peer, bytes: Buffer, start: number, end: number): void {
    const { server } = this.request;
    this.sender.hold(bytes, start, end);
    this.state = CONNECTING;
    if (!this.request.body.isComplete) this.downstream.connection.pauseReading();
    this.upstream = server.pool.open(peer, this);
    this.upstream.deadline.set(server.timeouts.connectMs);
  }

  private sendHead(bytes: Buffer, start: number, end: number, isBorrowed: boolean): void {
    const upstream = this.upstream!;
    this.state = AWAITING_HEAD;
    this.sender.sendHead(upstream, bytes, start, end, isBorrowed);
    this.noteUpstreamWritten(upstream);
  }

  /** Stops the client while the upstream doesn't take what was written. */
  private noteUpstreamWritten(upstream: UpstreamConnection): void {
    this.armUpstreamDeadline(upstream);
    if (this.sender.isDone) return;
    if (upstream.connection.hasPendingWrites) this.downstream.connection.pauseReading();
    // Its reading stopped while a connection was made, or at the request before it in the same read.
    else this.downstream.resumeBody();
  }

  /** Sets how long the upstream may take for what is its turn. While the client holds it up nothing counts. */
  private armUpstreamDeadline({ connection, deadline }: UpstreamConnection): void {
    const { timeouts } = this.request.server;
    if (connection.hasPendingWrites) {
      connection.hasSendProgress(); // From now on.
      deadline.set(timeouts.upstreamSendMs);
    } else if (this.sender.isDone && !connection.isReadingPaused) deadline.set(timeouts.upstreamReadMs);
    else deadline.clear();
  }

  private readHead(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    let pos = start;
    while (pos < end) {
      const after = upstream.head.parse(bytes, pos, end);
      if (after === INCOMPLETE) {
        this.heldHead = Buffer.from(bytes.subarray(pos, end));
        return;
      }
      if (after === MALFORMED) {
        this.failTry(GATEWAY_ERROR, `sent ${upstream.head.malformed!.reason}`, false);
        return;
      }
      if (upstream.head.status >= 200) {
        this.startResponse(upstream, bytes, after, end);
        return;
      }
      if (upstream.head.status === 101) {
        this.switchProtocols(upstream, bytes, after, end);
        return;
      }
      this.passInterim(upstream);
      upstream.head.reset();
      pos = after;
    }
  }

  /**
   * A 1xx: passed on to clients that can know it (RFC 9110 section 15.2).
   * differs from nginx: it passes 103 alone, and only where early_hints says so.
   */
  private passInterim(upstream: UpstreamConnection): void {
    const { head } = upstream;
    if (this.request.head.versionMinor === 0) return;
    if (head.status === 100 && !this.downstream.noteContinue()) return;
    this.downstream.connection.writeText(downstreamResponseHead(head, false, ''));
    this.noteDownstreamWritten(upstream);
  }

  private startResponse(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    const { request } = this;
    const { head } = upstream;
    const isHead = request.head.method === 'HEAD';
    let kind: number = BodyKind.untilClose;
    if (isHead || head.status === 204 || head.status === 304) kind = BodyKind.none;
    else if (head.isChunked) kind = BodyKind.chunked;
    else if (head.contentLength >= 0) kind = BodyKind.length;
    upstream.body.start(kind, head.contentLength);
    const after = upstream.body.decode(bytes, start, end);
    if (after === MALFORMED) {
      this.failTry(GATEWAY_ERROR, `sent ${upstream.body.reason}`, false);
      return;
    }
    const isLengthUnknown = kind === BodyKind.chunked || kind === BodyKind.untilClose;
    this.isResponseChunked = isLengthUnknown && request.head.versionMinor === 1;
    this.isResponseUntilClose = isLengthUnknown && !this.isResponseChunked;
    if (this.isResponseUntilClose) request.keepsAlive = false;
    // Then the request's body may come or not, and only a close tells what follows from a request: say so.
    const isEarlyEnd = upstream.body.isComplete || this.downstream.awaitsContinue;
    if (isEarlyEnd && !request.body.isComplete) request.keepsAlive = false;
    request.tries.gotHeader(head.status);
    request.status = head.status;
    request.isResponseStarted = true;
    request.server.upstream.noteSuccess(upstream.peer);
    this.downstream.noteContinue();
    this.state = RESPONDING;
    const text = downstreamResponseHead(head, this.isResponseChunked, request.connectionField);
    this.passBody(upstream, text, bytes, end - after);
  }

  /** More of the response's body. */
  private readBody(upstream: UpstreamConnection, bytes: Buffer, end: number): void {
    const after = upstream.body.decode(bytes, 0, end);
    if (after === MALFORMED) this.failTry(GATEWAY_ERROR, `sent ${upstream.body.reason}`);
    else this.passBody(upstream, '', bytes, end - after);
  }

  /** Passes on what was decoded of the response's body, behind `before`; `extraBytes` came behind its end. */
  private passBody(upstream: UpstreamConnection, before: string, bytes: Buffer, extraBytes: number): void {
    const { body } = upstream;
    const { connection } = this.downstream;
    const tail = body.isComplete && this.isResponseChunked ? chunkedEnd(body.trailers) : '';
    this.request.bodyBytesSent += body.payloadEnd - body.payloadStart;
    writeMessage(
      connection,
      before,
      bytes,
      body.payloadStart,
      body.payloadEnd,
      this.isResponseChunked,
      tail,
      !upstream.connection.ownsBytes(bytes),
    );
    if (body.isComplete) {
      this.finish(upstream, extraBytes);
      return;
    }
    this.noteDownstreamWritten(upstream);
  }

  /** Stops the upstream while the client doesn't take what was written. */
  private noteDownstreamWritten(upstream: UpstreamConnection): void {
    if (this.downstream.connection.hasPendingWrites) {
      upstream.connection.pauseReading();
      this.armUpstreamDeadline(upstream);
    }
    this.downstream.noteWritten();
  }

  /** The response has been passed on whole. `extraBytes` came behind it. */
  private finish(upstream: UpstreamConnection, extraBytes: number): void {
    const { request } = this;
    const { head, body } = upstream;
    request.tries.end(0);
    if (extraBytes > 0) this.logError('warn', upstream.peer, `sent ${extraBytes} bytes behind its response`);
    const isPersistent = head.versionMinor === 1 ? !head.connection.hasClose : head.connection.hasKeepAlive;
    // security: should the body come that a 204 has not, it would be read as the answer to another client.
    const mayHaveMore = head.status === 204 && (head.isChunked || head.contentLength > 0);
    const canReuse =
      isPersistent &&
      extraBytes === 0 &&
      !mayHaveMore &&
      body.kind !== BodyKind.untilClose &&
      this.sender.isDone &&
      !upstream.connection.isEnded;
    this.leaveUpstream(canReuse && !upstream.connection.hasPendingWrites);
    this.downstream.endResponse();
  }

  private endAtClose(upstream: UpstreamConnection): void {
    if (!upstream.body.endAtClose()) {
      this.failTry(GATEWAY_ERROR, 'closed the connection in the middle of its response');
      return;
    }
    if (this.isResponseChunked) this.downstream.connection.writeText(chunkedEnd(null));
    this.finish(upstream, 0);
  }

  private switchProtocols(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    const { request } = this;
    if (request.head.upgrade === '' || !this.sender.isDone) {
      this.failTry(GATEWAY_ERROR, 'switched protocols unasked', false);
      return;
    }
    request.tries.gotHeader(101);
    request.status = 101;
    request.isResponseStarted = true;
    request.keepsAlive = false;
    request.server.upstream.noteSuccess(upstream.peer);
    const upgrade = upstream.head.fields.valueOf(FieldId.upgrade) || request.head.upgrade;
    const head = downstreamResponseHead(
      upstream.head,
      false,
      `Connection: upgrade\r\nUpgrade: ${upgrade}\r\n`,
    );
    this.downstream.connection.writeText(head);
    this.state = IDLE;
    this.upstream = null;
    this.peer = null;
    this.downstream.startTunnel(upstream, bytes, start, end);
  }

  /**
   * The try under way is over without a whole response: says so in the log, then goes on with another
   * connection where that is safe, answers `status`, or breaks the response off if it has begun.
   */
  private failTry(status: number, what: string, mayRetry = true): void {
    const { request } = this;
    const { server, tries } = request;
    const upstream = this.upstream!;
    const { peer } = upstream;
    this.logError('error', peer, what);
    tries.end(status);
    if (this.state === RESPONDING) {
      this.leaveUpstream(false);
      this.downstream.breakOff();
      return;
    }
    const wasSent = this.state >= AWAITING_HEAD;
    const hasAnswered = !mayRetry || this.heldHead.length > 0;
    const isStale = upstream.isReused && status === GATEWAY_ERROR && !hasAnswered;
    const canRetry = mayRetry && (!wasSent || this.sender.canRepeat);
    if (!isStale) {
      server.upstream.noteFailure(peer);
      tries.exclude(peer);
    }
    this.lastFailure = status;
    const { held } = this.sender;
    if (canRetry && isStale) {
      // A kept connection that the peer closed meanwhile says nothing of the peer: it gets a fresh one.
      this.closeUpstream();
      tries.begin(peer);
      this.connect(peer, held, 0, held.length);
      return;
    }
    this.leaveUpstream(false);
    if (canRetry) this.tryNextPeer(held, 0, held.length);
    else this.downstream.refuse(status);
  }

  /** The try failed for a reason of ours. */
  private giveUp(why: string): void {
    this.logError('crit', this.peer!, `could not be connected to: ${why}`);
    this.request.tries.end(UNAVAILABLE);
    this.leaveUpstream(false);
    this.downstream.refuse(UNAVAILABLE);
  }

  /** Ends the use of the upstream: its connection goes back to the pool or is closed. */
  private leaveUpstream(canReuse: boolean): void {
    const { upstream, peer } = this;
    const { server } = this.request;
    if (peer !== null) server.upstream.release(peer);
    this.peer = null;
    if (!canReuse || upstream === null) {
      this.closeUpstream();
      return;
    }
    this.state = IDLE;
    this.upstream = null;
    // What the client has not taken yet lies in the buffer this connection read it into.
    if (this.downstream.connection.hasPendingWrites) upstream.connection.renewBuffer();
    server.pool.put(upstream);
  }

  private closeUpstream(): void {
    this.state = IDLE;
    this.heldHead = NO_BYTES;
    const { upstream } = this;
    this.upstream = null;
    if (upstream === null) return;
    upstream.destroy();
    if (!this.downstream.connection.hasPendingWrites) upstream.connection.releaseBuffer();
  }

  private logError(level: LogLevel, peer: Peer, what: string): void {
    const { errorLog, upstream } = this.request.server;
    if (!errorLog.isEnabled(level)) return;
    const spent = this.request.tries.elapsedMs.toFixed(1);
    const message = `upstream "${upstream.name}" ${peer.name} ${what}, ${spent} ms into try ${this.request.tries.count}, ${this.request.describe()}`;
    errorLog.log(level, message, this.request.connectionNumber);
  }

  private isBorrowed(bytes: Buffer): boolean {
    return !this.downstream.connection.ownsBytes(bytes);
  }
}

/** Node's errno name behind the words, for those who look it up. */
function nameOf(error: NodeJS.ErrnoException): string {
  return error.code === undefined ? error.message : `${describeErrno(error.code)} (${error.code})`;
}
