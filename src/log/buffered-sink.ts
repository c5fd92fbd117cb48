/*
 * Gathers log lines and writes them in batches, one at a time, holding a bounded amount when they
 * do not leave fast enough. How bytes are written is the target's.
 */

import { gzipSync } from 'node:zlib';
import { describeErrno } from '../core/errno.js';
import { LineBuffer, type LogFormat, makeLine } from './line-buffer.js';
import type { LogTarget } from './log-target.js';
import type { LogSink, SinkOptions } from './sink.js';

/**
 * What is held at most, about 40,000 access log lines: a worker's full load for a second, which a
 * busy disk may well take. Past it lines are lost rather than memory.
 */
const BUFFER_BYTES = 8 * 1024 * 1024;

/**
 * Pause between batches while lines keep coming; the first after a quiet time leaves at once.
 * perf: a batch costs 37 us of CPU, more than the request it tells of; paused, a line costs 0.4 us.
 */
const PAUSE_MS = 10;

/**
 * So many lines of a prompt log are written at once in the time of a pause, without waiting for the event loop: whoever
 * reads an answer finds what the log says of it. Lines beyond, and all of them after a pause with more, leave together
 * when the event loop is through with what has come: a process that is killed has logged what it answered, but for the
 * last answer of each client.
 * perf: a write costs several microseconds whatever it holds up to ten lines, so those of many clients share one; what a
 * log costs in all is told by `sluice-observed` of `npm run bench`.
 */
const PROMPT_LINES = 32;

/** Until another try when a reader is slow (EAGAIN). */
const SLOW_READER_RETRY_MS = 10;

/** Until another try when the target fails: a full disk takes a while to get room. */
const FAILED_RETRY_MS = 1000;

/** How long close() waits for a target that takes nothing. */
const CLOSE_TIMEOUT_MS = 1000;

/** Sinks whose lines are still to be written when the process exits without having closed them. */
const openSinks = new Set<BufferedSink>();

/** A log sink over a file or a stream. */
export class BufferedSink implements LogSink {
  readonly #target: LogTarget;
  /** Lines are held until there are so many bytes of them (access_log buffer=); 0: not held. */
  readonly #holdBytes: number;
  /** How long the first one is held at most (flush=); 0: until there are enough. */
  readonly #holdMs: number;
  /** 0: batches are written as they are, else each as a gzip member of that level. */
  readonly #gzipLevel: number;
  readonly #isPrompt: boolean;
  /** How many lines may be written at once until the next pause is over. */
  #promptLines: number;
  /** How many lines have come since the last pause. */
  #lines: number;
  /** Lines that wait for the next batch. */
  readonly #pending: LineBuffer;
  /** Whether a line is being appended to them. */
  #isForming: boolean;
  /** Lines that came while another one was formed: who reads a variable may have something to log. */
  readonly #cameMeanwhile: string[];
  /** The batch that is being written, null when none is. */
  #batch: Buffer | null;
  #batchOffset: number;
  #isWriting: boolean;
  /** Armed for the first line after a quiet time, and for a flood of a prompt log. */
  #immediate: NodeJS.Immediate | null;
  /** Armed while resting between two batches or tries. */
  #rest: NodeJS.Timeout | null;
  #lostLines: number;
  /** Why the last try failed; '' when it did not. */
  #failure: string;
  #isReopenWanted: boolean;
  #isClosed: boolean;
  #pendingFlushes: (() => void)[];
  #batchFlushes: (() => void)[];

  constructor(target: LogTarget, options: SinkOptions = {}) {
    this.#target = target;
    this.#holdBytes = options.bufferBytes ?? 0;
    this.#holdMs = options.flushMs ?? 0;
    this.#gzipLevel = options.gzipLevel ?? 0;
    this.#isPrompt = options.isPrompt === true;
    this.#promptLines = this.#isPrompt ? PROMPT_LINES : 0;
    this.#lines = 0;
    this.#pending = new LineBuffer();
    this.#isForming = false;
    this.#cameMeanwhile = [];
    this.#batch = null;
    this.#batchOffset = 0;
    this.#isWriting = false;
    this.#immediate = null;
    this.#rest = null;
    this.#lostLines = 0;
    this.#failure = '';
    this.#isReopenWanted = false;
    this.#isClosed = false;
    this.#pendingFlushes = [];
    this.#batchFlushes = [];
    if (openSinks.size === 0) process.on('exit', writeRemainders);
    openSinks.add(this);
  }

