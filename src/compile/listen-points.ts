/*
 * From `listen` and `server_name` of all servers to sockets: which address is bound, which server answers on it by
 * default, and which by name.
 */
import { finding } from '../conf/diagnostics/catalogue.js';
import type { Placed, Scope } from '../conf/schema/scope.js';
import { toByteString } from '../conf/syntax/source-text.js';
import type { AddressParts } from '../conf/values/address.js';
import { matcher } from '../conf/values/regex.js';
import { Refusal } from '../conf/values/value-type.js';
import { listen, serverName } from '../modules/http/core/directives.js';
import { sslCertificate } from '../modules/http/ssl/directives.js';
import { warnOfHttp2 } from '../modules/http/ssl/server-tls.js';
import { type Address, formatAddress } from '../net/address.js';
import type { RequestRegex } from '../request/request-regex.js';
import { ServerNames } from '../request/server-names.js';
import type { ListenOptions, ListenPoint, VirtualServer } from '../request/virtual-server.js';
import type { HttpBuilder } from './http-builder.js';

type ListenDirective = Placed<(typeof listen)['args']>;
type ListenParameters = ListenDirective['values'][1];

/** A server and where it stands in the file. */
export interface PlacedServer {
  readonly scope: Scope;
  readonly server: VirtualServer;
}

/** A socket to listen on. */
export interface ListenSocket {
  readonly address: Address;
  readonly options: ListenOptions;
  /** What serves a connection to a local address that has a `listen` of its own. */
  readonly pointsByHost: ReadonlyMap<string, ListenPoint>;
  /** What serves all others. */
  readonly point: ListenPoint;
}

/** How many connections the kernel queues before accept; nginx's default on Linux. */
const BACKLOG = 511;

/** The default server of an address, its names and its options, while servers are gathered. */
class PointDraft {
  readonly address: Address;
  readonly servers: PlacedServer[] = [];
  defaultServer: PlacedServer | null = null;
  options: ListenOptions = DEFAULT_OPTIONS;
  hasOptions = false;
  /** The first that asks for TLS. */
  tlsDirective: ListenDirective | null = null;
  isBound = false;

  constructor(address: Address) {
    this.address = address;
  }
}

const DEFAULT_OPTIONS: ListenOptions = {
  backlog: BACKLOG,
  isIpv6Only: true,
  reusesPort: false,
  usesProxyProtocol: false,
  usesTls: false,
  keepaliveIdleMs: 0,
};

/** The sockets of all servers. What is wrong with addresses or names is reported. */
export function buildListenSockets(servers: readonly PlacedServer[], builder: HttpBuilder): ListenSocket[] {
  const drafts = new Map<string, PointDraft>();
  for (const placed of servers) {
    const directives = placed.scope.own(listen);
    if (directives.length === 0)
      addServer(drafts, { host: '0.0.0.0', port: defaultPort(), path: null }, placed);
    for (const directive of directives) addListen(drafts, directive, placed, builder);
  }
  const points = [...drafts.values()].map((draft) => ({ draft, point: buildPoint(draft, builder) }));
  return bindPoints(points);
}

function defaultPort(): number {
  return process.getuid?.() === 0 ? 80 : 8000;
}

function addServer(drafts: Map<string, PointDraft>, address: Address, placed: PlacedServer): PointDraft {
  const key = formatAddress(address);
  let draft = drafts.get(key);
  if (draft === undefined) {
    draft = new PointDraft(address);
    drafts.set(key, draft);
  }
  draft.servers.push(placed);
  return draft;
}

