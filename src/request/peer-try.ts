/*
 * One try at one peer: a connection that is kept or made, the request sent over it as fast as the peer takes it, and the
 * response taken apart as it comes. What becomes of the response, and of a try that fails, is its owner's business.
 */
import { INCOMPLETE, MALFORMED } from '../http/h1/malformed.js';
import type { LogLevel } from '../log/error-log.js';
import type { Connection } from '../net/connection.js';
import { TlsError } from '../net/tls/tls-error.js';
import type { Peer } from '../upstream/peer.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';
import type { UpstreamTls } from '../upstream/upstream-tls.js';
import type { HttpRequest } from './http-request.js';
import { localAddressOf } from './local-address.js';
import { statusOfFailure } from './next-upstream.js';
import type { AnswerKeeper } from './stored-copy.js';
import { type Unsent, UnwatchedAnswer } from './unwatched-answer.js';
import { describeSystemError, logUpstreamError, SHORTAGES } from './upstream-error.js';
import { bodyKindOf } from './upstream-response.js';
import { UpstreamSender } from './upstream-sender.js';
import {
  type Destination,
  NextUpstream,
  type RequestPlan,
  type UpstreamSettings,
} from './upstream-settings.js';

/** No peer is asked. */
const IDLE = 0;
const CONNECTING = 1;
const AWAITING_HEAD = 2;
const READING_BODY = 3;

const NO_BYTES = Buffer.alloc(0);

const UNAVAILABLE = 503;
const INTERNAL_ERROR = 500;

/** A client that takes nothing for so long is a slow one. perf: others need no second place for what they get. */
const SLOW_CLIENT_MS = 100;

/** Stand in while nothing is asked. */
const NO_REQUEST = null as unknown as HttpRequest;
const NO_SETTINGS = null as unknown as UpstreamSettings;
const NO_DESTINATION = null as unknown as Destination;
const NO_PLAN = null as unknown as RequestPlan;

/** Who has a peer asked. Each of its methods may end the try. */
export interface TryOwner {
  /** A 1xx other than 101. */
  onInterim(upstream: UpstreamConnection): void;
  /** The head of the response is there, or a 101; bytes[start,end) came behind it. */
  onHead(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void;
  /** More of the body was decoded; `extraBytes` came behind its end. */
  onBody(upstream: UpstreamConnection, bytes: Buffer, extraBytes: number): void;
  /** The peer closed, which is how such a body ends. */
  onBodyEnd(upstream: UpstreamConnection): void;
  /** The client has held the response up for SLOW_CLIENT_MS, and the owner asked to be told. */
  onSlowClient(): void;
  /** The try is over without a whole response. `failure` of NextUpstream; the log and the record have it. */
  onFailure(failure: number): void;
  /** The same for a reason of ours, for which `status` is to be answered. */
  onTrouble(status: number): void;
}

/** The try under way of an exchange; reused from try to try and from request to request. */
export class PeerTry implements UpstreamUser {
  sender: UpstreamSender;
  /** The peer that is asked; null for none. Its connection may be somebody else's by now. */
  peer: Peer | null;
  upstream: UpstreamConnection | null;
  private readonly owner: TryOwner;
  private request: HttpRequest;
  private settings: UpstreamSettings;
  private plan: RequestPlan;
  private destination: Destination;
  /** Null where the upstream is asked without TLS. */
  private tls: UpstreamTls | null;
  private state: number;
  /** The start of a response head that came in more than one read. */
  private heldHead: Buffer;
  /** When the head came of the answer that is used; -1 before. */
  private answeredMs: number;

  constructor(owner: TryOwner) {
    this.sender = new UpstreamSender();
    this.peer = null;
    this.upstream = null;
    this.owner = owner;
    this.request = NO_REQUEST;
    this.settings = NO_SETTINGS;
    this.plan = NO_PLAN;
    this.destination = NO_DESTINATION;
    this.tls = null;
    this.state = IDLE;
    this.heldHead = NO_BYTES;
    this.answeredMs = -1;
  }

  get served(): Connection {
    return this.request.client.connection;
  }

  /** Says what peers will be asked for and how. */
  begin(
    request: HttpRequest,
    settings: UpstreamSettings,
    plan: RequestPlan,
    destination: Destination,
    tls: UpstreamTls | null,
  ): void {
    this.request = request;
    this.settings = settings;
    this.plan = plan;
    this.destination = destination;
    this.tls = tls;
    this.answeredMs = -1;
  }

  /** Lets go of the request; the peer has been left. */
  reset(): void {
    this.sender.reset();
    this.request = NO_REQUEST;
    this.settings = NO_SETTINGS;
    this.plan = NO_PLAN;
    this.destination = NO_DESTINATION;
    this.tls = null;
  }

