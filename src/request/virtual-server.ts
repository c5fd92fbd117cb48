/*
 * What a request is served by: a virtual server, and the address it listens on with others. Built by compile/, read
 * by everything in request/, changed by nobody while it serves.
 */
import type { Clock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { ErrorLog } from '../log/error-log.js';
import type { StatusZones } from '../metrics/status-zones.js';
import type { ZoneCounters } from '../metrics/zone-counters.js';
import type { Address } from '../net/address.js';
import type { SessionCache } from '../net/tls/session-cache.js';
import type { TlsContext } from '../net/tls/tls-context.js';
import type { ConnectionCounts } from './connection-counts.js';
import type { Location } from './location.js';
import type { LocationTree } from './location-tree.js';
import type { RequestRegex } from './request-regex.js';
import type { ServerNames } from './server-names.js';
import type { ServerSettings } from './settings.js';

/** One `server {}`. */
export interface VirtualServer {
  readonly settings: ServerSettings;
  readonly tls: ServerTls;
  /** What holds where no location fits; its serverRewrite handlers run before one is looked for. */
  readonly base: Location;
  readonly locations: LocationTree<Location>;
  /** Counts its requests; null where nobody asks for that. */
  zone: ZoneCounters | null;
  /** Whether something in it takes CONNECT. Others don't. */
  allowsConnect: boolean;
}

/** What a server wants of TLS where it listens for that. */
export interface ServerTls {
  /** Null where it has no certificate: that of its address's default server is used. */
  readonly context: TlsContext | null;
  /** Clients that name it get no connection (nginx: ssl_reject_handshake). */
  readonly rejectsHandshakes: boolean;
  /** Of VerifyMode. */
  readonly verifies: number;
  /** How many authorities may stand between a client's certificate and one that is trusted. */
  readonly verifyDepth: number;
  /** Fingerprints of those that came with more. */
  readonly far: Set<string>;
  /** Null where none are kept. */
  readonly sessions: SessionCache | null;
  readonly sessionTimeoutMs: number;
}

/** An address that is listened on, with all servers behind it. */
export interface ListenPoint {
  readonly address: Address;
  readonly options: ListenOptions;
  /** Serves what no name fits, and gives the limits and timeouts that hold before a request has a name. */
  readonly defaultServer: VirtualServer;
  /** Null when there is the default server alone and it has no regular expression among its names. */
  readonly names: ServerNames<VirtualServer, RequestRegex> | null;
}

/** The parameters of `listen`. */
export interface ListenOptions {
  readonly backlog: number;
  /** On IPv6: not for IPv4 clients too. */
  readonly isIpv6Only: boolean;
  readonly reusesPort: boolean;
  readonly usesProxyProtocol: boolean;
  readonly usesTls: boolean;
  /** Milliseconds of idleness before TCP keepalive probes; 0: no probes; -1: as the system has it. */
  readonly keepaliveIdleMs: number;
}

/** What serves all requests of a configuration: time, timers and the log for what is about none of them. */
export interface ServiceContext {
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly errorLog: ErrorLog;
  readonly connections: ConnectionCounts;
  readonly statusZones: StatusZones;
  /** Which configuration since the start it is, from 1. */
  readonly generation: number;
  /** When it was loaded, in Unix milliseconds. */
  readonly loadedAtMs: number;
  /** Whether the configuration has $request_body or $request_body_file: a body that is read is kept for them. */
  readonly keepsBodies: boolean;
}
