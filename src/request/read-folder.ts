/*
 * What is in a folder, for listings and choices. Read in steps, so that a large folder holds up nobody else.
 */
import type { Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { logErrorOf } from './error-line.js';
import { describeFailure } from './file-access.js';
import { toFileName } from './file-path.js';
import type { HttpRequest } from './http-request.js';
import type { Outcome } from './phase.js';

/** One entry; a link is what it points to, or itself if that is not there. */
export interface FolderEntry {
  /** Bytes in latin1. */
  readonly name: string;
  readonly stats: Stats;
}

/** So many entries are looked at at a time. */
const AT_A_TIME = 32;

/**
 * The entries of a folder but those whose names begin with a dot, in no order. A status, logged, when it can't be read:
 * 404, 403 or 500.
 */
export async function readFolder(request: HttpRequest, path: string): Promise<FolderEntry[] | Outcome> {
  let names: string[];
  try {
    names = await readdir(toFileName(path), { encoding: 'latin1' });
  } catch (error) {
    return refuseFolder(request, path, error as NodeJS.ErrnoException);
  }
  const shown = names.filter((name) => !name.startsWith('.'));
  const entries: FolderEntry[] = [];
  for (let at = 0; at < shown.length && !request.isOver; at += AT_A_TIME) {
    const some = shown.slice(at, at + AT_A_TIME);
    const stats = await Promise.all(some.map((name) => look(request, `${path}/${name}`)));
    for (const [i, name] of some.entries()) {
      const found = stats[i]!;
      if (typeof found === 'object') entries.push({ name, stats: found });
      else if (found !== 403) return found;
    }
  }
  return entries;
}

function refuseFolder(request: HttpRequest, path: string, error: NodeJS.ErrnoException): Outcome {
  const message = describeFailure('opendir()', path, error);
  const status = statusOf(error.code);
  logErrorOf(request, status === 500 ? 'crit' : 'error', message);
  return status;
}

function statusOf(code: string | undefined): number {
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return 404;
  return code === 'EACCES' ? 403 : 500;
}

/** 403 for an entry that is to be left out. */
async function look(request: HttpRequest, path: string): Promise<Stats | Outcome> {
  try {
    return await stat(toFileName(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ELOOP') {
      logErrorOf(request, 'crit', describeFailure('stat()', path, error as NodeJS.ErrnoException));
      return code === 'EACCES' ? 403 : 500;
    }
  }
  try {
    return await lstat(toFileName(path));
  } catch (error) {
    // It was there a moment ago.
    logErrorOf(request, 'crit', describeFailure('lstat()', path, error as NodeJS.ErrnoException));
    return 403;
  }
}