  write(line: string): void {
    this.writeFormatted(asText, line);
  }

  writeFormatted<S>(format: LogFormat<S>, subject: S): void {
    if (this.#isClosed) return;
    if (this.#isForming) {
      this.#cameMeanwhile.push(makeLine(format, subject).toString());
      return;
    }
    if (this.#lostLines > 0) {
      this.#lostLines++;
      return;
    }
    const start = this.#pending.length;
    this.#isForming = true;
    try {
      format(subject, this.#pending);
    } catch (error) {
      this.#pending.length = start;
      throw error;
    } finally {
      this.#isForming = false;
    }
    if (this.#pending.length + (this.#batch?.length ?? 0) >= BUFFER_BYTES) {
      this.#pending.length = start;
      this.#lostLines++;
    } else this.#endLine(start);
    if (this.#cameMeanwhile.length > 0) for (const line of this.#cameMeanwhile.splice(0)) this.write(line);
  }

  /** A line was added behind `start`, its line feed is missing. Sees to it that it leaves. */
  #endLine(start: number): void {
    this.#pending.endLine();
    if (this.#holdBytes > 0) {
      // A held buffer leaves without the line that would overfill it.
      const isOverfull = start > 0 && this.#pending.length > this.#holdBytes;
      if (isOverfull && !this.#isWriting && this.#failure === '') this.#writeOn(start);
      this.#hold();
      return;
    }
    const isFirst = start === 0;
    const isAtOnce = this.#lines++ < this.#promptLines && isFirst && this.#batch === null;
    if ((isAtOnce && this.#writeNow()) || this.#immediate !== null || this.#isWriting) return;
    // What a target has not taken is tried again after a rest, and lines behind it wait.
    if (this.#isPrompt && this.#batch === null && this.#target.canRecover)
      this.#immediate = setImmediate(() => this.#writeFlood());
    else if (this.#rest === null) this.#immediate = setImmediate(() => this.#writeOn());
  }

  #writeFlood(): void {
    this.#immediate = null;
    this.#writeNow();
    if (this.#pending.length > 0) this.#writeOn();
  }

  /** Keeps lines until the buffer is full, or for so long; one that is longer than the buffer goes by itself. */
  #hold(): void {
    if (this.#isWriting || this.#rest !== null) return;
    if (this.#pending.length >= this.#holdBytes) this.#writeOn();
    else if (this.#holdMs > 0) this.#waitToWrite(this.#holdMs);
  }

  /**
   * Without waiting for another thread; what the target did not take waits for the end of a rest. False when it took
   * nothing and said why.
   */
  #writeNow(): boolean {
    if (this.#rest === null) this.#waitToWrite(PAUSE_MS);
    const { bytes, length } = this.#pending;
    try {
      const writtenBytes = this.#target.writeNow(bytes.subarray(0, length));
      if (writtenBytes < length) this.#pending.drop(writtenBytes);
      else this.#pending.clear();
      return true;
    } catch {
      return false;
    }
  }

  flush(): Promise<void> {
    if (this.#pending.length === 0 && this.#batch === null) return Promise.resolve();
    const flushes = this.#pending.length === 0 ? this.#batchFlushes : this.#pendingFlushes;
    const flushed = new Promise<void>((resolve) => flushes.push(resolve));
    if (!this.#isWriting) this.#writeOn();
    return flushed;
  }

  reopen(): void {
    if (this.#isClosed) return;
    this.#isReopenWanted = true;
    if (this.#isWriting) return;
    // What was held belongs to the old file.
    if (this.#holdBytes > 0 && this.#batch === null && this.#pending.length > 0) this.#writeOn();
    if (this.#isWriting) return;
    this.#reopenTarget();
    if (this.#batch !== null) this.#writeOn();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    let timeout: NodeJS.Timeout | undefined;
    const timedOut = new Promise<void>((resolve) => {
      timeout = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([this.flush(), timedOut]);
    clearTimeout(timeout);
    this.#stopWaiting();
    this.#leaveOpenSinks();
    // A write that still hangs in the kernel keeps its descriptor: it ends with the process.
    if (!this.#isWriting) this.#target.close();
  }

  /** Writes, without waiting, what has not been handed to the target. For the process's exit only. */
  writeRemainder(): void {
    const batch =
      this.#batch === null || this.#isWriting ? Buffer.alloc(0) : this.#batch.subarray(this.#batchOffset);
    const bytes = Buffer.concat([
      batch,
      this.#pending.length === 0 ? Buffer.alloc(0) : this.#encode(this.#pending.take(this.#pending.length)),
    ]);
    if (bytes.length === 0 || (this.#isWriting && !this.#target.canRecover)) return;
    try {
      this.#target.writeNow(bytes);
    } catch {
      // Nobody is left to be told.
    }
  }

  #encode(lines: Buffer): Buffer {
    return this.#gzipLevel === 0 ? lines : gzipSync(lines, { level: this.#gzipLevel });
  }

  /** Goes on with the batch, or takes the next one: so many of the bytes that wait. */
  #writeOn(bytes = this.#pending.length): void {
    this.#stopWaiting();
    if (this.#batch === null) {
      if (this.#isPrompt) this.#promptLines = this.#lines > PROMPT_LINES ? 0 : PROMPT_LINES;
      this.#lines = 0;
      if (this.#pending.length === 0) return;
      this.#batch = this.#encode(this.#pending.take(bytes));
      this.#batchOffset = 0;
      this.#batchFlushes = this.#pendingFlushes;
      this.#pendingFlushes = [];
    }
    this.#isWriting = true;
    this.#target.write(this.#batch, this.#batchOffset, this.#onWritten);
  }

  readonly #onWritten = (error: NodeJS.ErrnoException | null, writtenBytes: number): void => {
    this.#isWriting = false;
    this.#batchOffset += writtenBytes;
    if (error !== null) this.#onError(error);
    else if (this.#batch !== null && this.#batchOffset < this.#batch.length) this.#writeOn();
    else this.#onBatchWritten();
  };

  #onBatchWritten(): void {
    this.#batch = null;
    if (this.#lostLines > 0) {
      this.#noteLost();
      this.#pendingFlushes.push(...this.#batchFlushes.splice(0));
    }
    this.#failure = '';
    if (this.#isReopenWanted) this.#reopenTarget();
    this.#resolve(this.#batchFlushes);
    if (this.#pendingFlushes.length > 0 || (this.#holdBytes > 0 && this.#pending.length >= this.#holdBytes)) {
      this.#writeOn();
    } else if (this.#holdBytes === 0) this.#waitToWrite(PAUSE_MS);
    else if (this.#holdMs > 0 && this.#pending.length > 0) this.#waitToWrite(this.#holdMs);
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (!this.#target.canRecover) {
      this.#isClosed = true;
      this.#leaveOpenSinks();
      this.#batch = null;
      this.#pending.clear();
      this.#resolve(this.#batchFlushes);
      this.#resolve(this.#pendingFlushes);
      return;
    }
    if (error.code === 'EAGAIN') {
      this.#waitToWrite(SLOW_READER_RETRY_MS);
      return;
    }
    this.#failure = describeErrno(error.code ?? error.message);
    if (this.#isReopenWanted) this.#reopenTarget();
    this.#resolve(this.#batchFlushes);
    this.#resolve(this.#pendingFlushes);
    this.#waitToWrite(FAILED_RETRY_MS);
  }

  #reopenTarget(): void {
    this.#isReopenWanted = false;
    try {
      this.#target.reopen();
    } catch (error) {
      this.#note(`${(error as Error).message}; still writing to the old file`);
    }
  }

  #noteLost(): void {
    this.#note(`lines lost here: ${this.#lostLines} (${this.#failure || 'they came too fast'})`);
    this.#lostLines = 0;
  }

  /** Not a log line: it is marked as a comment for who reads the log by program. */
  #note(text: string): void {
    this.#pending.text(`# sluice: ${text}\n`);
  }

  /** Does not keep the process alive: at its exit the rest is written. */
  #waitToWrite(delayMs: number): void {
    this.#rest = setTimeout(() => this.#writeOn(), delayMs);
    this.#rest.unref();
  }

  #leaveOpenSinks(): void {
    openSinks.delete(this);
    if (openSinks.size === 0) process.off('exit', writeRemainders);
  }

  #stopWaiting(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#immediate = null;
    this.#rest = null;
  }

  #resolve(flushes: (() => void)[]): void {
    for (const resolve of flushes.splice(0)) resolve();
  }
}

function asText(text: string, line: LineBuffer): void {
  line.text(text);
}

function writeRemainders(): void {
  for (const sink of openSinks) sink.writeRemainder();
}