  /** Whether a peer takes what comes of the request's body. */
  get isSending(): boolean {
    return this.upstream !== null && this.state !== CONNECTING;
  }

  /** Whether some of the request may have reached the peer. */
  get wasSent(): boolean {
    return this.state >= AWAITING_HEAD;
  }

  get isReadingBody(): boolean {
    return this.state === READING_BODY;
  }

  /** Whether a kept connection was used that has brought nothing. */
  get isStale(): boolean {
    return this.upstream!.isReused && this.heldHead.length === 0;
  }

  // --- asking ---------------------------------------------------------------------------------------

  /** Asks a peer that the group has picked: over a kept connection if there is one. */
  ask(peer: Peer): void {
    const { request } = this;
    this.peer = peer;
    request.tries.begin(peer.name);
    const idle = this.destination.target.pool.take(peer, this, this.place(), this.tls);
    if (idle === null) {
      this.connect(peer);
      return;
    }
    this.upstream = idle;
    request.tries.connected();
    this.sendHead();
  }

  /** Asks the same peer once more, over a new connection. */
  askAgain(): void {
    const peer = this.peer!;
    this.close();
    this.request.tries.begin(peer.name);
    this.connect(peer);
  }

  private connect(peer: Peer): void {
    const { settings, request } = this;
    this.keepPayload();
    this.state = CONNECTING;
    const local = localAddressOf(request, settings.bind);
    this.upstream = this.destination.target.pool.open(peer, this, this.place(), local, this.tls);
    this.upstream.deadline.set(settings.connectTimeoutMs);
  }

  /** Has the request wait until there is a connection. */
  keepPayload(): void {
    const { sender, request } = this;
    sender.keep();
    if (sender.isStreaming && !request.body.isComplete) request.client.connection.pauseReading();
  }

  /** Where connections are the same: those of other settings, or of another local address, aren't. */
  private place(): unknown {
    const { bind } = this.settings;
    return bind === null || bind.constant !== null ? this.settings : bind.evaluate(this.request);
  }

  private sendHead(): void {
    const upstream = this.upstream!;
    const mayBeRepeated = (this.settings.nextUpstream & NextUpstream.nonIdempotent) !== 0;
    this.state = AWAITING_HEAD;
    try {
      this.sender.sendHead(upstream, this.plan, this.destination, mayBeRepeated);
    } catch (error) {
      this.failReading(error as Error);
      return;
    }
    this.noteWritten(upstream);
  }

  /** Sends more of the request's body as it came in. Whether nothing refers to `bytes` now. */
  sendBody(bytes: Buffer, start: number, end: number): boolean {
    const upstream = this.upstream!;
    this.sender.sendBody(upstream, bytes, start, end, !this.served.ownsBytes(bytes));
    this.noteWritten(upstream);
    return !upstream.connection.hasPendingWrites;
  }

  /** Stops the client while the upstream doesn't take what was written. */
  private noteWritten(upstream: UpstreamConnection): void {
    const { sender, request } = this;
    this.armDeadline(upstream);
    if (sender.isDone || !sender.isStreaming) return;
    if (upstream.connection.hasPendingWrites) request.client.connection.pauseReading();
    // Its reading stopped while a connection was made, or at the request before it in the same read.
    else request.client.resumeBody();
  }

  /** Sets how long the upstream may take for what is its turn. While the client holds it up nothing counts. */
  private armDeadline({ connection, deadline }: UpstreamConnection): void {
    if (connection.hasPendingWrites) {
      connection.hasSendProgress(); // From now on.
      deadline.set(this.settings.sendTimeoutMs);
    } else if (this.sender.isDone && !connection.isReadingPaused) deadline.set(this.settings.readTimeoutMs);
    else deadline.clear();
  }

  // --- what comes back ------------------------------------------------------------------------------

  onUpstreamConnect(): void {
    this.request.tries.connected();
    this.sendHead();
  }

  onUpstreamBytes(bytes: Buffer, end: number): void {
    const upstream = this.upstream!;
    this.request.tries.received(end);
    if (this.sender.isDone) upstream.deadline.set(this.settings.readTimeoutMs);
    if (this.state === READING_BODY) this.readBody(upstream, bytes, end);
    else if (this.heldHead.length === 0) this.readHead(upstream, bytes, end);
    else {
      const whole = Buffer.concat([this.heldHead, bytes.subarray(0, end)]);
      this.heldHead = NO_BYTES;
      this.readHead(upstream, whole, whole.length);
    }
  }