function addListen(
  drafts: Map<string, PointDraft>,
  directive: ListenDirective,
  placed: PlacedServer,
  builder: HttpBuilder,
): void {
  const [parts, given] = directive.values;
  if (given.quic === true) {
    const message = '"listen ... quic" is not supported yet';
    builder.report(directive.node, finding('unsupported-parameter', message, 'leave it out'));
    return;
  }
  if (given.http2 === true) warnOfHttp2(directive.node, builder);
  for (const address of addressesOf(parts)) {
    const known = drafts.get(formatAddress(address));
    if (known?.servers.some(({ server }) => server === placed.server)) {
      const message = `this server listens on ${formatAddress(address)} already`;
      const nginxText = `a duplicate listen ${directive.node.args[0]!.text}`;
      builder.report(directive.node, finding('duplicate-listen', message, 'keep one of them', nginxText));
      continue;
    }
    const draft = addServer(drafts, address, placed);
    takeOptions(draft, directive, placed, builder);
  }
}

function takeOptions(
  draft: PointDraft,
  directive: ListenDirective,
  placed: PlacedServer,
  builder: HttpBuilder,
): void {
  const given = directive.values[1];
  const where = directive.node.args[0]!.text;
  if (given.default_server === true || given.default === true) {
    if (draft.defaultServer !== null) {
      const message = `${where} has a default server already`;
      const nginxText = `a duplicate default server for ${where}`;
      builder.report(
        directive.node,
        finding('duplicate-default', message, 'keep one default_server', nginxText),
      );
    }
    draft.defaultServer = placed;
  }
  if (given.ssl === true) {
    draft.tlsDirective ??= directive;
    draft.options = { ...draft.options, usesTls: true };
  }
  if (given.proxy_protocol === true) draft.options = { ...draft.options, usesProxyProtocol: true };
  if (!hasSocketOptions(given)) return;
  if (draft.hasOptions) {
    const message = `options of the socket ${where} were given already`;
    const nginxText = `duplicate listen options for ${where}`;
    builder.report(directive.node, finding('duplicate-options', message, 'give them once', nginxText));
  }
  draft.hasOptions = true;
  draft.isBound = true;
  draft.options = {
    ...draft.options,
    backlog: given.backlog ?? BACKLOG,
    isIpv6Only: given.ipv6only !== 'off',
    reusesPort: given.reuseport === true,
    keepaliveIdleMs:
      given.so_keepalive === undefined || given.so_keepalive === false ? 0 : given.so_keepalive,
  };
}

/** Parameters that are about the socket, and make an address have one of its own. */
function hasSocketOptions(given: ListenParameters): boolean {
  const others = ['default_server', 'default', 'proxy_protocol', 'ssl', 'http2', 'quic'];
  return Object.keys(given).some((name) => !others.includes(name));
}

function addressesOf({ kind, host, port, lastPort }: AddressParts): Address[] {
  if (kind === 'unix') return [{ host: '', port: 0, path: host }];
  const first = port ?? 80;
  return Array.from({ length: (lastPort ?? first) - first + 1 }, (_, i) => ({
    host: kind === 'any' ? '0.0.0.0' : host,
    port: first + i,
    path: null,
  }));
}

function buildPoint(draft: PointDraft, builder: HttpBuilder): ListenPoint {
  const { server } = draft.defaultServer ?? draft.servers[0]!;
  checkCertificates(draft, server, builder);
  return {
    address: draft.address,
    options: draft.options,
    defaultServer: server,
    names: buildNames(draft, server, builder),
  };
}

/** Where TLS is spoken every client must get a certificate, or be turned away. */
function checkCertificates(draft: PointDraft, defaultServer: VirtualServer, builder: HttpBuilder): void {
  const { tlsDirective } = draft;
  if (tlsDirective === null || defaultServer.tls.context !== null) return;
  const isServed = ({ tls }: VirtualServer) => tls.context !== null || tls.rejectsHandshakes;
  if (defaultServer.tls.rejectsHandshakes && draft.servers.every(({ server }) => isServed(server))) return;
  // What is wrong with one was reported.
  if (
    draft.servers.some(
      ({ scope, server }) => server.tls.context === null && scope.all(sslCertificate).length > 0,
    )
  )
    return;
  const message = `there is no certificate for TLS on ${formatAddress(draft.address)}`;
  const nginxText = 'no "ssl_certificate" is defined for the "listen ... ssl" directive';
  const hint = 'add ssl_certificate FILE; and ssl_certificate_key FILE;';
  builder.report(tlsDirective.node, finding('no-certificate', message, hint, nginxText));
}

