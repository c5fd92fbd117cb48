/*
 * A log that a test reads.
 */
import { type LogFormat, makeLine } from '../log/line-buffer.js';
import type { LogSink } from '../log/sink.js';

const WAIT_TIMEOUT_MS = 10_000;

/** Keeps every line in memory; as in every sink, those after `close` are lost, and it may be opened anew. */
export class RecordingSink implements LogSink {
  readonly lines: string[];
  #isClosed: boolean;
  #waiting: (() => void)[];

  constructor() {
    this.lines = [];
    this.#isClosed = false;
    this.#waiting = [];
  }

  write(line: string): void {
    if (this.#isClosed) return;
    this.lines.push(line);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  writeFormatted<S>(format: LogFormat<S>, subject: S): void {
    this.write(makeLine(format, subject).toString());
  }

  /** The same log as another configuration has it: closed by itself. */
  openAnew(): LogSink {
    let isClosed = false;
    return {
      write: (line) => {
        if (!isClosed) this.write(line);
      },
      writeFormatted: (format, subject) => {
        if (!isClosed) this.writeFormatted(format, subject);
      },
      flush: () => Promise.resolve(),
      reopen: () => {},
      close: () => {
        isClosed = true;
        return Promise.resolve();
      },
    };
  }

  /** The lines that match. */
  matching(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  /** The first line that matches, once there are `count` of them. */
  async waitFor(pattern: RegExp, count = 1): Promise<string> {
    const timer = setTimeout(() => this.#wake(), WAIT_TIMEOUT_MS);
    const startMs = performance.now();
    try {
      while (this.matching(pattern).length < count) {
        if (performance.now() - startMs >= WAIT_TIMEOUT_MS - 1)
          throw new Error(
            `Waited for ${count} x ${pattern} in the log, which has:\n${this.lines.join('\n')}`,
          );
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
    return this.matching(pattern)[0]!;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
  reopen(): void {}
  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
