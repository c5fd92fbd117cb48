/*
 * Files that requests are answered with: opened or looked at, by the location's rules for symbolic links and with what
 * its open_file_cache knows. All calls are of the short, blocking kind, as in nginx; reading is send-file.ts.
 */
import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { describeErrno } from '../core/errno.js';
import type { Text } from '../variables/text.js';
import { toFileName } from './file-path.js';
import type { HttpRequest } from './http-request.js';
import type { OpenFileCache } from './open-file-cache.js';
import { openGuarded } from './symbolic-links.js';

/** How a location treats files: open_file_cache and disable_symlinks. */
export interface FileAccess {
  readonly cache: OpenFileCache | null;
  /** How long what the cache knows counts without a look at the file. */
  readonly validMs: number;
  /** From how many uses on a file is kept open. */
  readonly minUses: number;
  readonly cachesErrors: boolean;
  readonly symlinks: SymlinkRule;
  /** The beginning of a path in which links don't matter; null: none. */
  readonly symlinksFrom: Text<HttpRequest> | null;
}

/** disable_symlinks: `on` refuses them, `if_not_owner` those that belong to another than what they point to. */
export type SymlinkRule = 'off' | 'on' | 'if_not_owner';

/** The rule for one path: it counts behind its first `from` characters; 0: all over. */
export interface SymlinkGuard {
  readonly rule: SymlinkRule;
  readonly from: number;
}

/** A path that can't be opened. */
export class FileFailure {
  /** Of the system: ENOENT ... */
  readonly code: string;
  /** `open() "/a" failed (2: No such file or directory)` */
  readonly message: string;
  /** `(2: No such file or directory)` */
  readonly cause: string;

  constructor(error: NodeJS.ErrnoException, call: string, path: string) {
    // What has a NUL in it names no file.
    this.code = error.code === 'ERR_INVALID_ARG_VALUE' ? 'ENOENT' : (error.code ?? 'EIO');
    this.message = describeFailure(call, path, error);
    this.cause = describeCause(error);
  }

  /** The file is not there. */
  get isNotFound(): boolean {
    return this.code === 'ENOENT' || this.code === 'ENOTDIR' || this.code === 'ENAMETOOLONG';
  }

  /** A symbolic link that disable_symlinks forbids. */
  get isForbiddenLink(): boolean {
    return this.code === 'ELOOP' || this.code === 'EMLINK';
  }
}

/** `open() "/a" failed (13: Permission denied)`, as nginx words it. */
export function describeFailure(call: string, path: string, error: NodeJS.ErrnoException): string {
  return `${call} "${path}" failed ${describeCause(error)}`;
}

/** `(13: Permission denied)` */
function describeCause({ errno = 0, code = 'EIO' }: NodeJS.ErrnoException): string {
  return `(${-errno}: ${describeErrno(code)})`;
}

/** What is at a path. A file has a descriptor for as long as it is in use. */
export class OpenFile {
  /** -1: none, as for all but files. */
  descriptor = -1;
  size = 0;
  /** Seconds since 1970. */
  modified = 0;
  isDirectory = false;
  isFile = false;
  inode = 0;
  device = 0;
  /** By those who read it now. */
  users = 0;
  /** To be closed when the last of them lets go; else it is in a cache. */
  isDropped = true;

  take(stats: Stats): void {
    this.size = stats.size;
    this.modified = Math.floor(stats.mtimeMs / 1000);
    this.isDirectory = stats.isDirectory();
    this.isFile = stats.isFile();
    this.inode = stats.ino;
    this.device = stats.dev;
  }

  /** One of its users is done with it. */
  release(): void {
    this.users--;
    if (this.isDropped && this.users === 0) this.close();
  }

  close(): void {
    if (this.descriptor < 0) return;
    closeSync(this.descriptor);
    this.descriptor = -1;
  }
}

/** Opens what is at `path` for reading. The caller has to `release` it. */
export function openFile(request: HttpRequest, path: string): OpenFile | FileFailure {
  const { files } = request.location.settings;
  const guard = guardFor(request, files, path);
  if (files.cache !== null) return files.cache.open(path, guard, files, request.context.clock.nowMs());
  const file = new OpenFile();
  const failure = openInto(file, path, guard);
  file.users = 1;
  return failure ?? file;
}

/** Looks at what is at `path` without keeping it open; nothing to be released. */
export function testFile(request: HttpRequest, path: string): OpenFile | FileFailure {
  const { files } = request.location.settings;
  if (files.cache !== null) {
    const file = openFile(request, path);
    if (file instanceof OpenFile) file.release();
    return file;
  }
  const guard = guardFor(request, files, path);
  const file = new OpenFile();
  const failure = guard.rule === 'off' ? lookInto(file, path) : openInto(file, path, guard);
  file.close();
  return failure ?? file;
}

/** Opens `path` and sets what is known of it; only a file stays open. */
export function openInto(file: OpenFile, path: string, guard: SymlinkGuard): FileFailure | null {
  const isGuarded = guard.rule !== 'off';
  try {
    file.descriptor = isGuarded ? openGuarded(path, guard) : openSync(toFileName(path), READ_FLAGS);
    file.take(fstatSync(file.descriptor));
  } catch (error) {
    file.close();
    return new FileFailure(error as NodeJS.ErrnoException, isGuarded ? 'openat()' : 'open()', path);
  }
  if (file.isDirectory) file.close();
  return null;
}

/** Without O_NONBLOCK a pipe would be waited for. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Sets what is known of `path` without opening it. */
export function lookInto(file: OpenFile, path: string): FileFailure | null {
  try {
    // perf: a file that isn't there is usual for index and try_files, and an exception dear.
    const stats = statSync(toFileName(path), { throwIfNoEntry: false });
    if (stats === undefined) return new FileFailure(NOT_THERE, 'stat()', path);
    file.take(stats);
    return null;
  } catch (error) {
    return new FileFailure(error as NodeJS.ErrnoException, 'stat()', path);
  }
}

const NOT_THERE = { code: 'ENOENT', errno: -2 } as NodeJS.ErrnoException;

function guardFor(request: HttpRequest, files: FileAccess, path: string): SymlinkGuard {
  if (files.symlinks === 'off') return UNGUARDED;
  const from = files.symlinksFrom?.evaluate(request) ?? '';
  if (from === '' || !path.startsWith(from)) return { rule: files.symlinks, from: 0 };
  if (from.length === path.length) return UNGUARDED;
  if (path[from.length] === '/') return { rule: files.symlinks, from: from.length };
  return { rule: files.symlinks, from: from.endsWith('/') ? from.length - 1 : 0 };
}

const UNGUARDED: SymlinkGuard = { rule: 'off', from: 0 };
