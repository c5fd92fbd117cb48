/*
 * From what was given on the command line and in the environment to ProxyOptions. Pure: no sockets,
 * no files. What is left out stays out, so that the proxy's own defaults hold; but the command, unlike
 * the library, has an access log unless told otherwise.
 */
import type { DashboardOptions, ProxyOptions, ProxyTimeouts } from '../compile/proxy-options.js';
import { parseDurationMs } from '../core/duration.js';
import { nearestWord } from '../core/nearest-word.js';
import type { LogLevel } from '../log/error-log.js';
import { type Address, formatAddress, isLoopback, parseAddress } from '../net/address.js';
import type { PeerOptions } from '../upstream/peer.js';
import type { Given, ProxyFlagName } from './flags.js';
import { parsePeer } from './peer-flag.js';
import { UsageError } from './usage-error.js';

const LISTEN_DEFAULTS = { host: '127.0.0.1', port: 8080 };
const DASHBOARD_DEFAULTS = { host: '127.0.0.1', port: 8081 };
const DEFAULT_PEER: PeerOptions = { address: { host: '127.0.0.1', port: 9001, path: null } };

const LOG_LEVELS = [
  'debug',
  'info',
  'notice',
  'warn',
  'error',
  'crit',
  'alert',
  'emerg',
] as const satisfies LogLevel[];

/** Which timeout a flag sets. Zero ends what it guards at once, so only some accept it. */
const TIMEOUT_FLAGS: readonly { flag: ProxyFlagName; timeout: keyof ProxyTimeouts; canBeZero: boolean }[] = [
  { flag: 'client-header-timeout', timeout: 'clientHeaderMs', canBeZero: false },
  { flag: 'client-body-timeout', timeout: 'clientBodyMs', canBeZero: false },
  { flag: 'keepalive-timeout', timeout: 'keepaliveMs', canBeZero: true },
  { flag: 'send-timeout', timeout: 'sendMs', canBeZero: false },
  { flag: 'connect-timeout', timeout: 'connectMs', canBeZero: false },
  { flag: 'read-timeout', timeout: 'upstreamReadMs', canBeZero: false },
  { flag: 'upstream-send-timeout', timeout: 'upstreamSendMs', canBeZero: false },
  { flag: 'shutdown-timeout', timeout: 'drainMs', canBeZero: true },
];

/** The `[host] [port]` of `sluice 0.0.0.0 8081`. */
export interface Positionals {
  readonly host: string | undefined;
  readonly port: string | undefined;
}

/** @throws UsageError naming the flag or variable, the value and what would work */
export function proxyOptionsFrom(given: ReadonlyMap<string, Given>, positionals: Positionals): ProxyOptions {
  const listen = readListen(given.get('listen'), positionals);
  const peers = readEach(given.get('to'), parsePeer) ?? [DEFAULT_PEER];
  const dashboard = readOne(given.get('dashboard'), parseDashboard) ?? undefined;
  rejectTwice(dashboard === undefined ? listen : [...listen, dashboard.address]);
  rejectLoops(listen, peers);
  if (peers.every((peer) => peer.isBackup)) {
    throw new UsageError(
      `${given.get('to')?.source}: all peers are backups; at least one must do without "backup"`,
    );
  }
  return {
    listen,
    peers,
    ...optional('timeouts', readTimeouts(given)),
    ...optional('keepaliveConnections', readOne(given.get('keepalive'), parseConnections)),
    ...optional('upstreamKeepaliveMs', readOne(given.get('upstream-keepalive-timeout'), parsePositiveMs)),
    accessLog: readOne(given.get('access-log'), parseLogPlace) ?? 'stdout',
    ...optional('errorLog', readOne(given.get('error-log'), parseLogPlace)),
    ...optional('errorLogLevel', readOne(given.get('log-level'), parseLogLevel)),
    ...optional('dashboard', dashboard),
  };
}

/** Reads the value of a listening flag: `8080` is 127.0.0.1:8080. */
export function parseListenAddress(text: string): Address {
  return parseAddress(text, LISTEN_DEFAULTS);
}

/**
 * Applies a parser to every text of a flag.
 * @throws UsageError with the parser's message after the name of the flag or variable
 */
