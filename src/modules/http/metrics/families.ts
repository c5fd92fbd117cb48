/*
 * All metrics with what they say now, as data; how they are written is exposition.ts's.
 */
import type { HistogramSnapshot } from '../../../metrics/histogram.js';
import { SECONDS_BOUNDS } from '../../../metrics/histogram.js';
import type { OutcomeCounters } from '../../../metrics/outcome-counters.js';
import { ANSWER_CLASSES, CACHE_STATUSES } from '../../../metrics/route-counters.js';
import type { ServiceContext } from '../../../request/virtual-server.js';
import type { PeerCondition } from '../../../upstream/peer.js';
import type { UpstreamTarget } from '../../../upstream/upstream-target.js';
import type { Routes } from './routes.js';
import type { WorkerHealth } from './worker-health.js';

export type Labels = Readonly<Record<string, string | number>>;

/** One number. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Behind the name: `_bucket`. */
  readonly suffix: string;
}

/** One metric with all its series. */
export class Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
  private readonly samplesByKey: Map<string, { labels: Labels; suffix: string; value: number }>;

  constructor(name: string, type: Family['type'], help: string) {
    this.name = name;
    this.type = type;
    this.help = help;
    this.samplesByKey = new Map();
  }

  get samples(): readonly Sample[] {
    return [...this.samplesByKey.values()];
  }

  /** What has the same labels is one: two servers of a group may have one address. */
  add(labels: Labels, value: number, suffix = ''): void {
    const key = `${suffix} ${JSON.stringify(labels)}`;
    const known = this.samplesByKey.get(key);
    if (known === undefined) this.samplesByKey.set(key, { labels, value, suffix });
    else known.value += value;
  }

  addHistogram(labels: Labels, { cumulative, count, sumSeconds }: HistogramSnapshot): void {
    for (const [i, bound] of SECONDS_BOUNDS.entries())
      this.add({ le: bound, ...labels }, cumulative[i]!, '_bucket');
    this.add({ le: '+Inf', ...labels }, count, '_bucket');
    this.add(labels, sumSeconds, '_sum');
    this.add(labels, count, '_count');
  }
}

/** What metrics are made of. */
export interface Observed {
  readonly context: ServiceContext;
  readonly routes: Routes;
  readonly upstreams: ReadonlyMap<string, UpstreamTarget>;
  readonly health: WorkerHealth;
}

/** All of them as they are now. */
export function makeFamilies({ context, routes, upstreams, health }: Observed): Family[] {
  return [
    ...connectionFamilies(context),
    ...zoneFamilies(context, routes),
    ...routeFamilies(routes),
    limitFamily('sluice_limit_req_requests_total', 'limit_req', context.statusZones.limitReqs),
    limitFamily('sluice_limit_conn_requests_total', 'limit_conn', context.statusZones.limitConns),
    ...upstreamFamilies(upstreams),
    ...processFamilies(health),
  ];
}

function connectionFamilies({ connections }: ServiceContext): Family[] {
  const open = new Family('sluice_connections', 'gauge', 'Client connections by what they are doing.');
  for (const state of ['reading', 'writing', 'waiting'] as const) open.add({ state }, connections[state]);
  const accepted = new Family('sluice_connections_accepted_total', 'counter', 'Client connections.');
  accepted.add({}, connections.accepted);
  const requests = new Family('sluice_requests_total', 'counter', 'Requests, also those that were refused.');
  requests.add({}, connections.requests);
  return [open, accepted, requests];
}

function zoneFamilies({ statusZones }: ServiceContext, routes: Routes): Family[] {
  const processing = new Family('sluice_http_requests_processing', 'gauge', 'Requests under way.');
  const responses = new Family('sluice_http_responses_total', 'counter', 'Answers by their status.');
  const received = new Family('sluice_http_received_bytes_total', 'counter', 'Bytes of requests.');
  const sent = new Family('sluice_http_sent_bytes_total', 'counter', 'Bytes of answers.');
  for (const counters of [...statusZones.servers.values(), ...routes.zones.values()]) {
    const { name: zone } = counters;
    const snapshot = counters.snapshot();
    processing.add({ zone }, snapshot.processing);
    received.add({ zone }, snapshot.received);
    sent.add({ zone }, snapshot.sent);
    for (const [code, count] of Object.entries(snapshot.responses.codes))
      responses.add({ zone, code }, count);
  }
  return [processing, responses, received, sent];
}

