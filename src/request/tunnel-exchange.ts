/*
 * CONNECT (RFC 9110 section 9.3.6): chooses a peer, connects to it, and joins the client to it. What is asked over
 * HTTP is upstream-exchange.ts's; the bytes of the tunnel are tunnel.ts's.
 */
import type { Connection } from '../net/connection.js';
import type { Peer } from '../upstream/peer.js';
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.js';
import type { UpstreamTarget } from '../upstream/upstream-target.js';
import type { PeerWaiter, WaitingRoom } from '../upstream/waiting-room.js';
import { logErrorOf } from './error-line.js';
import type { HttpRequest, Responder } from './http-request.js';
import { finalize } from './lifecycle.js';
import { localAddressOf } from './local-address.js';
import type { RequestText } from './location.js';
import { hasTriesLeft, maySendAgain, type NextUpstreamRules, statusOfFailure } from './next-upstream.js';
import { DONE, type Outcome } from './phase.js';
import { sendHead } from './send.js';
import { describeSystemError, SHORTAGES } from './upstream-error.js';
import { NextUpstream } from './upstream-settings.js';

/** One location's way to open tunnels. The directive has the name of the field, behind tunnel_. */
export interface TunnelSettings extends NextUpstreamRules {
  /** Null: `choose` says for each request. */
  readonly target: UpstreamTarget | null;
  /** The target, or a status to answer with. */
  readonly choose:
    | ((request: HttpRequest) => UpstreamTarget | number | Promise<UpstreamTarget | number>)
    | null;
  readonly bind: RequestText | null;
  readonly connectTimeoutMs: number;
  /** How long both sides may be silent. */
  readonly readTimeoutMs: number;
}

const NO_BYTES = Buffer.alloc(0);

const NOT_ALLOWED = 405;
const GATEWAY_ERROR = 502;
const UNAVAILABLE = 503;

/** Opens the tunnel that a request asks for: a content handler's work. */
export function openTunnel(request: HttpRequest, settings: TunnelSettings): Outcome | Promise<Outcome> {
  if (request.method !== 'CONNECT' || request.parent !== null) return NOT_ALLOWED;
  const target = settings.target ?? settings.choose!(request);
  if (typeof target === 'number') return target;
  if (!(target instanceof Promise)) return begin(request, settings, target);
  const { turn } = request;
  return target.then((chosen) => {
    if (typeof chosen === 'number') return chosen;
    return request.isOver || request.turn !== turn ? DONE : begin(request, settings, chosen);
  });
}

function begin(request: HttpRequest, settings: TunnelSettings, target: UpstreamTarget): Outcome {
  new TunnelExchange(request, settings, target).tryNextPeer();
  return DONE;
}

/** The upstream side of one CONNECT: until the tunnel stands it is told of the connection, then of its end alone. */
class TunnelExchange implements UpstreamUser, Responder, PeerWaiter {
  readonly served: Connection;
  private readonly request: HttpRequest;
  private readonly settings: TunnelSettings;
  private readonly target: UpstreamTarget;
  private readonly startedMs: number;
  private peer: Peer | null;
  private upstream: UpstreamConnection | null;
  private waitingRoom: WaitingRoom | null;
  /** How long it took to connect; -1 before. */
  private connectedMs: number;

  constructor(request: HttpRequest, settings: TunnelSettings, target: UpstreamTarget) {
    this.served = request.client.connection;
    this.request = request;
    this.settings = settings;
    this.target = target;
    this.startedMs = request.context.clock.nowMs();
    this.peer = null;
    this.upstream = null;
    this.waitingRoom = null;
    this.connectedMs = -1;
    request.tries.beginExchange();
    request.responder = this;
  }

  tryNextPeer(): void {
    const { waitingRoom } = this.target.group;
    if (this.tryPeer()) return;
    if (waitingRoom?.enter(this)) this.waitingRoom = waitingRoom;
    else this.onNoPeer();
  }

