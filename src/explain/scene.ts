/*
 * Where a request is served for an explanation: the configuration as the server compiles it, with everything watched
 * and nobody reached, and a client in memory.
 */
import { type CompiledConf, compileConf, type Language } from '../compile/compile-conf.js';
import type { Cycle } from '../compile/cycle.js';
import type { PlacedEnvironment } from '../compile/environment.js';
import type { Conf } from '../conf/load/load.js';
import type { CheckOptions } from '../conf/schema/check.js';
import { eventClock } from '../core/clock.js';
import { parseIpAddress } from '../core/ip-address.js';
import { TimerWheel } from '../core/timer-wheel.js';
import type { ErrorLog } from '../log/error-log.js';
import { NO_SINK } from '../log/sink.js';
import type { Connection } from '../net/connection.js';
import { type MemoryEnds, openMemoryConnection } from '../net/memory-connection.js';
import type { SecureSocket } from '../net/tls/secure-socket.js';
import type { ClientSide } from '../request/client-side.js';
import { ClientTls } from '../request/client-tls.js';
import { ConnectionLoop, type ConnectionOwner } from '../request/connection-loop.js';
import type { HttpRequest } from '../request/http-request.js';
import { RequestPool } from '../request/request-pool.js';
import type { ListenPoint, VirtualServer } from '../request/virtual-server.js';
import type { Peer } from '../upstream/peer.js';
import type { Place } from './explanation.js';
import { type Asked, connectToNobody } from './pretended-upstream.js';
import type { Question, QuestionUrl } from './question.js';
import { makeStep, placeOf } from './trace.js';
import { Watched } from './watched.js';
import { WatchingBuilder } from './watching-builder.js';
import { watchModules } from './watching-modules.js';

/** Whoever has given no answer by then waits for something that doesn't come. */
const PATIENCE_MS = 5000;

const BODY_PART = Buffer.alloc(65536);

/** Where a configuration's files are. */
export interface ExplainFiles {
  readonly prefix: string;
  readonly confPrefix: string;
}

/** A request that has been served. */
export interface ServedClient {
  /** Null when it is refused before its head is read. */
  readonly request: HttpRequest | null;
  /** The head of the answer; '' when the connection was closed without. */
  readonly head: string;
}

/** A peer that is asked, and for which request. */
export interface SceneAsked {
  readonly asked: Asked;
  readonly request: HttpRequest | null;
}

/** What is known of a peer's group. */
export interface PeerGroup {
  /** '' for one that was made for this request alone. */
  readonly name: string;
  readonly size: number;
  readonly balancer: string;
  readonly place: Place | null;
  readonly peerPlace: Place | null;
}

const NO_GROUP: PeerGroup = { name: '', size: 1, balancer: 'round_robin', place: null, peerPlace: null };

export class Scene {
  readonly watched: Watched = new Watched();
  readonly wheel: TimerWheel = new TimerWheel(eventClock);
  /** What code of ours threw. */
  readonly defects: unknown[] = [];
  readonly asked: SceneAsked[] = [];
  /** Once it is compiled. */
  builder: WatchingBuilder | null = null;
  private readonly onDefect = (defect: unknown) => void this.defects.push(defect);

  constructor() {
    this.wheel.onError = this.onDefect;
  }

  compile(
    conf: Conf,
    { registry, modules }: Language,
    files: ExplainFiles,
    options: CheckOptions,
  ): CompiledConf {
    const { watched, wheel, onDefect } = this;
    const connect = connectToNobody((asked) => this.noteAsked(asked));
    const environment = {
      ...files,
      wheel,
      clock: eventClock,
      onDefect,
      defaultErrorLog: 'stderr',
      carried: new Map(),
      openSink: () => NO_SINK,
      makeBuilder: (given: PlacedEnvironment, errorLog: ErrorLog) => {
        this.builder = new WatchingBuilder(given, errorLog, watched, connect);
        return this.builder;
      },
    };
    return compileConf(conf, { registry, modules: watchModules(modules, watched) }, environment, options);
  }

  /** Serves the request until the head of its answer is out, or its connection is closed. */
  async serve(
    { context }: Cycle,
    point: ListenPoint,
    { from, bodyBytes }: Question,
    head: string,
    url: QuestionUrl,
  ): Promise<ServedClient> {
    const pool = new KeepingPool(point, context);
    const ends = {
      remoteAddress: from,
      remotePort: 50000,
      localAddress: localAddressOf(point, url),
      localPort: url.port,
    };
    let answer = '';
    let end = () => {};
    const isOver = new Promise<void>((resolve) => {
      end = resolve;
    });
    const timer = setTimeout(end, PATIENCE_MS);
    const connection = openMemoryConnection(ends, true, this.onDefect, (text) => {
      answer += text;
      // What tells a client to send its body is no answer.
      answer = answer.replace(/^HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n/, '');
      if (answer.includes('\r\n\r\n')) end();
    });
    const owner: ConnectionOwner = {
      isDraining: false,
      hasHeir: () => false,
      handOver() {},
      requestsOf: () => pool,
      onConnectionClosed: () => end(),
    };
    const isSecure = url.isSecure && point.options.usesTls;
    // What comes in was decrypted.
    const opened = isSecure ? { ...point, options: { ...point.options, usesTls: false } } : point;
    const loop = new ConnectionLoop(connection, opened, context, owner, 1);
    if (isSecure) loop.tls = assumedTls(url.host, point.defaultServer);
    connection.handler = loop;
    feed(connection, proxyProtocolLine(point, ends) + head, bodyBytes);
    await isOver;
    clearTimeout(timer);
    connection.destroy();
    return { request: pool.request, head: answer.split('\r\n\r\n')[0]! };
  }

