/*
 * Spans by OpenTelemetry: its API, if it is installed, gives them to whatever SDK the operator has loaded into the
 * process. Sluice depends on none.
 */
import { createRequire } from 'node:module';
import type { TraceContext } from './trace-context.js';

/** What is used of a span of @opentelemetry/api. Times are Unix milliseconds. */
export interface Span {
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { readonly code: number }): unknown;
  end(endTime: number): void;
}

interface SpanOptions {
  readonly kind: number;
  readonly startTime: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** What is used of the package. */
interface OpenTelemetry {
  readonly ROOT_CONTEXT: unknown;
  readonly SpanKind: { readonly SERVER: number; readonly CLIENT: number };
  readonly SpanStatusCode: { readonly ERROR: number };
  createTraceState(text: string): unknown;
  readonly trace: {
    getTracer(name: string): { startSpan(name: string, options: SpanOptions, context: unknown): Span };
    setSpan(context: unknown, span: Span): unknown;
    setSpanContext(context: unknown, spanContext: object): unknown;
  };
}

const PACKAGE = '@opentelemetry/api';
const NO_SPAN = '0000000000000000';

/** Begins spans. */
export class Tracer {
  private readonly api: OpenTelemetry;

  constructor(api: OpenTelemetry) {
    this.api = api;
  }

  /**
   * The package's, as a program in one of these folders would find it; null where it is not installed. Throws what the
   * package throws.
   */
  static find(folders: readonly string[]): Tracer | null {
    for (const folder of folders) {
      try {
        return new Tracer(createRequire(folder)(PACKAGE) as OpenTelemetry);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
      }
    }
    return null;
  }

  /** A span of a client's request; null where no SDK makes any. `state`: the client's tracestate. */
  startRequest(name: string, startMs: number, parent: TraceContext | null, state: string): Span | null {
    const { trace, SpanKind, ROOT_CONTEXT } = this.api;
    const context =
      parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, this.remote(parent, state));
    const options = { kind: SpanKind.SERVER, startTime: startMs };
    const span = trace.getTracer('sluice').startSpan(name, options, context);
    const { spanId } = span.spanContext();
    // Without an SDK the API hands back what it was given.
    return spanId === NO_SPAN || spanId === parent?.spanId ? null : span;
  }

  /** A try at an upstream, which is over: a child of the request's span. */
  addTry(
    request: Span,
    startMs: number,
    endMs: number,
    attributes: Readonly<Record<string, string | number>>,
    hasFailed: boolean,
  ): void {
    const { trace, SpanKind, ROOT_CONTEXT } = this.api;
    const options = { kind: SpanKind.CLIENT, startTime: startMs, attributes };
    const span = trace
      .getTracer('sluice')
      .startSpan('upstream', options, trace.setSpan(ROOT_CONTEXT, request));
    if (hasFailed) this.fail(span);
    span.end(endMs);
  }

  fail(span: Span): void {
    span.setStatus({ code: this.api.SpanStatusCode.ERROR });
  }

  private remote({ traceId, spanId, isSampled }: TraceContext, state: string): object {
    const traceState = state === '' ? undefined : this.api.createTraceState(state);
    return { traceId, spanId, traceFlags: isSampled ? 1 : 0, isRemote: true, traceState };
  }
}
