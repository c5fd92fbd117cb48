/*
 * Lines to a syslog server, each a message of RFC 3164. How a message is sent is the sender's; its parameters are
 * those of nginx's `syslog:`.
 */
import { hostname } from 'node:os';
import { type Clock, systemClock } from '../core/clock.js';
import { GRAVITY, type LogLevel } from './level.js';
import { type LogFormat, makeLine } from './line-buffer.js';
import type { LogSink } from './sink.js';
import { formatSyslogTime, TimeStamp } from './time-stamp.js';

/** nginx's limit for a message of the error log, its head not counted. */
const MAX_MESSAGE_BYTES = 2048;

/** Sends messages on. Never throws; what gets lost is lost, as UDP has it. */
export interface MessageSender {
  /**
   * Texts are bytes in latin1.
   * @param head what stands between priority and text: time, host name, tag
   */
  send(priority: number, head: string, text: string): void;
  close(): void;
}

/** What `syslog:` says besides the server. */
export interface SyslogOptions {
  /** Its number, 0 to 23. */
  readonly facility: number;
  /** Of lines without a level of their own: those of access logs. */
  readonly severity: LogLevel;
  readonly tag: string;
  readonly hasHostname: boolean;
}

/** A log sink whose lines become messages. */
export class SyslogSink implements LogSink {
  readonly #sender: MessageSender;
  readonly #facility: number;
  readonly #severity: number;
  /** Behind the time: host name and tag. */
  readonly #tag: string;
  readonly #time: TimeStamp;
  #isClosed: boolean;

  constructor(sender: MessageSender, options: SyslogOptions, clock: Clock = systemClock) {
    this.#sender = sender;
    this.#facility = options.facility * 8;
    this.#severity = severityOf(options.severity);
    // In lower case, as nginx has it.
    this.#tag = ` ${options.hasHostname ? `${hostname().toLowerCase()} ` : ''}${options.tag}: `;
    this.#time = new TimeStamp(clock, formatSyslogTime);
    this.#isClosed = false;
  }

  write(line: string, level?: LogLevel): void {
    if (this.#isClosed) return;
    const severity = level === undefined ? this.#severity : severityOf(level);
    const text = level === undefined ? line : line.slice(0, MAX_MESSAGE_BYTES);
    this.#sender.send(this.#facility + severity, this.#time.text() + this.#tag, text);
  }

  writeFormatted<S>(format: LogFormat<S>, subject: S): void {
    this.write(makeLine(format, subject).toString());
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
  reopen(): void {}
  close(): Promise<void> {
    if (!this.#isClosed) this.#sender.close();
    this.#isClosed = true;
    return Promise.resolve();
  }
}

/** syslog counts from the gravest. */
function severityOf(level: LogLevel): number {
  return 7 - GRAVITY[level];
}
