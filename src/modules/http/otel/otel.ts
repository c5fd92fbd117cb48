/*
 * Traces of requests by the directives of nginx's ngx_otel_module. Spans are made by the OpenTelemetry SDK that the
 * operator loads; without one traces are passed on all the same.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import { keyword } from '../../../conf/values/keyword.js';
import { variableText } from '../../../conf/values/variable-text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { DECLINED } from '../../../request/phase.js';
import { setField } from '../../../request/upstream-settings.js';
import { constantText, type Text } from '../../../variables/text.js';
import type { VariableTable } from '../../../variables/variable-table.js';
import { locationName } from '../../location-name.js';
import { BuildKey, type HttpBuild, type HttpModule, type LocationBuild } from '../../module.js';
import { RequestTrace, TRACE, type TraceSettings } from './request-trace.js';
import { Tracer } from './tracer.js';

const LEVELS = ['http', 'server', 'location'] as const;

const otelTrace = defineDirective({
  name: 'otel_trace',
  syntax: 'otel_trace on | off | $variable',
  contexts: LEVELS,
  args: [variableText],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether requests are traced: on, or a variable that is "on" or "1".',
  since: '0.2.0',
  effect: 'full',
});

const otelTraceContext = defineDirective({
  name: 'otel_trace_context',
  syntax: 'otel_trace_context extract | inject | propagate | ignore',
  contexts: LEVELS,
  args: [keyword('extract', 'inject', 'propagate', 'ignore')],
  block: null,
  default: 'ignore',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Takes the trace that a client names in traceparent, names the trace to upstreams, or both.',
  since: '0.2.0',
  effect: 'full',
  differs:
    'Upstreams are told of the span of the try that reaches them. With propagate, a trace that nothing is added to goes on with the flags that it came with.',
});

const otelSpanName = defineDirective({
  name: 'otel_span_name',
  syntax: 'otel_span_name name',
  contexts: LEVELS,
  args: [variableText],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: "The name of the request's span; by default the location as it is written.",
  since: '0.2.0',
  effect: 'full',
});

const otelSpanAttr = defineDirective({
  name: 'otel_span_attr',
  syntax: 'otel_span_attr name value',
  contexts: LEVELS,
  args: [variableText, variableText],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: "An attribute of the request's span.",
  since: '0.2.0',
  effect: 'full',
});

export const otelModule: HttpModule = {
  name: 'otel',
  directives: [otelTrace, otelTraceContext, otelSpanName, otelSpanAttr],
  variables: defineVariables,
  declare(directives, build) {
    if (directives.some(({ definition }) => definition === otelTrace))
      build.shared(TRACERS).tracer = findTracer(build);
  },
  location: addTracing,
};

const TRACERS = new BuildKey('tracer', () => ({ tracer: null as Tracer | null }));

/** Beside the configuration, in the folder we were started from, or beside ourselves. */
function findTracer(build: HttpBuild): Tracer | null {
  try {
    return Tracer.find([build.resolvePath('', 'conf'), `${process.cwd()}/`, import.meta.url]);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    build.errorLog.log('warn', `no spans, since @opentelemetry/api cannot be loaded: ${reason}`);
    return null;
  }
}

function defineVariables(table: VariableTable<HttpRequest>): void {
  const define = (name: string, read: (trace: RequestTrace) => string | null) => {
    const get = (request: HttpRequest) => {
      const trace = TRACE.of(request);
      return trace === undefined ? null : read(trace);
    };
    table.define({ name, get, isVolatile: true, isOneLine: true });
  };
  define('otel_trace_id', ({ context }) => context.traceId);
  define('otel_span_id', ({ context }) => context.spanId);
  define('otel_parent_id', ({ parent }) => parent?.spanId ?? null);
  define('otel_parent_sampled', ({ parent }) => (parent === null ? null : parent.isSampled ? '1' : '0'));
  define('otel_traceparent', ({ traceParent }) => traceParent);
  define('otel_tracestate', ({ state }) => state || null);
}

function addTracing(scope: Scope, build: LocationBuild): void {
  const [context] = scope.value(otelTraceContext);
  const trace = scope.find(otelTrace);
  const decision =
    trace === null ? constantText<HttpRequest>('off') : build.text(trace.values[0], trace.node.args[0]!);
  if (context === 'ignore' && decision.constant === 'off') return;
  const injects = context === 'inject' || context === 'propagate';
  const settings: TraceSettings = {
    tracer: build.shared(TRACERS).tracer,
    trace: decision,
    extracts: context === 'extract' || context === 'propagate',
    spanName: nameOf(scope.find(otelSpanName), build),
    location: locationName(scope) ?? 'server',
    attributes: scope.all(otelSpanAttr).map(({ node, values }) => ({
      name: build.text(values[0], node.args[0]!),
      value: build.text(values[1], node.args[1]!),
    })),
  };
  build.addHandler('rewrite', (request) => {
    if (request.parent === null && TRACE.of(request) === undefined) RequestTrace.begin(request, settings);
    return DECLINED;
  });
  if (!injects) return;
  build.location.upstreamFields.push(
    setField('traceparent', TRACEPARENT),
    setField('tracestate', TRACESTATE),
  );
}

const TRACEPARENT: RequestText = {
  constant: null,
  isOneLine: true,
  evaluate: (request) => TRACE.of(request)?.traceParentFor(request) ?? '',
};
const TRACESTATE: RequestText = {
  constant: null,
  isOneLine: true,
  evaluate: (request) => TRACE.of(request)?.state ?? '',
};

function nameOf(
  directive: Placed<(typeof otelSpanName)['args']> | null,
  build: HttpBuild,
): Text<HttpRequest> {
  return directive === null ? constantText('') : build.text(directive.values[0], directive.node.args[0]!);
}
