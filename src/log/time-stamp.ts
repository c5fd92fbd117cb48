/*
 * Wall time as logs print it, in the machine's time zone, built once a second rather than once a line.
 */

import type { Clock } from '../core/clock.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The present second in one of the formats below. perf: within a second its monotonic time is all that is looked at. */
export class TimeStamp {
  readonly #clock: Clock;
  readonly #format: (date: Date) => string;
  /** When the second is over, by the clock's `nowMs`. Until then nobody notices that the system's time is set. */
  #renewAtMs: number;
  #text: string;

  constructor(clock: Clock, format: (date: Date) => string) {
    this.#clock = clock;
    this.#format = format;
    this.#renewAtMs = Number.NEGATIVE_INFINITY;
    this.#text = '';
  }

  text(): string {
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#renewAtMs) this.#renew(nowMs);
    return this.#text;
  }

  #renew(nowMs: number): void {
    const wallMs = this.#clock.wallMs();
    const secondMs = Math.floor(wallMs / 1000) * 1000;
    this.#renewAtMs = nowMs + secondMs + 1000 - wallMs;
    this.#text = this.#format(new Date(secondMs));
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
