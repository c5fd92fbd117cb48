/*
 * The way of an upstream's response to the client: as it came, or as a response of ours through filters; beside that into
 * the cache or a file, and ahead of a client that proves to be slow. It knows nothing of peers and tries.
 */
import { BodyKind } from '../http/h1/body-decoder.js';
import type { FieldLines } from '../http/h1/field-lines.js';
import { chunkedEnd, writeMessage } from '../http/h1/message-writer.js';
import { FieldId } from '../http/message/field-id.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import type { DrainListener } from './body-sink.js';
import type { CacheUse } from './cache-use.js';
import { ClientPayloadSink } from './client-payload-sink.js';
import { downstreamResponseHead } from './forwarded-head.js';
import type { HttpRequest } from './http-request.js';
import { bytesOf, RateLimiter } from './rate-limiter.js';
import { ResponseSpool } from './response-spool.js';
import { sendHead } from './send.js';
import { type AnswerKeeper, StoredCopy } from './stored-copy.js';
import { fillResponse, fillTrailers, isFlushedAtOnce } from './upstream-response.js';
import type { UpstreamSettings } from './upstream-settings.js';

/** Stand in while nothing is served. */
const NO_REQUEST = null as unknown as HttpRequest;
const NO_SETTINGS = null as unknown as UpstreamSettings;

/** The way of one response; reused from request to request. */
export class ResponsePipe {
  /** What a slow client has yet to take; null while it is none. */
  spool: ResponseSpool | null;
  /** Whether the response goes to the client as it is, past all filters. */
  isTransparent: boolean;
  /** Who gets what comes of the body too; null for nobody. */
  keeper: AnswerKeeper | null;
  /** Who has to be told when more can be written. */
  private readonly source: DrainListener;
  private request: HttpRequest;
  private settings: UpstreamSettings;
  /** How a transparent response's body goes to the client. */
  private isChunked: boolean;
  /** Whether what was read goes on at once, through filters too. */
  private flushesReads: boolean;

  constructor(source: DrainListener) {
    this.spool = null;
    this.isTransparent = false;
    this.keeper = null;
    this.source = source;
    this.request = NO_REQUEST;
    this.settings = NO_SETTINGS;
    this.isChunked = false;
    this.flushesReads = false;
  }

  begin(request: HttpRequest, settings: UpstreamSettings): void {
    this.request = request;
    this.settings = settings;
    this.flushesReads = !settings.buffersResponse;
  }

  /** Lets go of all; what is not kept whole by then is dropped. */
  reset(): void {
    this.spool = null;
    this.isTransparent = false;
    this.request = NO_REQUEST;
    this.settings = NO_SETTINGS;
    this.keeper?.end();
    this.keeper = null;
    this.isChunked = false;
  }

  /** Whether the client, or a filter on the way to it, has enough for now. */
  get isBlocked(): boolean {
    const { request } = this;
    return this.isTransparent ? request.client.connection.hasPendingWrites : request.output.isBlocked;
  }

  /** Sends the head as the upstream sent it, with what has come of the body. */
  passAsIs(upstream: UpstreamConnection, bytes: Buffer): void {
    const { request } = this;
    const { head, body } = upstream;
    const isLengthUnknown = body.kind === BodyKind.chunked || body.kind === BodyKind.untilClose;
    const mayChunk = request.head.versionMinor === 1 && request.location.settings.chunkedTransferEncoding;
    this.isTransparent = true;
    this.isChunked = isLengthUnknown && mayChunk;
    request.isResponseUntilClose = isLengthUnknown && !mayChunk;
    if (request.isResponseUntilClose) request.keepsAlive = false;
    request.status = head.status;
    request.response.status = head.status;
    request.response.isHeadOnly = body.kind === BodyKind.none;
    request.response.contentLength = head.contentLength;
    request.isResponseStarted = true;
    request.client.drainListener = this.source;
    const text = downstreamResponseHead(request, head, this.settings, this.isChunked);
    request.headBytes = text.length;
    this.writeAsIs(upstream, text, bytes);
  }

