/*
 * The pump between a request and an upstream: choose a peer, connect, send the request, pass the response on while it
 * still comes in, and try the next peer where that is safe. Neither side gets ahead of the other: whoever writes
 * faster than it is read is stopped.
 */
import { BodyKind } from '../http/h1/body-decoder.js';
import { INCOMPLETE, MALFORMED } from '../http/h1/malformed.js';
import { chunkedEnd, writeMessage } from '../http/h1/message-writer.js';
import type { ResponseHead } from '../http/h1/response-head.js';
import { FieldId } from '../http/message/field-id.js';
import { isIdempotent } from '../http/message/method.js';
import type { LogLevel } from '../log/error-log.js';
import { type Address, parseLocalAddress } from '../net/address.js';
import type { Connection } from '../net/connection.js';
import { TlsError } from '../net/tls/tls-error.js';
import type { Peer } from '../upstream/peer.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';
import type { UpstreamTls } from '../upstream/upstream-tls.js';
import type { PeerWaiter, WaitingRoom } from '../upstream/waiting-room.js';
import type { DrainListener } from './body-sink.js';
import { type CacheUse, cacheUseOf } from './cache-use.js';
import { ClientPayloadSink } from './client-payload-sink.js';
import type { BodyReceiver, ClientSide } from './client-side.js';
import { logErrorOf } from './error-line.js';
import {
  CHUNKED_BODY,
  downstreamResponseHead,
  interimHead,
  NO_BODY,
  switchingHead,
} from './forwarded-head.js';
import type { HttpRequest, Responder } from './http-request.js';
import { finalize } from './lifecycle.js';
import { DONE, type Outcome } from './phase.js';
import { isAny } from './predicate.js';
import { bytesOf, RateLimiter } from './rate-limiter.js';
import { type RequestBody, readBody } from './request-body.js';
import { ResponseSpool } from './response-spool.js';
import { sendHead } from './send.js';
import { type AnswerKeeper, StoredCopy, type StoreSettings } from './stored-copy.js';
import { startSubrequest } from './subrequest.js';
import { TIMELINE } from './timeline.js';
import { type Unsent, UnwatchedAnswer } from './unwatched-answer.js';
import { describeSystemError, logUpstreamError, SHORTAGES } from './upstream-error.js';
import {
  answerByFields,
  fillResponse,
  fillTrailers,
  isFlushedAtOnce,
  needsOwnResponse,
} from './upstream-response.js';
import { UpstreamSender } from './upstream-sender.js';
import {
  type Destination,
  NextUpstream,
  type RequestPlan,
  type UpstreamSettings,
} from './upstream-settings.js';

const IDLE = 0;
/** Waits for the whole of the client's body. */
const READING_BODY = 1;
const CONNECTING = 2;
const AWAITING_HEAD = 3;
const RESPONDING = 4;
const TUNNELING = 5;

const NO_BYTES = Buffer.alloc(0);

const GATEWAY_ERROR = 502;
const GATEWAY_TIMEOUT = 504;
const UNAVAILABLE = 503;
const TOO_LARGE = 413;
const NOT_ALLOWED = 405;

/** What a status of an answer counts as, for those that may count as failures. */
const STATUS_FAILURES: ReadonlyMap<number, number> = new Map([
  [500, NextUpstream.http500],
  [502, NextUpstream.http502],
  [503, NextUpstream.http503],
  [504, NextUpstream.http504],
  [403, NextUpstream.http403],
  [404, NextUpstream.http404],
  [429, NextUpstream.http429],
]);

const NO_LIVE_UPSTREAMS = 'no live upstreams';

/** Stand in while nothing is served. */
const NO_REQUEST = null as unknown as HttpRequest;
const NO_SETTINGS = null as unknown as UpstreamSettings;
const NO_DESTINATION = null as unknown as Destination;
const NO_PLAN = null as unknown as RequestPlan;

/** A client that takes nothing for so long is a slow one. perf: others need no second place for what they get. */
const SPOOL_AFTER_MS = 100;

/** Kept for reuse; what a burst of requests needed beyond is left to the garbage collector. */
const MAX_SPARE = 1024;

const spare: UpstreamExchange[] = [];

/** Has the request answered by an upstream: a content handler's work. */
export function askUpstream(request: HttpRequest, settings: UpstreamSettings): Outcome | Promise<Outcome> {
  // security: an origin might take it, and its answer would be a tunnel that nobody here asked for.
  // differs from nginx: it passes CONNECT on like any method where something else in the server opens tunnels.
  if (request.method === 'CONNECT') return NOT_ALLOWED;
  const destination = settings.destination ?? settings.choose!(request);
  if (typeof destination === 'number') return destination;
  if (destination instanceof Promise) {
    const { turn } = request;
    return destination.then((chosen) => {
      if (typeof chosen === 'number') return chosen;
      return request.isOver || request.turn !== turn ? DONE : beginExchange(request, settings, chosen);
    });
  }
  return beginExchange(request, settings, destination);
}

function beginExchange(
  request: HttpRequest,
  settings: UpstreamSettings,
  destination: Destination,
  isUpdate = false,
): Outcome {
  const cacheUse = settings.cache === null ? null : cacheUseOf(request, settings, destination);
  if (typeof cacheUse === 'number') return cacheUse;
  if (cacheUse === null) startExchange(request, settings, destination, null);
  else {
    request.tries.beginExchange();
    cacheUse.look(startExchange, isUpdate ? null : updateInBackground);
  }
  return DONE;
}

