/*
 * From root to the user that the configuration names. One process does all here, so what it opens afterwards (new logs,
 * ports of a new configuration) it opens as that user. What is there already is given to that user before.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { wordsOf } from './pid-file.js';
import type { ProcessSettings } from './settings.js';

/** Paths that the user has to write to. */
export interface WrittenPaths {
  readonly logFiles: readonly string[];
  readonly folders: readonly string[];
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whether there are rights to let go of, and somebody to take them. */
function canDrop(user: ProcessSettings['user']): user is NonNullable<ProcessSettings['user']> {
  return user !== null && process.geteuid?.() === 0 && user.name !== 'root';
}

/**
 * Takes the rights of a user for good. Throws an Error in nginx's words when there is no such user or group.
 * security: the groups go first, since without root's rights they could not be changed any more.
 * @returns whether there was something to give up
 */
export function dropPrivileges(user: ProcessSettings['user']): boolean {
  if (!canDrop(user)) return false;
  const { name, group } = user;
  attempt(`getgrnam("${group}")`, () => process.setgid?.(group));
  const { initgroups } = process as { initgroups?: (user: string, group: string) => void };
  attempt(`initgroups(${name}, ${group})`, () => initgroups?.call(process, name, group));
  attempt(`getpwnam("${name}")`, () => process.setuid?.(name));
  return true;
}

/**
 * Gives root's log files and folders to the user, folders made where they are missing: whatever root does with a
 * configuration (start it, test it, send a signal for it) leaves it usable for the process that has become that user.
 * Throws an Error in nginx's words when there is no such user or group.
 * @param onTrouble told of what can't be given
 */
export function giveAway(
  user: ProcessSettings['user'],
  { logFiles, folders }: WrittenPaths,
  onTrouble: (message: string) => void,
): void {
  if (!canDrop(user)) return;
  const owner = idsOf(user);
  const each = (paths: readonly string[], give: (path: string, owner: Owner) => void) => {
    for (const path of paths) {
      try {
        give(path, owner);
      } catch (error) {
        onTrouble(`Cannot give "${path}" to user "${user.name}": ${(error as Error).message}`);
      }
    }
  };
  each(logFiles, giveFile);
  each(folders, giveFolder);
}

/**
 * Gives root's listening sockets to the user: a worker that is started later can only share a port with sockets of its own
 * user. To be called before the rights are dropped.
 */
export function giveSockets(user: ProcessSettings['user'], descriptors: Iterable<number>): void {
  if (!canDrop(user)) return;
  const { uid, gid } = idsOf(user);
  for (const descriptor of descriptors) fchownSync(descriptor, uid, gid);
}

/** What to add to a message about something that only root may do; '' for other messages. */
export function rightsHint(userName: string, message: string): string {
  if (!/Permission denied|Operation not permitted/.test(message)) return '';
  return `; this process gave up root's rights for user "${userName}" when it started: give that user what it needs (-s reload and -s reopen, run by root, do that for logs), or restart it`;
}

/** Why a file could not be opened to append to, or made: `13: Permission denied`; null if it could. */
export function whyNotWritable(path: string): string | null {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
    return null;
  } catch (error) {
    return wordsOf(error);
  }
}

/** By asking the system to be them for a moment: it knows users that no file has, and Node offers no other way. */
function idsOf({ name, group }: NonNullable<ProcessSettings['user']>): Owner {
  const gid = process.getegid!();
  try {
    attempt(`getgrnam("${group}")`, () => process.setegid!(group));
    const groupId = process.getegid!();
    attempt(`getpwnam("${name}")`, () => process.seteuid!(name));
    return { uid: process.geteuid!(), gid: groupId };
  } finally {
    process.seteuid!(0);
    process.setegid!(gid);
  }
}

/**
 * security: in a folder of that user the name could lead elsewhere (to /etc/shadow) by a link of either kind, so what
 * was opened is given away and not what has the name, and only a file that has no other name.
 */
function giveFile(path: string, { uid, gid }: Owner): void {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let fd: number;
  try {
    fd = openSync(path, flags);
  } catch (error) {
    // A link, such as one to /dev/stdout, or a pipe that nobody reads.
    if (['ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    throw error;
  }
  try {
    const status = fstatSync(fd);
    if (status.isFile() && status.nlink === 1 && status.uid !== uid) fchownSync(fd, uid, gid);
  } finally {
    closeSync(fd);
  }
}

function giveFolder(path: string, { uid, gid }: Owner): void {
  mkdirSync(dirname(path), { recursive: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { mode, uid: ownerId } = lstatSync(path);
  // Everybody's already, like /tmp: that stays root's.
  const isShared = (mode & constants.S_IWOTH) !== 0;
  if ((mode & constants.S_IFMT) === constants.S_IFDIR && !isShared && ownerId !== uid)
    lchownSync(path, uid, gid);
}

function attempt(what: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    throw new Error(`${what} failed (${(error as Error).message})`);
  }
}
