/*
 * Variables that logs read past the table of variables: cheaper, and as they are when the request is over.
 */
import { eventClock, systemClock } from '../../../core/clock.js';
import { formatSeconds } from '../../../log/seconds.js';
import { formatTimeIso8601, formatTimeLocal, TimeStamp } from '../../../log/time-stamp.js';
import type { HttpRequest } from '../../../request/http-request.js';

const localTime = new TimeStamp(eventClock, formatTimeLocal);
const isoTime = new TimeStamp(eventClock, formatTimeIso8601);

/**
 * Read anew instead of being kept with the request: what the head says, which costs less than keeping it. Of names that
 * nobody may give another meaning.
 */
export const READ_ANEW: ReadonlySet<string> = new Set([
  'remote_addr',
  'remote_user',
  'request',
  'http_referer',
  'http_user_agent',
]);

/** By their names. None needs escaping. */
export const LOG_VALUES: ReadonlyMap<string, (request: HttpRequest) => string> = new Map([
  ['time_local', () => localTime.text()],
  ['time_iso8601', () => isoTime.text()],
  ['msec', () => formatSeconds(systemClock.wallMs())],
  ['request_time', (request: HttpRequest) => formatSeconds(request.requestTimeMs)],
  ['status', statusOf],
  ['bytes_sent', (request: HttpRequest) => String(request.main.bytesSent)],
  ['body_bytes_sent', (request: HttpRequest) => String(request.main.bodyBytesSent)],
]);

function statusOf({ status }: HttpRequest): string {
  return status >= 100 ? String(status) : String(status).padStart(3, '0');
}
