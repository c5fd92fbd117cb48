/*
 * What the main part of a configuration says of the process that serves it.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Scope } from '../conf/schema/scope.js';
import { daemon, env, pid, user, workerProcesses } from '../modules/core/directives.js';
import { MAX_WORKERS } from '../zones/worker-place.js';
import { fromPrefix } from './conf-files.js';

/** How the process runs. */
export interface ProcessSettings {
  readonly isDaemon: boolean;
  /** '' for none. */
  readonly pidPath: string;
  /** Whose rights it takes when root started it; null when nothing is said. */
  readonly user: { readonly name: string; readonly group: string } | null;
  /** Variables to set; null for one that is only kept. */
  readonly environment: ReadonlyMap<string, string | null>;
}

/** How many workers the configuration asks for. */
export function wantedWorkers(main: Scope): number {
  const [count] = main.value(workerProcesses);
  return Math.min(MAX_WORKERS, count === 'auto' ? availableParallelism() : count);
}

/** Whether several sockets can listen on one port (SO_REUSEPORT), and clients are distributed between them. */
export function canSharePorts(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return (
    process.platform === 'linux' &&
    (major >= 24 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12))
  );
}

/** Reads them. */
export function processSettings(main: Scope, prefix: string): ProcessSettings {
  const account = main.find(user)?.values;
  const environment = new Map<string, string | null>();
  for (const directive of main.own(env)) {
    const [text] = directive.values;
    const equals = text.indexOf('=');
    if (equals < 0) environment.set(text, null);
    else environment.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return {
    isDaemon: main.value(daemon)[0],
    pidPath: pidPathOf(main, prefix),
    user: account === undefined ? null : { name: account[0], group: account[1] ?? account[0] },
    environment,
  };
}

/** differs from nginx: without a folder for it there is no pid file unless the configuration names one. */
function pidPathOf(main: Scope, prefix: string): string {
  const named = main.find(pid);
  if (named !== null) return fromPrefix(named.values[0], prefix);
  return existsSync(`${prefix}logs`) ? `${prefix}logs/nginx.pid` : '';
}
