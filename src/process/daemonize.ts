/*
 * Leaving the terminal (`daemon on`): Node can't fork, so the program is started anew in the background, and the one
 * in the foreground stays until that serves or has said why it doesn't.
 */
import { spawn } from 'node:child_process';

/** Tells the program that it is the one in the background. */
const DAEMON = 'SLUICE_DAEMON';

/** Whether this is the program in the background. */
export function isInBackground(): boolean {
  return process.env[DAEMON] !== undefined;
}

/** Runs the same command in the background. Resolves with the exit code for the foreground. */
export function startInBackground(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...process.env, [DAEMON]: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr!.pipe(process.stderr, { end: false });
  return new Promise((resolve) => {
    child.once('message', () => {
      child.disconnect();
      child.stderr!.destroy();
      child.unref();
      resolve(0);
    });
    child.once('error', (error) => {
      process.stderr.write(`nginx: [emerg] cannot start in the background: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** In the background: lets the foreground go. */
export function tellForeground(): void {
  delete process.env[DAEMON];
  process.send?.('serving');
  if (process.connected) process.disconnect();
}
