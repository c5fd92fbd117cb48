/*
 * A new program takes over (USR2): it is started with the listening sockets of this one, so that no client is turned
 * away, and this one serves on until it is told to end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { ErrorLog } from '../log/error-log.js';
import type { PidFile } from './pid-file.js';

/** Which descriptor is which listening socket, for the new program. */
const SOCKETS = 'SLUICE_SOCKETS';

/** Where descriptors of a child begin that are none of the standard ones. */
const FIRST_FD = 3;

/** The process that started this one by USR2. */
const STARTER = 'SLUICE_STARTER';

/** The watchdog of a service manager (WATCHDOG_PID) is for whoever is the main process, which the new one will be. */
const OF_THIS_PROCESS = 'WATCHDOG_PID';

/** What the new program needs of the old one. */
export interface Upgradable {
  readonly errorLog: ErrorLog;
  readonly pidFile: PidFile;
  /** Descriptors by the key of their socket. */
  readonly descriptors: ReadonlyMap<string, number>;
  /** The new program has ended, or could not be started: this one goes on as before. */
  onReturn(): void;
}

/** Starts the new program. What goes wrong is logged, and this one goes on as before. @returns whether it was started */
export function startNewProgram({ errorLog, pidFile, descriptors, onReturn }: Upgradable): boolean {
  try {
    pidFile.giveWay();
  } catch (error) {
    errorLog.log('alert', `${(error as Error).message} before executing new binary process`);
    return false;
  }
  const fail = ({ message }: Error): void => {
    errorLog.log('alert', `Cannot start the new program: ${message}`);
    pidFile.takeBack();
  };
  let child: ChildProcess;
  try {
    child = spawnSuccessor(descriptors);
  } catch (error) {
    // Such as E2BIG; for what may pass, Node has an event.
    fail(error as Error);
    return false;
  }
  errorLog.log('notice', `start new binary process ${child.pid ?? ''}`);
  child.once('error', (error) => {
    fail(error);
    onReturn();
  });
  child.once('exit', (code, signal) => {
    errorLog.log('notice', `new binary process ${child.pid} exited with ${signal ?? `code ${code}`}`);
    pidFile.takeBack();
    onReturn();
  });
  child.unref();
  return true;
}

function spawnSuccessor(descriptors: ReadonlyMap<string, number>): ChildProcess {
  const keys = [...descriptors.keys()];
  return spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: {
      ...process.env,
      [OF_THIS_PROCESS]: undefined,
      [SOCKETS]: JSON.stringify(Object.fromEntries(keys.map((key, index) => [key, FIRST_FD + index]))),
      [STARTER]: String(process.pid),
    },
    stdio: ['ignore', 'inherit', 'inherit', ...descriptors.values()],
  });
}

let starter = 0;

/** Whether the program before, which started this one, is still there. */
export function isStarterThere(): boolean {
  return starter !== 0 && process.ppid === starter;
}

/** The sockets that the program before has left to this one; none if it was started by itself. */
export function inheritedSockets(): ReadonlyMap<string, number> {
  const text = process.env[SOCKETS];
  starter = Number(process.env[STARTER] ?? 0);
  delete process.env[SOCKETS];
  delete process.env[STARTER];
  if (text === undefined) return new Map();
  try {
    return new Map(Object.entries(JSON.parse(text) as Record<string, number>));
  } catch {
    return new Map();
  }
}
