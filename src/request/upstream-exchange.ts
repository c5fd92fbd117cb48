/*
 * One request answered by an upstream, over as many tries as it takes: gets hold of the request's body, chooses peers,
 * and decides what each answer and each failure means: the response, another try, what is stored, or an error. Neither
 * side gets ahead of the other: whoever writes faster than it is read is stopped.
 */
import { MALFORMED } from '../http/h1/malformed.js';
import type { Connection } from '../net/connection.js';
import type { Peer } from '../upstream/peer.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import type { PeerWaiter, WaitingRoom } from '../upstream/waiting-room.js';
import type { DrainListener } from './body-sink.js';
import type { CacheUse } from './cache-use.js';
import type { BodyReceiver, ClientSide } from './client-side.js';
import { logErrorOf } from './error-line.js';
import { interimHead, switchingHead } from './forwarded-head.js';
import type { HttpRequest, Responder } from './http-request.js';
import { finalize } from './lifecycle.js';
import {
  failureOfStatus,
  hasTriesLeft,
  isPeerToBlame,
  maySendAgain,
  statusOfFailure,
} from './next-upstream.js';
import { passesPayload, payloadSourceOf } from './payload-source.js';
import { PeerTry, type TryOwner } from './peer-try.js';
import { readBody } from './request-body.js';
import { ResponsePipe } from './response-pipe.js';
import { TIMELINE } from './timeline.js';
import { logUpstreamError } from './upstream-error.js';
import { answerByFields, copyChallenges, needsOwnResponse, passesInterim } from './upstream-response.js';
import {
  type Destination,
  NextUpstream,
  type RequestPlan,
  type UpstreamSettings,
} from './upstream-settings.js';

const INTERNAL_ERROR = 500;
const GATEWAY_ERROR = 502;
const GATEWAY_TIMEOUT = 504;
const TOO_LARGE = 413;

const NO_LIVE_UPSTREAMS = 'no live upstreams';

/** Stand in while nothing is served. */
const NO_REQUEST = null as unknown as HttpRequest;
const NO_SETTINGS = null as unknown as UpstreamSettings;
const NO_DESTINATION = null as unknown as Destination;
const NO_PLAN = null as unknown as RequestPlan;

/** Kept for reuse; what a burst of requests needed beyond is left to the garbage collector. */
const MAX_SPARE = 1024;

const spare: UpstreamExchange[] = [];

/** Has the request answered from there. `cacheUse`: what has found no answer stored; null where none is. */
export function startExchange(
  request: HttpRequest,
  settings: UpstreamSettings,
  destination: Destination,
  cacheUse: CacheUse | null,
): void {
  const exchange = spare.pop() ?? new UpstreamExchange();
  exchange.start(request, settings, destination, cacheUse);
}

/** The upstream side of one request under way; reused from request to request. */
class UpstreamExchange implements TryOwner, Responder, BodyReceiver, DrainListener, PeerWaiter {
  private readonly peerTry: PeerTry;
  private readonly pipe: ResponsePipe;
  private request: HttpRequest;
  private settings: UpstreamSettings;
  private plan: RequestPlan;
  /** Null where the answer is neither stored nor replaced by one that is. */
  private cacheUse: CacheUse | null;
  private destination: Destination;
  /** Where it waits for a peer; null while it doesn't. */
  private waitingRoom: WaitingRoom | null;
  /** Of a body that is passed on as it comes in, what has come. */
  private streamedBytes: number;
  /** When the first peer was asked. */
  private startedMs: number;
  /** False once somebody may hold on to it longer than the exchange takes. */
  private isPoolable: boolean;

  constructor() {
    this.peerTry = new PeerTry(this);
    this.pipe = new ResponsePipe(this);
    this.request = NO_REQUEST;
    this.settings = NO_SETTINGS;
    this.plan = NO_PLAN;
    this.cacheUse = null;
    this.destination = NO_DESTINATION;
    this.waitingRoom = null;
    this.streamedBytes = 0;
    this.startedMs = 0;
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
    const tls = destination.usesTls ? settings.tls!(request, destination) : null;
    this.request = request;
    this.settings = settings;
    this.plan = cacheUse === null ? settings.plan : cacheUse.plan;
    this.cacheUse = cacheUse;
    this.destination = destination;
    this.streamedBytes = 0;
    request.responder = this;
    request.tries.beginExchange();
    this.peerTry.begin(request, settings, this.plan, destination, tls);
    this.pipe.begin(request, settings);
    if (destination.usesTls && tls === null) this.refuse(INTERNAL_ERROR);
    else this.takeBody();
  }

  // --- the request's body ---------------------------------------------------------------------------

