/*
 * Answering with a file: its head, and its bytes as the client takes them. A small file is read at once and leaves with
 * the head; of a larger one there is never more in memory than one read.
 */
import { read, readSync } from 'node:fs';
import { eventClock } from '../core/clock.js';
import type { DrainListener } from './body-sink.js';
import { setContentType } from './content-type.js';
import { logErrorOf } from './error-line.js';
import { describeFailure, type OpenFile } from './file-access.js';
import type { HttpRequest, Responder } from './http-request.js';
import { finalize } from './lifecycle.js';
import type { ByteRange } from './response.js';
import { ResponseWriter } from './response-writer.js';
import { sendHead } from './send.js';

/** So much is read where it is asked for, which is faster than a thread; nginx reads any file so. */
const AT_ONCE_BYTES = 131072;
/** What one read brings of a larger file, and what a slow client costs. */
const READ_BYTES = 262144;

/** What fits here is copied on with the head (see ONE_STRING_BYTES of the writer), so one buffer does for all. */
const scratch = Buffer.allocUnsafeSlow(16384);

/** Fills in what a file says of itself: 200, length, time, entity tag, type. */
export function describeFile(request: HttpRequest, file: OpenFile): void {
  const { response } = request;
  response.status = 200;
  response.contentLength = file.size;
  // The page of an error is as new as the error.
  const isErrorPage = request.errorStatus >= 300 && request.errorStatus !== 304;
  response.lastModified = isErrorPage ? -1 : file.modified;
  if (request.location.settings.etag) {
    response.etag = `"${file.modified.toString(16)}-${file.size.toString(16)}"`;
  }
  setContentType(request);
  response.allowsRanges = true;
}

/** Answers with a file that `describeFile` has seen, as far as it was then; releases it. `path` is for the error log. */
export function sendFile(request: HttpRequest, file: OpenFile, path: string): void {
  sendFileBody(request, file, path, 0, request.response.contentLength);
}

/** Answers by `request.response`, which is filled in, with `size` bytes of a file from `start`; releases it. */
export function sendFileBody(
  request: HttpRequest,
  file: OpenFile,
  path: string,
  start: number,
  size: number,
): void {
  const { response } = request;
  response.isSeekable = true;
  if (!sendHead(request)) {
    file.release();
    return;
  }
  if (response.isHeadOnly) {
    file.release();
    request.output.end();
    return;
  }
  const parts = response.parts ?? [{ start: 0, end: size }];
  new FileSender(request, file, path, start === 0 ? parts : moved(parts, start)).begin();
}

function moved(parts: readonly ByteRange[], by: number): ByteRange[] {
  return parts.map(({ start, end }) => ({ start: start + by, end: end + by }));
}

/** Reads parts of a file and writes them, one read after the other. */
class FileSender implements DrainListener, Responder {
  private readonly request: HttpRequest;
  private readonly file: OpenFile;
  private readonly path: string;
  private readonly parts: readonly ByteRange[];
  private partIndex: number;
  private position: number;
  /** Of the read before, if nobody refers to it any more. */
  private buffer: Buffer | null;
  private isReading: boolean;
  private isAborted: boolean;

  constructor(request: HttpRequest, file: OpenFile, path: string, parts: readonly ByteRange[]) {
    this.request = request;
    this.file = file;
    this.path = path;
    this.parts = parts;
    this.partIndex = 0;
    this.position = parts[0]!.start;
    this.buffer = null;
    this.isReading = false;
    this.isAborted = false;
  }

  begin(): void {
    let bytes = 0;
    for (const { start, end } of this.parts) bytes += end - start;
    if (bytes <= AT_ONCE_BYTES) this.sendAtOnce();
    else {
      this.request.responder = this;
      this.request.output.source = this;
      this.readOn();
    }
  }

  onDrain(): void {
    if (!this.isReading && !this.isAborted) this.readOn();
  }

  abort(): void {
    this.isAborted = true;
    // A descriptor that a thread reads from may not be closed: its number could mean another file.
    if (!this.isReading) this.file.release();
  }

  private sendAtOnce(): void {
    const { request, file } = this;
    for (const { start, end } of this.parts) {
      const length = end - start;
      if (length === 0) continue;
      const isScratch = length <= scratch.length;
      const buffer = isScratch ? scratch : Buffer.allocUnsafeSlow(length);
      if (!this.fill(buffer, start, length)) {
        file.release();
        finalize(request, 500);
        return;
      }
      request.output.write(isScratch ? buffer.subarray(0, length) : buffer, isScratch);
      if (request.isOver) break;
    }
    file.release();
    if (!request.isOver) request.output.end();
  }

  /** Reads buffer[0,length) from `start`; false, and logged, if there isn't so much. */
  private fill(buffer: Buffer, start: number, length: number): boolean {
    try {
      let filled = 0;
      while (filled < length) {
        const count = readSync(this.file.descriptor, buffer, filled, length - filled, start + filled);
        if (count === 0) {
          this.logTruncated(start + filled);
          return false;
        }
        filled += count;
      }
      return true;
    } catch (error) {
      this.logFailure(error as NodeJS.ErrnoException);
      return false;
    }
  }

  private readOn(): void {
    const { end } = this.parts[this.partIndex]!;
    const length = Math.min(READ_BYTES, end - this.position);
    this.buffer ??= Buffer.allocUnsafeSlow(Math.min(READ_BYTES, Math.max(length, 4096)));
    this.isReading = true;
    const count = Math.min(length, this.buffer.length);
    read(this.file.descriptor, this.buffer, 0, count, this.position, (error, read) =>
      this.takeRead(error, read),
    );
  }

  private takeRead(error: NodeJS.ErrnoException | null, count: number): void {
    this.isReading = false;
    if (this.isAborted) {
      this.file.release();
      return;
    }
    eventClock.refresh();
    const { request } = this;
    const { connection } = request.client;
    try {
      if (error !== null || count === 0) this.fail(error);
      else this.send(count);
    } catch (defect) {
      connection.failBy(defect);
    }
  }

  private send(count: number): void {
    const { request, parts } = this;
    const { output } = request;
    const buffer = this.buffer!;
    output.write(count === buffer.length ? buffer : buffer.subarray(0, count), false);
    if (this.isAborted) return;
    // The kernel has it all: nothing refers to the bytes, unless a filter keeps them.
    if (!(output instanceof ResponseWriter) || output.isBlocked) this.buffer = null;
    this.position += count;
    if (this.position >= parts[this.partIndex]!.end && !this.nextPart()) {
      request.responder = null;
      this.file.release();
      output.end();
    } else if (!output.isBlocked) this.readOn();
  }

  private nextPart(): boolean {
    const part = this.parts[++this.partIndex];
    if (part === undefined) return false;
    this.position = part.start;
    return true;
  }

  private fail(error: NodeJS.ErrnoException | null): void {
    const { request } = this;
    if (error === null) this.logTruncated(this.position);
    else this.logFailure(error);
    request.responder = null;
    this.file.release();
    finalize(request, 500);
  }

  private logTruncated(at: number): void {
    logErrorOf(this.request, 'crit', `read() reported that "${this.path}" was truncated at ${at}`);
  }

  private logFailure(error: NodeJS.ErrnoException): void {
    logErrorOf(this.request, 'crit', describeFailure('read()', this.path, error));
  }
}
