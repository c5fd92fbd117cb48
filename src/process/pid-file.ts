/*
 * The file with the number of the process: written when it serves, renamed while a new program takes over, removed.
 */
import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { describeErrno } from '../core/errno.js';

/** nginx's name for that of the program that gives way. */
const OLD_SUFFIX = '.oldbin';

/** One pid file; a path of '' stands for none. */
export class PidFile {
  readonly path: string;
  #isRenamed: boolean;

  constructor(path: string) {
    this.path = path;
    this.#isRenamed = false;
  }

  /** Throws an Error in nginx's words. */
  write(pid: number): void {
    if (this.path === '') return;
    try {
      writeFileSync(this.path, `${pid}\n`);
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

  remove(): void {
    if (this.path === '') return;
    try {
      unlinkSync(this.#isRenamed ? this.path + OLD_SUFFIX : this.path);
    } catch {
      // Somebody took it away.
    }
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
