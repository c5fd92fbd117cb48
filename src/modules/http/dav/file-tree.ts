/*
 * Copying and removing files and folders with all that is in them. What fails inside a folder is logged and
 * left out, as in nginx.
 *
 * differs from nginx: links to folders are not followed, so that removing a folder removes nothing outside of it, and
 * copying one ends; a copy has the rights of what was copied, whatever the umask.
 */
import type { Stats } from 'node:fs';
import { lstat, mkdir, readdir, rmdir, stat, unlink, utimes } from 'node:fs/promises';
import { logErrorOf } from '../../../request/error-line.js';
import { describeFailure } from '../../../request/file-access.js';
import { toFileName } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { copyOne, folderMode } from '../../../request/move-file.js';
import { refuse } from './dav-request.js';

/** Copies a file with its rights and its time. False, and logged, when it can't be. */
export async function copyTo(request: HttpRequest, from: string, to: string, stats: Stats): Promise<boolean> {
  try {
    await copyOne(from, to, stats);
    return true;
  } catch (error) {
    logErrorOf(
      request,
      'crit',
      describeFailure('copy()', `${from}" to "${to}`, error as NodeJS.ErrnoException),
    );
    return false;
  }
}

/** Copies what is in a folder into another, which is there; false when the folder can't be read. */
export async function copyInto(request: HttpRequest, from: string, to: string): Promise<boolean> {
  const names = await namesIn(request, from);
  if (names === null) return false;
  for (const name of names) {
    const source = `${from}/${name}`;
    const target = `${to}/${name}`;
    const stats = await statsOf(request, source, true);
    if (stats === null) continue;
    if (stats.isFile()) await copyTo(request, source, target, stats);
    if (!stats.isDirectory()) continue;
    await mkdir(toFileName(target), { mode: folderMode(stats.mode & 0o777) }).catch((error) => {
      refuse(request, 'mkdir()', target, error as NodeJS.ErrnoException, 404);
    });
    await copyInto(request, source, target);
    await utimes(toFileName(target), stats.atime, stats.mtime).catch((error) => {
      logErrorOf(request, 'alert', describeFailure('utimes()', target, error as NodeJS.ErrnoException));
    });
  }
  return true;
}

/** Removes a file, or a folder with all in it: 0, or the status for why not. */
export async function removeTree(request: HttpRequest, path: string, isFolder: boolean): Promise<number> {
  if (isFolder && !(await removeIn(request, path))) return 500;
  try {
    await (isFolder ? rmdir(toFileName(path)) : unlink(toFileName(path)));
    return 0;
  } catch (error) {
    return refuse(request, isFolder ? 'rmdir()' : 'unlink()', path, error as NodeJS.ErrnoException, 404);
  }
}

async function removeIn(request: HttpRequest, folder: string): Promise<boolean> {
  const names = await namesIn(request, folder);
  if (names === null) return false;
  for (const name of names) {
    const path = `${folder}/${name}`;
    const stats = await statsOf(request, path, false);
    if (stats !== null) await removeTree(request, path, stats.isDirectory());
  }
  return true;
}

async function namesIn(request: HttpRequest, folder: string): Promise<string[] | null> {
  try {
    return await readdir(toFileName(folder), { encoding: 'latin1' });
  } catch (error) {
    logErrorOf(request, 'crit', describeFailure('opendir()', folder, error as NodeJS.ErrnoException));
    return null;
  }
}

/** `followsFiles`: of a link to a file, what is said is about that. */
async function statsOf(request: HttpRequest, path: string, followsFiles: boolean): Promise<Stats | null> {
  try {
    const stats = await lstat(toFileName(path));
    if (!followsFiles || !stats.isSymbolicLink()) return stats;
    const target = await stat(toFileName(path));
    return target.isFile() ? target : stats;
  } catch (error) {
    logErrorOf(request, 'crit', describeFailure('stat()', path, error as NodeJS.ErrnoException));
    return null;
  }
}
