// otel_trace and otel_trace_context: what upstreams are told, what variables say, and what spans an SDK gets.
import { createRequire } from 'node:module';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answering, type RawOrigin } from '../src/testing/index.js';
import { get, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';
import { startOrigin, unusedAddress } from './scene.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `traceparent: 00-${TRACE}-${PARENT}-01\r\n`;
const UNSAMPLED = `traceparent: 00-${TRACE}-${PARENT}-00\r\n`;

/** Answers with the head that it was sent. */
function startEcho(): Promise<RawOrigin> {
  return startOrigin(
    answering(({ head }) => `HTTP/1.1 200 OK\r\nContent-Length: ${head.length}\r\n\r\n${head}`),
  );
}

/** The values of a field in a head, in order. */
function valuesIn(head: string, name: string): string[] {
  return [...head.matchAll(new RegExp(`^${name}: (.*)\\r$`, 'gim'))].map(([, value]) => value!);
}

async function serveTracing(directives: string, more = '') {
  const origin = await startEcho();
  return serveConf(`
    log_format ids '$otel_trace_id $otel_span_id $otel_parent_id $otel_parent_sampled';
    access_log ids.log ids;
    ${more}
    server { listen %PORT%; location / { ${directives} proxy_pass http://127.0.0.1:${origin.address.port}; } }`);
}

describe('otel_trace_context', () => {
  it('names to upstreams a trace of its own with inject, whatever the client says', async () => {
    const conf = await serveTracing('otel_trace on; otel_trace_context inject;');
    const { body } = await get(conf, '/', `${SAMPLED}tracestate: a=1\r\n`);
    const [value = '', ...others] = valuesIn(body, 'traceparent');
    expect(others).toEqual([]);
    expect(value).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    expect(value).not.toContain(TRACE);
    expect(valuesIn(body, 'tracestate')).toEqual([]);
    const [, trace, span] = value.split('-');
    await conf.log('ids.log').waitFor(new RegExp(`^${trace} ${span} - -`));
  });

  it('goes on with the trace of the client with propagate, and tells of it in variables', async () => {
    const conf = await serveTracing('otel_trace on; otel_trace_context propagate;');
    const { body } = await get(conf, '/', `${SAMPLED}tracestate: a=1\r\ntracestate: b=2\r\n`);
    expect(valuesIn(body, 'traceparent')[0]).toMatch(new RegExp(`^00-${TRACE}-[\\da-f]{16}-01$`));
    expect(valuesIn(body, 'tracestate')).toEqual(['a=1,b=2']);
    await conf.log('ids.log').waitFor(new RegExp(`^${TRACE} [\\da-f]{16} ${PARENT} 1`));
  });

  it('begins a new trace with propagate where the client names none, or more than one, or nonsense', async () => {
    const conf = await serveTracing('otel_trace_context propagate;');
    for (const fields of ['', SAMPLED + SAMPLED, 'traceparent: 00-1-2-3\r\ntracestate: a=1\r\n']) {
      const { body } = await get(conf, '/', fields);
      expect(valuesIn(body, 'traceparent')).toEqual([
        expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/),
      ]);
      expect(body).not.toContain(TRACE);
      expect(valuesIn(body, 'tracestate')).toEqual([]);
    }
  });

  it('leaves a trace that is not traced here as it is', async () => {
    const conf = await serveTracing('otel_trace $otel_parent_sampled; otel_trace_context propagate;');
    expect(valuesIn((await get(conf, '/', UNSAMPLED)).body, 'traceparent')).toEqual([
      `00-${TRACE}-${PARENT}-00`,
    ]);
    await conf.log('ids.log').waitFor(new RegExp(`^${TRACE} ${PARENT} ${PARENT} 0`));
  });

  it('only reads with extract, and does nothing with ignore', async () => {
    const extracting = await serveTracing('otel_trace_context extract;');
    expect(valuesIn((await get(extracting, '/', SAMPLED)).body, 'traceparent')).toEqual([
      `00-${TRACE}-${PARENT}-01`,
    ]);
    await extracting.log('ids.log').waitFor(new RegExp(`^${TRACE} ${PARENT} ${PARENT} 1`));
    const ignoring = await serveTracing('');
    expect(valuesIn((await get(ignoring, '/', SAMPLED)).body, 'traceparent')).toEqual([
      `00-${TRACE}-${PARENT}-01`,
    ]);
    await ignoring.log('ids.log').waitFor(/^- - - -/);
  });

  it('gives way to proxy_set_header', async () => {
    const conf = await serveTracing(
      'otel_trace_context propagate; proxy_set_header traceparent mine; proxy_set_header tracestate "";',
    );
    const { body } = await get(conf, '/', `${SAMPLED}tracestate: a=1\r\n`);
    expect(valuesIn(body, 'traceparent')).toEqual(['mine']);
    expect(valuesIn(body, 'tracestate')).toEqual([]);
  });
});

/** What a span says in the end. */
interface RecordedSpan {
  name: string;
  kind: number;
  parentId: string | undefined;
  attributes: Record<string, unknown>;
  status: number | undefined;
  startMs: number;
  endMs: number;
}

