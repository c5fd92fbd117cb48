/*
 * A connection to a peer: connecting, carrying one exchange at a time, idle in its pool between two. What an
 * exchange does with it is the user's business; what an idle one must not do (speak, stay too long) is here.
 */
import { eventClock } from '../core/clock.js';
import { Deadline, type DeadlineOwner, type TimerWheel } from '../core/timer-wheel.js';
import { BodyDecoder, BodyKind } from '../http/h1/body-decoder.js';
import type { HeadLimits } from '../http/h1/malformed.js';
import { ResponseHead } from '../http/h1/response-head.js';
import type { Address } from '../net/address.js';
import type { Connection, DefectReporter } from '../net/connection.js';
import type { Connect, ConnectHandler } from '../net/connector.js';
import type { Peer } from './peer.js';
import type { UpstreamTls } from './upstream-tls.js';

/** Who uses an upstream connection: told everything while it does, nothing afterwards. */
export interface UpstreamUser {
  /** See ConnectionHandler. */
  readonly served: Connection;
  onUpstreamConnect(): void;
  onUpstreamBytes(bytes: Buffer, end: number): void;
  /** The peer sends no more. */
  onUpstreamEnd(): void;
  onUpstreamDrain(): void;
  onUpstreamClose(error: NodeJS.ErrnoException | null): void;
  /** `deadline` of the connection has passed. */
  onUpstreamDeadline(): void;
}

/** Where an upstream connection stays while nobody uses it: the pool. */
export interface IdleHome {
  readonly onDefect: DefectReporter;
  readonly connect: Connect;
  /** It is idle no longer, since it closes. */
  remove(connection: UpstreamConnection): void;
  /** It brought bytes while idle, and closes for that. */
  onUnaskedBytes(connection: UpstreamConnection, bytes: number): void;
}

/** One connection to one peer, with the decoder of what comes back on it. */
export class UpstreamConnection implements ConnectHandler, DeadlineOwner {
  /** Another one of the same address may take its place when the connection is used again. */
  peer: Peer;
  /** Where it was opened, for a pool that keeps places apart. */
  readonly place: unknown;
  /** Null for a plain one. */
  readonly tls: UpstreamTls | null;
  readonly openedAtMs: number;
  /** Its neighbours in the pool while it is idle, by how long they have been so. Written by the pool. */
  elder: UpstreamConnection | null;
  younger: UpstreamConnection | null;
  readonly connection: Connection;
  readonly head: ResponseHead;
  readonly body: BodyDecoder;
  readonly deadline: Deadline;
  /** Requests it has been taken for, this one included: above 1 the peer may have closed it meanwhile. */
  useCount: number;
  isConnected: boolean;
  private readonly home: IdleHome;
  private user: UpstreamUser | null;

  /** Begins to connect to `peer` for `user`, from `local` and by `tls` if that is given. */
  constructor(
    peer: Peer,
    home: IdleHome,
    wheel: TimerWheel,
    limits: HeadLimits,
    user: UpstreamUser,
    place: unknown,
    local: Address | null,
    tls: UpstreamTls | null,
  ) {
    this.peer = peer;
    this.place = place;
    this.tls = tls;
    this.openedAtMs = eventClock.nowMs();
    this.elder = null;
    this.younger = null;
    this.head = new ResponseHead(limits);
    this.body = new BodyDecoder(limits);
    this.deadline = new Deadline(wheel, this);
    this.useCount = 1;
    this.isConnected = false;
    this.home = home;
    this.user = user;
    this.connection = home.connect(
      peer.address,
      this,
      home.onDefect,
      local,
      tls === null ? null : tls.optionsFor(peer.name),
    );
  }

  get served(): Connection {
    return this.user === null ? this.connection : this.user.served;
  }

  get isReused(): boolean {
    return this.useCount > 1;
  }

  /** Whether another request may follow when its answer has come whole and `extraBytes` behind that. */
  mayServeAgain(extraBytes: number): boolean {
    const { head, body, connection } = this;
    const isPersistent = head.versionMinor === 1 ? !head.connection.hasClose : head.connection.hasKeepAlive;
    // security: should the body come that a 204 has not, it would be read as the answer to another client.
    const mayHaveMore = head.status === 204 && (head.isChunked || head.contentLength > 0);
    return (
      isPersistent &&
      extraBytes === 0 &&
      !mayHaveMore &&
      body.kind !== BodyKind.untilClose &&
      !connection.isEnded &&
      !connection.hasPendingWrites
    );
  }

  /** For the pool: gives it from idleness to a user, as a connection to `peer`, which has the same address. */
  assign(peer: Peer, user: UpstreamUser): void {
    this.peer = peer;
    this.user = user;
    this.useCount++;
    this.deadline.clear();
  }

  /** From now on another user is told what happens, within the same use. */
  handOver(user: UpstreamUser): void {
    this.user = user;
  }

  /** For the pool: nobody uses it any more; it is closed after `idleTimeoutMs`. */
  rest(idleTimeoutMs: number): void {
    this.user = null;
    this.head.reset();
    this.deadline.set(idleTimeoutMs);
    this.connection.resumeReading();
  }

  /** Closes at once, telling nobody. */
  destroy(): void {
    this.user = null;
    this.deadline.cancel();
    this.connection.destroy();
  }

  /** As `destroy`, for one that nobody uses: no write refers to its buffer, so that another one may have it. */
  discard(): void {
    this.destroy();
    this.connection.releaseBuffer();
  }

  onConnect(): void {
    this.isConnected = true;
    this.user?.onUpstreamConnect();
  }

  onBytes(bytes: Buffer, end: number): void {
    if (this.user !== null) {
      this.user.onUpstreamBytes(bytes, end);
      return;
    }
    // security: unasked bytes would be taken for the answer to whoever comes next.
    this.home.onUnaskedBytes(this, end);
    this.leave();
  }

  onEnd(): void {
    if (this.user !== null) this.user.onUpstreamEnd();
    else this.leave();
  }

  onDrain(): void {
    this.user?.onUpstreamDrain();
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    this.deadline.cancel();
    const { user } = this;
    this.user = null;
    if (user !== null) user.onUpstreamClose(error);
    else this.home.remove(this);
  }

  onDeadline(): void {
    const { served } = this;
    try {
      if (this.user !== null) this.user.onUpstreamDeadline();
      else this.leave();
    } catch (defect) {
      served.failBy(defect);
    }
  }

  /** Out of the pool and closed. */
  private leave(): void {
    this.home.remove(this);
    this.discard();
  }
}
