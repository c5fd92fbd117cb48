/*
 * What every log writes to. Which sinks there are is said in log-sink.ts.
 */
import type { LogLevel } from './level.js';
import type { LogFormat } from './line-buffer.js';

/** Takes lines and never throws: a log that cannot be written must not stop the serving. */
export interface LogSink {
  /**
   * Takes one line, without its line feed: bytes in latin1, as requests keep their texts.
   * @param level of an error log's line; who sends lines to a syslog server tells it
   */
  write(line: string, level?: LogLevel): void;
  /** Takes one line, what a format says of `subject`. Throws what the format throws, and has no line then. */
  writeFormatted<S>(format: LogFormat<S>, subject: S): void;
  /** Resolves when everything written so far has left, or could not. */
  flush(): Promise<void>;
  /** Opens the file anew under its name, after it was renamed (USR1). No effect on other targets. */
  reopen(): void;
  /** Flushes, within a bound, and closes. Lines written afterwards are lost. */
  close(): Promise<void>;
}

/** Takes lines and keeps none: the sink of `access_log off`. */
export const NO_SINK: LogSink = {
  write() {},
  writeFormatted() {},
  flush: () => Promise.resolve(),
  reopen() {},
  close: () => Promise.resolve(),
};

/** How a file's lines are gathered before they are written. */
export interface SinkOptions {
  /** Lines are held until there are so many bytes of them (nginx: access_log buffer=). Default: not held. */
  readonly bufferBytes?: number;
  /** How long a line is held at most (flush=). Default: until the buffer is full. */
  readonly flushMs?: number;
  /** Each batch is a gzip member of that level, 1 to 9 (gzip=). Default: not compressed. */
  readonly gzipLevel?: number;
  /** Lines are written at once as long as there are few: for those who read a log behind an answer. */
  readonly isPrompt?: boolean;
}
