/*
 * Sending an answer: the head through the location's filters, then the body into the chain they left. Short answers
 * and pages for errors are made here too.
 */
import type { BodySink } from './body-sink.js';
import { BodyFilter, NullSink } from './body-sink.js';
import { errorPage } from './error-page.js';
import type { HttpRequest } from './http-request.js';
import { Postponer } from './postponer.js';
import { RateLimiter } from './rate-limiter.js';
import { absoluteLocation } from './redirect-location.js';
import type { Response } from './response.js';
import { FilterOrder, type ResponseFilter } from './response-filter.js';
import { ResponseWriter } from './response-writer.js';

/**
 * Sends the head of `request.response`. True: the body follows by `request.output.write`, `flush` and `end`, and
 * nothing of it may be left out but what `isHeadOnly` says. False: a filter has answered otherwise, the caller is
 * done and lets go of what it has.
 */
export function sendHead(request: HttpRequest): boolean {
  const { response } = request;
  if (request.errorStatus !== 0) {
    response.status = request.errorStatus;
    response.reason = '';
  }
  // Set first, so that a filter that fails doesn't see it answered twice.
  const { filters } = request.location;
  const chain: BodyFilter[] = [];
  response.isHeadOnly = !mayHaveBody(request);
  let needsPostponer = false;
  if (request.stub !== null && !response.isHeadOnly) chain.push(new StubFilter(request.stub));
  for (const filter of filters) {
    if (!applies(filter, request)) continue;
    if (filter.order > FilterOrder.subrequests && needsPostponer) {
      needsPostponer = false;
      chain.push(addPostponer(request));
    }
    const result = filter.begin(request, response);
    if (typeof result === 'number') {
      for (const stage of chain) stage.abort();
      answerInstead(request, result);
      return false;
    }
    if (result === null) continue;
    chain.push(result);
    if (filter.makesSubrequests === true) needsPostponer = true;
  }
  if (needsPostponer) chain.push(addPostponer(request));
  if (response.status === 204 || response.status === 304 || request.isPostAction) response.isHeadOnly = true;
  request.isResponseStarted = true;
  request.status = response.status;
  const end = request.parent === null ? clientEnd(request, response) : request.subrequestOutput!;
  if (!response.isHeadOnly) request.output = connect(chain, end);
  else {
    for (const stage of chain) stage.abort();
    request.output = new HeadOnlySink(end);
  }
  request.whenAnswered?.(request);
  return true;
}

function mayHaveBody({ method, main, response: { status } }: HttpRequest): boolean {
  if (method === 'HEAD' || main.head.method === 'HEAD' || status === 204 || status === 304) return false;
  // What follows such a head is the tunnel's (RFC 9110 section 9.3.6).
  return main.head.method !== 'CONNECT' || status < 200 || status > 299;
}

/** In the place of a body that nobody gets. */
class HeadOnlySink extends NullSink {
  private readonly target: BodySink;

  constructor(target: BodySink) {
    super();
    this.target = target;
  }

  override flush(): void {
    this.target.flush();
  }

  override end(): void {
    this.target.end();
  }

  override abort(): void {
    this.target.abort();
  }
}

/** The end of an answer that nobody gets: what a post_action gave. */
class UnsentSink extends NullSink {
  private readonly request: HttpRequest;

  constructor(request: HttpRequest) {
    super();
    this.request = request;
  }

  override end(): void {
    this.request.client.endResponse();
  }
}

/** Puts a stub in the place of a subrequest's body that turns out empty. */
class StubFilter extends BodyFilter {
  private readonly stub: Buffer;
  private isEmpty = true;

  constructor(stub: Buffer) {
    super();
    this.stub = stub;
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (bytes.length > 0) this.isEmpty = false;
    this.next.write(bytes, isBorrowed);
  }

  override end(): void {
    if (this.isEmpty && this.stub.length > 0) this.next.write(this.stub, false);
    this.next.end();
  }
}

function addPostponer(request: HttpRequest): Postponer {
  request.postponer = new Postponer();
  return request.postponer;
}

function applies(filter: ResponseFilter, request: HttpRequest): boolean {
  return request.parent === null || (filter.isForSubrequests && filter.order < FilterOrder.subrequests);
}

/** A filter wants another answer: 412 for a condition, 416 for a range. */
function answerInstead(request: HttpRequest, status: number): void {
  request.responder?.abort();
  request.responder = null;
  request.errorStatus = 0;
  sendErrorPage(request, status, true);
}

function clientEnd(request: HttpRequest, response: Response): BodySink {
  if (request.isPostAction) return new UnsentSink(request);
  if (response.location !== '') response.location = absoluteLocation(request, response.location);
  const writer = new ResponseWriter(request, response);
  const limiter = response.isHeadOnly ? null : RateLimiter.of(request);
  if (limiter === null) return writer;
  return connect([limiter], writer);
}

/** Puts the filters before `end`, in order; the first sink of all. */
function connect(chain: readonly BodyFilter[], end: BodySink): BodySink {
  let next = end;
  for (let i = chain.length - 1; i >= 0; i--) {
    const stage = chain[i]!;
    stage.next = next;
    next.source = stage;
    next = stage;
  }
  return next;
}

/** A whole answer: `body` is in latin1. What else its head should say has been set before. */
export function respond(request: HttpRequest, status: number, contentType: string, body: string): void {
  const { response } = request;
  response.status = status;
  response.contentType = contentType;
  response.contentLength = body.length;
  if (!sendHead(request)) return;
  if (body !== '') request.output.write(Buffer.from(body, 'latin1'), false);
  request.output.end();
}

/** A redirect whose page is ours. */
export function sendRedirect(request: HttpRequest, status: number, location: string): void {
  request.response.location = location;
  request.errorStatus = 0;
  sendErrorPage(request, status);
}

/** Answers a subrequest that has ended in an error with its stub, as a text of its parent's type. */
export function sendStub(request: HttpRequest, stub: Buffer): void {
  const { response } = request;
  response.status = 200;
  response.contentType = request.parent!.response.contentType;
  response.contentLength = stub.length;
  if (!sendHead(request)) return;
  request.output.write(stub, false);
  request.output.end();
}

/** Answers with our own page for a status. `keepsFields`: what was to be answered had fields that stay. */
export function sendErrorPage(request: HttpRequest, status: number, keepsFields = false): void {
  const { response } = request;
  const { serverTokens } = request.location.settings;
  const shown = request.errorStatus === 0 ? status : request.errorStatus;
  const page = errorPage(shown, serverTokens.evaluate(request) || 'sluice');
  response.allowsRanges = false;
  response.lastModified = -1;
  response.etag = '';
  response.charset = '';
  response.contentEncoding = '';
  if (keepsFields) response.fields.remove('accept-ranges');
  respond(request, shown, page === '' ? '' : 'text/html', page);
}
