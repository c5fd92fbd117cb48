/*
 * The error log: nginx's line form and levels, over any sink. What is said is the caller's.
 */

import { threadId } from 'node:worker_threads';
import { type Clock, systemClock } from '../core/clock.js';
import type { LogSink } from './sink.js';
import { formatErrorTime, TimeStamp } from './time-stamp.js';

/** nginx's levels, from the chattiest. */
export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'error' | 'crit' | 'alert' | 'emerg';

const SEVERITY: Readonly<Record<LogLevel, number>> = {
  debug: 0,
  info: 1,
  notice: 2,
  warn: 3,
  error: 4,
  crit: 5,
  alert: 6,
  emerg: 7,
};

/** security: a line feed in a request could forge a line, an escape sequence could fool a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTERS = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

/** Writes `2026/11/23 17:22:12 [error] 4711#0: *7 message`: local time, pid, thread, connection. */
export class ErrorLog {
  readonly #sink: LogSink;
  readonly #leastSeverity: number;
  readonly #origin: string;
  readonly #time: TimeStamp;

  constructor(sink: LogSink, level: LogLevel, clock: Clock = systemClock) {
    this.#sink = sink;
    this.#leastSeverity = SEVERITY[level];
    this.#origin = `${process.pid}#${threadId}:`;
    this.#time = new TimeStamp(clock, formatErrorTime);
  }

  /** Whether a message of this level is written: ask before building a costly one. */
  isEnabled(level: LogLevel): boolean {
    return SEVERITY[level] >= this.#leastSeverity;
  }

  /** Writes one line if the level is enabled. connectionNumber says whose connection it was about. */
  log(level: LogLevel, message: string, connectionNumber?: number): void {
    if (!this.isEnabled(level)) return;
    const about = connectionNumber === undefined ? '' : `*${connectionNumber} `;
    this.#sink.write(`${this.#time.text()} [${level}] ${this.#origin} ${about}${escapeControls(message)}`);
  }
}

function escapeControls(message: string): string {
  return message.replace(CONTROL_CHARACTERS, (character) => {
    const hex = character.charCodeAt(0).toString(16).toUpperCase();
    return hex.length > 2 ? `\\u${hex}` : `\\x${hex.padStart(2, '0')}`;
  });
}
