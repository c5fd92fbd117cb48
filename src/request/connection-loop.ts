/*
 * A client's connection: heads and bodies out of bytes, one request after the other in order, keepalive,
 * timeouts, and closing so that the client still reads what it was told. What is done for a request is the
 * lifecycle's business.
 */
import type { Clock } from '../core/clock.js';
import { Deadline, type DeadlineOwner } from '../core/timer-wheel.js';
import { BodyKind } from '../http/h1/body-decoder.js';
import { INCOMPLETE, MALFORMED } from '../http/h1/malformed.js';
import type { LogLevel } from '../log/level.js';
import type { Connection, ConnectionHandler } from '../net/connection.js';
import type { ProxyProtocolHeader } from '../net/proxy-protocol.js';
import { SOCKETS } from '../net/socket-budget.js';
import { TlsError } from '../net/tls/tls-error.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import { BodyIntake, type IntakeOwner } from './body-intake.js';
import type { DrainListener } from './body-sink.js';
import type { ClientSide } from './client-side.js';
import type { ClientTls } from './client-tls.js';
import { ConnectionActivity } from './connection-counts.js';
import { ConnectionOpening, needsOpening, type OpeningOwner } from './connection-opening.js';
import { logErrorOf } from './error-line.js';
import { CLIENT_CLOSED_REQUEST, type HttpRequest } from './http-request.js';
import { isKeepaliveAllowed } from './keepalive.js';
import { abandon, admit, endRequest, finalize, hasPostAction, runPostAction, serve } from './lifecycle.js';
import { LingeringClose } from './lingering-close.js';
import type { RequestPool } from './request-pool.js';
import type { LocationSettings } from './settings.js';
import { Tunnel, type TunnelOwner } from './tunnel.js';
import type { ListenPoint, ServiceContext } from './virtual-server.js';

/** Who keeps the client connections: told when one is gone. */
export interface ConnectionOwner {
  /** Connections don't stay: they are handed over if there is an heir, else end, between two requests. */
  readonly isDraining: boolean;
  /** Whether the configuration after this one goes on with the connection. */
  hasHeir(loop: ConnectionLoop): boolean;
  /** Gives it to the heir if there is one; it serves no request now. */
  handOver(loop: ConnectionLoop): void;
  requestsOf(point: ListenPoint): RequestPool;
  onConnectionClosed(loop: ConnectionLoop): void;
}

/** Between two requests, or before the first. */
const WAITING = 0;
/** Part of a head has come. */
const READING_HEAD = 1;
/** A request is being served; its body may still come. */
const SERVING = 2;
/** The response is written: the client has to take it, the rest of the request's body and subrequests have to end. */
const ENDING = 3;
/** Somebody else handles the connection: a tunnel, or what closes it. */
const HANDED_OVER = 4;
const CLOSED = 5;
/** Something has to come before the first request. */
const OPENING = 6;

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

