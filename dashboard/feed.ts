/*
 * What the server tells, asked for once a second. Asking again and again is on purpose: each answer stands for itself,
 * so any worker and any proxy before it will do, a reload or a drain has no stream to wait for, and what is missed while
 * the server is away comes with the next answer.
 */
import type { Snapshot } from '../src/modules/http/dashboard/snapshot.js';
import { nextView, type View } from './view.js';

const EVERY_MS = 1000;
const PATIENCE_MS = 5000;

export interface FeedState {
  /** Null before the first answer. */
  readonly view: View | null;
  /** Why there is no answer; null while there is one. */
  readonly trouble: string | null;
}

/** Asks as long as somebody looks. */
export class Feed {
  private state: FeedState = { view: null, trouble: null };
  private readonly onChange: (state: FeedState) => void;
  private timer = 0;
  private isAsking = false;

  constructor(onChange: (state: FeedState) => void) {
    this.onChange = onChange;
  }

  /** Gives back what ends it. */
  start(): () => void {
    const look = () => (document.hidden ? window.clearTimeout(this.timer) : void this.ask());
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      document.removeEventListener('visibilitychange', look);
      window.clearTimeout(this.timer);
    };
  }

  /** Now, and then each second. */
  async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    window.clearTimeout(this.timer);
    try {
      const snapshot = await fetchSnapshot(this.state.view);
      this.state = { view: nextView(this.state.view, snapshot), trouble: null };
    } catch (error) {
      this.state = { ...this.state, trouble: describe(error as Error) };
    }
    this.onChange(this.state);
    this.isAsking = false;
    if (!document.hidden) this.timer = window.setTimeout(() => void this.ask(), EVERY_MS);
  }
}

async function fetchSnapshot(view: View | null): Promise<Snapshot> {
  const known = view === null ? '' : `?since=${view.lastAtMs}&seen=${view.seen}`;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(`data${known}`, { cache: 'no-store', signal });
  if (answer.ok) return (await answer.json()) as Snapshot;
  throw new Error(`it answers ${answer.status} ${answer.statusText}`);
}

function describe(error: Error): string {
  if (error.name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1000} seconds`;
  return error instanceof TypeError ? 'it does not answer' : error.message;
}
