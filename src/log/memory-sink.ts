/*
 * The last lines of a log, kept in memory (nginx: error_log memory:): cheap enough to leave `debug` on.
 */
import { type LogFormat, makeLine } from './line-buffer.js';
import type { LogSink } from './sink.js';

/** Keeps so many bytes of lines at most; the eldest give way. */
export class MemorySink implements LogSink {
  readonly #maxBytes: number;
  readonly #lines: string[];
  /** Where the eldest is; those before it are gone. */
  #first: number;
  #bytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#lines = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  write(line: string): void {
    this.#lines.push(line);
    this.#bytes += line.length + 1;
    while (this.#bytes > this.#maxBytes && this.#first < this.#lines.length) {
      this.#bytes -= this.#lines[this.#first]!.length + 1;
      this.#lines[this.#first++] = '';
    }
    if (this.#first > 1024 && this.#first > this.#lines.length / 2) {
      this.#lines.splice(0, this.#first);
      this.#first = 0;
    }
  }

  writeFormatted<S>(format: LogFormat<S>, subject: S): void {
    this.write(makeLine(format, subject).toString());
  }

  /** What is kept, eldest first. */
  get lines(): readonly string[] {
    return this.#lines.slice(this.#first);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
  reopen(): void {}
  close(): Promise<void> {
    return Promise.resolve();
  }
}
