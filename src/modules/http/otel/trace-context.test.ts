import { describe, expect, it } from 'vitest';
import { formatTraceParent, makeTraceContext, parseTraceParent } from './trace-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('is read as the specification has it, whatever flags and later versions add', () => {
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      isSampled: true,
    });
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-02`)).toMatchObject({ isSampled: false });
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-03-what-the-future-will`)).toMatchObject({
      isSampled: true,
    });
  });

  it.each([
    '',
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01.`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0x`,
  ])('counts as absent when it is %j', (text) => {
    expect(parseTraceParent(text)).toBeNull();
  });

  it('of a new trace can be read again', () => {
    const context = makeTraceContext(true);
    expect(parseTraceParent(formatTraceParent(context))).toEqual(context);
    expect(makeTraceContext(false).traceId).not.toBe(context.traceId);
  });
});
