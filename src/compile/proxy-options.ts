/*
 * What a proxy can be told in a program or on the command line, and the configuration that this stands for. The nginx
 * directive behind each option gives its meaning and its default.
 */
import { type Item, makeDirective } from '../conf/syntax/ast.js';
import type { LogLevel } from '../log/error-log.js';
import { type Address, formatAddress, isLoopback } from '../net/address.js';
import type { PeerOptions } from '../upstream/peer.js';

/** The timeouts of a proxy, in milliseconds. */
export interface ProxyTimeouts {
  /** client_header_timeout */
  readonly clientHeaderMs: number;
  /** client_body_timeout */
  readonly clientBodyMs: number;
  /** keepalive_timeout; 0 closes after each response. */
  readonly keepaliveMs: number;
  /** send_timeout */
  readonly sendMs: number;
  /** proxy_connect_timeout */
  readonly connectMs: number;
  /** proxy_read_timeout */
  readonly upstreamReadMs: number;
  /** proxy_send_timeout */
  readonly upstreamSendMs: number;
  /** How long `drain` lets requests run on (worker_shutdown_timeout). */
  readonly drainMs: number;
}

/** A reverse proxy: where it listens, which peers it asks, and how. */
export interface ProxyOptions {
  /** At least one. Port 0 takes a free one. */
  listen: readonly Address[];
  /** At least one that isn't a backup. */
  peers: readonly PeerOptions[];
  /** What is left out has nginx's default: 60 s each, 75 s for keepalive; 30 s to drain. */
  timeouts?: Partial<ProxyTimeouts>;
  /** Idle connections kept per peer (nginx: keepalive). Default 32; 0 closes after each request. */
  keepaliveConnections?: number;
  /** How long an upstream connection may be idle (nginx: keepalive_timeout in upstream). Default 60 s. */
  upstreamKeepaliveMs?: number;
  /** "stdout", "stderr", "off" or a file. Default "off". */
  accessLog?: string;
  /** Likewise. Default "stderr". */
  errorLog?: string;
  /** The least level written. Default "error". */
  errorLogLevel?: LogLevel;
  /** Where the dashboard is to be seen; nowhere by default. */
  dashboard?: DashboardOptions;
}

/** The directive `dashboard` in a server of its own. */
export interface DashboardOptions {
  /** Port 0 takes a free one. On an address of this machine alone it is for this machine alone. */
  readonly address: Address;
  /** Whether servers may be drained and put back there. Default false. */
  readonly mayWrite?: boolean;
}

const DEFAULT_DRAIN_MS = 30_000;
const DEFAULT_KEEPALIVE_CONNECTIONS = 32;
/** A connection costs memory only once: nginx's reason to close one after 1000 requests isn't ours. */
const KEEPALIVE_REQUESTS = String(2 ** 31 - 1);

/** The configuration that options stand for. Addresses to listen on are not in it: those may have port 0. */
export function confOfOptions(options: ProxyOptions): readonly Item[] {
  const { timeouts = {} } = options;
  return [
    makeDirective('error_log', [options.errorLog ?? 'stderr', options.errorLogLevel ?? 'error']),
    makeDirective('worker_shutdown_timeout', [`${timeouts.drainMs ?? DEFAULT_DRAIN_MS}ms`]),
    makeDirective('events', [], []),
    makeDirective(
      'http',
      [],
      [
        makeDirective(
          'access_log',
          options.accessLog === undefined || options.accessLog === 'off'
            ? ['off']
            : [options.accessLog, 'sluice'],
        ),
        ...timeoutsOf(timeouts),
        makeDirective('keepalive_requests', [KEEPALIVE_REQUESTS]),
        // Whatever the origin takes passes, as it comes.
        makeDirective('client_max_body_size', ['0']),
        makeDirective('proxy_request_buffering', ['off']),
        makeDirective('proxy_buffering', ['off']),
        makeDirective('proxy_pass_trailers', ['on']),
        makeDirective('early_hints', ['1']),
        ...(options.keepaliveConnections === 0 ? [upgradeOrClose()] : []),
        upstreamOf(options),
        makeDirective(
          'server',
          [],
          [makeDirective('location', ['/'], proxying(options.keepaliveConnections !== 0))],
        ),
        ...(options.dashboard === undefined ? [] : [dashboardOf(options.dashboard)]),
      ],
    ),
  ];
}

