/*
 * What every log writes to. Which sinks there are is said in log-sink.ts.
 */

/** Takes lines and never throws: a log that cannot be written must not stop the serving. */
export interface LogSink {
  /** Takes one line, without its line feed. */
  write(line: string): void;
  /** Resolves when everything written so far has left, or could not. */
  flush(): Promise<void>;
  /** Opens the file anew under its name, after it was renamed (USR1). No effect on other targets. */
  reopen(): void;
  /** Flushes, within a bound, and closes. Lines written afterwards are lost. */
  close(): Promise<void>;
}
