/*
 * The file with the number of the process: written when it serves, renamed while a new program takes over, removed.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { describeErrno } from '../core/errno.js';

/** nginx's name for that of the program that gives way. */
const OLD_SUFFIX = '.oldbin';

/** One pid file; a path of '' stands for none. */
export class PidFile {
  readonly path: string;
  #isRenamed: boolean;
  /** Kept open, so that a process that is root no more can still empty it; -1 before it is written. */
  #fd: number;

  constructor(path: string) {
    this.path = path;
    this.#fd = -1;
    this.#isRenamed = false;
  }

  /** Throws an Error in nginx's words. */
  write(pid: number): void {
    if (this.path === '') return;
    try {
      this.#fd = openSync(this.path, 'w', 0o644);
      writeSync(this.#fd, `${pid}\n`);
    } catch (error) {
      throw new Error(`open() "${this.path}" failed (${wordsOf(error)})`);
    }
  }

  /** Makes room for that of a new program. Throws an Error in nginx's words. */
  giveWay(): void {
    if (this.path === '') return;
    try {
      renameSync(this.path, this.path + OLD_SUFFIX);
      this.#isRenamed = true;
    } catch (error) {
      throw new Error(`rename() ${this.path} to ${this.path}${OLD_SUFFIX} failed (${wordsOf(error)})`);
    }
  }

  /** The new program is gone: this one goes on under its old name. */
  takeBack(): void {
    if (!this.#isRenamed) return;
    this.#isRenamed = false;
    try {
      renameSync(this.path + OLD_SUFFIX, this.path);
    } catch {
      // Somebody took it away.
    }
  }

  /** Where the folder doesn't allow it any more, the file is emptied: a number in it could be somebody else's by then. */
  remove(): void {
    if (this.#fd < 0) return;
    try {
      unlinkSync(this.#isRenamed ? this.path + OLD_SUFFIX : this.path);
    } catch (error) {
      // ENOENT: somebody took it away.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') ftruncateSync(this.#fd);
    }
    closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** The number in a pid file. Throws an Error in nginx's words. */
export function readPid(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    throw new Error(`open() "${path}" failed (${wordsOf(error)})`);
  }
  const digits = text.trimEnd();
  if (!/^\d{1,10}$/.test(digits)) throw new Error(`invalid PID number "${digits}" in "${path}"`);
  return Number(digits);
}

/** `2: No such file or directory` */
export function wordsOf(error: unknown): string {
  const { code = '', errno = 0 } = error as NodeJS.ErrnoException;
  return `${Math.abs(errno)}: ${describeErrno(code)}`;
}
