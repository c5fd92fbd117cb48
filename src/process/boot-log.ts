/*
 * What is said before a configuration serves, and of one that can't be used: on the terminal, and in the error log of
 * the command line (-e), in nginx's form.
 */
import type { Diagnostic } from '../conf/diagnostics/diagnostic.js';
import { renderForLog, renderForPeople } from '../conf/diagnostics/render.js';
import { ErrorLog, type LogLevel } from '../log/error-log.js';
import { openLogSink } from '../log/log-sink.js';
import type { LogSink } from '../log/sink.js';
import { type ConfFiles, fromPrefix } from './conf-files.js';

/** Says it. */
export class BootLog {
  /** Null when the terminal is the log, or it can't be opened. */
  readonly #sink: LogSink | null;
  readonly #log: ErrorLog | null;
  /** Whether people look on: they get the line with a caret under the place. */
  readonly #isTerminal: boolean;

  constructor({ errorLog, prefix }: ConfFiles) {
    this.#isTerminal = process.stderr.isTTY === true;
    this.#sink = errorLog === 'stderr' ? null : this.#open(fromPrefix(errorLog, prefix));
    this.#log = this.#sink === null ? null : new ErrorLog(this.#sink, 'notice');
  }

  /** A line as nginx prints it: `nginx: [emerg] bind() to ...`. */
  say(level: LogLevel, message: string): void {
    process.stderr.write(`nginx: [${level}] ${message}\n`);
    this.#log?.log(level, message);
  }

  /** A line without a level: `nginx: configuration file /etc/nginx/nginx.conf test failed`. */
  note(message: string): void {
    process.stderr.write(`nginx: ${message}\n`);
  }

  /** What was found in a configuration: in nginx's words for scripts, and what helps for people. */
  report(diagnostic: Diagnostic): void {
    const line = renderForLog(diagnostic);
    if (!this.#isTerminal) process.stderr.write(`nginx: ${line}\n`);
    process.stderr.write(`sluice: ${renderForPeople(diagnostic, { withSource: this.#isTerminal })}\n`);
    this.#log?.log(diagnostic.severity === 'error' ? 'emerg' : 'warn', line.replace(/^\[\w+\] /, ''));
  }

  close(): Promise<void> {
    return this.#sink?.close() ?? Promise.resolve();
  }

  #open(path: string): LogSink | null {
    try {
      return openLogSink(path, { isPrompt: true });
    } catch (error) {
      const { message, nginxText = message } = error as Error & { nginxText?: string };
      process.stderr.write(`nginx: [alert] could not open error log file: ${nginxText}\n`);
      return null;
    }
  }
}