export function readEach<T>(given: Given | undefined, parse: (text: string) => T): T[] | undefined {
  return given?.texts.map((text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new UsageError(`${given.source}: ${(error as Error).message}`);
    }
  });
}

function readOne<T>(given: Given | undefined, parse: (text: string) => T): T | undefined {
  return readEach(given, parse)?.[0];
}

function readListen(given: Given | undefined, { host, port }: Positionals): Address[] {
  if (host === undefined) return readEach(given, parseListenAddress) ?? [{ ...LISTEN_DEFAULTS, path: null }];
  if (given?.source.startsWith('--')) {
    throw new UsageError(`Cannot use both "${host}" and --listen "${given.texts[0]}": give one of the two`);
  }
  if (port === undefined) return readEach({ texts: [host], source: '[host]' }, parseListenAddress)!;
  if (!/^\d+$/.test(port)) {
    throw new UsageError(`[port]: Cannot use "${port}": not a number; use a port from 0 to 65535`);
  }
  const joined = host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
  return readEach({ texts: [joined], source: '[host] [port]' }, parseListenAddress)!;
}

function readTimeouts(given: ReadonlyMap<string, Given>): Partial<ProxyTimeouts> | undefined {
  const timeouts: { -readonly [K in keyof ProxyTimeouts]?: number } = {};
  for (const { flag, timeout, canBeZero } of TIMEOUT_FLAGS) {
    const ms = readOne(given.get(flag), canBeZero ? parseDurationMs : parsePositiveMs);
    if (ms !== undefined) timeouts[timeout] = ms;
  }
  return Object.keys(timeouts).length === 0 ? undefined : timeouts;
}

function parsePositiveMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === 0) throw new Error(`Cannot use time "${text}": nothing can happen in no time; use 1ms or more`);
  return ms;
}

function parseConnections(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new Error(`Cannot use count "${text}": not a whole number; use 0 for none, or 32`);
}

function parseLogPlace(text: string): string {
  if (text.endsWith('/')) throw new Error(`Cannot log to "${text}": it is a folder; name a file in it`);
  return text;
}

/** Reads `8081`, `0.0.0.0:8081,write` or `off`. */
export function parseDashboard(text: string): DashboardOptions | null {
  if (text === 'off') return null;
  const [addressText = '', ...words] = text.split(',');
  const wrong = words.find((word) => word !== 'write');
  if (wrong !== undefined)
    throw new Error(`Cannot read dashboard "${text}": unknown word "${wrong}"; use write, or none`);
  const address = parseAddress(addressText, DASHBOARD_DEFAULTS);
  return words.length === 0 ? { address } : { address, mayWrite: true };
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text);
  if (level !== undefined) return level;
  const near = nearestWord(text, LOG_LEVELS);
  throw new Error(
    `Cannot use log level "${text}": there is none; ${near === null ? `use ${LOG_LEVELS.join(', ')}` : `did you mean "${near}"?`}`,
  );
}

function rejectTwice(listen: readonly Address[]): void {
  const texts = listen.map(formatAddress);
  const twice = texts.find((text, i) => text !== '' && texts.indexOf(text) !== i);
  if (twice !== undefined && !twice.endsWith(':0')) {
    throw new UsageError(`Cannot listen on "${twice}" twice: give each address once`);
  }
}

/** A proxy that sends to itself answers nothing and eats every descriptor. */
function rejectLoops(listen: readonly Address[], peers: readonly PeerOptions[]): void {
  for (const { address } of peers) {
    if (listen.some((listener) => isSameSocket(listener, address))) {
      throw new UsageError(
        `Cannot send to "${formatAddress(address)}": sluice itself listens there; choose another with --to or --listen`,
      );
    }
  }
}

function isSameSocket(listener: Address, peer: Address): boolean {
  if (listener.path !== null || peer.path !== null) return listener.path === peer.path;
  if (listener.port !== peer.port) return false;
  if (listener.host === peer.host) return true;
  if (!isLoopback(peer.host)) return false;
  // localhost is 127.0.0.1 or ::1, but two different numbers are two different sockets.
  return (
    isAny(listener.host) || (isLoopback(listener.host) && [listener.host, peer.host].includes('localhost'))
  );
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** An object with the member, or without it when there is no value. */
function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V });
}