/** Null where there is nothing to choose from. */
function buildNames(
  draft: PointDraft,
  defaultServer: VirtualServer,
  builder: HttpBuilder,
): ServerNames<VirtualServer, RequestRegex> | null {
  const names = new ServerNames<VirtualServer, RequestRegex>(defaultServer);
  const places = new Map<string, Placed<(typeof serverName)['args']>>();
  let hasRegex = false;
  for (const { scope, server } of draft.servers) {
    for (const directive of scope.own(serverName)) {
      for (const name of directive.values) {
        if (name.startsWith('~')) {
          hasRegex = true;
          addNameRegex(names, name, server, directive, builder);
        } else names.addName(nameOf(name), server);
        places.set(nameOf(name), directive);
      }
    }
    if (scope.own(serverName).length === 0) names.addName('', server);
  }
  reportNames(names, places, draft, builder);
  return draft.servers.length > 1 || hasRegex ? names : null;
}

/** A name as requests are compared with; `$hostname` stands for the machine's. */
export function nameOf(name: string): string {
  return toByteString(name);
}

function addNameRegex(
  names: ServerNames<VirtualServer, RequestRegex>,
  name: string,
  server: VirtualServer,
  directive: Placed<(typeof serverName)['args']>,
  builder: HttpBuilder,
): void {
  // Names of hosts ignore case.
  const parsed = matcher.parse(`~*${name.slice(1)}`);
  if (parsed instanceof Refusal)
    builder.report(
      directive.node,
      finding('server-name', parsed.message, null, parsed.nginxText('server_name')),
    );
  else if (parsed.kind === 'regex') names.addRegex(builder.regex(parsed.regex, directive.node), server);
}

function reportNames(
  names: ServerNames<VirtualServer, RequestRegex>,
  places: ReadonlyMap<string, Placed<(typeof serverName)['args']>>,
  draft: PointDraft,
  builder: HttpBuilder,
): void {
  for (const { kind, name } of names.problems) {
    const directive = places.get(name);
    const where = formatAddress(draft.address);
    if (directive === undefined) continue;
    if (kind === 'invalid') {
      const message = `Cannot use server name "${name}"`;
      const nginxText = `invalid server name or wildcard "${name}" on ${where}`;
      builder.report(
        directive.node,
        finding('server-name', message, 'a * stands for whole labels at one end', nginxText),
      );
      continue;
    }
    const message = `another server has the name "${name}" on ${where}: here it is ignored`;
    const nginxText = `conflicting server name "${name}" on ${where}, ignored`;
    builder.report(directive.node, {
      ...finding('conflicting-name', message, null, nginxText),
      severity: 'warning',
    });
  }
}

/** A wildcard address takes in the others of its port, unless they ask for sockets of their own. */
function bindPoints(points: readonly { draft: PointDraft; point: ListenPoint }[]): ListenSocket[] {
  const wildcards = new Map<string, Map<string, ListenPoint>>();
  for (const { draft } of points) {
    if (isWildcard(draft.address)) wildcards.set(familyAndPort(draft.address), new Map());
  }
  const sockets: ListenSocket[] = [];
  for (const { draft, point } of points) {
    const { address } = draft;
    const wildcard = address.path === null ? wildcards.get(familyAndPort(address)) : undefined;
    if (wildcard !== undefined && !isWildcard(address) && !draft.isBound) wildcard.set(address.host, point);
    else {
      const pointsByHost = isWildcard(address) ? (wildcard ?? NO_POINTS) : NO_POINTS;
      sockets.push({ address, options: point.options, point, pointsByHost });
    }
  }
  return sockets;
}

const NO_POINTS: ReadonlyMap<string, ListenPoint> = new Map();

function isWildcard({ host, path }: Address): boolean {
  return path === null && (host === '0.0.0.0' || host === '::');
}

function familyAndPort({ host, port }: Address): string {
  return `${host.includes(':') ? 6 : 4} ${port}`;
}
