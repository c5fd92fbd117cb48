/*
 * What is said while a process waits for what still runs, so that nobody takes it for one that hangs.
 */

/** Until the first line, for those that end soon say nothing; then between two. */
const FIRST_MS = 1000;
const PAUSE_MS = 5000;

/** What is waited for. */
export interface Waiting {
  /** Client connections with a request or tunnel under way. */
  readonly connectionCount: number;
  /** How long they may go on at most; Infinity: as long as they take. */
  readonly drainMs: number;
}

/** Says how much is left every few seconds until `end`. @returns end */
export function tellDrainProgress(waiting: Waiting, say: (line: string) => void): () => void {
  const startMs = performance.now();
  const tell = () => {
    say(describeWaiting(waiting, performance.now() - startMs));
    timer = setTimeout(tell, PAUSE_MS);
  };
  let timer = setTimeout(tell, FIRST_MS);
  return () => clearTimeout(timer);
}

/** `12 requests or tunnels left after 8 s; what is left is cut off in 52 s (worker_shutdown_timeout)` */
export function describeWaiting({ connectionCount, drainMs }: Waiting, waitedMs: number): string {
  const what = connectionCount === 1 ? '1 request or tunnel' : `${connectionCount} requests or tunnels`;
  const seconds = (ms: number) => `${Math.max(0, Math.round(ms / 1000))} s`;
  const end =
    drainMs === Number.POSITIVE_INFINITY
      ? 'TERM cuts them off now'
      : `what is left is cut off in ${seconds(drainMs - waitedMs)} (worker_shutdown_timeout)`;
  return `${what} left after ${seconds(waitedMs)}; ${end}`;
}