  /** A variable's value, which is no part of the trace. */
  read(name: string, request: HttpRequest): string | null {
    return this.watched.trace.silently(() => this.builder!.variables.read(name, request));
  }

  /** The group a peer belongs to, and where they stand. */
  groupOf(peer: Peer | null): PeerGroup {
    for (const [key, { group }] of this.builder!.upstreams) {
      if (peer === null || !group.peers.includes(peer)) continue;
      const block = this.watched.upstreams.get(key);
      if (block === undefined) return { ...NO_GROUP, name: group.name, size: group.peers.length };
      const { scope, plan } = block;
      const server = scope.directives.find(
        ({ node }) => node.name === 'server' && node.args[0]!.text === peer.server,
      );
      return {
        name: group.name,
        size: group.peers.length,
        balancer: plan.balancerName || NO_GROUP.balancer,
        place: placeOf(scope.opener!.node),
        peerPlace: server === undefined ? null : placeOf(server.node),
      };
    }
    return NO_GROUP;
  }

  private noteAsked(asked: Asked): void {
    const { trace } = this.watched;
    this.asked.push({ asked, request: trace.current });
    const { peerPlace } = this.groupOf(asked.peer);
    const step = makeStep('upstream', `asks ${asked.peer?.name ?? 'a peer'}`);
    if (peerPlace !== null) step.places.push(peerPlace);
    trace.note(step);
  }
}

/** Keeps the request when it is over, with all that it became. */
class KeepingPool extends RequestPool {
  request: HttpRequest | null = null;

  override take(client: ClientSide): HttpRequest {
    this.request = super.take(client);
    return this.request;
  }

  override give(): void {}
}

/** A handshake as a client of today has it, without a certificate of its own. */
function assumedTls(serverName: string, server: VirtualServer): ClientTls {
  const socket: Partial<SecureSocket> = {
    alpnProtocol: 'http/1.1',
    verifyError: null,
    getProtocol: () => 'TLSv1.3',
    getCipher: () => ({ name: CIPHER, standardName: CIPHER, version: 'TLSv1.3' }),
    getSession: () => undefined,
    isSessionReused: () => false,
    getPeerCertificate: () => ({}) as never,
    getPeerX509Certificate: () => undefined,
  };
  const name = parseIpAddress(serverName) === null ? serverName.toLowerCase() : '';
  const hello = { serverName: name, ciphers: [], groups: [], sessionId: null };
  return new ClientTls(hello, socket as SecureSocket, server, 0, 0);
}

const CIPHER = 'TLS_AES_256_GCM_SHA384';

function localAddressOf({ address }: ListenPoint, { host }: QuestionUrl): string {
  if (parseIpAddress(host) !== null) return host;
  if (address.host === '0.0.0.0') return '127.0.0.1';
  return address.host === '::' ? '::1' : address.host;
}

/** What such a connection begins with where `listen` has proxy_protocol; else ''. */
function proxyProtocolLine({ options }: ListenPoint, ends: MemoryEnds): string {
  if (!options.usesProxyProtocol) return '';
  const isIpv6 = ends.remoteAddress.includes(':');
  const isSame = isIpv6 === ends.localAddress.includes(':');
  const local = isSame ? ends.localAddress : isIpv6 ? '::1' : '127.0.0.1';
  return `PROXY TCP${isIpv6 ? 6 : 4} ${ends.remoteAddress} ${local} ${ends.remotePort} ${ends.localPort}\r\n`;
}

/** Gives it the head, and so much of a body as is taken. */
function feed(connection: Connection, head: string, bodyBytes: number): void {
  const bytes = Buffer.from(head, 'latin1');
  connection.receive(bytes, bytes.length);
  let left = bodyBytes;
  const feedOn = () => {
    if (left <= 0 || connection.isDestroyed) return;
    if (!connection.isReadingPaused) {
      const length = Math.min(left, BODY_PART.length);
      left -= length;
      connection.receive(Buffer.from(BODY_PART.subarray(0, length)), length);
    }
    setImmediate(feedOn);
  };
  setImmediate(feedOn);
}