/** Asks once more for the same, of which nobody gets the answer but the cache. */
function updateInBackground(
  request: HttpRequest,
  settings: UpstreamSettings,
  destination: Destination,
): void {
  startSubrequest(request, request.path, request.args, {
    body: 'none',
    isBackground: true,
    method: request.method,
    answer: (update) => beginExchange(update, settings, destination, true),
  });
}

function startExchange(
  request: HttpRequest,
  settings: UpstreamSettings,
  destination: Destination,
  cacheUse: CacheUse | null,
): void {
  const exchange = spare.pop() ?? new UpstreamExchange();
  exchange.start(request, settings, destination, cacheUse);
}

/** The upstream side of one request under way; reused from request to request. */
class UpstreamExchange implements UpstreamUser, Responder, BodyReceiver, DrainListener, PeerWaiter {
  private sender: UpstreamSender;
  private request: HttpRequest;
  private settings: UpstreamSettings;
  private plan: RequestPlan;
  /** Null where the answer is neither stored nor replaced by one that is. */
  private cacheUse: CacheUse | null;
  /** The answer as a file; null where it becomes none. */
  private copy: StoredCopy | null;
  private destination: Destination;
  /** Null where the upstream is asked without TLS. */
  private tls: UpstreamTls | null;
  private state: number;
  private upstream: UpstreamConnection | null;
  private peer: Peer | null;
  /** Where it waits for a peer; null while it doesn't. */
  private waitingRoom: WaitingRoom | null;
  /** Whether the client's body is passed on as it comes in. */
  private isStreaming: boolean;
  /** Of such a body, what came after the head. */
  private streamedBytes: number;
  /** Whether the response goes to the client as it is, past all filters. */
  private isTransparent: boolean;
  /** How a transparent response's body goes to the client. */
  private isResponseChunked: boolean;
  /** Whether what was read goes on at once, through filters too. */
  private flushesReads: boolean;
  /** The start of a response head that came in more than one read. */
  private heldHead: Buffer;
  /** When the first peer was asked. */
  private startedMs: number;
  /** What a slow client has yet to take; null while it is none. */
  private spool: ResponseSpool | null;
  /** When the head came of the answer that is used; -1 before. */
  private answeredMs: number;
  /** False once somebody may hold on to it longer than the exchange takes. */
  private isPoolable: boolean;

  constructor() {
    this.sender = new UpstreamSender();
    this.request = NO_REQUEST;
    this.settings = NO_SETTINGS;
    this.plan = NO_PLAN;
    this.cacheUse = null;
    this.copy = null;
    this.destination = NO_DESTINATION;
    this.tls = null;
    this.state = IDLE;
    this.upstream = null;
    this.peer = null;
    this.waitingRoom = null;
    this.isStreaming = false;
    this.streamedBytes = 0;
    this.isTransparent = false;
    this.isResponseChunked = false;
    this.flushesReads = false;
    this.heldHead = NO_BYTES;
    this.startedMs = 0;
    this.spool = null;
    this.answeredMs = -1;
    this.isPoolable = true;
  }

  get served(): Connection {
    return this.client.connection;
  }

  private get client(): ClientSide {
    return this.request.client;
  }

  /** Begins, as the request's responder. */
  start(
    request: HttpRequest,
    settings: UpstreamSettings,
    destination: Destination,
    cacheUse: CacheUse | null,
  ): void {
    this.request = request;
    this.settings = settings;
    this.plan = cacheUse === null ? settings.plan : cacheUse.plan;
    this.cacheUse = cacheUse;
    this.destination = destination;
    this.isStreaming = false;
    this.streamedBytes = 0;
    this.isTransparent = false;
    this.isResponseChunked = false;
    this.flushesReads = !settings.buffersResponse;
    this.spool = null;
    this.answeredMs = -1;
    request.responder = this;
    request.tries.beginExchange();
    if (destination.usesTls) {
      this.tls = settings.tls!(request, destination);
      if (this.tls === null) {
        this.refuse(500);
        return;
      }
    }
    this.takeBody();
  }

  /** Gets hold of the body that is to be sent, and goes on at once if it is at hand. */
  private takeBody(): void {
    const { request, sender, plan } = this;
    const { main } = request;
    if (!request.hasPayload || main.isPayloadSpent || main.isBodyRefused) {
      this.sendOwnBody();
      return;
    }
    const { client } = main;
    const { makesSubrequests, settings } = request.location;
    const { clientBodyInFileOnly, clientMaxBodySize } = settings;
    const isForwarded = plan.body === null && plan.passesBody;
    const { isChunked, contentLength } = main.head;
    const isWantedLater = request.context.keepsBodies || makesSubrequests;
    const isAtHand = main.payload === null && main.body.isComplete && !isWantedLater;
    if (isAtHand && clientBodyInFileOnly === 'off') {
      client.sendContinue();
      const { earlyBytes, earlyStart, earlyEnd } = client;
      const length = earlyEnd - earlyStart;
      if (isChunked && clientMaxBodySize > 0 && length > clientMaxBodySize) this.refuse(TOO_LARGE);
      else if (!isForwarded) this.sendOwnBody();
      else {
        const staysChunked = isChunked && !this.settings.buffersRequest && plan.versionMinor === 1;
        if (staysChunked) sender.begin(request, CHUNKED_BODY);
        else sender.begin(request, isChunked ? length : contentLength);
        this.askFirstPeer(earlyBytes, earlyStart, earlyEnd);
      }
      return;
    }
    const mayStream =
      main.payload === null && !main.body.isComplete && !this.settings.buffersRequest && isForwarded;
    if (mayStream && request.parent === null && (!isChunked || plan.versionMinor === 1)) {
      this.isStreaming = true;
      main.isPayloadSpent = true;
      TIMELINE.of(main)?.beginBody(this.startedMs);
      client.receiver = this;
      this.streamedBytes = client.earlyEnd - client.earlyStart;
      sender.beginStreaming(request);
      this.askFirstPeer(client.earlyBytes, client.earlyStart, client.earlyEnd);
      return;
    }
    this.state = READING_BODY;
    this.isPoolable = false;
    readBody(
      request,
      (status) => this.refuse(status),
      () => this.sendReadBody(isForwarded),
    );
  }

