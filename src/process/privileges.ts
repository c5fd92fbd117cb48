/*
 * From root to the user that the configuration names. One process does all here, so what it opens afterwards (logs that
 * are reopened, ports of a new configuration) it opens as that user.
 */
import type { ProcessSettings } from './settings.js';

/** Whether there are rights to let go of. */
function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Takes the rights of a user for good. Throws an Error in nginx's words when there is no such user or group.
 * security: the groups go first, since without root's rights they could not be changed any more.
 */
export function dropPrivileges(user: ProcessSettings['user']): void {
  if (user === null || !isRoot() || user.name === 'root') return;
  const { name, group } = user;
  attempt(`getgrnam("${group}")`, () => process.setgid?.(group));
  const { initgroups } = process as { initgroups?: (user: string, group: string) => void };
  attempt(`initgroups(${name}, ${group})`, () => initgroups?.call(process, name, group));
  attempt(`getpwnam("${name}")`, () => process.setuid?.(name));
}

function attempt(what: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    throw new Error(`${what} failed (${(error as Error).message})`);
  }
}