function routeFamilies(routes: Routes): Family[] {
  const requests = new Family(
    'sluice_http_requests_total',
    'counter',
    'Requests that are over, by the class of their answer.',
  );
  const duration = new Family(
    'sluice_http_request_duration_seconds',
    'histogram',
    'From the first byte of a request to the last of its answer.',
  );
  const connect = new Family(
    'sluice_http_upstream_connect_seconds',
    'histogram',
    'Until a server of an upstream took a new connection.',
  );
  const header = new Family(
    'sluice_http_upstream_header_seconds',
    'histogram',
    'From the begin of a try at an upstream to the head of its answer.',
  );
  const retries = new Family(
    'sluice_http_upstream_retries_total',
    'counter',
    'Tries at upstreams beyond the first of a request.',
  );
  const cache = new Family(
    'sluice_http_cache_requests_total',
    'counter',
    'Requests by what the cache had for them.',
  );
  for (const { zone, location, counters } of routes.all()) {
    const labels = { zone, location };
    const { answers, ...counted } = counters.snapshot();
    // Locations that nobody has asked for would be most of the page.
    if (counted.duration.count === 0) continue;
    for (const [i, count] of answers.entries()) requests.add({ ...labels, class: ANSWER_CLASSES[i]! }, count);
    duration.addHistogram(labels, counted.duration);
    if (counted.header.count > 0 || counted.retries > 0) {
      header.addHistogram(labels, counted.header);
      connect.addHistogram(labels, counted.connect);
      retries.add(labels, counted.retries);
    }
    if (counted.cache.every((count) => count === 0)) continue;
    for (const [i, count] of counted.cache.entries())
      cache.add({ ...labels, status: CACHE_STATUSES[i]! }, count);
  }
  return [requests, duration, connect, header, retries, cache];
}

function limitFamily(name: string, directive: string, zones: ReadonlyMap<string, OutcomeCounters>): Family {
  const help = `Requests that ${directive} has looked at, by what became of them.`;
  const family = new Family(name, 'counter', help);
  for (const [limitZone, outcomes] of zones) {
    for (const [outcome, count] of Object.entries(outcomes.snapshot()))
      family.add({ limit_zone: limitZone, outcome }, count);
  }
  return family;
}

const PEER_STATES: readonly PeerCondition[] = [
  'up',
  'down',
  'draining',
  'unhealthy',
  'checking',
  'unavailable',
];

function upstreamFamilies(upstreams: ReadonlyMap<string, UpstreamTarget>): Family[] {
  const states = new Family('sluice_upstream_peer_state', 'gauge', 'The state a server is in is 1.');
  const active = new Family('sluice_upstream_peer_active', 'gauge', 'Tries under way.');
  const requests = new Family('sluice_upstream_peer_requests_total', 'counter', 'Tries.');
  const fails = new Family('sluice_upstream_peer_fails', 'gauge', 'Failures that count now (max_fails).');
  for (const { group } of upstreams.values()) {
    for (const peer of group.peers) {
      const labels = { upstream: group.name, peer: peer.name };
      const current = peer.condition;
      for (const state of PEER_STATES) states.add({ ...labels, state }, state === current ? 1 : 0);
      active.add(labels, peer.activeRequests);
      requests.add(labels, peer.requests);
      fails.add(labels, peer.fails);
    }
  }
  return [states, active, requests, fails];
}

function processFamilies(health: WorkerHealth): Family[] {
  const delay = new Family('sluice_event_loop_delay_seconds', 'summary', 'How late event loops were lately.');
  const heapUsed = new Family('sluice_heap_used_bytes', 'gauge', 'Memory of JavaScript objects.');
  const heapTotal = new Family(
    'sluice_heap_total_bytes',
    'gauge',
    'Memory set aside for JavaScript objects.',
  );
  for (const { worker, delays, heapUsedBytes, heapTotalBytes } of health.snapshot()) {
    for (const { quantile, seconds } of delays) delay.add({ worker, quantile }, seconds);
    heapUsed.add({ worker }, heapUsedBytes);
    heapTotal.add({ worker }, heapTotalBytes);
  }
  const resident = new Family('process_resident_memory_bytes', 'gauge', 'Memory of the process.');
  resident.add({}, process.memoryUsage.rss());
  const cpu = new Family('process_cpu_seconds_total', 'counter', 'Processor time of the process.');
  const { user, system } = process.cpuUsage();
  cpu.add({}, (user + system) / 1e6);
  const start = new Family('process_start_time_seconds', 'gauge', 'When the process started, in Unix time.');
  start.add({}, Math.round(Date.now() / 1000 - process.uptime()));
  return [delay, heapUsed, heapTotal, resident, cpu, start];
}