/** The loop of one client connection. */
export class ConnectionLoop
  implements ConnectionHandler, DeadlineOwner, ClientSide, TunnelOwner, OpeningOwner, IntakeOwner
{
  readonly connection: Connection;
  readonly remoteAddress: string;
  readonly connectionNumber: number;
  readonly connectedMs: number;
  requestCount: number;
  isPipelined: boolean;
  proxyProtocol: ProxyProtocolHeader | null;
  tls: ClientTls | null;
  readonly isForTls: boolean;
  readonly intake: BodyIntake;
  /** Null between two requests. */
  request: HttpRequest | null;
  drainListener: DrainListener | null;
  // A reload changes the next four between two requests.
  private point: ListenPoint;
  private context: ServiceContext;
  private owner: ConnectionOwner;
  private requests: RequestPool;
  /** Null once it is open for requests. */
  private opening: ConnectionOpening | null;
  private readonly readDeadline: Deadline;
  private readonly sendDeadline: Deadline;
  private state: number;
  /** As the context counts it. */
  private activity: ConnectionActivity;
  /** Bytes not looked at yet: the start of a head, or requests behind the one being served. */
  private held: Buffer | null;
  private isHalfClosed: boolean;
  /** When its last response was out: since then it waits for the next request, or lingers; 0: none was. */
  private restingSinceMs: number;
  /** How long it may rest whatever the server does (nginx: keepalive_min_timeout). */
  private leastRestMs: number;
  private isLingering: boolean;
  /** Its last answer broke off, and an end would look like that answer's. */
  private endsByReset: boolean;

  constructor(
    connection: Connection,
    point: ListenPoint,
    context: ServiceContext,
    owner: ConnectionOwner,
    connectionNumber: number,
  ) {
    this.connection = connection;
    this.remoteAddress = clientAddress(connection);
    this.connectionNumber = connectionNumber;
    this.connectedMs = context.clock.nowMs();
    this.requestCount = 0;
    this.isPipelined = false;
    this.proxyProtocol = null;
    this.tls = null;
    this.isForTls = point.options.usesTls;
    this.drainListener = null;
    this.point = point;
    this.context = context;
    this.owner = owner;
    this.requests = owner.requestsOf(point);
    this.request = null;
    this.readDeadline = new Deadline(context.wheel, this);
    this.sendDeadline = new Deadline(context.wheel, this);
    this.intake = new BodyIntake(this, this.readDeadline);
    this.opening = needsOpening(point) ? new ConnectionOpening(this, point, context) : null;
    this.state = this.opening === null ? WAITING : OPENING;
    this.activity = ConnectionActivity.waiting;
    context.connections.noteOpened();
    this.held = null;
    this.isHalfClosed = false;
    this.restingSinceMs = 0;
    this.leastRestMs = 0;
    this.isLingering = false;
    this.endsByReset = false;
    this.readDeadline.set(point.defaultServer.settings.clientHeaderTimeoutMs);
  }

  get remotePort(): number {
    return this.connection.remotePort;
  }

  get localAddress(): string {
    return withoutIpv6Prefix(this.connection.localAddress);
  }

  get localPort(): number {
    return this.connection.localPort;
  }

  get served(): Connection {
    return this.connection;
  }

  get clock(): Clock {
    return this.context.clock;
  }

  get isServing(): boolean {
    return this.state === SERVING;
  }

  /**
   * For an owner that drains: hands over what is idle, or ends it; a request under way does either with its response.
   * differs from nginx: it closes idle connections at a reload too, and loses the requests that were on their way.
   */
  drain(): void {
    const isNew = this.requestCount === 0 && (this.state === WAITING || this.state === OPENING);
    if (!isNew && this.owner.hasHeir(this)) {
      if (this.state === WAITING) this.owner.handOver(this);
      return;
    }
    if (this.request !== null && this.settings.keepaliveMinTimeoutMs === 0) this.request.keepsAlive = false;
    if (this.state !== WAITING && this.state !== OPENING) return;
    // A pipelined request has its turn at once; its answer says that it is the last.
    if (this.held !== null && this.connection.isReadingPaused) return;
    if (this.restingSinceMs === 0) {
      // A first request may be on its way already: accepted connections are given the time to bring it.
      this.readDeadline.set(FIRST_REQUEST_MS);
      return;
    }
    const restedMs = this.context.clock.nowMs() - this.restingSinceMs;
    if (restedMs < this.leastRestMs) this.readDeadline.set(this.leastRestMs - restedMs);
    else this.connection.destroy();
  }

  /** Whether it could be served at an address of another configuration. */
  suits({ options }: ListenPoint): boolean {
    const { usesProxyProtocol, usesTls } = this.point.options;
    if (options.usesProxyProtocol !== usesProxyProtocol || options.usesTls !== usesTls) return false;
    // security: whether it may be trusted was decided by the configuration it began under.
    return this.tls === null || this.tls.certificate === null;
  }

  /** Goes on under another configuration; between two requests. */
  moveTo(point: ListenPoint, context: ServiceContext, owner: ConnectionOwner): void {
    this.point = point;
    this.context = context;
    this.owner = owner;
    this.requests = owner.requestsOf(point);
  }

  /** Whether it closes with the request under way, whoever would keep it open. */
  private get isEnding(): boolean {
    return this.owner.isDraining && !this.owner.hasHeir(this);
  }

  /** Whether it has had nothing to do for a while, so that closing costs the client a connection at most. */
  get isSpare(): boolean {
    const isAnswered = this.isLingering || (this.state === WAITING && this.restingSinceMs > 0);
    const restsMs = this.context.clock.nowMs() - this.restingSinceMs;
    return isAnswered && restsMs >= SPARE_AFTER_MS && !this.connection.isDestroyed;
  }

  /** Closes without waiting for what is under way. */
  destroy(): void {
    this.connection.destroy();
  }

  /** What holds for the request under way, or for all that come before they say where they go. */
  get settings(): LocationSettings {
    return (this.request === null ? this.point.defaultServer.base : this.request.location).settings;
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
      case ENDING:
        this.readBody(this.request!, bytes, end);
        break;
      case OPENING:
        this.opening!.read(bytes, end);
        break;
      default:
        // security: a client that reads nothing could otherwise have any amount of requests kept here.
        this.hold(bytes, 0, end);
        this.connection.pauseReading();
    }
  }

  onEnd(): void {
    const { request } = this;
    if (request === null) {
      this.connection.destroy();
      return;
    }
    if (this.state === READING_HEAD) {
      this.logInfo('client prematurely closed connection');
      request.status = 400;
      this.endServing(request);
      this.state = WAITING;
      this.connection.destroy();
      return;
    }
    this.isHalfClosed = true;
    request.keepsAlive = false;
    if (this.state === ENDING) {
      if (this.connection.hasPendingWrites) this.readDeadline.set(HALF_CLOSED_MS);
      else this.tryFinish(request);
    } else if (request.isResponseStarted && request.limitRate > 0 && !this.connection.hasPendingWrites) {
      // What is held back by limit_rate would keep one that is gone for as long as that takes.
      this.clientGone('client prematurely closed connection');
    } else if (request.body.isComplete || request.isResponseStarted) this.readDeadline.set(HALF_CLOSED_MS);
    else this.clientGone('client prematurely closed connection');
  }

  onDrain(): void {
    this.sendDeadline.clear();
    if (this.state === SERVING) this.drainListener?.onDrain();
    else if (this.state === ENDING) this.tryFinish(this.request!);
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    const { state, request } = this;
    this.state = CLOSED;
    this.readDeadline.cancel();
    this.sendDeadline.cancel();
    this.context.connections.noteClosed(this.activity);
    // First, so that a defect in what follows holds up nobody who waits for the last connection.
    this.owner.onConnectionClosed(this);
    if (error instanceof TlsError) this.logInfo(`${error.message} while SSL handshaking`);
    if (request === null) return;
    if (state === WAITING || state === READING_HEAD) {
      // Nothing was asked for yet; nginx has no line for it either.
      this.request = null;
      this.requests.give(request);
      return;
    }
    if (state === SERVING || request.subrequests.length > 0) abandon(request);
    if (!request.isResponseStarted) request.status = CLIENT_CLOSED_REQUEST;
    if (error !== null && error.code !== 'ECONNRESET' && error.code !== 'EPIPE')
      this.logInfo(`client: ${error.message}`);
    this.endServing(request);
  }

  onDeadline(deadline: Deadline): void {
    try {
      if (deadline === this.sendDeadline) this.checkSending();
      else this.checkReading();
    } catch (defect) {
      this.connection.failBy(defect);
    }
  }

  // --- reading requests -----------------------------------------------------------------------------

  onOpened(bytes: Buffer, start: number, end: number): void {
    const { proxyProtocol, tls } = this.opening!;
    this.opening = null;
    this.proxyProtocol = proxyProtocol;
    this.tls = tls;
    this.state = WAITING;
    if (tls !== null) this.readDeadline.set(this.point.defaultServer.settings.clientHeaderTimeoutMs);
    if (end > start) this.readHead(bytes, start, end);
  }

  onHandshakeStart(): void {
    this.readDeadline.set(this.point.defaultServer.settings.clientHeaderTimeoutMs);
  }

  onHandshakeRejected(): void {
    this.logInfo('handshake rejected while SSL handshaking');
    this.startLingering(this.settings);
  }

  onBadProxyHeader(reason: string): void {
    this.logError('error', `client sent ${reason}`);
    this.connection.destroy();
  }

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
      this.requestCount++;
      this.context.connections.noteRequest();
      this.setActivity(ConnectionActivity.reading);
      this.request = this.requests.take(this);
    }
    const request = this.request!;
    const { head } = request;
    const after = head.parse(bytes, pos, end);
    if (after === INCOMPLETE) {
      this.hold(bytes, pos, end);
      if (isFirstPart) this.readDeadline.set(this.point.defaultServer.settings.clientHeaderTimeoutMs);
    } else if (after === MALFORMED) {
      request.requestBytes = end - pos;
      this.refuseHead(request, head.malformed!.status, `client sent ${head.malformed!.reason}`);
    } else {
      request.requestBytes = after - pos;
      this.serveHead(request, bytes, after, end);
    }
  }

  private refuseHead(request: HttpRequest, status: number, why: string): void {
    this.logInfo(`${why} while reading client request ${request.head.isLineRead ? 'headers' : 'line'}`);
    this.readDeadline.clear();
    this.state = SERVING;
    this.setActivity(ConnectionActivity.writing);
    this.connection.pauseReading();
    // What would be read next has no meaning any more.
    request.body.start(BodyKind.none, 0);
    finalize(request, status);
  }

  /** The head is whole: bytes[start,end) are its body's beginning and whatever follows. */
  private serveHead(request: HttpRequest, bytes: Buffer, start: number, end: number): void {
    const { head } = request;
    this.state = SERVING;
    this.setActivity(ConnectionActivity.writing);
    this.readDeadline.clear();
    const after = this.intake.begin(request, bytes, start, end);
    if (after === MALFORMED) {
      // Whose it is decides on logs and pages, as when the body comes later.
      if (admit(request)) this.failBody(request);
      return;
    }
    if (head.fields.ignoredEnd > 0) {
      const { fields } = head;
      this.logInfo(
        `client sent invalid header line: "${fields.text.substring(fields.ignoredStart, fields.ignoredEnd)}"`,
      );
    }
    const { connection } = head;
    request.keepsAlive = head.versionMinor === 1 ? !connection.hasClose : connection.hasKeepAlive;
    if (after < end) {
      this.hold(bytes, after, end);
      this.connection.pauseReading();
    }
    serve(request);
    if (this.request === request && this.state === SERVING) this.intake.settle(request);
  }

  private readBody(request: HttpRequest, bytes: Buffer, end: number): void {
    const { body } = request;
    if (body.isComplete) {
      // Pipelined requests wait here, at most one read of them.
      this.hold(bytes, 0, end);
      this.connection.pauseReading();
      return;
    }
    const after = this.intake.decode(request, bytes, end);
    if (after === MALFORMED) {
      this.failBody(request);
      return;
    }
    if (after < end) {
      this.hold(bytes, after, end);
      this.connection.pauseReading();
    }
    this.intake.pass(request, bytes);
  }

  private failBody(request: HttpRequest): void {
    this.intake.fail(request, 400, `client sent ${request.body.reason}`);
  }

  onBodyOver(request: HttpRequest): void {
    if (this.state === ENDING) this.tryFinish(request);
  }

  /** Keeps bytes[start,end) for later; copied if the next read would overwrite them. */
  private hold(bytes: Buffer, start: number, end: number): void {
    const rest = bytes.subarray(start, end);
    if (this.held !== null) this.held = Buffer.concat([this.held, rest]);
    else this.held = this.connection.isReadInto(bytes) ? Buffer.from(rest) : rest;
  }

  // --- what those say who serve the request (ClientSide) --------------------------------------------

  noteWritten(): void {
    if (this.connection.hasPendingWrites && !this.sendDeadline.isArmed) {
      this.connection.hasSendProgress(); // From now on.
      this.sendDeadline.set(this.settings.sendTimeoutMs);
    }
    if (this.isHalfClosed) this.readDeadline.set(HALF_CLOSED_MS);
    else this.intake.noteAnswer(this.request!);
  }

  resumeBody(): void {
    if (this.held !== null || this.state !== SERVING) return;
    this.intake.armDeadline();
    this.connection.resumeReading();
  }

  settleKeepalive(): void {
    const request = this.request!;
    if (!request.keepsAlive) return;
    const isAllowed =
      isKeepaliveAllowed(request) &&
      (!this.isEnding || this.settings.keepaliveMinTimeoutMs > 0) &&
      // Others wait for its place: it may come back behind them.
      !SOCKETS.isPaused;
    if (!isAllowed || (!request.body.isComplete && this.intake.isUncertain(request)))
      request.keepsAlive = false;
  }

  endResponse(): void {
    const request = this.request!;
    this.state = ENDING;
    this.intake.end();
    this.drainListener = null;
    if (!this.intake.isDiscarding) this.readDeadline.clear();
    if (this.connection.hasPendingWrites) this.noteWritten();
    else this.tryFinish(request);
  }

  breakOff(): void {
    const request = this.request!;
    request.keepsAlive = false;
    abandon(request);
    this.endsByReset = request.isResponseUntilClose && !request.isPostAction;
    this.endResponse();
  }

  close(): void {
    const request = this.request!;
    request.keepsAlive = false;
    // A subrequest may have said so.
    abandon(request);
    if (this.connection.hasPendingWrites) {
      this.endResponse();
      return;
    }
    const { resetTimedoutConnection } = this.settings;
    this.state = HANDED_OVER;
    this.endServing(request);
    if (resetTimedoutConnection) this.connection.reset();
    else this.connection.destroy();
  }

  leaveIfEnded(): boolean {
    if (!this.isHalfClosed || this.state !== SERVING || this.request!.isResponseStarted) return false;
    this.clientGone('client prematurely closed connection');
    return true;
  }

  noteSubrequestsOver(): void {
    if (this.state === ENDING) this.tryFinish(this.request!);
  }

  startTunnel(upstream: UpstreamConnection, idleMs: number, bytes: Buffer, start: number, end: number): void {
    this.state = HANDED_OVER;
    this.intake.receiver = null;
    this.drainListener = null;
    this.readDeadline.clear();
    const tunnel = new Tunnel(this.connection, upstream, idleMs, this);
    if (end > start) tunnel.passDown(bytes, start, end);
    const early = this.held;
    this.held = null;
    if (early !== null) tunnel.passUp(early, 0, early.length);
    if (this.isHalfClosed) tunnel.onEnd();
  }

  noteTunnelBytes(down: number, up: number): void {
    const request = this.request!;
    request.bytesSent += down;
    request.tries.received(down);
    request.tries.sent(up);
  }

  onTunnelEnd(isClosed: boolean): void {
    const request = this.request!;
    request.responder?.abort();
    request.responder = null;
    this.connection.handler = this;
    this.state = ENDING;
    if (isClosed) this.onClose(null);
    else this.endResponse();
  }

  // --- the end of a request, the end of the connection ----------------------------------------------

  /** The response is written: ends the request unless there is something to wait for. */
  private tryFinish(request: HttpRequest): void {
    if (this.connection.hasPendingWrites || request.subrequests.length > 0) return;
    if (hasPostAction(request)) {
      this.state = SERVING;
      runPostAction(request);
      return;
    }
    if (!request.body.isComplete && request.keepsAlive) {
      if (!this.intake.isDiscarding) this.intake.startDiscarding();
      return;
    }
    this.finishRequest(request);
  }

  /** The client has all of the response: on to its next request, or to the end. */
  private finishRequest(request: HttpRequest): void {
    const { settings } = request.location;
    const { keepaliveTimeoutMs, keepaliveMinTimeoutMs } = settings;
    const { isEnding } = this;
    const canGoOn = request.keepsAlive && (!isEnding || keepaliveMinTimeoutMs > 0);
    const mustLinger = !canGoOn && this.mustLinger(request, settings.lingeringClose);
    this.endServing(request);
    if (!canGoOn) {
      // A subrequest that is just over may still say so.
      this.state = HANDED_OVER;
      if (mustLinger) this.startLingering(settings);
      else this.connection.destroy();
      return;
    }
    this.state = WAITING;
    this.isPipelined = this.held !== null;
    this.leastRestMs = keepaliveMinTimeoutMs;
    this.readDeadline.set(isEnding ? keepaliveMinTimeoutMs : keepaliveTimeoutMs);
    if (this.owner.isDraining) this.owner.handOver(this);
    if (this.held === null) this.connection.resumeReading();
    else setImmediate(() => this.readHeld());
  }

  /**
   * Whether more than the request has come or is to come: to close at once would then be a RST, which can overtake the
   * answer. perf: a connection for each request costs 50 instead of 63 us where nothing is to come.
   */
  private mustLinger(request: HttpRequest, rule: LocationSettings['lingeringClose']): boolean {
    if (this.endsByReset) return true;
    if (rule !== 'on') return rule === 'always';
    return this.held !== null || this.connection.isReadingPaused || !request.body.isComplete;
  }

  /** The request is over: it is logged, and its object is free for another. */
  private endServing(request: HttpRequest): void {
    this.request = null;
    if (this.state !== CLOSED) this.setActivity(ConnectionActivity.waiting);
    this.intake.receiver = null;
    this.drainListener = null;
    this.restingSinceMs = this.context.clock.nowMs();
    endRequest(request);
    this.requests.give(request);
  }

  private setActivity(activity: ConnectionActivity): void {
    this.context.connections.change(this.activity, activity);
    this.activity = activity;
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
    if (this.state === SERVING) return this.held === null && this.request!.body.isComplete;
    return this.state === WAITING || this.state === READING_HEAD;
  }

  private startLingering(settings: LocationSettings): void {
    this.isLingering = true;
    this.held = null;
    this.readDeadline.cancel();
    this.sendDeadline.cancel();
    new LingeringClose(this.connection, this.context, settings, this.endsByReset, () => this.onClose(null));
  }

  /** The read deadline passed. */
  private checkReading(): void {
    const { request } = this;
    if (request === null) {
      if (this.opening?.isHandshaking === true) this.logInfo(`${TIMED_OUT} while SSL handshaking`);
      else if (this.restingSinceMs === 0) this.logInfo(`${TIMED_OUT} while waiting for request`);
      this.closeTimedOut();
    } else if (this.state === READING_HEAD) {
      // differs from nginx: it closes without a word, which a client can't tell from a lost connection.
      this.refuseHead(request, 408, TIMED_OUT);
    } else if (this.isHalfClosed) {
      if (this.connection.hasPendingWrites && this.connection.hasSendProgress())
        this.readDeadline.set(HALF_CLOSED_MS);
      else this.clientGone('client prematurely closed connection');
    } else this.intake.checkDeadline(request, TIMED_OUT);
  }

  /** The send deadline passed. */
  private checkSending(): void {
    if (!this.connection.hasPendingWrites) return;
    if (this.connection.hasSendProgress()) this.sendDeadline.set(this.settings.sendTimeoutMs);
    else {
      this.logInfo(`${TIMED_OUT} while sending to client`);
      this.closeTimedOut();
    }
  }

  private closeTimedOut(): void {
    if (this.settings.resetTimedoutConnection) this.connection.reset();
    else this.connection.destroy();
  }

  private clientGone(what: string): void {
    this.logInfo(what);
    this.connection.destroy();
  }

  logInfo(what: string): void {
    this.logError('info', what);
  }

  private logError(level: LogLevel, what: string): void {
    if (this.request !== null) {
      logErrorOf(this.request, level, what);
      return;
    }
    const { errorLog } = this.settings;
    if (errorLog.isEnabled(level))
      errorLog.log(level, `${what}, client: ${this.remoteAddress}`, this.connectionNumber);
  }
}

const TIMED_OUT = 'client timed out (110: Connection timed out)';

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
  return address === '' ? 'unix:' : withoutIpv6Prefix(address);
}

function withoutIpv6Prefix(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
