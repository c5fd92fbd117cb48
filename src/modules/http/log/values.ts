/*
 * Variables that logs read past the table of variables: cheaper, and as they are when the request is over.
 */
import { eventClock, systemClock } from '../../../core/clock.js';
import type { LineBuffer, LogFormat } from '../../../log/line-buffer.js';
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
  'remote_user',
  'request',
  'http_referer',
  'http_user_agent',
]);

/** By their names: how they are appended to a line. None needs escaping. */
export const LOG_VALUES: ReadonlyMap<string, LogFormat<HttpRequest>> = new Map([
  ['remote_addr', (request, line) => line.text(request.remoteAddress)],
  ['time_local', (_, line) => line.text(localTime.text())],
  ['time_iso8601', (_, line) => line.text(isoTime.text())],
  ['msec', (_, line) => line.text(formatSeconds(systemClock.wallMs()))],
  ['request_time', (request, line) => line.text(formatSeconds(request.requestTimeMs))],
  ['status', appendStatus],
  ['bytes_sent', (request, line) => line.decimal(request.main.bytesSent)],
  ['body_bytes_sent', (request, line) => line.decimal(request.main.bodyBytesSent)],
] satisfies [string, LogFormat<HttpRequest>][]);

function appendStatus({ status }: HttpRequest, line: LineBuffer): void {
  if (status >= 100) line.decimal(status);
  else line.text(String(status).padStart(3, '0'));
}
