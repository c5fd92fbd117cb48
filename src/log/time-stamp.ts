/*
 * Wall time as logs print it, in the machine's time zone, built once a second rather than once a line.
 */

import type { Clock } from '../core/clock.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The present second in one of the formats below. */
export class TimeStamp {
  readonly #clock: Clock;
  readonly #format: (date: Date) => string;
  #second: number;
  #text: string;

  constructor(clock: Clock, format: (date: Date) => string) {
    this.#clock = clock;
    this.#format = format;
    this.#second = Number.NaN;
    this.#text = '';
  }

  text(): string {
    const second = Math.floor(this.#clock.wallMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = this.#format(new Date(second * 1000));
    }
    return this.#text;
  }
}

/** Access logs, nginx's $time_local: 23/Nov/2026:17:22:12 +0000. */
export function formatTimeLocal(date: Date): string {
  const offsetMinutes = -date.getTimezoneOffset();
  const sign = offsetMinutes < 0 ? '-' : '+';
  const hours = Math.trunc(Math.abs(offsetMinutes) / 60);
  const offset = `${sign}${two(hours)}${two(Math.abs(offsetMinutes) % 60)}`;
  return `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}:${formatTimeOfDay(date)} ${offset}`;
}

/** The error log: 2026/11/23 17:22:12. */
export function formatErrorTime(date: Date): string {
  return `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())} ${formatTimeOfDay(date)}`;
}

function formatTimeOfDay(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
