/*
 * Requests that a request makes of its own server: their answer becomes a part of its body, is looked at by a module,
 * or is of no interest. They share the client's head and the variables, and run by the same phases.
 */
import { BodySink } from './body-sink.js';
import { logErrorOf } from './error-line.js';
import { HttpRequest } from './http-request.js';
import { serveSubrequest } from './lifecycle.js';

/** How deep subrequests may make others (nginx: NGX_HTTP_MAX_SUBREQUESTS). */
const MAX_DEPTH = 50;

/** What becomes of a subrequest's body. */
export type SubrequestBody =
  /** A part of the parent's body, at the place it has now. The parent's filter has `makesSubrequests`. */
  | 'part'
  /** Kept, up to subrequest_output_buffer_size, in `collected`. */
  | 'memory'
  /** Thrown away: its status and fields are what matters. */
  | 'none';

export interface SubrequestOptions {
  readonly body: SubrequestBody;
  /** GET by default. */
  readonly method?: string;
  /** Whether handlers may see the client's body (mirror). */
  readonly hasPayload?: boolean;
  /** The parent is answered without waiting for it, but is not over before. */
  readonly isBackground?: boolean;
  /** It has been answered whole; `request.response` tells how. Called once, also if it was broken off. */
  readonly whenOver?: (request: HttpRequest) => void;
}

/**
 * Begins a subrequest for a path, decoded. It may be over before this returns. Null when it would be too deep, which
 * has been logged then.
 */
export function startSubrequest(
  parent: HttpRequest,
  path: string,
  args: string,
  options: SubrequestOptions,
): HttpRequest | null {
  if (parent.depth >= MAX_DEPTH) {
    logErrorOf(parent, 'error', `subrequests cycle while processing "${path}"`);
    return null;
  }
  const { main } = parent;
  main.isReusable = false;
  const request = new HttpRequest(parent.point, parent.server.settings.headLimits, parent.context, parent);
  request.method = options.method ?? 'GET';
  request.path = path;
  request.args = args;
  request.host = parent.host;
  request.remoteAddress = parent.remoteAddress;
  request.remotePort = parent.remotePort;
  request.remoteUser = parent.remoteUser;
  request.startMs = parent.context.clock.nowMs();
  request.hasPayload = options.hasPayload ?? false;
  request.whenOver = options.whenOver ?? null;
  request.subrequestOutput = outputOf(request, parent, options.body);
  main.subrequests.push(request);
  serveSubrequest(request);
  return request;
}

function outputOf(request: HttpRequest, parent: HttpRequest, body: SubrequestBody): BodySink {
  switch (body) {
    case 'part':
      return parent.postponer!.addPart(() => endSubrequest(request));
    case 'memory':
      return new CollectingSink(request, request.location.settings.subrequestOutputBufferSize);
    case 'none':
      return new CollectingSink(request, 0);
  }
}

/** It is over, answered or not. */
export function endSubrequest(request: HttpRequest): void {
  if (request.isOver) return;
  request.isOver = true;
  const { main, location } = request;
  if (location.settings.logSubrequest) {
    request.requestTimeMs = request.context.clock.nowMs() - request.startMs;
    for (const handler of location.log) void handler(request);
  }
  main.subrequests.splice(main.subrequests.indexOf(request), 1);
  request.whenOver?.(request);
  if (main.subrequests.length === 0) main.client.noteSubrequestsOver();
}

/** Keeps what comes, up to a limit; what is more is dropped and said to be. */
class CollectingSink extends BodySink {
  private readonly request: HttpRequest;
  private readonly limit: number;
  private size = 0;

  constructor(request: HttpRequest, limit: number) {
    super();
    this.request = request;
    this.limit = limit;
  }

  write(bytes: Buffer): void {
    if (this.limit === 0) return;
    if (this.size + bytes.length > this.limit) {
      if (this.size <= this.limit) logErrorOf(this.request, 'error', 'too big subrequest response');
      this.size = this.limit + 1;
      this.request.collected = [];
      return;
    }
    this.size += bytes.length;
    this.request.collected.push(Buffer.from(bytes));
  }

  flush(): void {}

  end(): void {
    endSubrequest(this.request);
  }

  get isBlocked(): boolean {
    return false;
  }

  abort(): void {}
}