  private sendReadBody(isForwarded: boolean): void {
    if (this.state !== READING_BODY) return;
    if (!isForwarded) {
      this.sendOwnBody();
      return;
    }
    this.sendPayload(this.request.main.payload!);
  }

  /** The client's body is there, whole. */
  private sendPayload(payload: RequestBody): void {
    const { request, sender } = this;
    const { head } = request.main;
    if (payload.length === 0 && head.contentLength < 0 && !head.isChunked) sender.begin(request, NO_BODY);
    else sender.beginRead(request, payload);
    this.askFirstPeer(sender.held, 0, sender.held.length);
  }

  /** There is no body, or proxy_set_body's. */
  private sendOwnBody(): void {
    const { body } = this.plan;
    const bytes = body === null ? NO_BYTES : Buffer.from(body.evaluate(this.request), 'latin1');
    this.sender.begin(this.request, body === null ? NO_BODY : bytes.length);
    this.askFirstPeer(bytes, 0, bytes.length);
  }

  /** Nothing of a body is waited for: what may still come of it goes on as it comes. */
  private askFirstPeer(bytes: Buffer, start: number, end: number): void {
    this.startedMs = this.request.context.clock.nowMs();
    this.tryNextPeer(bytes, start, end);
  }

  /** More payload of the request; with the body complete this is its end. Whether nothing refers to `bytes` now. */
  onPayload(bytes: Buffer, start: number, end: number): boolean {
    const { upstream } = this;
    if (upstream === null || this.state === CONNECTING) return false;
    if (this.isTooLong(end - start)) {
      this.cutRequest();
      return false;
    }
    this.sender.sendBody(upstream, bytes, start, end, this.isBorrowed(bytes));
    this.noteUpstreamWritten(upstream);
    return !upstream.connection.hasPendingWrites;
  }

  /** Whether a body of a length that the head does not tell has gone beyond client_max_body_size. */
  private isTooLong(bytes: number): boolean {
    const { head, location } = this.request;
    const { clientMaxBodySize } = location.settings;
    this.streamedBytes += bytes;
    return head.isChunked && clientMaxBodySize > 0 && this.streamedBytes > clientMaxBodySize;
  }

  private cutRequest(): void {
    const what = `client intended to send too large chunked body: ${this.streamedBytes} bytes`;
    logErrorOf(this.request, 'error', what);
    this.request.tries.end(0);
    if (this.state === RESPONDING) this.breakOff();
    else this.refuse(TOO_LARGE);
  }

  /** The client, or a filter on the way to it, has taken all that waited. */
  onDrain(): void {
    const { upstream } = this;
    if (upstream === null || !upstream.connection.isReadingPaused) return;
    upstream.connection.resumeReading();
    this.armUpstreamDeadline(upstream);
  }

  /** The client is gone, or what it sends is no request, or a filter answers instead. */
  abort(): void {
    if (this.state === IDLE) return;
    this.request.tries.end(0);
    const { upstream, settings } = this;
    if (upstream !== null && (settings.ignoresClientAbort || this.isKeeping)) this.leaveUnwatched(upstream);
    this.leaveUpstream(false);
    this.release();
  }

  /** The upstream goes on without the client, if it has all of the request or can still get it. */
  private leaveUnwatched(upstream: UpstreamConnection): void {
    const { sender, state, settings } = this;
    if (state < CONNECTING || state > RESPONDING) return;
    let unsent: Unsent | null = null;
    if (!sender.isDone) {
      if (this.isStreaming) return;
      try {
        unsent = { sender, head: sender.detach(this.plan, this.destination, state !== CONNECTING) };
      } catch (error) {
        this.logError(
          'crit',
          `open() of the client request body failed (${describeSystemError(error as Error)})`,
        );
        return;
      }
      this.sender = new UpstreamSender();
    }
    this.request.isReusable = false;
    this.upstream = null;
    new UnwatchedAnswer(upstream, settings, this.handOverKeeper(), unsent);
  }

  /**
   * Whether what comes is being kept, whoever gets it. Not while a filter answers otherwise: then the start of the body
   * has not been kept.
   */
  private get isKeeping(): boolean {
    const { state, request, copy, cacheUse } = this;
    return (
      state === RESPONDING && request.isResponseStarted && (copy !== null || cacheUse?.isStoring === true)
    );
  }

  /** Who is to keep the rest of the answer; null for nobody. */
  private handOverKeeper(): AnswerKeeper | null {
    if (!this.isKeeping) return null;
    const keeper = this.copy ?? this.cacheUse;
    this.copy = null;
    this.cacheUse = null;
    return keeper;
  }

  onUpstreamConnect(): void {
    this.request.tries.connected();
    const body = this.sender.held;
    this.sendHead(body, 0, body.length, false);
  }

  onUpstreamBytes(bytes: Buffer, end: number): void {
    const upstream = this.upstream!;
    this.request.tries.received(end);
    if (this.sender.isDone) upstream.deadline.set(this.settings.readTimeoutMs);
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
    else this.failTry(NextUpstream.error, 'upstream prematurely closed connection');
  }

