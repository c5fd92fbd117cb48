/*
 * The error log: nginx's line form and levels, over any sinks. What is said is the caller's.
 */

import { threadId } from 'node:worker_threads';
import { type Clock, systemClock } from '../core/clock.js';
import { GRAVITY, type LogLevel } from './level.js';
import type { LogSink } from './sink.js';
import { formatErrorTime, TimeStamp } from './time-stamp.js';

export type { LogLevel } from './level.js';

/** security: a line feed in a request could forge a line, an escape sequence could fool a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTERS = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;
const PLAIN = /^[ -~]*$/;
const WIDE = /[^\0-\xff]/;

/** One place where lines go, and the least level that goes there. */
export interface ErrorLogOutput {
  readonly sink: LogSink;
  readonly level: LogLevel;
}

/** Writes `2026/11/23 17:22:12 [error] 4711#0: *7 message`: local time, pid, thread, connection. */
export class ErrorLog {
  readonly #outputs: readonly { readonly sink: LogSink; readonly gravity: number }[];
  readonly #leastGravity: number;
  readonly #origin: string;
  readonly #time: TimeStamp;

  constructor(sink: LogSink, level: LogLevel, clock?: Clock);
  /** Several places, as several `error_log` make them. */
  constructor(outputs: readonly ErrorLogOutput[]);
  constructor(
    to: LogSink | readonly ErrorLogOutput[],
    level: LogLevel = 'error',
    clock: Clock = systemClock,
  ) {
    const outputs = 'write' in to ? [{ sink: to, level }] : to;
    this.#outputs = outputs.map((output) => ({ sink: output.sink, gravity: GRAVITY[output.level] }));
    this.#leastGravity = Math.min(...this.#outputs.map((output) => output.gravity));
    this.#origin = `${process.pid}#${threadId}:`;
    this.#time = new TimeStamp(clock, formatErrorTime);
  }

  /** Whether a message of this level is written: ask before building a costly one. */
  isEnabled(level: LogLevel): boolean {
    return GRAVITY[level] >= this.#leastGravity;
  }

  /** Writes one line if the level is enabled. connectionNumber says whose connection it was about. */
  log(level: LogLevel, message: string, connectionNumber?: number): void {
    const gravity = GRAVITY[level];
    if (gravity < this.#leastGravity) return;
    const about = connectionNumber === undefined ? '' : `*${connectionNumber} `;
    const line = `${this.#time.text()} [${level}] ${this.#origin} ${about}${toPrintableBytes(message)}`;
    for (const output of this.#outputs) if (gravity >= output.gravity) output.sink.write(line, level);
  }
}

/**
 * Messages mix characters (paths of the configuration, words of the system) with bytes (what clients sent): what
 * reads as UTF-8 is taken for that. Control characters are escaped in any case.
 */
function toPrintableBytes(message: string): string {
  if (PLAIN.test(message)) return message;
  let text = message;
  if (!WIDE.test(message)) {
    const decoded = Buffer.from(message, 'latin1').toString('utf8');
    if (!decoded.includes('\ufffd')) text = decoded;
  }
  return Buffer.from(text.replace(CONTROL_CHARACTERS, escapeControl)).toString('latin1');
}

function escapeControl(character: string): string {
  const hex = character.charCodeAt(0).toString(16).toUpperCase();
  return hex.length > 2 ? `\\u${hex}` : `\\x${hex.padStart(2, '0')}`;
}