  private readHead(upstream: UpstreamConnection, bytes: Buffer, end: number): void {
    const { head } = upstream;
    let pos = 0;
    while (pos < end) {
      const after = head.parse(bytes, pos, end);
      if (after === INCOMPLETE) {
        this.heldHead = Buffer.from(bytes.subarray(pos, end));
        return;
      }
      if (after === MALFORMED) {
        this.fail(NextUpstream.invalidHeader, `upstream sent ${head.malformed!.reason}`);
        return;
      }
      if (head.status >= 200 || head.status === 101) {
        this.owner.onHead(upstream, bytes, after, end);
        return;
      }
      this.owner.onInterim(upstream);
      head.reset();
      pos = after;
    }
  }

  /** The answer is used: counts it for the peer. */
  noteAnswer(): void {
    const { group } = this.destination.target;
    const peer = this.peer!;
    this.answeredMs = this.request.tries.headerMs;
    group.noteSuccess(peer);
    group.noteHeader(peer, this.request, this.answeredMs);
  }

  /** Begins with the body of the response and takes what has come of it. As BodyDecoder.decode; MALFORMED: it failed. */
  beginBody(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): number {
    const after = this.decodeFirst(upstream, bytes, start, end);
    if (after === MALFORMED) this.fail(NextUpstream.invalidHeader, `upstream sent ${upstream.body.reason}`);
    else this.state = READING_BODY;
    return after;
  }

  private decodeFirst(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): number {
    const { head, body } = upstream;
    body.start(bodyKindOf(head, this.isHead), head.contentLength);
    const after = body.decode(bytes, start, end);
    if (after !== MALFORMED) this.request.tries.gotBody(body.payloadEnd - body.payloadStart);
    return after;
  }

  /** Whether the upstream was asked for a head alone. */
  private get isHead(): boolean {
    const { method } = this.plan;
    if (method === null) return this.request.method === 'HEAD';
    return method.evaluate(this.request).toUpperCase() === 'HEAD';
  }

  private readBody(upstream: UpstreamConnection, bytes: Buffer, end: number): void {
    const { body } = upstream;
    const after = body.decode(bytes, 0, end);
    if (after === MALFORMED) {
      this.fail(NextUpstream.error, `upstream sent ${body.reason}`);
      return;
    }
    this.request.tries.gotBody(body.payloadEnd - body.payloadStart);
    this.owner.onBody(upstream, bytes, end - after);
  }

  onUpstreamEnd(): void {
    const upstream = this.upstream!;
    if (this.state === READING_BODY && upstream.body.endAtClose()) this.owner.onBodyEnd(upstream);
    else this.fail(NextUpstream.error, 'upstream prematurely closed connection');
  }

  onUpstreamDrain(): void {
    if (this.state < AWAITING_HEAD) return;
    const { sender, request } = this;
    const upstream = this.upstream!;
    if (!sender.isDone && !sender.isStreaming) {
      try {
        sender.pump(upstream);
      } catch (error) {
        this.failReading(error as Error);
        return;
      }
    }
    this.armDeadline(upstream);
    if (!sender.isDone && sender.isStreaming) request.client.resumeBody();
  }

  // --- the client is slow, or gone ------------------------------------------------------------------

  /** The client is slower than the upstream. `isToBeTold`: the owner, if it still is a little later. */
  holdUp(isToBeTold: boolean): void {
    const upstream = this.upstream!;
    upstream.connection.pauseReading();
    if (isToBeTold && this.state === READING_BODY && this.sender.isDone)
      upstream.deadline.set(SLOW_CLIENT_MS);
    else this.armDeadline(upstream);
  }

  /** More of the response may come. */
  goOn(): void {
    const { upstream } = this;
    if (upstream === null || !upstream.connection.isReadingPaused) return;
    upstream.connection.resumeReading();
    this.armDeadline(upstream);
  }

  /**
   * The upstream goes on without the client, if it has all of the request or can still get it. `keeper` has the rest of
   * the answer then. False: it doesn't.
   */
  goOnUnwatched(keeper: AnswerKeeper | null): boolean {
    const { sender, request, state, upstream } = this;
    if (upstream === null) return false;
    let unsent: Unsent | null = null;
    if (!sender.isDone) {
      if (sender.isStreaming) return false;
      try {
        unsent = { sender, head: sender.detach(this.plan, this.destination, state !== CONNECTING) };
      } catch (error) {
        const why = describeSystemError(error as Error);
        this.logError('crit', `open() of the client request body failed (${why})`);
        return false;
      }
      this.sender = new UpstreamSender();
    }
    request.isReusable = false;
    this.upstream = null;
    new UnwatchedAnswer(upstream, this.settings, keeper, unsent);
    return true;
  }

  // --- failures -------------------------------------------------------------------------------------

