/*
 * A client's request in its trace: what came with it, what goes on to upstreams, and its span when it is over.
 */
import type { HttpRequest, RequestEnding } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { LastingState } from '../../../request/request-state.js';
import { formatTraceParent, makeTraceContext, parseTraceParent, type TraceContext } from './trace-context.js';
import type { Span, Tracer } from './tracer.js';

/** What the directives say at one level. */
export interface TraceSettings {
  /** Null where no package makes spans. */
  readonly tracer: Tracer | null;
  /** "on" or "1": traced. */
  readonly trace: RequestText;
  readonly extracts: boolean;
  /** '': the location. */
  readonly spanName: RequestText;
  readonly location: string;
  readonly attributes: readonly { readonly name: RequestText; readonly value: RequestText }[];
}

/** For variables; its redirects and subrequests share it. */
export const TRACE: LastingState<RequestTrace> = new LastingState();

/** One client's request. */
export class RequestTrace implements RequestEnding {
  /** What came with it; null for nothing, or nothing that counts. */
  readonly parent: TraceContext | null;
  /** The client's tracestate; '' without a parent. */
  readonly state: string;
  /** Its own place. */
  context: TraceContext;
  private readonly request: HttpRequest;
  private readonly settings: TraceSettings;
  private span: Span | null;
  /** What makes Unix time of the clock's. Taken once, so that spans are in order whatever becomes of the system's time. */
  private readonly epochMs: number;

  private constructor(request: HttpRequest, settings: TraceSettings) {
    const { extracts } = settings;
    const parents = extracts ? request.fieldLines('traceparent') : [];
    this.parent = parents.length === 1 ? parseTraceParent(parents[0]!) : null;
    this.state = this.parent === null ? '' : request.fieldLines('tracestate').join(',');
    this.context = this.parent ?? makeTraceContext(false);
    this.request = request;
    this.settings = settings;
    this.span = null;
    const { clock } = request.context;
    this.epochMs = clock.wallMs() - clock.nowMs();
  }

  /** Begins at the first level that has to do with traces. */
  static begin(request: HttpRequest, settings: TraceSettings): void {
    const trace = new RequestTrace(request, settings);
    // First, since what decides may ask for what the client said.
    TRACE.set(request, trace);
    const decision = settings.trace.evaluate(request);
    if (decision === 'on' || decision === '1') trace.startSpan();
  }

  /** For upstreams: a trace that nothing is added to goes on as it came. */
  get traceParent(): string {
    return formatTraceParent(this.context);
  }

  private startSpan(): void {
    const { request, settings, parent } = this;
    const { tracer } = settings;
    this.span =
      tracer?.startRequest(spanName(request, settings), this.epochMs + request.startMs, parent, this.state) ??
      null;
    if (this.span === null) {
      // A span that nobody records would be a gap in the trace of those who have one.
      this.context = parent ?? makeTraceContext(true);
      return;
    }
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    this.context = { traceId, spanId, isSampled: (traceFlags & 1) !== 0 };
    request.whenEnded(this);
  }

  onRequestEnd(): void {
    const { span, request, settings } = this;
    if (span === null) return;
    const { tracer } = settings;
    for (const [name, value] of attributesOf(request, settings)) span.setAttribute(name, value);
    for (const { name, value } of settings.attributes)
      span.setAttribute(decode(name.evaluate(request)), decode(value.evaluate(request)));
    if (request.status >= 500) tracer!.fail(span);
    addTries(tracer!, span, request, this.epochMs);
    span.end(this.epochMs + request.startMs + request.requestTimeMs);
  }
}

function spanName(request: HttpRequest, { spanName: name, location }: TraceSettings): string {
  return decode(name.evaluate(request)) || location;
}

/** By the names of OpenTelemetry's conventions for HTTP. */
function attributesOf(request: HttpRequest, { location }: TraceSettings): [string, string | number][] {
  const attributes: [string, string | number][] = [
    ['http.request.method', request.head.method],
    ['http.route', location],
    ['url.path', decode(request.rawPath || request.path)],
    ['server.address', request.host],
    ['network.protocol.version', `1.${request.head.versionMinor}`],
    ['client.address', request.remoteAddress],
    ['http.response.status_code', request.status],
    ['http.request.size', request.requestBytes],
    ['http.response.size', request.bytesSent],
  ];
  if (request.userAgent !== '') attributes.push(['user_agent.original', decode(request.userAgent)]);
  return request.tries.count === 0 ? attributes : [...attributes, ...phasesOf(request)];
}

/** How long it was before the first try at an upstream and after the last: reading and limits, and sending. */
function phasesOf({ tries, startMs, requestTimeMs }: HttpRequest): [string, number][] {
  const last = tries.at(tries.count - 1);
  const leftMs = Math.max(last.startMs, last.endMs);
  return [
    ['sluice.before_upstream_time', seconds(tries.at(0).startMs - startMs)],
    ['sluice.after_upstream_time', seconds(startMs + requestTimeMs - leftMs)],
  ];
}

function addTries(tracer: Tracer, span: Span, { tries }: HttpRequest, epochMs: number): void {
  let resends = 0;
  for (let i = 0; i < tries.count; i++) {
    if (i > 0) resends = tries.at(i).isOfAnother ? 0 : resends + 1;
    const { name, startMs, connectedMs, headerMs, endMs, status, bytesSent, bytesReceived } = tries.at(i);
    const attributes: Record<string, string | number> = {
      'sluice.upstream.address': name,
      'http.request.resend_count': resends,
      'sluice.upstream.bytes_sent': bytesSent,
      'sluice.upstream.bytes_received': bytesReceived,
    };
    if (status > 0) attributes['http.response.status_code'] = status;
    if (connectedMs >= 0) attributes['sluice.upstream.connect_time'] = seconds(connectedMs - startMs);
    if (headerMs >= 0) attributes['sluice.upstream.header_time'] = seconds(headerMs - startMs);
    const end = endMs >= 0 ? endMs : startMs;
    if (headerMs >= 0) attributes['sluice.upstream.body_time'] = seconds(end - headerMs);
    const hasFailed = headerMs < 0 || status >= 500;
    tracer.addTry(span, epochMs + startMs, epochMs + end, attributes, hasFailed);
  }
}

function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}

function decode(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
