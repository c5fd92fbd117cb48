/*
 * The sinks by name: standard output and error, a file, nothing. Gathering lines is in
 * buffered-sink.ts, writing bytes in file-target.ts and stream-target.ts.
 */

import { fstatSync, readlinkSync } from 'node:fs';
import { BufferedSink } from './buffered-sink.js';
import { FileTarget } from './file-target.js';
import { type LogSink, NO_SINK, type SinkOptions } from './sink.js';
import { StreamTarget } from './stream-target.js';

export type { LogSink } from './sink.js';

/**
 * Opens a sink: "stdout", "stderr", "off" or a file's path, appended to and made when it is missing.
 * The caller owns it and closes it. Throws an Error with the reason when the file cannot be opened.
 */
export function openLogSink(target: string, options: SinkOptions = {}): LogSink {
  switch (linkedStream(target) ?? target) {
    case 'off':
      return NO_SINK;
    case 'stdout':
    case '/dev/stdout':
      return openStandardSink(1, options);
    case 'stderr':
    case '/dev/stderr':
      return openStandardSink(2, options);
    default:
      return new BufferedSink(FileTarget.open(target), options);
  }
}

/**
 * `/dev/stdout` for a link to it, as containers have them in place of log files: a pipe of root's could not be opened by
 * that name once the process is another user. Null for anything else.
 */
function linkedStream(target: string): string | null {
  try {
    const linked = readlinkSync(target);
    return linked === '/dev/stdout' || linked === '/dev/stderr' ? linked : null;
  } catch {
    return null;
  }
}

/**
 * A pipe or a socket whose reader stands still blocks a write for good, and a thread blocked so
 * keeps the process from ever ending: those go through Node's stream, which polls. A terminal's
 * stream blocks the event loop instead, so terminals, like files, are written from another thread.
 */
function openStandardSink(fd: 1 | 2, options: SinkOptions): LogSink {
  const status = fstatSync(fd);
  return status.isFIFO() || status.isSocket()
    ? new BufferedSink(new StreamTarget(fd === 1 ? process.stdout : process.stderr, fd), options)
    : new BufferedSink(new FileTarget(fd, null), options);
}
