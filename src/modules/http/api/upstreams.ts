/*
 * Groups of servers as the API tells them: what has become of each server, and of the requests sent to it.
 */
import type { Peer } from '../../../upstream/peer.js';
import type { PeerCounts } from '../../../upstream/peer-stats.js';
import { ApiError } from './api-error.js';
import { type ApiCall, NOTHING, type Route, type ServedGroup } from './route.js';

export const UPSTREAM_ROUTES: readonly Route[] = [
  {
    path: '/http/upstreams',
    since: 1,
    isMap: true,
    get: (call) => {
      const entries = [...call.groups].map(([name, group]) => [name, describeGroup(group, call)]);
      return Object.fromEntries(entries);
    },
  },
  {
    path: '/http/upstreams/{httpUpstreamName}',
    since: 1,
    get: (call) => describeGroup(groupOf(call), call),
    delete: (call) => {
      groupOf(call).servers.resetStats();
      return NOTHING;
    },
  },
];

/** The group that a call is about. */
export function groupOf({ groups, names }: ApiCall): ServedGroup {
  const name = names[0]!;
  const group = groups.get(name);
  if (group !== undefined) return group;
  throw new ApiError(
    404,
    'UpstreamNotFound',
    `upstream "${name}" not found: there is none of that name with a zone`,
  );
}

function describeGroup({ group, pool, servers }: ServedGroup, { request }: ApiCall): unknown {
  const { clock } = request.context;
  const times = { nowMs: group.nowMs, wallMs: clock.wallMs() };
  const { queue, zone } = servers;
  return {
    peers: group.peers.map((peer) => describePeer(peer, times)),
    keepalive: pool.idleCount,
    zombies: group.leavingCount,
    zone,
    ...(queue === null
      ? {}
      : { queue: { size: queue.size, max_size: queue.limit, overflows: queue.overflows } }),
  };
}

/** The same moment by the clock that counts and by the one that people read. */
interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
}

function describePeer(peer: Peer, moment: Moment): unknown {
  const stats = peer.stats!.read(moment.nowMs);
  return {
    id: peer.number,
    server: peer.name,
    name: peer.server,
    backup: peer.isBackup,
    weight: peer.weight,
    state: peer.condition === 'unavailable' ? 'unavail' : peer.condition,
    active: peer.activeRequests,
    ...(peer.maxConns > 0 ? { max_conns: peer.maxConns } : {}),
    requests: stats.requests,
    ...(stats.headerMs > 0 || stats.responseMs > 0
      ? { header_time: Math.round(stats.headerMs), response_time: Math.round(stats.responseMs) }
      : {}),
    responses: stats.responses,
    sent: stats.sent,
    received: stats.received,
    fails: stats.fails,
    unavail: stats.unavail,
    health_checks: describeChecks(stats),
    downtime: Math.round(stats.downMs),
    ...(stats.downSinceMs > 0 ? { downstart: isoTime(stats.downSinceMs, moment) } : {}),
    ...(stats.selectedAtMs > 0 ? { selected: isoTime(stats.selectedAtMs, moment) } : {}),
  };
}

function describeChecks({ checks, failedChecks, unhealthy, hasPassedLastCheck }: PeerCounts): unknown {
  return {
    checks,
    fails: failedChecks,
    unhealthy,
    ...(hasPassedLastCheck === null ? {} : { last_passed: hasPassedLastCheck }),
  };
}

function isoTime(ms: number, { nowMs, wallMs }: Moment): string {
  return new Date(wallMs - (nowMs - ms)).toISOString();
}