/** Spans that end are in the array; names like `off` are not sampled. */
function recordSpans(): RecordedSpan[] {
  const api = createRequire(import.meta.url)('@opentelemetry/api');
  const ended: RecordedSpan[] = [];
  let count = 0;
  const startSpan = (
    name: string,
    options: { kind: number; startTime: number; attributes?: object },
    context: unknown,
  ) => {
    const parent = api.trace.getSpanContext(context);
    const span: RecordedSpan = {
      name,
      kind: options.kind,
      parentId: parent?.spanId,
      attributes: { ...options.attributes },
      status: undefined,
      startMs: options.startTime,
      endMs: 0,
    };
    const spanId = String(++count).padStart(16, '5');
    return {
      spanContext: () => ({ traceId: parent?.traceId ?? '7'.repeat(32), spanId, traceFlags: 1 }),
      setAttribute: (key: string, value: unknown) => {
        span.attributes[key] = value;
      },
      setStatus: ({ code }: { code: number }) => {
        span.status = code;
      },
      end: (endMs: number) => {
        span.endMs = endMs;
        ended.push(span);
      },
    };
  };
  api.trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) });
  onTestFinished(() => api.trace.disable());
  return ended;
}

describe('otel_trace', () => {
  it('gives the SDK a span for the request, and one for each try at an upstream', async () => {
    const spans = recordSpans();
    const origin = await startEcho();
    const { port } = await unusedAddress();
    const startMs = Date.now();
    const conf = await serveConf(`
      upstream app { server 127.0.0.1:${port} weight=9; server 127.0.0.1:${origin.address.port}; }
      server {
        listen %PORT%;
        otel_trace on;
        otel_trace_context propagate;
        otel_span_attr tenant $arg_tenant;
        location /app { proxy_pass http://app; }
      }`);
    const { body } = await get(conf, '/app/x?tenant=blue', SAMPLED);
    expect(valuesIn(body, 'traceparent')).toEqual([`00-${TRACE}-5555555555555551-01`]);
    await expect.poll(() => spans.length).toBe(3);
    const [failed, answered, request] = spans as [RecordedSpan, RecordedSpan, RecordedSpan];
    expect(request).toMatchObject({
      name: '/app',
      kind: 1,
      parentId: PARENT,
      status: undefined,
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/app',
        'url.path': '/app/x',
        'http.response.status_code': 200,
        'client.address': '127.0.0.1',
        tenant: 'blue',
        'sluice.before_upstream_time': expect.any(Number),
        'sluice.after_upstream_time': expect.any(Number),
      },
    });
    expect(failed).toMatchObject({
      name: 'upstream',
      kind: 2,
      parentId: '5555555555555551',
      status: 2,
      attributes: { 'sluice.upstream.address': `127.0.0.1:${port}`, 'http.response.status_code': 502 },
    });
    expect(answered).toMatchObject({
      parentId: '5555555555555551',
      status: undefined,
      attributes: {
        'sluice.upstream.address': `127.0.0.1:${origin.address.port}`,
        'http.response.status_code': 200,
        'http.request.resend_count': 1,
        'sluice.upstream.connect_time': expect.any(Number),
        'sluice.upstream.header_time': expect.any(Number),
        'sluice.upstream.body_time': expect.any(Number),
      },
    });
    expect(request.startMs).toBeGreaterThan(startMs - 5);
    expect(failed.startMs).toBeGreaterThan(request.startMs - 0.01);
    expect(answered.startMs).toBeGreaterThan(failed.endMs - 0.01);
    // Sums of the same times, rounded otherwise.
    expect(request.endMs).toBeGreaterThan(answered.endMs - 0.01);
    expect(request.endMs).toBeLessThan(Date.now() + 5);
  });

  it('traces what its variable chooses, under the name of otel_span_name, and marks what has failed', async () => {
    const spans = recordSpans();
    const conf = await serveConf(`
      map $arg_trace $traced { yes on; default off; }
      server { listen %PORT%; location / { otel_trace $traced; otel_span_name "$request_method $arg_name"; empty_gif; } 
        location /bad { otel_trace 1; deny all; error_page 403 = @last; } location @last { return 500; } }`);
    await get(conf, '/?trace=no');
    await get(conf, '/?trace=yes&name=caf\xc3\xa9');
    await get(conf, '/bad');
    await expect.poll(() => spans.length).toBe(2);
    expect(spans.map(({ name, status, parentId }) => [name, status, parentId])).toEqual([
      ['GET caf\u00e9', undefined, undefined],
      ['/bad', 2, undefined],
    ]);
  });

  it('finds the API beside the configuration, and serves without spans where it is broken', async () => {
    const folder = await folderOf({
      'node_modules/@opentelemetry/api/index.js': 'throw new Error("a broken package");',
    });
    const text = `
      error_log error.log info;
      events {}
      http { server { listen %PORT%; otel_trace on; location / { return 204; } } }`;
    const conf = await serveConf(text, { prefix: `${folder}/` });
    expect((await get(conf, '/')).status).toBe(204);
    expect(conf.log('error.log').matching(/\[warn\] .*no spans, since .*a broken package/)).toHaveLength(1);
  });
});
