/*
 * How many file descriptors this process may have and has, as Linux tells it. What is done with the figures
 * is socket-budget.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Descriptors of the process. */
export interface Descriptors {
  /** How many it may have (ulimit -n, the soft limit; Node raises it to the hard one when it starts). */
  readonly limit: number;
  /** How many are open. */
  readonly open: number;
}

/** Reads both. Null where no /proc tells them, and when there is no descriptor left to read it with. */
export function readDescriptors(): Descriptors | null {
  try {
    const limit = /^Max open files +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    if (limit === undefined) return null;
    const open = readdirSync('/proc/self/fd').length - 1; // less the one that is open to read the folder
    return { limit: limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit), open };
  } catch {
    return null;
  }
}