  onUpstreamClose(error: NodeJS.ErrnoException | null): void {
    const reason = error === null ? '' : describeSystemError(error);
    if (error instanceof TlsError) this.fail(NextUpstream.error, error.message);
    else if (this.state === CONNECTING) {
      const what = `connect() failed (${reason})`;
      if (SHORTAGES.has(error?.code)) this.giveUp(what);
      else this.fail(error?.code === 'ETIMEDOUT' ? NextUpstream.timeout : NextUpstream.error, what);
    } else if (error === null) this.fail(NextUpstream.error, 'upstream prematurely closed connection');
    else this.fail(NextUpstream.error, `recv() failed (${reason})`);
  }

  onUpstreamDeadline(): void {
    const { connection, deadline } = this.upstream!;
    if (this.state === READING_BODY && connection.isReadingPaused && !connection.hasPendingWrites)
      this.owner.onSlowClient();
    else if (connection.hasPendingWrites && this.state !== CONNECTING && connection.hasSendProgress())
      deadline.set(this.settings.sendTimeoutMs);
    else this.fail(NextUpstream.timeout, 'upstream timed out (110: Connection timed out)');
  }

  /** The peer goes over to another protocol than HTTP, which nobody asked it for. */
  failUnasked(): void {
    this.fail(NextUpstream.invalidHeader, 'upstream switched protocols unasked');
  }

  private fail(failure: number, message: string): void {
    this.logError('error', message);
    this.request.tries.end(statusOfFailure(failure), message);
    this.owner.onFailure(failure);
  }

  /** There is no socket to be had. */
  private giveUp(failure: string): void {
    this.logError('crit', failure);
    this.request.tries.end(UNAVAILABLE, failure);
    this.owner.onTrouble(UNAVAILABLE);
  }

  /** The request's body can't be read back from its file. */
  private failReading(error: NodeJS.ErrnoException): void {
    this.logError('crit', `read() of the client request body failed (${describeSystemError(error)})`);
    this.request.tries.end(0);
    this.owner.onTrouble(INTERNAL_ERROR);
  }

  /** Logs what happened, and what was going on in nginx's words. */
  logError(level: LogLevel, message: string): void {
    const { request, plan, destination } = this;
    const name = this.peer?.name ?? '';
    logUpstreamError(request, level, `${message} while ${this.doing}`, name, plan, destination);
  }

  private get doing(): string {
    if (this.state === READING_BODY) return 'reading upstream';
    if (this.state === AWAITING_HEAD)
      return this.sender.isDone ? 'reading response header from upstream' : 'sending request to upstream';
    const isHandshaking = this.upstream?.connection.isHandshaking === true;
    return isHandshaking ? 'SSL handshaking to upstream' : 'connecting to upstream';
  }

  // --- the end of a try -----------------------------------------------------------------------------

  /** The response has come whole; `extraBytes` came behind it. Its connection is kept if it can be. */
  leaveDone(upstream: UpstreamConnection, extraBytes: number): void {
    if (extraBytes > 0) this.logError('warn', `upstream sent ${extraBytes} bytes more than its response`);
    this.leave(this.sender.isDone && upstream.mayServeAgain(extraBytes));
  }

  /** Nobody wants the response behind its head. */
  dismiss(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    const after = this.decodeFirst(upstream, bytes, start, end);
    this.request.tries.end(0);
    const isWhole = after !== MALFORMED && upstream.body.isComplete && this.sender.isDone;
    this.leave(isWhole && upstream.mayServeAgain(end - after));
  }

  /** Gives the connection away; the peer is still asked. */
  takeUpstream(): UpstreamConnection {
    const upstream = this.upstream!;
    this.upstream = null;
    this.state = IDLE;
    return upstream;
  }

  /** Ends the use of the peer: its connection goes back to the pool or is closed. */
  leave(canReuse = false): void {
    const { upstream, peer, request } = this;
    const { group, pool } = this.destination.target;
    if (peer !== null) {
      group.release(peer, request, this.answeredMs, request.tries.elapsedMs);
      if (peer.stats !== null) request.tries.report(peer.stats, this.answeredMs);
    }
    this.peer = null;
    if (!canReuse || upstream === null) {
      this.close();
      return;
    }
    this.state = IDLE;
    this.upstream = null;
    // What the client has not taken yet lies in the buffer this connection read it into.
    if (request.client.connection.hasPendingWrites) upstream.connection.renewBuffer();
    pool.put(upstream);
  }

  private close(): void {
    const { upstream } = this;
    this.state = IDLE;
    this.heldHead = NO_BYTES;
    this.upstream = null;
    if (upstream === null) return;
    upstream.destroy();
    if (!this.request.client.connection.hasPendingWrites) upstream.connection.releaseBuffer();
  }
}
