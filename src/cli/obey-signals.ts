/*
 * SIGTERM, SIGINT and SIGQUIT: the first lets running requests finish, the second ends at once.
 * SIGUSR1 opens log files anew. What these mean is for what is served.
 */
import { constants } from 'node:os';

/** Something that serves: a proxy, an echo app, several of them. */
export interface Serving {
  /** Client connections open now, if known. */
  readonly connectionCount?: number;
  /** Stops accepting and resolves when what runs has finished, or has been ended at its deadline. */
  drain(): Promise<void>;
  /** Opens log files anew after they were renamed, if there are any. */
  reopenLogs?(): void;
}

/** Supervisors send TERM, Ctrl+C is INT, and nginx's containers are stopped with QUIT. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/** Idle connections are gone by then; what is left has something to finish. */
const PATIENCE_MS = 100;

/**
 * Ends the process for signals: 0 when what ran was let finish (or its deadline passed), 128 + the
 * signal's number when a second signal came first.
 * @param say prints one line for people
 */
export function obeySignals(serving: Serving, say: (line: string) => void): void {
  let isStopping = false;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (isStopping) {
        say(`${signal} again: ending now`);
        process.exit(128 + constants.signals[signal]);
      }
      isStopping = true;
      say(`${signal}: no new connections`);
      const waiting = setTimeout(() => say(describeWaiting(serving.connectionCount)), PATIENCE_MS);
      void serving.drain().then(() => {
        clearTimeout(waiting);
        say('stopped');
        process.exit(0);
      });
    });
  }
  // security: unheard, this signal makes Node open its debugger, which anyone on the machine can use.
  process.on('SIGUSR1', () => {
    try {
      serving.reopenLogs?.();
    } catch (error) {
      say((error as Error).message);
    }
  });
}

function describeWaiting(connectionCount: number | undefined): string {
  const open = connectionCount === 1 ? '1 connection' : `${connectionCount ?? 'open'} connections`;
  return `waiting for ${open} to finish; a second signal ends everything now`;
}
