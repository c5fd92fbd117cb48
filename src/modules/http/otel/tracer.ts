/*
 * Spans by OpenTelemetry: its API, if it is installed, gives them to whatever SDK the operator has loaded into the
 * process. Sluice depends on none.
 */
import { createRequire } from 'node:module';
import type { TraceContext } from './trace-context.js';

/** By OpenTelemetry's conventions. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What is used of a span of @opentelemetry/api. Times are Unix milliseconds. */
export interface Span {
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
  /** False for one that is not sampled. */
  isRecording(): boolean;
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  end(endTime: number): void;
}

export type SpanKind = 'INTERNAL' | 'SERVER' | 'CLIENT';

interface SpanOptions {
  readonly kind: number;
  readonly startTime: number;
  readonly attributes: Attributes;
}

/** What is used of the package. */
interface OpenTelemetry {
  readonly ROOT_CONTEXT: unknown;
  readonly SpanKind: Readonly<Record<SpanKind, number>>;
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
  startRequest(
    name: string,
    startMs: number,
    attributes: Attributes,
    parent: TraceContext | null,
    state: string,
  ): Span | null {
    const { trace, ROOT_CONTEXT } = this.api;
    const context =
      parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, this.remote(parent, state));
    const span = this.start(name, 'SERVER', startMs, attributes, context);
    const { spanId } = span.spanContext();
    // Without an SDK the API hands back what it was given.
    return spanId === NO_SPAN || spanId === parent?.spanId ? null : span;
  }

  startChild(parent: Span, name: string, kind: SpanKind, startMs: number, attributes: Attributes): Span {
    const { trace, ROOT_CONTEXT } = this.api;
    return this.start(name, kind, startMs, attributes, trace.setSpan(ROOT_CONTEXT, parent));
  }

  /** `message`: what the type alone does not tell. */
  fail(span: Span, type: string, message = ''): void {
    span.setAttributes({ 'error.type': type });
    const code = this.api.SpanStatusCode.ERROR;
    span.setStatus(message === '' ? { code } : { code, message });
  }

  private start(name: string, kind: SpanKind, startTime: number, attributes: Attributes, context: unknown) {
    const options = { kind: this.api.SpanKind[kind], startTime, attributes };
    return this.api.trace.getTracer('sluice').startSpan(name, options, context);
  }

  private remote({ traceId, spanId, isSampled }: TraceContext, state: string): object {
    const traceState = state === '' ? undefined : this.api.createTraceState(state);
    return { traceId, spanId, traceFlags: isSampled ? 1 : 0, isRemote: true, traceState };
  }
}
