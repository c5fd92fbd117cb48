/*
 * A line in the error log about a request: by the log of its location, with who asked what behind the message.
 */
import type { LogLevel } from '../log/error-log.js';
import type { HttpRequest } from './http-request.js';

/**
 * Logs `message` at `level`, and behind it what nginx tells of a request: client, server, request, host, referrer; and the URL of the
 * upstream that is asked, if there is one.
 */
export function logErrorOf(request: HttpRequest, level: LogLevel, message: string, upstream = ''): void {
  const { errorLog } = request.location.settings;
  if (!errorLog.isEnabled(level)) return;
  errorLog.log(level, `${message}, ${request.describe(upstream)}`, request.connectionNumber);
}
