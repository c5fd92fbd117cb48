/*
 * Moving a file to its place, also to another file system, so that nobody sees half of it there.
 */
import type { Stats } from 'node:fs';
import { copyFile, lstat, mkdir, rename, unlink, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { logErrorOf } from './error-line.js';
import { describeFailure } from './file-access.js';
import { toFileName } from './file-path.js';
import type { HttpRequest } from './http-request.js';

/** Of a folder for files of that mode: it may be searched by whom they may be read by. */
export function folderMode(fileMode: number): number {
  return fileMode | ((fileMode & 0o444) >> 2);
}

let copies = 0;

/**
 * Moves a file, also to another file system, replacing what is there. `madeMode`: folders that are not there are made,
 * for files of that mode; null: they are not. False, and logged, when it stays where it is.
 */
export async function moveFile(
  request: HttpRequest,
  from: string,
  to: string,
  madeMode: number | null,
): Promise<boolean> {
  let error = await tryRename(from, to);
  if (error?.code === 'ENOENT' && madeMode !== null) {
    try {
      await mkdir(toFileName(dirname(to)), { recursive: true, mode: folderMode(madeMode) });
    } catch (failure) {
      logErrorOf(request, 'crit', describeFailure('mkdir()', to, failure as NodeJS.ErrnoException));
      return false;
    }
    error = await tryRename(from, to);
  }
  if (error === null) return true;
  if (error.code === 'EXDEV') return moveAcross(request, from, to);
  logErrorOf(request, 'crit', describeFailure('rename()', `${from}" to "${to}`, error));
  return false;
}

async function tryRename(from: string, to: string): Promise<NodeJS.ErrnoException | null> {
  try {
    await rename(toFileName(from), toFileName(to));
    return null;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** By a copy beside the target, so that nobody sees half of it there. */
async function moveAcross(request: HttpRequest, from: string, to: string): Promise<boolean> {
  const beside = `${to}.${String(++copies).padStart(10, '0')}`;
  try {
    await copyOne(from, beside, await lstat(toFileName(from)));
    await rename(toFileName(beside), toFileName(to));
    await unlink(toFileName(from));
    return true;
  } catch (error) {
    logErrorOf(
      request,
      'crit',
      describeFailure('rename()', `${beside}" to "${to}`, error as NodeJS.ErrnoException),
    );
    await unlink(toFileName(beside)).catch(() => undefined);
    return false;
  }
}

/** Copies a file with its rights and its time. */
export async function copyOne(from: string, to: string, stats: Stats): Promise<void> {
  await copyFile(toFileName(from), toFileName(to));
  await utimes(toFileName(to), stats.atime, stats.mtime);
}
