/*
 * Sessions that clients may go on with by naming them, kept here (nginx: ssl_session_cache). Those that clients keep
 * themselves, in tickets, are OpenSSL's own business.
 */
import { eventClock } from '../../core/clock.js';

/** nginx: about 4000 sessions fit into a megabyte. */
export const SESSIONS_PER_MEGABYTE = 4000;

interface KeptSession {
  readonly bytes: Buffer;
  readonly untilMs: number;
}

/** Sessions by their ids; the eldest gives way. */
export class SessionCache {
  private readonly limit: number;
  private readonly kept: Map<string, KeptSession>;

  constructor(limit: number) {
    this.limit = limit;
    this.kept = new Map();
  }

  get size(): number {
    return this.kept.size;
  }

  put(id: Buffer, bytes: Buffer, timeoutMs: number): void {
    const key = id.toString('latin1');
    this.kept.delete(key);
    if (this.kept.size >= this.limit) {
      const [eldest] = this.kept.keys();
      this.kept.delete(eldest!);
    }
    this.kept.set(key, { bytes, untilMs: eventClock.nowMs() + timeoutMs });
  }

  /** Null for one that isn't there or is too old. */
  find(id: Buffer): Buffer | null {
    const session = this.kept.get(id.toString('latin1'));
    if (session === undefined) return null;
    return session.untilMs > eventClock.nowMs() ? session.bytes : null;
  }
}

/** What Node's TLSSocket asks of its server: whether sessions are kept, to keep one, to find one. */
export interface SessionServer {
  listenerCount(event: string): number;
  emit(event: string, id: Buffer, ...rest: unknown[]): boolean;
}

/**
 * A cache as one connection sees it. `wantedId` is what its hello goes on with: Node tells the id of TLS 1.2 only, and
 * looks up the session for both.
 */
export function sessionServer(
  cache: SessionCache,
  timeoutMs: number,
  wantedId: Buffer | null,
): SessionServer {
  return {
    listenerCount: (event) => (event === 'newSession' || event === 'resumeSession' ? 1 : 0),
    emit(event, id, ...rest) {
      if (event === 'newSession') {
        const [bytes, done] = rest as [Buffer, () => void];
        cache.put(id, bytes, timeoutMs);
        done();
        return true;
      }
      if (event !== 'resumeSession') return false;
      const [done] = rest as [(error: null, session: Buffer | null) => void];
      done(null, cache.find(wantedId ?? id));
      return true;
    },
  };
}
