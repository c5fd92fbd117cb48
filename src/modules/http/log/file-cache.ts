/*
 * Log files whose names have variables: opened for each line, or kept open as open_log_file_cache says.
 */
import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import type { Clock } from '../../../core/clock.js';
import type { LineBuffer } from '../../../log/line-buffer.js';

/** nginx's mode for logs. */
const FILE_MODE = 0o644;

/** The parameters of open_log_file_cache. */
export interface LogFileCacheOptions {
  /** Names that are remembered at most; the one not used for longest gives way. */
  readonly max: number;
  /** A name that wasn't used for so long is forgotten. */
  readonly inactiveMs: number;
  /** How often it is looked whether a file is still there under its name. */
  readonly validMs: number;
  /** A file stays open once its name was used so often. */
  readonly minUses: number;
}

interface CachedFile {
  /** -1: not open. */
  fd: number;
  inode: number;
  uses: number;
  usedMs: number;
  checkedMs: number;
}

/** Appends to a file that is opened for that. Throws what opening or writing does. */
export function appendLine(path: string, line: LineBuffer): void {
  const fd = openSync(path, 'a', FILE_MODE);
  try {
    writeLine(fd, line);
  } finally {
    closeSync(fd);
  }
}

function writeLine(fd: number, line: LineBuffer): void {
  line.endLine();
  writeSync(fd, line.bytes, 0, line.length);
}

/** Appends to files and keeps open those that are used often. */
export class LogFileCache {
  readonly #options: LogFileCacheOptions;
  readonly #clock: Clock;
  /** Least recently used first. */
  readonly #files: Map<string, CachedFile>;

  constructor(options: LogFileCacheOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#files = new Map();
  }

  /** Throws what opening or writing does; the name is forgotten then, and makes no other one be. */
  append(path: string, line: LineBuffer): void {
    const nowMs = this.#clock.nowMs();
    this.#forgetInactive(nowMs);
    const known = this.#files.get(path);
    const file = known ?? { fd: -1, inode: -1, uses: 0, usedMs: nowMs, checkedMs: nowMs };
    file.uses++;
    file.usedMs = nowMs;
    try {
      if (file.fd >= 0 && nowMs - file.checkedMs >= this.#options.validMs) this.#check(file, path, nowMs);
      else if (file.fd < 0 && file.uses >= this.#options.minUses) this.#open(file, path, nowMs);
      if (file.fd < 0) appendLine(path, line);
      else writeLine(file.fd, line);
    } catch (error) {
      this.#forget(path, file);
      throw error;
    }
    this.#remember(path, file, known === undefined);
  }

  close(): void {
    for (const [path, file] of this.#files) this.#forget(path, file);
  }

  /** Puts a file last. */
  #remember(path: string, file: CachedFile, isNew: boolean): void {
    if (!isNew) this.#files.delete(path);
    else if (this.#files.size >= this.#options.max) {
      const [eldest] = this.#files;
      if (eldest !== undefined) this.#forget(...eldest);
    }
    this.#files.set(path, file);
  }

  #open(file: CachedFile, path: string, nowMs: number): void {
    file.fd = openSync(path, 'a', FILE_MODE);
    file.inode = fstatSync(file.fd).ino;
    file.checkedMs = nowMs;
  }

  /** Opens it anew if another file has its name now. */
  #check(file: CachedFile, path: string, nowMs: number): void {
    file.checkedMs = nowMs;
    if (statSync(path, { throwIfNoEntry: false })?.ino === file.inode) return;
    closeSync(file.fd);
    file.fd = -1;
    this.#open(file, path, nowMs);
  }

  #forgetInactive(nowMs: number): void {
    for (const [path, file] of this.#files) {
      if (nowMs - file.usedMs < this.#options.inactiveMs) return;
      this.#forget(path, file);
    }
  }

  #forget(path: string, file: CachedFile): void {
    this.#files.delete(path);
    if (file.fd >= 0) closeSync(file.fd);
    file.fd = -1;
  }
}
