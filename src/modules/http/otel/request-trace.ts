/*
 * A client's request in its trace: what came with it, what goes on to upstreams, and its spans when it is over.
 */
import type { HttpRequest, RequestEnding } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { LastingState } from '../../../request/request-state.js';
import { TIMELINE, Timeline } from '../../../request/timeline.js';
import type { Try } from '../../../request/upstream-tries.js';
import {
  answerAttributes,
  decode,
  type Failure,
  failureOf,
  knownMethod,
  requestAttributes,
  triedAttributes,
  tryAttributes,
  tryFailureOf,
} from './attributes.js';
import { type Stage, stagesOf, stagesOfTry } from './stages.js';
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
export class RequestTrace {
  /** What came with it; null for nothing, or nothing that counts. */
  readonly parent: TraceContext | null;
  /** The client's tracestate; '' without a parent. */
  readonly state: string;
  /** Its own place. */
  context: TraceContext;
  /** Null where nobody records it. */
  private spans: RequestSpans | null;

  private constructor(request: HttpRequest, { extracts }: TraceSettings) {
    const parents = extracts ? request.fieldLines('traceparent') : [];
    this.parent = parents.length === 1 ? parseTraceParent(parents[0]!) : null;
    this.state = this.parent === null ? '' : request.fieldLines('tracestate').join(',');
    this.context = this.parent ?? makeTraceContext(false);
    this.spans = null;
  }

  /** Begins at the first level that has to do with traces. */
  static begin(request: HttpRequest, settings: TraceSettings): void {
    const trace = new RequestTrace(request, settings);
    // First, since what decides may ask for what the client said.
    TRACE.set(request, trace);
    const decision = settings.trace.evaluate(request);
    if (decision === 'on' || decision === '1') trace.startSpan(request, settings);
  }

  get traceParent(): string {
    return formatTraceParent(this.context);
  }

  /** For the upstream of the try under way: a trace that nothing is added to goes on as it came. */
  traceParentFor(request: HttpRequest): string {
    return formatTraceParent(this.spans?.contextOfTry(request) ?? this.context);
  }

  private startSpan(request: HttpRequest, settings: TraceSettings): void {
    const { parent, state } = this;
    const { tracer, location } = settings;
    const { clock } = request.context;
    const epochMs = clock.wallMs() - clock.nowMs();
    const name = decode(settings.spanName.evaluate(request)) || location;
    const attributes = requestAttributes(request);
    const span = tracer?.startRequest(name, epochMs + request.startMs, attributes, parent, state) ?? null;
    if (span === null) {
      // A span that nobody records would be a gap in the trace of those who have one.
      this.context = parent ?? makeTraceContext(true);
      return;
    }
    this.context = contextOf(span);
    if (span.isRecording()) this.spans = new RequestSpans(request, settings, tracer!, span, epochMs);
  }
}

/** The spans of a request that is recorded. */
class RequestSpans implements RequestEnding {
  private readonly request: HttpRequest;
  private readonly settings: TraceSettings;
  private readonly tracer: Tracer;
  private readonly span: Span;
  /** What makes Unix time of the clock's. Taken once, so that spans are in order whatever becomes of the system's time. */
  private readonly epochMs: number;
  private readonly beganMs: number;
  private readonly headMs: number;
  private readonly timeline: Timeline;
  /** Those of tries whose upstreams have been told of them. */
  private readonly tries: Map<Readonly<Try>, Span>;

  constructor(request: HttpRequest, settings: TraceSettings, tracer: Tracer, span: Span, epochMs: number) {
    this.request = request;
    this.settings = settings;
    this.tracer = tracer;
    this.span = span;
    this.epochMs = epochMs;
    this.beganMs = request.context.clock.nowMs();
    // Behind a redirect nobody knows any more when the head was there.
    this.headMs = request.isInternal ? request.startMs : this.beganMs;
    this.timeline = new Timeline();
    this.tries = new Map();
    TIMELINE.set(request, this.timeline);
    request.whenAnswered = noteAnswer;
    request.whenEnded(this);
  }

  /** Null for a request without a try, or of which no tries are told. */
  contextOfTry(request: HttpRequest): TraceContext | null {
    const { count } = request.tries;
    const isTold = request.parent === null || this.timeline.subrequests.has(request);
    return count > 0 && isTold ? contextOf(this.spanOfTry(request, count - 1)) : null;
  }

  onRequestEnd(): void {
    const { request, settings, span, timeline } = this;
    request.whenAnswered = null;
    for (const stage of stagesOf(request, timeline, this.headMs, this.beganMs)) this.addStage(span, stage);
    for (const each of [request, ...timeline.subrequests]) this.endTries(each);
    span.setAttributes(answerAttributes(request, settings.location));
    for (const { name, value } of settings.attributes)
      span.setAttributes({ [decode(name.evaluate(request))]: decode(value.evaluate(request)) });
    this.fail(span, failureOf(request));
    span.end(this.epochMs + request.startMs + request.requestTimeMs);
  }

  private addStage(parent: Span, { name, startMs, endMs, attributes = {}, inner }: Stage): void {
    const span = this.tracer.startChild(parent, name, 'INTERNAL', this.epochMs + startMs, attributes);
    if (inner !== undefined) this.addStage(span, inner);
    span.end(this.epochMs + endMs);
  }

  private endTries(request: HttpRequest): void {
    const { startMs, requestTimeMs } = this.request;
    for (let i = 0; i < request.tries.count; i++) {
      const each = request.tries.at(i);
      const endMs = each.endMs < 0 ? startMs + requestTimeMs : each.endMs;
      const span = this.spanOfTry(request, i);
      span.setAttributes(triedAttributes(each, endMs));
      for (const stage of stagesOfTry(each, endMs)) this.addStage(span, stage);
      this.fail(span, tryFailureOf(each));
      span.end(this.epochMs + endMs);
    }
  }

  private spanOfTry(request: HttpRequest, index: number): Span {
    const each = request.tries.at(index);
    const known = this.tries.get(each);
    if (known !== undefined) return known;
    const resends = resendsBefore(request, index);
    // What the client sent, until a redirect has made something else of it.
    const isFirstExchange = request.parent === null && resends === index;
    const method = knownMethod(isFirstExchange ? request.head.method : request.method);
    const attributes = tryAttributes(each, request, method, resends);
    const name = method === '_OTHER' ? 'HTTP' : method;
    const span = this.tracer.startChild(this.span, name, 'CLIENT', this.epochMs + each.startMs, attributes);
    this.tries.set(each, span);
    return span;
  }

  private fail(span: Span, failure: Failure | null): void {
    if (failure !== null) this.tracer.fail(span, failure.type, failure.message);
  }
}

/** The first answer counts: another may follow that nobody gets (post_action). */
function noteAnswer(request: HttpRequest): void {
  const timeline = TIMELINE.of(request)!;
  if (timeline.answeredMs < 0) timeline.answeredMs = request.context.clock.nowMs();
}

/** Tries of the same exchange before that one. */
function resendsBefore({ tries }: HttpRequest, index: number): number {
  let first = index;
  while (first > 0 && !tries.at(first).isOfAnother) first--;
  return index - first;
}

function contextOf(span: Span): TraceContext {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return { traceId, spanId, isSampled: (traceFlags & 1) !== 0 };
}