  /** Gets hold of the body that is to be sent, and goes on at once if it is at hand. */
  private takeBody(): void {
    const { request, plan, settings } = this;
    const { main } = request;
    const { client } = main;
    const { sender } = this.peerTry;
    const source = payloadSourceOf(request, settings, plan);
    switch (source) {
      case 'own':
        sender.beginOwn(request, plan.body);
        break;
      case 'early':
        client.intake.sendContinue();
        sender.beginEarly(
          request,
          main.head.isChunked && !settings.buffersRequest && plan.versionMinor === 1,
        );
        break;
      case 'unused':
        client.intake.sendContinue();
        sender.beginOwn(request, plan.body);
        break;
      case 'streamed':
        main.isPayloadSpent = true;
        TIMELINE.of(main)?.beginBody(request.context.clock.nowMs());
        client.intake.receiver = this;
        this.streamedBytes = client.intake.earlyEnd - client.intake.earlyStart;
        sender.beginStreaming(request);
        break;
      case 'read':
        this.readWhole();
        return;
      default:
        client.intake.sendContinue();
        this.refuse(source);
        return;
    }
    this.askFirstPeer();
  }

  /** The client's body is read to its end first. */
  private readWhole(): void {
    const { request, plan } = this;
    this.isPoolable = false;
    readBody(
      request,
      (status) => this.refuse(status),
      () => {
        if (this.request !== request) return;
        const { sender } = this.peerTry;
        if (passesPayload(plan)) sender.beginRead(request, request.main.payload!);
        else sender.beginOwn(request, plan.body);
        this.askFirstPeer();
      },
    );
  }

  /** More payload of the request; with the body complete this is its end. Whether nothing refers to `bytes` now. */
  onPayload(bytes: Buffer, start: number, end: number): boolean {
    if (!this.peerTry.isSending) return false;
    if (this.isTooLong(end - start)) {
      this.cutRequest();
      return false;
    }
    return this.peerTry.sendBody(bytes, start, end);
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
    this.onTrouble(TOO_LARGE);
  }

  // --- peers ----------------------------------------------------------------------------------------

  /** Nothing of the body is waited for: what may still come of it goes on as it comes. */
  private askFirstPeer(): void {
    this.startedMs = this.request.context.clock.nowMs();
    this.askNextPeer();
  }

  /** Asks a peer that wasn't asked yet, now or as soon as there is one; answers 502 when there will be none. */
  private askNextPeer(): void {
    const { waitingRoom } = this.destination.target.group;
    if (this.tryPeer()) return;
    if (waitingRoom === null || !waitingRoom.enter(this)) {
      this.onNoPeer();
      return;
    }
    this.waitingRoom = waitingRoom;
    this.peerTry.keepPayload();
  }

  /** For the waiting room too. */
  tryPeer(): boolean {
    const peer = this.destination.target.group.pick(this.request.tries.failedPeers, this.request);
    if (peer === null) return false;
    this.leaveWaitingRoom();
    this.peerTry.ask(peer);
    return true;
  }

  private leaveWaitingRoom(): void {
    this.waitingRoom?.leave(this);
    this.waitingRoom = null;
  }

  /** No peer is left to be asked. */
  onNoPeer(): void {
    const { request, plan, destination } = this;
    const { name } = destination.target.group;
    this.waitingRoom = null;
    request.tries.begin(name);
    request.tries.end(GATEWAY_ERROR, NO_LIVE_UPSTREAMS);
    const what = `${NO_LIVE_UPSTREAMS} while connecting to upstream`;
    logUpstreamError(request, 'error', what, name, plan, destination);
    if (!this.sendStored(NextUpstream.error)) this.refuse(GATEWAY_ERROR);
  }

  private get hasTriesLeft(): boolean {
    const { settings, request, destination, peerTry } = this;
    return hasTriesLeft(settings, request, destination.target.group, peerTry.peer!);
  }

  /** Whether the request may go to another peer, or once more to the same, after such a failure. */
  private maySendAgain(failure: number): boolean {
    const { wasSent, sender } = this.peerTry;
    if (wasSent && !sender.canRepeat) return false;
    return maySendAgain(this.settings, this.request, failure, this.startedMs, wasSent);
  }

  /** Goes on to the next peer. `hasFailed`: this one is to blame. */
  private leaveForNext(peer: Peer, hasFailed: boolean): void {
    const { tries } = this.request;
    tries.end(0);
    if (hasFailed) this.destination.target.group.noteFailure(peer);
    tries.exclude(peer);
    this.peerTry.leave();
    this.askNextPeer();
  }