  /**
   * Sends the head as one of ours, through the filters. False: one of them has answered otherwise, and had the request's
   * responder aborted.
   */
  passThroughFilters({ head, body }: UpstreamConnection, cacheUse: CacheUse | null): boolean {
    const { request, settings } = this;
    const { store } = settings;
    fillResponse(request, head, settings, body.kind);
    if (cacheUse !== null) {
      cacheUse.take(head);
      this.keeper = cacheUse;
    } else if (store !== null && head.status === 200 && body.kind !== BodyKind.none)
      this.keeper = new StoredCopy(request, store, head.fields.valueOf(FieldId.lastModified));
    this.flushesReads = isFlushedAtOnce(head, settings);
    if (this.flushesReads) request.limitRate = 0;
    if (!sendHead(request)) return false;
    request.output.source = this.source;
    this.limitReading();
    return true;
  }

  /** proxy_limit_rate: what goes on no faster is read no faster. */
  private limitReading(): void {
    const { request, settings } = this;
    const rate = settings.limitRate === null || this.flushesReads ? 0 : bytesOf(settings.limitRate, request);
    if (rate === 0) return;
    const limiter = new RateLimiter(request, rate, 0, request.context.clock.nowMs());
    limiter.next = request.output;
    limiter.source = this.source;
    request.output.source = limiter;
    request.output = limiter;
  }

  /** Passes on what was decoded last of the body. The request may be over behind it. */
  write(upstream: UpstreamConnection, bytes: Buffer): void {
    if (this.isTransparent) {
      this.writeAsIs(upstream, '', bytes);
      return;
    }
    const { payloadStart, payloadEnd } = upstream.body;
    if (payloadEnd === payloadStart) return;
    const payload = bytes.subarray(payloadStart, payloadEnd);
    this.keeper?.write(payload);
    this.request.output.write(payload, true);
  }

  private writeAsIs({ body, connection }: UpstreamConnection, before: string, bytes: Buffer): void {
    const { request, isChunked } = this;
    const { payloadStart, payloadEnd } = body;
    const tail = body.isComplete && isChunked ? chunkedEnd(this.passedTrailers(body.trailers)) : '';
    const length = payloadEnd - payloadStart;
    request.bytesSent += before.length + length + tail.length;
    if (isChunked && length > 0) request.bytesSent += length.toString(16).length + 4;
    const isBorrowed = !connection.ownsBytes(bytes);
    writeMessage(
      request.client.connection,
      before,
      bytes,
      payloadStart,
      payloadEnd,
      isChunked,
      tail,
      isBorrowed,
    );
  }

  private passedTrailers(trailers: FieldLines | null): FieldLines | null {
    return this.settings.passesTrailers ? trailers : null;
  }

  /** One read was passed on, and more will come. `isFirst`: the head goes with it. */
  afterRead({ body }: UpstreamConnection, isFirst: boolean): void {
    const { request } = this;
    if (this.isTransparent) {
      request.client.noteWritten();
      return;
    }
    const hasPayload = body.payloadEnd > body.payloadStart;
    // A head that no payload goes with must not wait for one.
    const isHeadAlone = isFirst && (!hasPayload || request.response.isHeadOnly);
    if (isHeadAlone || (hasPayload && this.flushesReads)) request.output.flush();
  }

  /** All of the body has been passed on, and this is the trailer section behind it. */
  complete(trailers: FieldLines | null): void {
    this.keeper?.complete();
    if (trailers === null) return;
    const { request } = this;
    request.tries.responseTrailer = trailers.text;
    if (this.settings.passesTrailers) fillTrailers(request, trailers);
  }

  /** Where only the close told that the body is whole: says so to the client. */
  writeEnd(): void {
    if (!this.isTransparent || !this.isChunked) return;
    const { request } = this;
    const end = chunkedEnd(null);
    request.bytesSent += end.length;
    request.client.connection.writeText(end);
  }

  /** Whether the answer may be read ahead of a slow client. */
  get maySpool(): boolean {
    const { buffersResponse, limitRate } = this.settings;
    return this.spool === null && buffersResponse && limitRate === null && !this.flushesReads;
  }

  /** From now on the answer is read ahead of the client. */
  startSpool(): void {
    const { request } = this;
    const spool = new ResponseSpool(request, this.settings);
    const end = this.isTransparent ? new ClientPayloadSink(request, this.isChunked) : request.output;
    spool.next = end;
    end.source = spool;
    spool.source = this.source;
    request.output = spool;
    this.spool = spool;
    this.isTransparent = false;
  }

  /**
   * Whether what comes is being kept, whoever gets it. Not while a filter answers otherwise: then the start of the body
   * has not been kept.
   */
  get isKeeping(): boolean {
    return this.keeper?.isKeeping === true && this.request.isResponseStarted;
  }
}