  onUpstreamDrain(): void {
    if (this.state < AWAITING_HEAD) return;
    const upstream = this.upstream!;
    if (!this.sender.isDone && !this.isStreaming) this.pumpBody(upstream);
    this.armUpstreamDeadline(upstream);
    if (!this.sender.isDone && this.isStreaming) this.client.resumeBody();
  }

  onUpstreamClose(error: NodeJS.ErrnoException | null): void {
    const reason = error === null ? '' : describeSystemError(error);
    if (error instanceof TlsError) this.failTry(NextUpstream.error, error.message);
    else if (this.state === CONNECTING && SHORTAGES.has(error?.code)) this.giveUp(reason);
    else if (this.state === CONNECTING) {
      const isTimeout = error?.code === 'ETIMEDOUT';
      this.failTry(isTimeout ? NextUpstream.timeout : NextUpstream.error, `connect() failed (${reason})`);
    } else if (error === null) this.failTry(NextUpstream.error, 'upstream prematurely closed connection');
    else this.failTry(NextUpstream.error, `recv() failed (${reason})`);
  }

  onUpstreamDeadline(): void {
    const { connection, deadline } = this.upstream!;
    if (this.state === RESPONDING && connection.isReadingPaused && !connection.hasPendingWrites)
      this.startSpool();
    else if (connection.hasPendingWrites && this.state !== CONNECTING && connection.hasSendProgress())
      deadline.set(this.settings.sendTimeoutMs);
    else this.failTry(NextUpstream.timeout, 'upstream timed out (110: Connection timed out)');
  }

  /** Chooses a peer that wasn't tried and begins to send; answers 502 when there is none and will be none. */
  private tryNextPeer(bytes: Buffer, start: number, end: number): void {
    const { group } = this.destination.target;
    const peer = group.pick(this.request.tries.failedPeers, this.request);
    if (peer !== null) this.askPeer(peer, bytes, start, end);
    else if (group.waitingRoom === null || !this.waitForPeer(group.waitingRoom, bytes, start, end))
      this.onNoPeer();
  }

  private askPeer(peer: Peer, bytes: Buffer, start: number, end: number): void {
    const { request } = this;
    this.peer = peer;
    request.tries.begin(peer.name);
    const idle = this.destination.target.pool.take(peer, this, this.place(), this.tls);
    if (idle !== null) {
      this.upstream = idle;
      request.tries.connected();
      this.sendHead(bytes, start, end, this.isBorrowed(bytes));
    } else this.connect(peer, bytes, start, end);
  }

  /** Has it wait until a peer can be had, if there is room for that. */
  private waitForPeer(room: WaitingRoom, bytes: Buffer, start: number, end: number): boolean {
    if (!room.enter(this)) return false;
    this.waitingRoom = room;
    this.sender.hold(bytes, start, end);
    this.state = CONNECTING;
    if (this.isStreaming && !this.request.body.isComplete) this.client.connection.pauseReading();
    return true;
  }

  /** For the waiting room. */
  tryPeer(): boolean {
    const { held } = this.sender;
    const peer = this.destination.target.group.pick(this.request.tries.failedPeers, this.request);
    if (peer === null) return false;
    this.leaveWaitingRoom();
    this.askPeer(peer, held, 0, held.length);
    return true;
  }

  private leaveWaitingRoom(): void {
    this.waitingRoom?.leave(this);
    this.waitingRoom = null;
  }

  /** No peer is left to be asked. */
  onNoPeer(): void {
    const { request } = this;
    const { name } = this.destination.target.group;
    this.waitingRoom = null;
    request.tries.begin(name);
    request.tries.end(GATEWAY_ERROR, NO_LIVE_UPSTREAMS);
    this.logError('error', NO_LIVE_UPSTREAMS, CONNECTING, name);
    if (!this.sendStored(NextUpstream.error)) this.refuse(GATEWAY_ERROR);
  }

  private connect(peer: Peer, bytes: Buffer, start: number, end: number): void {
    this.sender.hold(bytes, start, end);
    this.state = CONNECTING;
    if (this.isStreaming && !this.request.body.isComplete) this.client.connection.pauseReading();
    const { pool } = this.destination.target;
    this.upstream = pool.open(peer, this, this.place(), this.localAddress(), this.tls);
    this.upstream.deadline.set(this.settings.connectTimeoutMs);
  }

  /** Where connections are the same: those of other settings, or of another local address, aren't. */
  private place(): unknown {
    const { bind } = this.settings;
    return bind === null || bind.constant !== null ? this.settings : bind.evaluate(this.request);
  }

  private localAddress(): Address | null {
    const { bind } = this.settings;
    const text = bind === null ? '' : bind.evaluate(this.request);
    if (text === '') return null;
    const address = parseLocalAddress(text);
    if (address === null) logErrorOf(this.request, 'error', `invalid local address "${text}"`);
    return address;
  }

  private sendHead(bytes: Buffer, start: number, end: number, isBorrowed: boolean): void {
    const upstream = this.upstream!;
    const { plan } = this;
    const { nextUpstream } = this.settings;
    const mayBeRepeated = (nextUpstream & NextUpstream.nonIdempotent) !== 0;
    this.state = AWAITING_HEAD;
    try {
      this.sender.sendHead(upstream, plan, this.destination, bytes, start, end, isBorrowed, mayBeRepeated);
    } catch (error) {
      this.failReading(error as Error);
      return;
    }
    this.noteUpstreamWritten(upstream);
  }

  private pumpBody(upstream: UpstreamConnection): void {
    try {
      this.sender.pump(upstream);
    } catch (error) {
      this.failReading(error as Error);
    }
  }

  /** The request's body can't be read back from its file. */
  private failReading(error: NodeJS.ErrnoException): void {
    this.logError('crit', `read() of the client request body failed (${describeSystemError(error)})`);
    this.request.tries.end(0);
    if (this.state === RESPONDING) this.breakOff();
    else this.refuse(500);
  }

