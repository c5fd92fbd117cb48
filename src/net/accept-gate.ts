/*
 * Pausing a listening socket so that clients wait in the kernel's queue, which Node offers nowhere. When
 * clients have to wait is socket-budget.ts.
 */
import type { Server } from 'node:net';
import type { Gate } from './socket-budget.js';

/** What a gate's owner does; ListenerOptions says more. */
export interface GateOwner {
  readonly onShortage: (isShort: boolean) => void;
  readonly reclaim: () => void;
  readonly isPauseDisabled?: boolean;
}

/**
 * libuv's listening handle, as far as it is used; no documentation promises any of it. One that was opened
 * anew on its own descriptor counts as readable, so that its reading can be stopped and started, and with it
 * the polling for clients. Checked on Node 20 and 26, on TCP and unix sockets.
 */
interface ListeningHandle {
  readonly fd: number;
  open(fd: number): number;
  readStart(): number;
  readStop(): number;
}

/** The gate of one server. */
export class AcceptGate implements Gate {
  /** Whether clients are to be turned away: paused, on a Node whose handle can't be. */
  mustShed: boolean;
  private readonly owner: GateOwner;
  private handle: ListeningHandle | null;

  /** Watches `server` for its handle: to be made before `listen`. */
  constructor(server: Server, owner: GateOwner) {
    this.mustShed = false;
    this.owner = owner;
    this.handle = null;
    if (!owner.isPauseDisabled) this.watch(server);
  }

  /** For a server that listens: finds out whether it can be paused. */
  prepare(): void {
    if (this.handle !== null && this.handle.readStart() !== 0) this.handle = null;
  }

  pause(): void {
    if (this.handle === null) this.mustShed = true;
    else this.handle.readStop();
  }

  resume(): void {
    this.mustShed = false;
    this.handle?.readStart();
  }

  noteShortage(isShort: boolean): void {
    this.owner.onShortage(isShort);
  }

  reclaim(): void {
    this.owner.reclaim();
  }

  /** The handle has to be opened anew when it is bound and not listening yet, which Node does in one go. */
  private watch(server: Server): void {
    let current: Partial<ListeningHandle> | null = null;
    Object.defineProperty(server, '_handle', {
      configurable: true,
      enumerable: true,
      get: () => current,
      set: (handle: Partial<ListeningHandle> | null) => {
        current = handle;
        this.handle = isReadable(handle) ? handle : null;
      },
    });
  }
}

/** Opens a bound handle anew; whether it can be paused as far as can be told before it listens. */
function isReadable(handle: Partial<ListeningHandle> | null): handle is ListeningHandle {
  if (typeof handle?.fd !== 'number' || handle.fd < 0) return false;
  if (typeof handle.readStart !== 'function' || typeof handle.readStop !== 'function') return false;
  return handle.open?.(handle.fd) === 0;
}
