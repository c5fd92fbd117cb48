/*
 * Where a request stands in a trace, as the fields traceparent and tracestate say it (W3C Trace Context).
 */
import { randomId } from '../../../core/random-id.js';

/** One place in a trace. */
export interface TraceContext {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits: of the span that what comes next has as its parent. */
  readonly spanId: string;
  /** Whether whoever made it records the trace. */
  readonly isSampled: boolean;
}

/** Version, trace, span, flags; a later version may have more behind them. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** What traceparent says; null where it says nothing that can be understood, so that it counts as absent. */
export function parseTraceParent(text: string): TraceContext | null {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (isZero(traceId!) || isZero(spanId!)) return null;
  return { traceId: traceId!, spanId: spanId!, isSampled: (Number.parseInt(flags!, 16) & SAMPLED) !== 0 };
}

export function formatTraceParent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** The first span of a new trace. */
export function makeTraceContext(isSampled: boolean): TraceContext {
  return { traceId: validId(16), spanId: validId(8), isSampled };
}

/** Zeros alone say that there is none. */
function validId(bytes: number): string {
  const id = randomId(bytes);
  return isZero(id) ? validId(bytes) : id;
}

function isZero(id: string): boolean {
  return /^0+$/.test(id);
}
