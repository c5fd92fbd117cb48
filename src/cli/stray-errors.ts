/*
 * Errors that nobody caught. A defect that shows in one request ends that request alone, see net/connection.ts;
 * what still comes up to here is logged with its stack, and only a socket's error lets the process go on.
 */
import { describeDefect } from '../core/describe-defect.js';
import type { ErrorLog } from '../log/error-log.js';
import type { Serving } from './obey-signals.js';
import { EXIT_DEFECT } from './usage-error.js';

/** System calls on sockets. Their errors are somebody else's doing and leave our state sound. */
const SOCKET_CALLS = new Set(['read', 'write', 'writev', 'connect', 'accept', 'shutdown', 'getaddrinfo']);

/**
 * Logs errors that reached the top as [alert]. After one that a socket did not cause nobody knows what
 * state the process is in: it stops accepting, lets running requests finish and exits with code 70, so
 * that whoever supervises it starts a sound one. A second such error ends it at once.
 */
export function handleStrayErrors(serving: Serving, log: Pick<ErrorLog, 'log'>): void {
  let isEnding = false;
  const handle = (thrown: unknown): void => {
    log.log('alert', `Uncaught: ${describeDefect(thrown)}`);
    if (isSocketError(thrown)) return;
    if (isEnding) process.exit(EXIT_DEFECT);
    isEnding = true;
    log.log('alert', 'Ending after a defect: no new connections, running requests may finish');
    void serving.drain().then(() => process.exit(EXIT_DEFECT));
  };
  process.on('uncaughtException', handle);
  process.on('unhandledRejection', handle);
}

/** Whether a socket's system call failed, as against our own code. */
export function isSocketError(thrown: unknown): boolean {
  return thrown instanceof Error && SOCKET_CALLS.has((thrown as NodeJS.ErrnoException).syscall ?? '');
}
