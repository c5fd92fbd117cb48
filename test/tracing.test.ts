// otel_trace and otel_trace_context: what upstreams are told, what variables say, and what spans an SDK gets.
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answering, type RawOrigin } from '../src/testing/index.js';
import { get, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';
import { startOrigin, unusedAddress } from './scene.js';
import { connectTls, useAuthority } from './tls-scene.js';

const authority = useAuthority();
authority.makeSelfSigned('own');

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
  id: string;
  name: string;
  kind: number;
  parentId: string | undefined;
  attributes: Record<string, unknown>;
  status: { code: number; message?: string } | undefined;
  startMs: number;
  endMs: number;
}

/** Spans that end are in the array. Those of requests with the name `unsampled` are not recorded. */
function recordSpans(): RecordedSpan[] {
  const api = createRequire(import.meta.url)('@opentelemetry/api');
  const ended: RecordedSpan[] = [];
  let count = 0;
  const startSpan = (
    name: string,
    options: { kind: number; startTime: number; attributes: object },
    context: unknown,
  ) => {
    const parent = api.trace.getSpanContext(context);
    const isRecorded = name !== 'unsampled';
    const id = String(++count).padStart(16, '5');
    const span: RecordedSpan = {
      id,
      name,
      kind: options.kind,
      parentId: parent?.spanId,
      attributes: { ...options.attributes },
      status: undefined,
      startMs: options.startTime,
      endMs: 0,
    };
    return {
      spanContext: () => ({
        traceId: parent?.traceId ?? '7'.repeat(32),
        spanId: id,
        traceFlags: isRecorded ? 1 : 0,
      }),
      isRecording: () => isRecorded,
      setAttributes: (attributes: object) => Object.assign(span.attributes, attributes),
      setStatus: (status: { code: number }) => {
        span.status = status;
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

/** The first whole trace: its spans by their way from the request's, as in "/ > GET > connect". */
async function traceOf(spans: RecordedSpan[]): Promise<{
  request: RecordedSpan;
  paths: string[];
  at(path: string, index?: number): RecordedSpan;
}> {
  // The request's is the last to end.
  await expect.poll(() => spans.some(({ kind }) => kind === 1)).toBe(true);
  const trace = spans.splice(0, spans.findIndex(({ kind }) => kind === 1) + 1);
  const request = trace.at(-1)!;
  const pathOf = (span: RecordedSpan): string => {
    const parent = trace.find(({ id }) => id === span.parentId);
    return parent === undefined ? span.name : `${pathOf(parent)} > ${span.name}`;
  };
  const ordered = trace.toSorted((a, b) => a.startMs - b.startMs);
  const at = (path: string, index = 0) => {
    const found = ordered.filter((span) => pathOf(span) === path)[index];
    if (found === undefined) throw new Error(`no span "${path}" in ${ordered.map(pathOf).join(', ')}`);
    return found;
  };
  return { request, paths: ordered.map(pathOf), at };
}

const tookMs = ({ startMs, endMs }: RecordedSpan) => endMs - startMs;

/** Longer than the least that is told, and than what timers are wrong by. */
const LONG_MS = 30;
const LEAST_MS = LONG_MS - 5;

describe('otel_trace', () => {
  it('gives the SDK a span for the request, and one for each try at an upstream, whose trace it is told', async () => {
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
    const { body } = await get(conf, '/app/x?tenant=blue&sig=key', `${SAMPLED}User-Agent: caf\xc3\xa9\r\n`);
    const { request, at } = await traceOf(spans);
    const [failed, answered] = [at('/app > GET'), at('/app > GET', 1)];
    // The upstream's own span has its place in the try that asked for it.
    expect(valuesIn(body, 'traceparent')).toEqual([`00-${TRACE}-${answered.id}-01`]);
    expect(request).toMatchObject({ name: '/app', kind: 1, parentId: PARENT, status: undefined });
    expect(request.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/app',
      'url.scheme': 'http',
      'url.path': '/app/x',
      'url.query': 'tenant=blue&sig=REDACTED',
      'server.address': 'localhost',
      'server.port': conf.address.port,
      'network.protocol.version': '1.1',
      'network.peer.address': '127.0.0.1',
      'network.peer.port': expect.any(Number),
      'client.address': '127.0.0.1',
      'user_agent.original': 'caf\u00e9',
      'http.response.status_code': 200,
      'http.request.size': expect.any(Number),
      'http.response.size': expect.any(Number),
      tenant: 'blue',
    });
    expect(failed).toMatchObject({
      kind: 2,
      status: { code: 2, message: 'connect() failed (111: Connection refused)' },
    });
    expect(failed.attributes).toEqual({
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': port,
      'http.request.size': 0,
      'http.response.size': 0,
      'error.type': 'connect',
    });
    expect(answered).toMatchObject({ kind: 2, status: undefined });
    expect(answered.attributes).toMatchObject({
      'server.port': origin.address.port,
      'http.response.status_code': 200,
      'http.request.resend_count': 1,
      'sluice.upstream.connect_time': expect.any(Number),
      'sluice.upstream.header_time': expect.any(Number),
      'sluice.upstream.body_time': expect.any(Number),
    });
    expect(request.startMs).toBeGreaterThan(startMs - 5);
    expect(failed.startMs).toBeGreaterThan(request.startMs - 0.01);
    expect(answered.startMs).toBeGreaterThan(failed.endMs - 0.01);
    // Sums of the same times, rounded otherwise.
    expect(request.endMs).toBeGreaterThan(answered.endMs - 0.01);
    expect(request.endMs).toBeLessThan(Date.now() + 5);
  });

  it('gives the phases that made a request wait, the bodies, and the stages of each try spans of their own', async () => {
    const spans = recordSpans();
    const { port } = await unusedAddress();
    let noteAsked = () => {};
    const isAsked = new Promise<void>((resolve) => {
      noteAsked = resolve;
    });
    const auth = await startOrigin(async (connection) => {
      await connection.readRequest();
      await delay(LONG_MS);
      await connection.send('HTTP/1.1 204 No Content\r\n\r\n');
      noteAsked();
    });
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      await delay(LONG_MS);
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
      await delay(LONG_MS);
      await connection.send('cd');
    });
    const conf = await serveConf(`
      limit_req_zone $binary_remote_addr zone=all:32k rate=2r/s;
      upstream app { server 127.0.0.1:${port} weight=9; server ${origin.name}; }
      server {
        listen %PORT%;
        location /first { limit_req zone=all; empty_gif; }
        location /orders {
          otel_trace on;
          limit_req zone=all burst=9;
          auth_request /auth;
          proxy_pass http://app;
        }
        location = /auth { internal; proxy_pass http://${auth.name}/may-pass; }
      }`);
    await get(conf, '/first');
    const client = await conf.connect();
    onTestFinished(() => client.close());
    await client.send('POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\n12');
    await isAsked;
    await delay(LONG_MS);
    await client.send('34');
    await client.readToEnd();
    const { request, paths, at } = await traceOf(spans);
    const stages = [
      at('/orders > preaccess'),
      at('/orders > access'),
      at('/orders > request body'),
      at('/orders > POST'),
      at('/orders > POST', 1),
      at('/orders > response body'),
    ] as const;
    const [delayed, access, body, failed, answered, response] = stages;
    expect(tookMs(delayed)).toBeGreaterThan(100);
    for (const slow of [access, body, answered, response]) expect(tookMs(slow)).toBeGreaterThan(LEAST_MS);
    // One after the other, and nothing is left over: the answer goes on while it still comes in.
    expect(delayed.startMs).toBeCloseTo(request.startMs, 1);
    for (const [i, stage] of stages.slice(1, 5).entries())
      expect(stage.startMs).toBeCloseTo(stages[i]!.endMs, 1);
    expect(paths).not.toContain('/orders > content');
    expect(response.endMs).toBeCloseTo(request.endMs, 1);
    expect(body.attributes).toEqual({ 'http.request.body.size': 4 });
    expect(response.attributes).toEqual({ 'http.response.body.size': 4 });
    // Whoever was asked for access, within that time.
    expect(at('/orders > GET')).toMatchObject({
      kind: 2,
      attributes: { 'server.port': auth.address.port, 'url.path': '/auth', 'http.response.status_code': 204 },
    });
    expect(at('/orders > GET').startMs).toBeGreaterThan(access.startMs - 0.01);
    expect(at('/orders > GET').endMs).toBeLessThan(access.endMs + 0.01);
    expect(failed.status?.code).toBe(2);
    // That of the try which failed at once is not told.
    const head = at('/orders > POST > response head');
    expect(head).toMatchObject({ kind: 0, parentId: answered.id });
    expect(tookMs(head)).toBeGreaterThan(LEAST_MS);
    expect(tookMs(at('/orders > POST > response body'))).toBeGreaterThan(LEAST_MS);
    expect(at('/orders > POST > response body').startMs).toBeCloseTo(response.startMs, 1);
  });

  it('tells with the first request of a connection how that was accepted, with all how long the head took', async () => {
    const spans = recordSpans();
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ssl_certificate own.crt; ssl_certificate_key own.key;
        location / { otel_trace on; return 200 ok; } }`,
      { prefix: authority.folder },
    );
    const client = await connectTls(conf);
    await delay(LONG_MS);
    await client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readResponse();
    const first = await traceOf(spans);
    const accept = first.at('/ > accept');
    const handshake = first.at('/ > accept > TLS handshake');
    expect(tookMs(accept)).toBeGreaterThan(LEAST_MS);
    expect(accept.endMs).toBeCloseTo(first.request.startMs, 1);
    expect(handshake.startMs).toBeGreaterThan(accept.startMs - 0.01);
    // What comes behind it is the client's.
    expect(handshake.endMs).toBeLessThan(accept.endMs - LEAST_MS);
    expect(handshake.attributes).toEqual({
      'tls.protocol.name': 'tls',
      'tls.protocol.version': '1.3',
      'tls.resumed': false,
    });
    expect(first.request.attributes).toMatchObject({ 'url.scheme': 'https' });

    await client.send('GET /second HTTP/1.1\r\n');
    await delay(LONG_MS);
    await client.send('Host: a\r\nConnection: close\r\n\r\n');
    await client.readToEnd();
    const second = await traceOf(spans);
    expect(second.paths).not.toContain('/ > accept');
    const head = second.at('/ > request head');
    expect(head.startMs).toBeCloseTo(second.request.startMs, 1);
    expect(tookMs(head)).toBeGreaterThan(LEAST_MS);
  });

  it('tells as content what is waited for besides upstreams: a server that is free', async () => {
    const spans = recordSpans();
    const origin = await startOrigin();
    const conf = await serveConf(`
      upstream app { server ${origin.name} max_conns=1; queue 9; }
      server { listen %PORT%; otel_trace on; location / { proxy_pass http://app; } }`);
    const first = get(conf, '/');
    const upstream = await origin.accept();
    await upstream.readRequest();
    const second = get(conf, '/');
    await delay(LONG_MS);
    await upstream.send('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    upstream.end();
    await first;
    await traceOf(spans);
    const other = await origin.accept();
    await other.readRequest();
    await other.send('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    await second;
    const { at } = await traceOf(spans);
    expect(at('/ > content').endMs).toBeCloseTo(at('/ > GET').startMs, 1);
  });

  it('marks requests whose client left before the answer, and answers that broke off', async () => {
    const spans = recordSpans();
    const origin = await startOrigin();
    const conf = await serveConf(
      `server { listen %PORT%; otel_trace on; location / { proxy_pass http://${origin.name}; } }`,
    );
    const leaving = await conf.connect();
    await leaving.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await (await origin.accept()).readRequest();
    leaving.reset();
    const left = await traceOf(spans);
    expect(left.request).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': '499' } });
    expect(left.request.attributes).not.toHaveProperty(['http.response.status_code']);
    expect(left.at('/ > GET')).toMatchObject({
      status: { code: 2 },
      attributes: { 'error.type': 'canceled' },
    });

    const client = await conf.connect();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await origin.accept();
    await upstream.readRequest();
    await upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1');
    upstream.end();
    await client.readToEnd();
    const broken = await traceOf(spans);
    expect(broken.request).toMatchObject({
      status: { code: 2 },
      attributes: { 'http.response.status_code': 200, 'error.type': 'incomplete' },
    });
    expect(broken.at('/ > GET')).toMatchObject({
      status: { code: 2, message: 'upstream prematurely closed connection' },
      attributes: { 'http.response.status_code': 200, 'error.type': 'closed' },
    });
  });

  it('keeps nothing of a request that is not sampled, and tells upstreams so', async () => {
    const spans = recordSpans();
    const conf = await serveTracing('otel_trace on; otel_trace_context propagate; otel_span_name unsampled;');
    const { body } = await get(conf, '/', SAMPLED);
    expect(valuesIn(body, 'traceparent')).toEqual([`00-${TRACE}-5555555555555551-00`]);
    await conf.log('ids.log').waitFor(/./);
    expect(spans).toEqual([]);
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
    expect((await traceOf(spans)).request).toMatchObject({ name: 'GET caf\u00e9', status: undefined });
    const { request } = await traceOf(spans);
    expect(request).toMatchObject({ name: '/bad', status: { code: 2 }, parentId: undefined });
    expect(request.attributes).toMatchObject({ 'http.response.status_code': 500, 'error.type': '500' });
    expect(spans).toEqual([]);
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
