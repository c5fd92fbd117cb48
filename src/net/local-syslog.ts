/*
 * Messages to a syslog server on a unix socket. Node has no datagrams there, which is what /dev/log takes: so a stream
 * is tried first, and where the server wants datagrams, util-linux's logger passes them on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** Held while it is found out how to send. */
const MAX_WAITING = 256;

/** Of what the server or logger is slow to take; past it messages are lost rather than memory. */
const MAX_BACKLOG_BYTES = 1024 * 1024;

/** How long a server that failed is left alone. */
const RETRY_MS = 1000;

interface Message {
  readonly priority: number;
  readonly head: string;
  readonly text: string;
}

/** Sends messages to one server. differs from nginx: over a stream, or by logger with a head that logger makes. */
export class LocalSyslogSender {
  readonly #path: string;
  readonly #tag: string;
  readonly #onError: (reason: string) => void;
  #socket: Socket | null;
  #logger: ChildProcess | null;
  #isReady: boolean;
  #waiting: Message[];
  #retryMs: number;

  /** @param onError told why messages get lost; once a second at most */
  constructor(path: string, tag: string, onError: (reason: string) => void) {
    this.#path = path;
    this.#tag = tag;
    this.#onError = onError;
    this.#socket = null;
    this.#logger = null;
    this.#isReady = false;
    this.#waiting = [];
    this.#retryMs = Number.NEGATIVE_INFINITY;
  }

  send(priority: number, head: string, text: string): void {
    const message = { priority, head, text };
    if (this.#isReady) this.#write(message);
    else if (this.#waiting.length < MAX_WAITING) {
      this.#waiting.push(message);
      if (this.#socket === null && this.#logger === null) this.#open();
    }
  }

  close(): void {
    this.#socket?.end();
    this.#logger?.stdin?.end();
  }

  #write({ priority, head, text }: Message): void {
    const stream: Writable = this.#socket ?? this.#logger!.stdin!;
    if (stream.writableLength > MAX_BACKLOG_BYTES) return;
    const line = this.#socket === null ? `<${priority}>${text}\n` : `<${priority}>${head}${text}\n`;
    stream.write(line, 'latin1');
  }

  #open(): void {
    if (performance.now() < this.#retryMs) {
      this.#waiting = [];
      return;
    }
    const socket = connect({ path: this.#path });
    this.#socket = socket;
    socket.unref();
    socket.on('connect', () => this.#begin());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#socket = null;
      if (error.code === 'EPROTOTYPE' && !this.#isReady) this.#startLogger();
      else this.#fail(error.message);
    });
    socket.on('close', () => {
      this.#isReady = this.#logger !== null && this.#isReady;
      if (this.#socket === socket) this.#socket = null;
    });
    socket.resume();
  }

  #startLogger(): void {
    const args = ['--socket', this.#path, '--tag', this.#tag, '--prio-prefix', '--size', '8192'];
    const logger = spawn('logger', args, { stdio: ['pipe', 'ignore', 'ignore'] });
    this.#logger = logger;
    logger.unref();
    logger.stdin!.on('error', () => {});
    logger.on('spawn', () => this.#begin());
    logger.on('error', () => this.#fail('it takes datagrams, which need "logger" of util-linux to send'));
    logger.on('exit', () => {
      if (this.#logger === logger) this.#fail('logger ended');
    });
  }

  #begin(): void {
    this.#isReady = true;
    for (const message of this.#waiting.splice(0)) this.#write(message);
  }

  #fail(reason: string): void {
    this.#logger = null;
    this.#isReady = false;
    this.#waiting = [];
    this.#retryMs = performance.now() + RETRY_MS;
    this.#onError(reason);
  }
}
