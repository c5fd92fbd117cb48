/*
 * What the API tells of the process, of its connections and of all requests together.
 */
import { NGINX_VERSION, version } from '../../../core/version.js';
import { ApiError } from './api-error.js';
import { type ApiCall, NOTHING, type Route } from './route.js';

/** TLS handshakes of NGINX Plus's shape. */
const NO_HANDSHAKES = {
  handshakes: 0,
  handshakes_failed: 0,
  session_reuses: 0,
  no_common_protocol: 0,
  no_common_cipher: 0,
  handshake_timeout: 0,
  peer_rejected_cert: 0,
  verify_failures: { no_cert: 0, expired_cert: 0, revoked_cert: 0, hostname_mismatch: 0, other: 0 },
};

export const GENERAL_ROUTES: readonly Route[] = [
  { path: '/nginx', since: 1, get: describeProcess },
  // Nothing of ours is a process of its own, so none was started again.
  { path: '/processes', since: 1, get: () => ({ respawned: 0 }), delete: () => NOTHING },
  {
    path: '/connections',
    since: 1,
    get: describeConnections,
    delete: ({ request }) => {
      request.context.connections.beginAcceptedAnew();
      return NOTHING;
    },
  },
  // No zone's memory is divided into slots.
  { path: '/slabs', since: 1, isMap: true, get: () => ({}) },
  { path: '/slabs/{slabZoneName}', since: 1, get: refuseSlab, delete: refuseSlab },
  { path: '/ssl', since: 1, get: () => NO_HANDSHAKES, delete: () => NOTHING },
  { path: '/workers', since: 9, get: (call) => [describeWorker(call)] },
  { path: '/workers/{workerId}', since: 9, get: findWorker },
  {
    path: '/http/requests',
    since: 1,
    get: describeRequests,
    delete: ({ request }) => {
      request.context.connections.beginRequestsAnew();
      return NOTHING;
    },
  },
];

function describeProcess({ request }: ApiCall): unknown {
  const { generation, loadedAtMs, clock } = request.context;
  return {
    version: NGINX_VERSION,
    build: `sluice-${version}`,
    address: request.client.localAddress,
    generation,
    load_timestamp: new Date(loadedAtMs).toISOString(),
    timestamp: new Date(clock.wallMs()).toISOString(),
    pid: process.pid,
    ppid: process.ppid,
  };
}

function describeConnections({ request }: ApiCall) {
  const { acceptedSince, active, waiting } = request.context.connections;
  return { accepted: acceptedSince, dropped: 0, active: active - waiting, idle: waiting };
}

function describeRequests({ request }: ApiCall) {
  const { requestsSince, reading, writing } = request.context.connections;
  return { total: requestsSince, current: reading + writing };
}

function describeWorker(call: ApiCall) {
  return {
    id: 0,
    pid: process.pid,
    http: { requests: describeRequests(call) },
    connections: describeConnections(call),
  };
}

function findWorker(call: ApiCall): unknown {
  if (call.names[0] === '0') return describeWorker(call);
  throw new ApiError(404, 'WorkerNotFound', `worker "${call.names[0]}" not found`);
}

function refuseSlab({ names }: ApiCall): never {
  throw new ApiError(404, 'SlabNotFound', `slab "${names[0]}" not found`);
}