function timeoutsOf(timeouts: Partial<ProxyTimeouts>): Item[] {
  const names = [
    ['clientHeaderMs', 'client_header_timeout'],
    ['clientBodyMs', 'client_body_timeout'],
    ['keepaliveMs', 'keepalive_timeout'],
    ['sendMs', 'send_timeout'],
    ['connectMs', 'proxy_connect_timeout'],
    ['upstreamReadMs', 'proxy_read_timeout'],
    ['upstreamSendMs', 'proxy_send_timeout'],
  ] as const;
  return names.flatMap(([option, directive]) => {
    const ms = timeouts[option];
    return ms === undefined ? [] : [makeDirective(directive, [`${ms}ms`])];
  });
}

function upstreamOf(options: ProxyOptions): Item {
  const connections = options.keepaliveConnections ?? DEFAULT_KEEPALIVE_CONNECTIONS;
  const idleMs = options.upstreamKeepaliveMs;
  return makeDirective(
    'upstream',
    ['default'],
    [
      // Only servers in a zone can be changed.
      ...(options.dashboard === undefined ? [] : [makeDirective('zone', ['default', '64k'])]),
      ...options.peers.map((peer) => makeDirective('server', serverArguments(peer))),
      makeDirective('keepalive', [String(connections)]),
      makeDirective('keepalive_requests', [KEEPALIVE_REQUESTS]),
      ...(idleMs === undefined ? [] : [makeDirective('keepalive_timeout', [`${idleMs}ms`])]),
    ],
  );
}

/** What it listens on only tells its socket from that of the other server. */
function dashboardOf({ address, mayWrite = false }: DashboardOptions): Item {
  const isForAll = address.path === null && !isLoopback(address.host);
  const args = [`write=${mayWrite ? 'on' : 'off'}`, `remote=${isForAll ? 'on' : 'off'}`];
  return makeDirective(
    'server',
    [],
    [
      makeDirective('listen', ['unix:/dashboard']),
      makeDirective('access_log', ['off']),
      makeDirective('location', ['/'], [makeDirective('dashboard', args)]),
    ],
  );
}

function serverArguments(peer: PeerOptions): string[] {
  const args = [formatAddress(peer.address)];
  if (peer.weight !== undefined) args.push(`weight=${peer.weight}`);
  if (peer.maxFails !== undefined) args.push(`max_fails=${peer.maxFails}`);
  if (peer.failTimeoutMs !== undefined) args.push(`fail_timeout=${peer.failTimeoutMs}ms`);
  if (peer.isBackup === true) args.push('backup');
  if (peer.isDown === true) args.push('down');
  return args;
}

/** What Connection says to an upstream whose connections aren't kept. */
function upgradeOrClose(): Item {
  const values = [makeDirective('default', ['upgrade']), makeDirective('', ['close'])];
  return makeDirective('map', ['$forwarded_upgrade', '$upgrade_or_close'], values);
}

/**
 * differs from nginx: Host is the client's and X-Forwarded-* are set unasked, as almost every configuration has it, and
 * an Upgrade is passed on.
 */
function proxying(keepsConnections: boolean): Item[] {
  return [
    makeDirective('proxy_pass', ['http://default']),
    makeDirective('proxy_set_header', ['Host', '$forwarded_host']),
    makeDirective('proxy_set_header', ['X-Forwarded-For', '$proxy_add_x_forwarded_for']),
    makeDirective('proxy_set_header', ['X-Forwarded-Proto', '$scheme']),
    makeDirective('proxy_set_header', ['X-Forwarded-Host', '$forwarded_host']),
    makeDirective('proxy_set_header', ['Upgrade', '$forwarded_upgrade']),
    makeDirective('proxy_set_header', [
      'Connection',
      keepsConnections ? '$forwarded_connection' : '$upgrade_or_close',
    ]),
  ];
}
