/*
 * What signals mean to a process that serves a configuration: as in nginx.
 */
import type { ErrorLog } from '../log/error-log.js';

/** What is done for signals. */
export interface Obedient {
  readonly errorLog: ErrorLog;
  drain(): Promise<void>;
  stop(): Promise<void>;
  reload(): Promise<void>;
  reopenLogs(): void;
  startNewProgram(): void;
  rest(): void;
}

/**
 * TERM and INT end at once, QUIT when what runs is finished, HUP reads the configuration anew, USR1 opens the logs anew,
 * USR2 starts a new program on the same sockets, WINCH accepts nobody until the next HUP.
 */
export function obeyNginxSignals(proxy: Obedient): void {
  const notice = (message: string) => proxy.errorLog.log('notice', message);
  const end = (ending: Promise<void>) => void ending.then(() => process.exit(0));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      notice(`${signal} received, exiting`);
      end(proxy.stop());
    });
  }
  process.on('SIGQUIT', () => {
    notice('SIGQUIT received, shutting down');
    end(proxy.drain());
  });
  process.on('SIGHUP', () => {
    notice('SIGHUP received, reconfiguring');
    void proxy.reload();
  });
  process.on('SIGUSR1', () => {
    notice('SIGUSR1 received, reopening logs');
    proxy.reopenLogs();
  });
  process.on('SIGWINCH', () => {
    // differs from nginx: obeyed in the foreground too, but not at a terminal, which sends it when its window changes.
    if (process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY) return;
    notice('SIGWINCH received, resting');
    proxy.rest();
  });
  process.on('SIGUSR2', () => {
    notice('SIGUSR2 received, changing binary');
    proxy.startNewProgram();
  });
}
