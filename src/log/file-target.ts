/*
 * A log file, or a terminal: bytes are written by Node's thread pool, so that a slow disk does not
 * hold up the event loop.
 */

import { closeSync, constants, openSync, write, writeSync } from 'node:fs';
import { describeErrno } from '../core/errno.js';
import type { LogTarget, OnWritten } from './log-target.js';

/** Not blocking is for named pipes: without a reader they are refused instead of waited for. */
const OPEN_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

/** nginx's mode for logs. */
const FILE_MODE = 0o644;

/** A file descriptor. One that came with the process has no path: it is neither reopened nor closed. */
export class FileTarget implements LogTarget {
  readonly canRecover = true;
  readonly #path: string | null;
  #fd: number;

  constructor(fd: number, path: string | null) {
    this.#path = path;
    this.#fd = fd;
  }

  /** Opens a file to append to. Throws an Error with the reason. */
  static open(path: string): FileTarget {
    return new FileTarget(openForAppend(path), path);
  }

  write(bytes: Buffer, offset: number, onWritten: OnWritten): void {
    write(this.#fd, bytes, offset, bytes.length - offset, null, onWritten);
  }

  writeNow(bytes: Buffer): number {
    return writeSync(this.#fd, bytes);
  }

  reopen(): void {
    if (this.#path === null) return;
    const fd = openForAppend(this.#path);
    closeSync(this.#fd);
    this.#fd = fd;
  }

  close(): void {
    if (this.#path !== null) closeSync(this.#fd);
  }
}

function openForAppend(path: string): number {
  try {
    return openSync(path, OPEN_FLAGS, FILE_MODE);
  } catch (error) {
    const { code, errno = 0 } = error as NodeJS.ErrnoException;
    const reason = describeErrno(code ?? String(error));
    const message = `Cannot open log "${path}": ${reason}; use a file that can be written, stdout, stderr or off`;
    throw Object.assign(new Error(message), { nginxText: `open() "${path}" failed (${-errno}: ${reason})` });
  }
}