  /** The try under way is over: another one where that is safe, else an error, or a response that breaks off. */
  onFailure(failure: number): void {
    const { peerTry } = this;
    if (peerTry.isReadingBody) {
      this.breakOff();
      return;
    }
    const peer = peerTry.peer!;
    // A kept connection that the peer closed meanwhile says nothing of the peer: it gets a fresh one.
    const isStale = failure === NextUpstream.error && peerTry.isStale;
    if (isStale && this.maySendAgain(failure)) peerTry.askAgain();
    else if (this.hasTriesLeft && this.maySendAgain(failure)) this.leaveForNext(peer, true);
    else {
      if (!isStale) this.destination.target.group.noteFailure(peer);
      if (!this.sendStored(failure)) this.refuse(statusOfFailure(failure));
    }
  }

  onTrouble(status: number): void {
    if (this.peerTry.isReadingBody) this.breakOff();
    else this.refuse(status);
  }

  // --- the answer -----------------------------------------------------------------------------------

  onInterim(upstream: UpstreamConnection): void {
    const { head } = upstream;
    const { request, client } = this;
    if (!passesInterim(request, head.status)) return;
    if (head.status === 100 && !(this.peerTry.sender.isStreaming && client.intake.noteContinue())) return;
    client.connection.writeText(interimHead(head, this.settings.hidden));
    client.drainListener = this;
    if (client.connection.hasPendingWrites) this.peerTry.holdUp(false);
    client.noteWritten();
  }

  /** Unless another peer is asked or the answer comes from elsewhere, this one goes on. */
  onHead(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    const { request, settings, cacheUse, peerTry } = this;
    const { head } = upstream;
    const { status } = head;
    if (status === 101) {
      this.switchProtocols(upstream, bytes, start, end);
      return;
    }
    if (head.duplicates !== null) {
      for (const line of head.duplicates)
        peerTry.logError('warn', `upstream sent duplicate header line: ${line}, ignored`);
    }
    request.tries.gotHeader(status, head.fieldText);
    if (status >= 300 && this.replaceAnswer(upstream, bytes, start, end)) return;
    const mustLook = cacheUse !== null || needsOwnResponse(request, head, settings);
    if (mustLook) {
      const redirect = answerByFields(request, head, settings);
      if (redirect !== null) {
        peerTry.noteAnswer();
        peerTry.dismiss(upstream, bytes, start, end);
        this.release();
        redirect();
        return;
      }
    }
    this.startResponse(upstream, bytes, start, end, !mustLook);
  }

  /** Has another answer be given in the place of one with such a status, if there is one. */
  private replaceAnswer(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): boolean {
    const { request, settings, cacheUse, peerTry } = this;
    const { group } = this.destination.target;
    const { head } = upstream;
    const { status } = head;
    const failure = failureOfStatus(status);
    if (failure !== undefined && this.hasTriesLeft && this.maySendAgain(failure)) {
      this.leaveForNext(upstream.peer, isPeerToBlame(failure));
      return true;
    }
    if (cacheUse?.isStillRight(status)) {
      peerTry.noteAnswer();
      cacheUse.noteStillRight(head);
      this.cacheUse = null;
      peerTry.dismiss(upstream, bytes, start, end);
      this.release();
      cacheUse.serve('REVALIDATED');
      return true;
    }
    if (failure !== undefined && cacheUse?.maySendStale(failure)) {
      group.noteSuccess(upstream.peer);
      this.cacheUse = null;
      peerTry.dismiss(upstream, bytes, start, end);
      this.release();
      cacheUse.serve('STALE');
      return true;
    }
    if (!settings.interceptsErrors || !request.location.settings.errorPages.has(status)) return false;
    if (status === 401) copyChallenges(request, head);
    cacheUse?.noteError(status, head);
    group.noteSuccess(upstream.peer);
    peerTry.dismiss(upstream, bytes, start, end);
    this.release();
    finalize(request, status);
    return true;
  }

  private startResponse(
    upstream: UpstreamConnection,
    bytes: Buffer,
    start: number,
    end: number,
    isTransparent: boolean,
  ): void {
    const { request, client, pipe } = this;
    const after = this.peerTry.beginBody(upstream, bytes, start, end);
    if (after === MALFORMED) return;
    this.peerTry.noteAnswer();
    if (request.parent === null) {
      // Then the request's body may come or not, and only a close tells what follows from a request: say so.
      const isEarlyEnd = upstream.body.isComplete || client.intake.awaitsContinue;
      if (isEarlyEnd && !request.body.isComplete) request.keepsAlive = false;
      client.intake.noteContinue();
    }
    if (isTransparent) pipe.passAsIs(upstream, bytes);
    else {
      this.isPoolable = false;
      if (!pipe.passThroughFilters(upstream, this.cacheUse)) return;
      pipe.write(upstream, bytes);
    }
    this.afterRead(upstream, end - after, true);
  }

  onBody(upstream: UpstreamConnection, bytes: Buffer, extraBytes: number): void {
    this.pipe.write(upstream, bytes);
    this.afterRead(upstream, extraBytes, false);
  }

