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
  return `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}:${formatTimeOfDay(date)} ${offset(date, '')}`;
}

/** nginx's $time_iso8601: 2026-11-23T17:22:12+00:00. */
export function formatTimeIso8601(date: Date): string {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${formatTimeOfDay(date)}${offset(date, ':')}`;
}

/** How far ahead of UTC the machine's time is: +0000. */
function offset(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset();
  const sign = minutes < 0 ? '-' : '+';
  const hours = Math.trunc(Math.abs(minutes) / 60);
  return `${sign}${two(hours)}${separator}${two(Math.abs(minutes) % 60)}`;
}

/** In front of a syslog message (RFC 3164): Nov  3 17:22:12. */
export function formatSyslogTime(date: Date): string {
  return `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${formatTimeOfDay(date)}`;
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