  /** For the waiting room. */
  tryPeer(): boolean {
    const { request, target, settings } = this;
    const peer = target.group.pick(request.tries.failedPeers, request);
    if (peer === null) return false;
    this.leaveWaitingRoom();
    this.peer = peer;
    request.tries.begin(peer.name);
    // Never a kept one: what went over that was HTTP, and this is the client's alone.
    this.upstream = target.pool.open(peer, this, settings, localAddressOf(request, settings.bind));
    this.upstream.deadline.set(settings.connectTimeoutMs);
    return true;
  }

  private leaveWaitingRoom(): void {
    this.waitingRoom?.leave(this);
    this.waitingRoom = null;
  }

  /** No peer is left to be asked. */
  onNoPeer(): void {
    const { request, target } = this;
    this.waitingRoom = null;
    request.tries.begin(target.group.name);
    this.logError('no live upstreams', target.group.name);
    this.refuse(GATEWAY_ERROR);
  }

  onUpstreamConnect(): void {
    const { request, settings, target } = this;
    const { client, response, tries } = request;
    const upstream = this.upstream!;
    this.connectedMs = tries.elapsedMs;
    tries.connected();
    tries.gotHeader(0, '');
    target.group.noteSuccess(upstream.peer);
    target.group.noteHeader(upstream.peer, request, this.connectedMs);
    response.status = 200;
    response.ignoresConditions = true;
    // A filter that answers instead has had this aborted.
    if (!sendHead(request)) return;
    request.output.flush();
    this.upstream = null;
    client.startTunnel(upstream, settings.readTimeoutMs, NO_BYTES, 0, 0);
  }

  /** What comes before the tunnel stands doesn't: it stands as soon as there is a connection. */
  onUpstreamBytes(): void {}
  onUpstreamEnd(): void {}
  onUpstreamDrain(): void {}

  onUpstreamClose(error: NodeJS.ErrnoException | null): void {
    const reason = error === null ? '' : describeSystemError(error);
    if (SHORTAGES.has(error?.code)) {
      this.logError(`connect() failed (${reason})`);
      this.refuse(UNAVAILABLE);
    } else {
      const isTimeout = error?.code === 'ETIMEDOUT';
      this.failTry(isTimeout ? NextUpstream.timeout : NextUpstream.error, `connect() failed (${reason})`);
    }
  }

  onUpstreamDeadline(): void {
    this.failTry(NextUpstream.timeout, 'upstream timed out (110: Connection timed out)');
  }

  private failTry(failure: number, message: string): void {
    const { request, target } = this;
    const peer = this.peer!;
    const status = statusOfFailure(failure);
    this.logError(message);
    target.group.noteFailure(peer);
    request.tries.end(status, message);
    if (!this.mayAskAnother(failure, peer)) {
      this.refuse(status);
      return;
    }
    request.tries.exclude(peer);
    this.leaveUpstream();
    this.tryNextPeer();
  }

  private mayAskAnother(failure: number, peer: Peer): boolean {
    const { settings, request, startedMs } = this;
    return (
      hasTriesLeft(settings, request, this.target.group, peer) &&
      maySendAgain(settings, request, failure, startedMs, false)
    );
  }

  private refuse(status: number): void {
    const { request } = this;
    request.tries.end(status);
    request.responder = null;
    this.leaveUpstream();
    finalize(request, status);
  }

  /** The client is gone, or the tunnel's connection is. */
  abort(): void {
    this.request.tries.end(0);
    this.leaveUpstream();
  }

  private leaveUpstream(): void {
    const { peer, upstream, request } = this;
    this.leaveWaitingRoom();
    if (peer !== null) this.target.group.release(peer, request, this.connectedMs, request.tries.elapsedMs);
    this.peer = null;
    this.upstream = null;
    upstream?.destroy();
  }

  private logError(message: string, name = this.peer?.name ?? ''): void {
    logErrorOf(this.request, 'error', `${message} while connecting to upstream`, name);
  }
}