  /** What came was passed on: ends, or stops the upstream while the client doesn't take it. */
  private afterRead(upstream: UpstreamConnection, extraBytes: number, isFirst: boolean): void {
    const { pipe, peerTry } = this;
    if (peerTry.upstream !== upstream) return;
    if (upstream.body.isComplete) {
      this.finish(upstream, extraBytes);
      return;
    }
    pipe.afterRead(upstream, isFirst);
    if (peerTry.upstream === upstream && pipe.isBlocked) peerTry.holdUp(pipe.maySpool);
  }

  onBodyEnd(upstream: UpstreamConnection): void {
    this.pipe.writeEnd();
    this.finish(upstream, 0);
  }

  /** The client, or a filter on the way to it, has taken all that waited. */
  onDrain(): void {
    this.peerTry.goOn();
  }

  /** From now on the answer is read ahead of the client. */
  onSlowClient(): void {
    this.isPoolable = false;
    this.pipe.startSpool();
    // The client's connection still writes from the buffer that was read into.
    this.peerTry.upstream!.connection.renewBuffer();
    this.peerTry.goOn();
  }

  private switchProtocols(upstream: UpstreamConnection, bytes: Buffer, start: number, end: number): void {
    const { request, client, settings, peerTry } = this;
    if (request.parent !== null || request.head.upgrade === '' || !peerTry.sender.isDone) {
      peerTry.failUnasked();
      return;
    }
    request.tries.gotHeader(101, upstream.head.fieldText);
    request.status = 101;
    request.response.status = 101;
    request.isResponseStarted = true;
    request.keepsAlive = false;
    peerTry.noteAnswer();
    this.cacheUse?.end();
    this.cacheUse = null;
    const head = switchingHead(request, upstream.head, settings);
    request.headBytes = head.length;
    request.bytesSent += head.length;
    client.connection.writeText(head);
    client.startTunnel(peerTry.takeUpstream(), settings.readTimeoutMs, bytes, start, end);
  }

  // --- the end --------------------------------------------------------------------------------------

  /** The response has been passed on whole. `extraBytes` came behind it. */
  private finish(upstream: UpstreamConnection, extraBytes: number): void {
    const { request, client, pipe } = this;
    const { isTransparent } = pipe;
    request.tries.end(0);
    pipe.complete(upstream.body.trailers);
    this.peerTry.leaveDone(upstream, extraBytes);
    this.release();
    if (isTransparent) {
      request.isResponseComplete = true;
      client.endResponse();
    } else request.output.end();
  }

  /** What is stored is the answer where the upstream gives none; false if it may not be. */
  private sendStored(failure: number): boolean {
    const { cacheUse } = this;
    if (cacheUse === null || !cacheUse.maySendStale(failure)) return false;
    this.cacheUse = null;
    this.peerTry.leave();
    this.release();
    cacheUse.serve('STALE');
    return true;
  }

  /** The request is answered with an error. */
  private refuse(status: number): void {
    const { request } = this;
    if (status === GATEWAY_ERROR || status === GATEWAY_TIMEOUT) this.cacheUse?.noteError(status, null);
    this.peerTry.leave();
    this.release();
    finalize(request, status);
  }

  /** The response has begun and can't be completed. */
  private breakOff(): void {
    const { request } = this;
    const { spool } = this.pipe;
    this.peerTry.leave();
    this.release();
    if (spool === null) finalize(request, GATEWAY_ERROR);
    else spool.breakOff();
  }

  /** The client is gone, or what it sends is no request, or a filter answers instead. */
  abort(): void {
    const { request, peerTry, pipe } = this;
    if (request === NO_REQUEST) return;
    request.tries.end(0);
    const keeper = pipe.isKeeping ? pipe.keeper : null;
    const mayGoOn = keeper !== null || this.settings.ignoresClientAbort;
    if (mayGoOn && peerTry.goOnUnwatched(keeper) && keeper !== null) {
      pipe.keeper = null;
      this.cacheUse = null;
    }
    peerTry.leave();
    this.release();
  }

  /** It is over: lets go of the request, and may serve another one. Nothing of `this` is used behind it. */
  private release(): void {
    const { client, request } = this;
    if (client.intake.receiver === this) client.intake.receiver = null;
    if (client.drainListener === this) client.drainListener = null;
    if (request.responder === this) request.responder = null;
    this.leaveWaitingRoom();
    this.peerTry.reset();
    this.pipe.reset();
    this.cacheUse?.end();
    this.cacheUse = null;
    this.request = NO_REQUEST;
    this.settings = NO_SETTINGS;
    this.plan = NO_PLAN;
    this.destination = NO_DESTINATION;
    if (this.isPoolable && spare.length < MAX_SPARE) spare.push(this);
  }
}
