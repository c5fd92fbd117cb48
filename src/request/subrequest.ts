/*
 * Requests that a request makes of its own server: their answer becomes a part of its body, is looked at by a module,
 * or is of no interest. They share the client's head and the variables, and run by the same phases.
 */
import { BodySink } from './body-sink.js';
import { logErrorOf } from './error-line.js';
import { HttpRequest } from './http-request.js';
import { abandon, answerBy, finalize, serveSubrequest } from './lifecycle.js';
import type { PhaseHandler } from './phase.js';
import { TIMELINE } from './timeline.js';

/** How deep subrequests may make others (nginx: NGX_HTTP_MAX_SUBREQUESTS). */
const MAX_DEPTH = 50;
/** How many of one client's request may be under way at once (nginx: 64535). */
const MAX_AT_ONCE = 64535;

/** What becomes of a subrequest's body. */
export type SubrequestBody =
  /** A part of the parent's body, at the place it has now. The parent's filter has `makesSubrequests`. */
  | 'part'
  /** Kept, up to subrequest_output_buffer_size, in `collected`. */
  | 'memory'
  /** Not waited for: its status and fields are what matters. */
  | 'none';

export interface SubrequestOptions {
  readonly body: SubrequestBody;
  /** GET by default. */
  readonly method?: string;
  /** Whether handlers may see the client's body (mirror). */
  readonly hasPayload?: boolean;
  /** The parent is answered without waiting for it, but is not over before. */
  readonly isBackground?: boolean;
  /** Answers it at the parent's location, instead of the phases: the same once more, to whatever end. */
  readonly answer?: PhaseHandler;
  /** The body in the place of an error's page and of an empty one (SSI: stub). */
  readonly stub?: Buffer;
  /** It has been answered, whole but for a body of 'none'; `request.response` tells how. Not called when the client's request is over before. */
  readonly whenOver?: (request: HttpRequest) => void;
}

/**
 * Makes a subrequest for a path, decoded. It is served as soon as what is being done now is done, so that the caller
 * may go on with what stands behind it. Null when there would be too many, which has been logged then.
 */
export function startSubrequest(
  parent: HttpRequest,
  path: string,
  args: string,
  options: SubrequestOptions,
): HttpRequest | null {
  const { main } = parent;
  if (parent.depth >= MAX_DEPTH || main.subrequests.length >= MAX_AT_ONCE) {
    logErrorOf(parent, 'error', `subrequests cycle while processing "${path}"`);
    return null;
  }
  main.isReusable = false;
  const request = new HttpRequest(parent.point, parent.server.settings.headLimits, parent.context, parent);
  request.method = options.method ?? 'GET';
  request.path = path;
  request.args = args;
  request.host = parent.host;
  request.hostPort = parent.hostPort;
  request.remoteAddress = parent.remoteAddress;
  request.remotePort = parent.remotePort;
  request.remoteUser = parent.remoteUser;
  request.startMs = parent.context.clock.nowMs();
  request.hasPayload = options.hasPayload ?? false;
  request.stub = options.stub ?? null;
  request.whenOver = options.whenOver ?? null;
  request.whenAnswered = options.body === 'none' ? endSoon : null;
  request.subrequestOutput = outputOf(request, parent, options.body);
  main.subrequests.push(request);
  TIMELINE.of(main)?.addSubrequest(request);
  if (options.answer !== undefined) copyTarget(parent, request);
  process.nextTick(begin, request, options.answer ?? null);
  return request;
}

/** What is asked for is exactly what the parent asks for. */
function copyTarget(parent: HttpRequest, request: HttpRequest): void {
  request.server = parent.server;
  request.location = parent.location;
  request.rawPath = parent.rawPath;
  request.isPathQuoted = parent.isPathQuoted;
  request.hasPlusInPath = parent.hasPlusInPath;
  request.isPathOfLocation = parent.isPathOfLocation;
  request.isInternal = parent.isInternal;
  request.captures = parent.captures;
}

function begin(request: HttpRequest, answer: PhaseHandler | null): void {
  if (request.isOver) return;
  try {
    if (answer === null) serveSubrequest(request);
    else answerBy(request, answer);
  } catch (defect) {
    request.client.connection.failBy(defect);
  }
}

function outputOf(request: HttpRequest, parent: HttpRequest, body: SubrequestBody): BodySink {
  switch (body) {
    case 'part':
      return parent.postponer!.addPart(() => endSubrequest(request));
    case 'memory':
      return new CollectingSink(request, true);
    case 'none':
      return new CollectingSink(request, false);
  }
}

/** Its head is all that is wanted. Not now: who answers must be able to go on to its end, which most reach at once. */
function endSoon(request: HttpRequest): void {
  process.nextTick(endAtHead, request);
}

function endAtHead(request: HttpRequest): void {
  if (request.isOver) return;
  try {
    abandon(request);
    endSubrequest(request);
  } catch (defect) {
    request.client.connection.failBy(defect);
  }
}

/** It has been answered. */
function endSubrequest(request: HttpRequest): void {
  if (request.isOver) return;
  request.isOver = true;
  const { main, location } = request;
  if (location.settings.logSubrequest) {
    request.requestTimeMs = request.context.clock.nowMs() - request.startMs;
    for (const handler of location.log) void handler(request);
  }
  const index = main.subrequests.indexOf(request);
  if (index >= 0) main.subrequests.splice(index, 1);
  request.whenOver?.(request);
  if (main.subrequests.length === 0) main.client.noteSubrequestsOver();
}

/** Keeps what comes, up to subrequest_output_buffer_size of the location it is served by, or nothing of it. */
class CollectingSink extends BodySink {
  private readonly request: HttpRequest;
  private readonly isKept: boolean;
  private size = 0;
  private isOverflown = false;

  constructor(request: HttpRequest, isKept: boolean) {
    super();
    this.request = request;
    this.isKept = isKept;
  }

  write(bytes: Buffer): void {
    if (!this.isKept || this.isOverflown) return;
    this.size += bytes.length;
    if (this.size <= this.request.location.settings.subrequestOutputBufferSize) {
      this.request.collected.push(Buffer.from(bytes));
      return;
    }
    this.isOverflown = true;
    this.request.collected = [];
    logErrorOf(this.request, 'error', 'too big subrequest response');
    // Not now: who is writing must be able to go on to its end.
    process.nextTick(breakOff, this.request);
  }

  flush(): void {}

  end(): void {
    if (!this.isOverflown) endSubrequest(this.request);
  }

  get isBlocked(): boolean {
    return false;
  }

  abort(): void {}
}

/** Without all of this answer there is none to the client, as in nginx. */
function breakOff(request: HttpRequest): void {
  if (request.isOver) return;
  try {
    finalize(request, 500);
  } catch (defect) {
    request.client.connection.failBy(defect);
  }
}
