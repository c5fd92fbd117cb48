// The metrics page: what Prometheus reads there after requests that are known.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answering, type TestConf } from '../src/testing/index.js';
import { get, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';
import { startOrigin, unusedAddress } from './scene.js';

/** Series by name and labels, as they are written: `name{a="b"}`. */
type Series = Map<string, number>;

const LINE =
  /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[\d.e+-]+|\+Inf|NaN)$/;

/** Reads a page as promtool does: each metric is told of once, before its series, and no series comes twice. */
function parse(text: string): Series {
  const series: Series = new Map();
  const types = new Map<string, string>();
  let current = '';
  for (const line of text.split('\n')) {
    const [, comment, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (comment === 'TYPE') {
      expect(types.has(name!)).toBe(false);
      types.set(name!, rest!);
      current = name!;
    } else if (comment === undefined && line !== '' && line !== '# EOF') {
      const [, metric, labels = '', value] = LINE.exec(line) ?? expect.fail(`no series: ${line}`);
      expect(metric!.startsWith(current)).toBe(true);
      if (types.get(current) === 'histogram') expect(metric).toMatch(/_(bucket|sum|count)$/);
      expect(series.has(metric + labels)).toBe(false);
      series.set(metric! + labels, Number(value));
    }
  }
  return series;
}

async function scrape(conf: TestConf, accept = ''): Promise<Series> {
  const page = await get(conf, '/metrics', accept, 'metrics');
  expect(page.status).toBe(200);
  return parse(page.body);
}

const METRICS = 'server { listen %PORT%; server_name metrics; location /metrics { metrics; } }';
const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

describe('metrics', () => {
  it('tell of requests by zone, location and class, of their bytes and of how long they took', async () => {
    const conf = await serveConf(`
      server {
        listen %PORT%;
        server_name shop.test www.shop.test;
        location = /exact { return 200 hello; }
        location ~ "\\.p\\"hp$" { return 404; }
        location / { return 302 /exact; }
      }
      server { listen %PORT%; server_name b; status_zone named; return 204; }
      ${METRICS}`);
    const answer = await get(conf, '/exact', '', 'shop.test');
    await get(conf, '/exact?secret', '', 'www.shop.test');
    await get(conf, '/a.p%22hp', '', 'shop.test');
    await get(conf, '/elsewhere', '', 'shop.test');
    await get(conf, '/', '', 'b');
    const series = await scrape(conf);
    expect(series.get('sluice_http_requests_total{zone="shop.test",location="= /exact",class="2xx"}')).toBe(
      2,
    );
    expect(series.get('sluice_http_requests_total{zone="shop.test",location="= /exact",class="4xx"}')).toBe(
      0,
    );
    expect(
      series.get('sluice_http_requests_total{zone="shop.test",location="~ \\\\.p\\"hp$",class="4xx"}'),
    ).toBe(1);
    expect(series.get('sluice_http_requests_total{zone="shop.test",location="/",class="3xx"}')).toBe(1);
    expect(series.get('sluice_http_requests_total{zone="named",location="-",class="2xx"}')).toBe(1);
    expect(series.get('sluice_http_responses_total{zone="shop.test",code="302"}')).toBe(1);
    expect(series.get('sluice_http_requests_processing{zone="metrics"}')).toBe(1);
    expect(series.get('sluice_http_requests_processing{zone="shop.test"}')).toBe(0);
    expect(series.get('sluice_http_sent_bytes_total{zone="shop.test"}')).toBeGreaterThan(
      2 * (answer.head.length + 5),
    );
    const labels = 'zone="shop.test",location="= /exact"';
    expect(series.get(`sluice_http_request_duration_seconds_bucket{le="60",${labels}}`)).toBe(2);
    expect(series.get(`sluice_http_request_duration_seconds_bucket{le="+Inf",${labels}}`)).toBe(2);
    expect(series.get(`sluice_http_request_duration_seconds_count{${labels}}`)).toBe(2);
    expect(series.get(`sluice_http_request_duration_seconds_sum{${labels}}`)).toBeLessThan(10);
    expect([...series.keys()].filter((key) => /secret|elsewhere|www/.test(key))).toEqual([]);
    expect(series.get('sluice_connections_accepted_total')).toBe(6);
    expect(series.get('sluice_requests_total')).toBe(6);
    expect(series.get('sluice_connections{state="writing"}')).toBe(1);
  });

  it('tell of upstreams: the state of their servers, times to connect and to answer, tries beyond the first', async () => {
    const origin = await startOrigin(answering(() => EMPTY));
    const { port } = await unusedAddress();
    const conf = await serveConf(`
      upstream app {
        server 127.0.0.1:${port} weight=100;
        server 127.0.0.1:${origin.address.port};
        server 127.0.0.9:1 down;
      }
      server {
        listen %PORT%;
        server_name a;
        location /app { proxy_pass http://app; }
        location /gone { proxy_pass http://127.0.0.1:${port}; error_page 502 = /once; }
        location /once { proxy_pass http://127.0.0.1:${origin.address.port}; }
      }
      ${METRICS}`);
    for (let i = 0; i < 3; i++) expect((await get(conf, '/app', '', 'a')).status).toBe(200);
    await get(conf, '/gone', '', 'a');
    const series = await scrape(conf);
    const labels = 'zone="a",location="/app"';
    expect(series.get(`sluice_http_upstream_retries_total{${labels}}`)).toBe(1);
    expect(series.get(`sluice_http_upstream_header_seconds_count{${labels}}`)).toBe(3);
    expect(series.get(`sluice_http_upstream_connect_seconds_count{${labels}}`)).toBe(1);
    expect(series.get('sluice_http_upstream_retries_total{zone="a",location="/once"}')).toBe(0);
    const peer = (name: string, address: string, more = '') =>
      series.get(`sluice_upstream_peer_${name}{upstream="app",peer="${address}"${more}}`);
    const alive = `127.0.0.1:${origin.address.port}`;
    expect(peer('state', alive, ',state="up"')).toBe(1);
    expect(peer('state', `127.0.0.1:${port}`, ',state="unavailable"')).toBe(1);
    expect(peer('state', `127.0.0.1:${port}`, ',state="up"')).toBe(0);
    expect(peer('state', '127.0.0.9:1', ',state="down"')).toBe(1);
    expect(peer('requests_total', alive)).toBe(3);
    expect(peer('active', alive)).toBe(0);
    expect(peer('fails', `127.0.0.1:${port}`)).toBe(1);
  });

  it('tell what limits did, and what the cache had', async () => {
    const stored = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 0\r\n\r\n';
    const origin = await startOrigin(answering(() => stored));
    const conf = await serveConf(`
      proxy_cache_path ${await folderOf()} keys_zone=pages:1m;
      limit_req_zone $arg_key zone=slow:1m rate=1r/m;
      limit_req_zone $arg_key zone=quick:1m rate=2r/s;
      limit_conn_zone $arg_conn zone=few:1m;
      server {
        listen %PORT%;
        server_name a;
        location /late { limit_req zone=quick burst=1; empty_gif; }
        location /req { limit_req zone=slow; empty_gif; }
        location /conn { limit_conn few 1; empty_gif; }
        location /page { proxy_cache pages; proxy_pass http://127.0.0.1:${origin.address.port}; }
      }
      ${METRICS}`);
    for (const target of ['/req?key=1', '/req?key=1', '/req', '/conn?conn=1', '/page', '/page', '/page'])
      await get(conf, target, '', 'a');
    await Promise.all([get(conf, '/late?key=1', '', 'a'), get(conf, '/late?key=1', '', 'a')]);
    const series = await scrape(conf);
    const limited = (name: string, zone: string, outcome: string) =>
      series.get(`sluice_limit_${name}_requests_total{limit_zone="${zone}",outcome="${outcome}"}`);
    expect(limited('req', 'slow', 'passed')).toBe(1);
    expect(limited('req', 'slow', 'rejected')).toBe(1);
    expect(limited('req', 'slow', 'delayed')).toBe(0);
    expect(limited('conn', 'few', 'passed')).toBe(1);
    expect(limited('conn', 'few', 'rejected')).toBe(0);
    expect(limited('req', 'quick', 'passed')).toBe(1);
    expect(limited('req', 'quick', 'delayed')).toBe(1);
    const cached = (status: string) =>
      series.get(`sluice_http_cache_requests_total{zone="a",location="/page",status="${status}"}`);
    expect([cached('MISS'), cached('HIT'), cached('STALE')]).toEqual([1, 2, 0]);
  });

  it('go on after a reload, and tell of the process', async () => {
    const text = (more: string) => `server { listen %PORT%; server_name a; ${more} return 204; } ${METRICS}`;
    const conf = await serveConf(text(''));
    await get(conf, '/', '', 'a');
    await scrape(conf);
    await conf.reload(text('server_tokens off;'));
    await get(conf, '/', '', 'a');
    const series = await scrape(conf);
    expect(series.get('sluice_http_requests_total{zone="a",location="-",class="2xx"}')).toBe(2);
    expect(series.get('sluice_http_requests_total{zone="metrics",location="/metrics",class="2xx"}')).toBe(1);
    expect(series.get('sluice_event_loop_delay_seconds{worker="0",quantile="0.99"}')).toBeLessThan(10);
    expect(series.get('sluice_heap_used_bytes{worker="0"}')).toBeGreaterThan(1e6);
    expect(series.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(series.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  });

  it('are OpenMetrics for who asks for that first, and for nothing but GET and HEAD', async () => {
    const conf = await serveConf(METRICS);
    await get(conf, '/metrics', '', 'metrics');
    const accept = 'Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n';
    const open = await get(conf, '/metrics', accept, 'metrics');
    // What has a quantile is a summary, or promtool complains.
    expect(open.body).toContain('# TYPE sluice_event_loop_delay_seconds summary\n');
    expect(open.fields['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.body).toMatch(/\n# EOF\n$/);
    expect(open.body).toContain('# TYPE sluice_requests counter\nsluice_requests_total 2\n');
    expect(
      parse(open.body).get('sluice_http_requests_total{zone="metrics",location="/metrics",class="2xx"}'),
    ).toBe(1);
    const plain = await get(conf, '/metrics', 'Accept: text/plain\r\n', 'metrics');
    expect(plain.fields['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const client = await conf.connect();
    await client.send(
      'POST /metrics HTTP/1.1\r\nHost: metrics\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    expect(await client.readToEnd()).toContain('405 Not Allowed');
  });

  it('put locations beyond the first thousand together', async () => {
    const locations = Array.from({ length: 1010 }, (_, i) => `location /l${i} { return 204; }`).join('\n');
    const conf = await serveConf(
      `server { listen %PORT%; server_name metrics; location /metrics { metrics; } ${locations} }`,
    );
    for (const target of ['/l5', '/l1004', '/l1009']) await get(conf, target, '', 'metrics');
    const series = await scrape(conf);
    expect(series.get('sluice_http_requests_total{zone="metrics",location="/l5",class="2xx"}')).toBe(1);
    expect(series.get('sluice_http_requests_total{zone="other",location="other",class="2xx"}')).toBe(2);
  });
});

it('the configuration of docs/observability.md runs, and what it says of metrics is so', async () => {
  const page = readFileSync(new URL('../docs/observability.md', import.meta.url), 'utf8');
  const [, text] = /```nginx\n([\s\S]*?)```/.exec(page)!;
  const origin = await startOrigin(answering(() => EMPTY));
  const conf = await serveConf(
    text!
      .replace('listen 8080', 'listen 127.0.0.1:%PORT%')
      .replace('127.0.0.1:9090', '127.0.0.1:%PORT%')
      .replace('127.0.0.1:3000', `127.0.0.1:${origin.address.port}`)
      .replace('127.0.0.1:3001', '127.0.0.1:1 down'),
  );
  const answer = await get(conf, '/', '', 'shop.example');
  expect(answer.status).toBe(200);
  const line = JSON.parse(await conf.log('stdout').waitFor(/./));
  expect(line).toMatchObject({ status: 200, upstream_status: '200', trace_id: answer.fields['x-trace-id'] });
  expect(line.request_id).toMatch(/^[\da-f]{32}$/);
  const series = await scrape(conf);
  expect(series.get('sluice_http_requests_total{zone="shop",location="/",class="2xx"}')).toBe(1);
  const named = new Set([...page.matchAll(/`(sluice_\w+|process_\w+)`/g)].map(([, name]) => name!));
  const shown = new Set([...series.keys()].map((key) => key.replace(/(_bucket|_sum|_count)?(\{.*)?$/, '')));
  expect([...shown].filter((name) => !named.has(name))).toEqual([]);
});