  /** Stops the client while the upstream doesn't take what was written. */
  private noteUpstreamWritten(upstream: UpstreamConnection): void {
    this.armUpstreamDeadline(upstream);
    if (this.sender.isDone || !this.isStreaming) return;
    if (upstream.connection.hasPendingWrites) this.client.connection.pauseReading();
    // Its reading stopped while a connection was made, or at the request before it in the same read.
    else this.client.resumeBody();
  }

  /** Sets how long the upstream may take for what is its turn. While the client holds it up nothing counts. */
  private armUpstreamDeadline({ connection, deadline }: UpstreamConnection): void {
    if (connection.hasPendingWrites) {
      connection.hasSendProgress(); // From now on.
      deadline.set(this.settings.sendTimeoutMs);
    } else if (this.sender.isDone && !connection.isReadingPaused) deadline.set(this.settings.readTimeoutMs);
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
        this.failTry(NextUpstream.invalidHeader, `upstream sent ${upstream.head.malformed!.reason}`);
        return;
      }
      if (upstream.head.status >= 200) {
        this.takeHead(upstream, bytes, after, end);
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
   * A 1xx: passed on to clients that can know it (RFC 9110 section 15.2), a 103 where early_hints says so.
   * differs from nginx: it takes any other but 103 for the answer itself.
   */
  private passInterim(upstream: UpstreamConnection): void {
    const { head } = upstream;
    const { request, client } = this;
    if (request.parent !== null || request.head.versionMinor === 0) return;
    if (head.status === 100 && !(this.isStreaming && client.noteContinue())) return;
    if (head.status === 103 && !passesHints(request)) return;
    client.connection.writeText(interimHead(head, this.settings.hidden));
    client.drainListener = this;
    this.noteDownstreamWritten(upstream);
  }

  /** The final head is there. Unless another peer is asked or the answer comes from elsewhere, it goes on. */
  private takeHead(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    const { request, settings, cacheUse } = this;
    const { head } = upstream;
    const { status } = head;
    if (head.duplicates !== null) {
      for (const line of head.duplicates)
        this.logError('warn', `upstream sent duplicate header line: ${line}, ignored`);
    }
    request.tries.gotHeader(status, head.fieldText);
    if (status >= 300) {
      const failure = STATUS_FAILURES.get(status);
      if (failure !== undefined && this.hasTriesLeft && this.mayAskAnother(failure)) {
        this.leaveForNext(
          upstream.peer,
          failure !== NextUpstream.http403 && failure !== NextUpstream.http404,
        );
        return;
      }
      if (cacheUse?.isStillRight(status)) {
        this.noteAnswer(upstream);
        cacheUse.noteStillRight(head);
        this.leaveForStored(upstream, bytes, start, end);
        cacheUse.serve('REVALIDATED');
        return;
      }
      if (failure !== undefined && cacheUse?.maySendStale(failure)) {
        this.destination.target.group.noteSuccess(upstream.peer);
        this.leaveForStored(upstream, bytes, start, end);
        cacheUse.serve('STALE');
        return;
      }
      if (settings.interceptsErrors && request.location.settings.errorPages.has(status)) {
        if (status === 401) copyChallenges(request, upstream);
        cacheUse?.noteError(status, head);
        this.destination.target.group.noteSuccess(upstream.peer);
        this.dismiss(upstream, bytes, start, end);
        this.release();
        finalize(request, status);
        return;
      }
    }
    const mustLook = cacheUse !== null || needsOwnResponse(request, head, settings);
    if (mustLook) {
      const redirect = answerByFields(request, head, settings);
      if (redirect !== null) {
        this.noteAnswer(upstream);
        this.dismiss(upstream, bytes, start, end);
        this.release();
        redirect();
        return;
      }
    }
    this.startResponse(upstream, bytes, start, end, !mustLook);
  }

  /** What is stored is the answer instead of the one that has begun. */
  private leaveForStored(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    this.cacheUse = null;
    this.dismiss(upstream, bytes, start, end);
    this.release();
  }

  private startResponse(
    upstream: UpstreamConnection,
    bytes: Buffer,
    start: number,
    end: number,
    isTransparent: boolean,
  ): void {
    const { request, client } = this;
    const { head } = upstream;
    const after = this.startBody(upstream, bytes, start, end);
    if (after === MALFORMED) {
      this.failTry(NextUpstream.invalidHeader, `upstream sent ${upstream.body.reason}`);
      return;
    }
    this.noteAnswer(upstream);
    if (request.parent === null) {
      // Then the request's body may come or not, and only a close tells what follows from a request: say so.
      const isEarlyEnd = upstream.body.isComplete || client.awaitsContinue;
      if (isEarlyEnd && !request.body.isComplete) request.keepsAlive = false;
      client.noteContinue();
    }
    this.state = RESPONDING;
    this.isTransparent = isTransparent;
    if (isTransparent) this.startTransparent(upstream, bytes, end - after);
    else {
      fillResponse(request, head, this.settings, upstream.body.kind);
      this.cacheUse?.take(head);
      if (this.settings.store !== null) this.startCopy(this.settings.store, head);
      this.flushesReads = isFlushedAtOnce(head, this.settings);
      if (this.flushesReads) request.limitRate = 0;
      this.isPoolable = false;
      // A filter that answers instead has had this aborted.
      if (!sendHead(request)) return;
      request.output.source = this;
      this.limitReading();
      this.passBody(upstream, bytes, end - after, true);
    }
  }

  /** proxy_store: the body becomes a file too. */
  private startCopy(store: StoreSettings, head: ResponseHead): void {
    if (head.status !== 200 || this.isHead) return;
    this.copy = new StoredCopy(this.request, store, head.fields.valueOf(FieldId.lastModified));
  }

  /** proxy_limit_rate: what goes on no faster is read no faster. */
  private limitReading(): void {
    const { request, settings } = this;
    const rate = settings.limitRate === null || this.flushesReads ? 0 : bytesOf(settings.limitRate, request);
    if (rate === 0) return;
    const limiter = new RateLimiter(request, rate, 0, request.context.clock.nowMs());
    limiter.next = request.output;
    limiter.source = this;
    request.output.source = limiter;
    request.output = limiter;
  }

  /** Begins with the body of a response and takes what has come of it. As BodyDecoder.decode. */
  private startBody(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): number {
    const { head, body } = upstream;
    let kind: number = BodyKind.untilClose;
    if (this.isHead || head.status === 204 || head.status === 304) kind = BodyKind.none;
    else if (head.isChunked) kind = BodyKind.chunked;
    else if (head.contentLength >= 0) kind = BodyKind.length;
    body.start(kind, head.contentLength);
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

  /** The peer has answered, and its answer is used. */
  private noteAnswer(upstream: UpstreamConnection): void {
    const { group } = this.destination.target;
    this.answeredMs = this.request.tries.headerMs;
    group.noteSuccess(upstream.peer);
    group.noteHeader(upstream.peer, this.request, this.answeredMs);
  }

  private startTransparent(upstream: UpstreamConnection, bytes: Buffer, extraBytes: number): void {
    const { request, client } = this;
    const { head, body } = upstream;
    const isLengthUnknown = body.kind === BodyKind.chunked || body.kind === BodyKind.untilClose;
    const mayChunk = request.head.versionMinor === 1 && request.location.settings.chunkedTransferEncoding;
    this.isResponseChunked = isLengthUnknown && mayChunk;
    request.isResponseUntilClose = isLengthUnknown && !mayChunk;
    if (request.isResponseUntilClose) request.keepsAlive = false;
    request.status = head.status;
    request.response.status = head.status;
    request.response.isHeadOnly = body.kind === BodyKind.none;
    request.response.contentLength = head.contentLength;
    request.isResponseStarted = true;
    client.drainListener = this;
    const text = downstreamResponseHead(request, head, this.settings, this.isResponseChunked);
    request.headBytes = text.length;
    this.passTransparently(upstream, text, bytes, extraBytes);
  }

  /** More of the response's body. */
  private readBody(upstream: UpstreamConnection, bytes: Buffer, end: number): void {
    const { body } = upstream;
    const after = body.decode(bytes, 0, end);
    if (after === MALFORMED) {
      this.failTry(NextUpstream.error, `upstream sent ${body.reason}`);
      return;
    }
    this.request.tries.gotBody(body.payloadEnd - body.payloadStart);
    if (this.isTransparent) this.passTransparently(upstream, '', bytes, end - after);
    else this.passBody(upstream, bytes, end - after, false);
  }

  /** Passes on what was decoded of the response's body, behind `before`; `extraBytes` came behind its end. */
  private passTransparently(
    upstream: UpstreamConnection,
    before: string,
    bytes: Buffer,
    extraBytes: number,
  ): void {
    const { body } = upstream;
    const { request } = this;
    const tail = body.isComplete && this.isResponseChunked ? chunkedEnd(this.passedTrailers(upstream)) : '';
    const length = body.payloadEnd - body.payloadStart;
    request.bytesSent += before.length + length + tail.length;
    if (this.isResponseChunked && length > 0) request.bytesSent += length.toString(16).length + 4;
    writeMessage(
      this.client.connection,
      before,
      bytes,
      body.payloadStart,
      body.payloadEnd,
      this.isResponseChunked,
      tail,
      !upstream.connection.ownsBytes(bytes),
    );
    if (body.isComplete) this.finish(upstream, extraBytes);
    else this.noteDownstreamWritten(upstream);
  }

  private passedTrailers({ body }: UpstreamConnection): typeof body.trailers {
    return this.settings.passesTrailers ? body.trailers : null;
  }

  /** The same through the filters. `isFirst`: the head has yet to go out, with or without payload. */
  private passBody(upstream: UpstreamConnection, bytes: Buffer, extraBytes: number, isFirst: boolean): void {
    const { body } = upstream;
    const { output } = this.request;
    const hasPayload = body.payloadEnd > body.payloadStart;
    if (hasPayload) {
      const payload = bytes.subarray(body.payloadStart, body.payloadEnd);
      this.cacheUse?.write(payload);
      this.copy?.write(payload);
      output.write(payload, true);
    }
    if (this.upstream !== upstream) return;
    if (body.isComplete) {
      this.finish(upstream, extraBytes);
      return;
    }
    // A head that no payload goes with must not wait for one.
    const isHeadAlone = isFirst && (!hasPayload || this.request.response.isHeadOnly);
    if (isHeadAlone || (hasPayload && this.flushesReads)) output.flush();
    if (this.upstream === upstream && output.isBlocked) this.holdUp(upstream);
  }

  /** The client is slower than the upstream. */
  private holdUp(upstream: UpstreamConnection): void {
    upstream.connection.pauseReading();
    const maySpool =
      this.spool === null &&
      this.state === RESPONDING &&
      this.settings.buffersResponse &&
      this.settings.limitRate === null &&
      !this.flushesReads &&
      this.sender.isDone;
    if (maySpool) upstream.deadline.set(SPOOL_AFTER_MS);
    else this.armUpstreamDeadline(upstream);
  }

  /** It goes on being slower: from now on the answer is read ahead of it. */
  private startSpool(): void {
    const { request, settings } = this;
    const { connection } = this.upstream!;
    const spool = new ResponseSpool(request, settings);
    const end = this.isTransparent ? new ClientPayloadSink(request, this.isResponseChunked) : request.output;
    spool.next = end;
    end.source = spool;
    spool.source = this;
    request.output = spool;
    this.spool = spool;
    this.isTransparent = false;
    this.isPoolable = false;
    // The client's connection still writes from the buffer that was read into.
    connection.renewBuffer();
    connection.resumeReading();
    this.armUpstreamDeadline(this.upstream!);
  }

  /** Stops the upstream while the client doesn't take what was written. */
  private noteDownstreamWritten(upstream: UpstreamConnection): void {
    const { client } = this;
    if (client.connection.hasPendingWrites) this.holdUp(upstream);
    client.noteWritten();
  }

  /** The response has been passed on whole. `extraBytes` came behind it. */
  private finish(upstream: UpstreamConnection, extraBytes: number): void {
    const { request, client, isTransparent } = this;
    const { body } = upstream;
    request.tries.end(0);
    this.cacheUse?.complete();
    this.copy?.complete();
    if (body.trailers !== null) {
      request.tries.responseTrailer = body.trailers.text;
      if (this.settings.passesTrailers) fillTrailers(request, body.trailers);
    }
    if (extraBytes > 0) this.logError('warn', `upstream sent ${extraBytes} bytes more than its response`);
    this.leaveUpstream(this.canReuse(upstream, extraBytes));
    this.release();
    if (isTransparent) {
      request.isResponseComplete = true;
      client.endResponse();
    } else request.output.end();
  }

  /** Nobody wants the response behind its head. */
  private dismiss(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    const after = this.startBody(upstream, bytes, start, end);
    this.request.tries.end(0);
    const isWhole = after !== MALFORMED && upstream.body.isComplete;
    this.leaveUpstream(isWhole && this.canReuse(upstream, end - after));
  }

  private canReuse(upstream: UpstreamConnection, extraBytes: number): boolean {
    const { head, body, connection } = upstream;
    const isPersistent = head.versionMinor === 1 ? !head.connection.hasClose : head.connection.hasKeepAlive;
    // security: should the body come that a 204 has not, it would be read as the answer to another client.
    const mayHaveMore = head.status === 204 && (head.isChunked || head.contentLength > 0);
    return (
      isPersistent &&
      extraBytes === 0 &&
      !mayHaveMore &&
      body.kind !== BodyKind.untilClose &&
      this.sender.isDone &&
      !connection.isEnded &&
      !connection.hasPendingWrites
    );
  }

  private endAtClose(upstream: UpstreamConnection): void {
    if (!upstream.body.endAtClose()) {
      this.failTry(NextUpstream.error, 'upstream prematurely closed connection');
      return;
    }
    if (this.isTransparent && this.isResponseChunked) {
      const end = chunkedEnd(null);
      this.request.bytesSent += end.length;
      this.client.connection.writeText(end);
    }
    this.finish(upstream, 0);
  }

  private switchProtocols(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    const { request, client, settings } = this;
    if (request.parent !== null || request.head.upgrade === '' || !this.sender.isDone) {
      this.failTry(NextUpstream.invalidHeader, 'upstream switched protocols unasked');
      return;
    }
    request.tries.gotHeader(101, upstream.head.fieldText);
    request.status = 101;
    request.response.status = 101;
    request.isResponseStarted = true;
    request.keepsAlive = false;
    this.noteAnswer(upstream);
    this.cacheUse?.end();
    this.cacheUse = null;
    const head = switchingHead(request, upstream.head, settings);
    request.headBytes = head.length;
    request.bytesSent += head.length;
    client.connection.writeText(head);
    this.state = TUNNELING;
    this.upstream = null;
    client.startTunnel(upstream, settings.readTimeoutMs, bytes, start, end);
  }

  /** Whether there is another peer to be asked, and next_upstream_tries lets it. */
  private get hasTriesLeft(): boolean {
    const { nextUpstreamTries } = this.settings;
    const { failedPeers } = this.request.tries;
    if (nextUpstreamTries !== 0 && failedPeers.length + 1 >= nextUpstreamTries) return false;
    return this.destination.target.group.hasOther(this.upstream!.peer, failedPeers);
  }

  /** Whether the request may go to another peer, or once more to the same, after such a failure. */
  private mayAskAnother(failure: number): boolean {
    const { nextUpstream, nextUpstreamTimeoutMs } = this.settings;
    const { request } = this;
    const wasSent = this.state >= AWAITING_HEAD;
    const mask = wasSent && !isIdempotent(request.method) ? failure | NextUpstream.nonIdempotent : failure;
    if ((nextUpstream & mask) !== mask || (wasSent && !this.sender.canRepeat)) return false;
    return (
      nextUpstreamTimeoutMs === 0 || request.context.clock.nowMs() - this.startedMs < nextUpstreamTimeoutMs
    );
  }

  /** Goes on to the next peer. `hasFailed`: the one under way is to blame. */
  private leaveForNext(peer: Peer, hasFailed: boolean): void {
    const { tries } = this.request;
    const { held } = this.sender;
    tries.end(0);
    if (hasFailed) this.destination.target.group.noteFailure(peer);
    tries.exclude(peer);
    this.leaveUpstream(false);
    this.tryNextPeer(held, 0, held.length);
  }

  /**
   * The try under way is over without a whole response: says so in the log, then goes on with another connection where
   * that is safe, answers with an error, or breaks the response off if it has begun.
   */
  private failTry(failure: number, message: string): void {
    const { request } = this;
    const { tries } = request;
    const upstream = this.upstream!;
    const { peer } = upstream;
    const status = failure === NextUpstream.timeout ? GATEWAY_TIMEOUT : GATEWAY_ERROR;
    this.logError('error', message);
    tries.end(status, message);
    if (this.state === RESPONDING) {
      this.breakOff();
      return;
    }
    const isStale = upstream.isReused && failure === NextUpstream.error && this.heldHead.length === 0;
    if (isStale && this.mayAskAnother(failure)) {
      // A kept connection that the peer closed meanwhile says nothing of the peer: it gets a fresh one.
      const { held } = this.sender;
      this.closeUpstream();
      tries.begin(peer.name);
      this.connect(peer, held, 0, held.length);
    } else if (this.hasTriesLeft && this.mayAskAnother(failure)) this.leaveForNext(peer, true);
    else {
      if (!isStale) this.destination.target.group.noteFailure(peer);
      if (!this.sendStored(failure)) this.refuse(status);
    }
  }

  /** The try failed for a reason of ours. */
  private giveUp(why: string): void {
    const failure = `connect() failed (${why})`;
    this.logError('crit', failure);
    this.request.tries.end(UNAVAILABLE, failure);
    this.refuse(UNAVAILABLE);
  }

  /** What is stored is the answer where the upstream gives none; false if it may not be. */
  private sendStored(failure: number): boolean {
    const { cacheUse } = this;
    if (cacheUse === null || !cacheUse.maySendStale(failure)) return false;
    this.cacheUse = null;
    this.leaveUpstream(false);
    this.release();
    cacheUse.serve('STALE');
    return true;
  }

  /** The request is answered with an error. */
  private refuse(status: number): void {
    const { request } = this;
    if (status === GATEWAY_ERROR || status === GATEWAY_TIMEOUT) this.cacheUse?.noteError(status, null);
    this.leaveUpstream(false);
    this.release();
    finalize(request, status);
  }

  /** The response has begun and can't be completed. */
  private breakOff(): void {
    const { request, spool } = this;
    this.leaveUpstream(false);
    this.release();
    if (spool === null) finalize(request, GATEWAY_ERROR);
    else spool.breakOff();
  }

  /** Ends the use of the upstream: its connection goes back to the pool or is closed. */
  private leaveUpstream(canReuse: boolean): void {
    const { upstream, peer, request } = this;
    const { group, pool } = this.destination.target;
    this.leaveWaitingRoom();
    if (peer !== null) {
      group.release(peer, request, this.answeredMs, request.tries.elapsedMs);
      if (peer.stats !== null) request.tries.report(peer.stats, this.answeredMs);
    }
    this.peer = null;
    if (!canReuse || upstream === null) {
      this.closeUpstream();
      return;
    }
    this.state = IDLE;
    this.upstream = null;
    // What the client has not taken yet lies in the buffer this connection read it into.
    if (this.client.connection.hasPendingWrites) upstream.connection.renewBuffer();
    pool.put(upstream);
  }

  private closeUpstream(): void {
    this.state = IDLE;
    this.heldHead = NO_BYTES;
    const { upstream } = this;
    this.upstream = null;
    if (upstream === null) return;
    upstream.destroy();
    if (!this.client.connection.hasPendingWrites) upstream.connection.releaseBuffer();
  }

  /** It is over: lets go of the request, and may serve another one. Nothing of `this` is used behind it. */
  private release(): void {
    const { client, request } = this;
    if (client.receiver === this) client.receiver = null;
    if (client.drainListener === this) client.drainListener = null;
    if (request.responder === this) request.responder = null;
    this.sender.reset();
    this.cacheUse?.end();
    this.cacheUse = null;
    this.copy?.end();
    this.copy = null;
    this.request = NO_REQUEST;
    this.settings = NO_SETTINGS;
    this.plan = NO_PLAN;
    this.destination = NO_DESTINATION;
    this.tls = null;
    if (this.isPoolable && spare.length < MAX_SPARE) spare.push(this);
  }

  private isBorrowed(bytes: Buffer): boolean {
    return !this.client.connection.ownsBytes(bytes);
  }

  private logError(level: LogLevel, message: string, state = this.state, name = this.peer?.name ?? ''): void {
    const { request, plan, destination } = this;
    logUpstreamError(request, level, `${message} while ${this.doing(state)}`, name, plan, destination);
  }

  private doing(state: number): string {
    if (state === AWAITING_HEAD && !this.sender.isDone) return DOING[SENDING]!;
    const isHandshaking = state === CONNECTING && this.upstream?.connection.isHandshaking === true;
    return DOING[isHandshaking ? HANDSHAKING : state]!;
  }
}

const SENDING = 6;
const HANDSHAKING = 7;

/** What is going on, by state, as nginx says it. */
const DOING: readonly string[] = [
  'connecting to upstream',
  'reading client request body',
  'connecting to upstream',
  'reading response header from upstream',
  'reading upstream',
  'proxying upgraded connection',
  'sending request to upstream',
  'SSL handshaking to upstream',
];

function passesHints(request: HttpRequest): boolean {
  const { earlyHints } = request.location.settings;
  return earlyHints !== null && !request.isPostAction && isAny(earlyHints, request);
}

/** What asks for credentials goes along with an error page of ours. */
function copyChallenges(request: HttpRequest, { head }: UpstreamConnection): void {
  const { fields } = head;
  for (let i = 0; i < fields.count; i++) {
    if (fields.name(i).toLowerCase() === 'www-authenticate')
      request.response.fields.add('WWW-Authenticate', fields.value(i));
  }
}
