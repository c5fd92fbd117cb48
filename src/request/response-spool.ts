/*
 * What a slow client has yet to take of an answer: in memory up to proxy_buffers, beyond that in a temporary file, so
 * that the upstream is free as soon as it has said all. It is put in only once a client has proved to be slow.
 */
import { closeSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { BodyFilter } from './body-sink.js';
import { logErrorOf } from './error-line.js';
import type { HttpRequest } from './http-request.js';
import { finalize } from './lifecycle.js';

import type { TempPath } from './settings.js';
import { openTempFile } from './temp-file.js';

/** What is read back from the file at a time. */
const CHUNK_BYTES = 65536;

/** How much a spool holds. */
export interface SpoolLimits {
  /** In memory. */
  readonly buffersSize: number;
  /** In the file; 0 for none. */
  readonly maxTempFileSize: number;
  readonly tempPath: TempPath;
}

/** Holds what comes until it can go on. Blocked only when it is full. */
export class ResponseSpool extends BodyFilter {
  private readonly request: HttpRequest;
  private readonly limits: SpoolLimits;
  /** The first in line, in memory. What is in the file comes behind it. */
  private held: Buffer[];
  private heldBytes: number;
  private descriptor: number;
  /** Of the file: where it is read from, and where it ends. */
  private readAt: number;
  private writtenBytes: number;
  private isEnded: boolean;
  /** Some of it is lost: the client must notice. */
  private isBroken: boolean;

  constructor(request: HttpRequest, limits: SpoolLimits) {
    super();
    this.request = request;
    this.limits = limits;
    this.held = [];
    this.heldBytes = 0;
    this.descriptor = -1;
    this.readAt = 0;
    this.writtenBytes = 0;
    this.isEnded = false;
    this.isBroken = false;
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (this.isEmpty && !this.next.isBlocked) {
      this.next.write(bytes, isBorrowed);
      return;
    }
    if (this.isBroken) return;
    const isInMemory = this.descriptor < 0 && this.heldBytes + bytes.length <= this.limits.buffersSize;
    if (!isInMemory && this.limits.maxTempFileSize > 0) {
      if (this.append(bytes)) return;
      if (this.descriptor >= 0) {
        // The order is lost otherwise.
        this.isBroken = true;
        return;
      }
    }
    this.held.push(isBorrowed ? Buffer.from(bytes) : bytes);
    this.heldBytes += bytes.length;
  }

  override flush(): void {
    if (this.isEmpty) this.next.flush();
  }

  override end(): void {
    this.isEnded = true;
    if (this.isEmpty) this.finish();
  }

  /** No more comes, and what came isn't all: the client notices once it has that. */
  breakOff(): void {
    this.isBroken = true;
    this.end();
  }

  override get isBlocked(): boolean {
    const { buffersSize, maxTempFileSize } = this.limits;
    if (this.isEmpty) return this.next.isBlocked;
    return this.descriptor < 0 ? this.heldBytes >= buffersSize : this.writtenBytes >= maxTempFileSize;
  }

  override onDrain(): void {
    const wasBlocked = this.isBlocked;
    while (!this.isEmpty && !this.next.isBlocked) {
      const bytes = this.held.shift() ?? this.readBack();
      if (bytes === null) {
        this.isBroken = true;
        this.isEnded = true;
        break;
      }
      this.heldBytes = Math.max(0, this.heldBytes - bytes.length);
      this.next.write(bytes, false);
    }
    if (!this.isEmpty) return;
    if (this.isEnded) this.finish();
    else if (wasBlocked || !this.next.isBlocked) this.source.onDrain();
  }

  override abort(): void {
    this.held = [];
    this.closeFile();
    this.next.abort();
  }

  private get isEmpty(): boolean {
    return this.held.length === 0 && this.descriptor < 0;
  }

  private finish(): void {
    if (this.isBroken) finalize(this.request, 502);
    else this.next.end();
  }

  /** Puts bytes at the end of the file; false if that can't be. */
  private append(bytes: Buffer): boolean {
    try {
      if (this.descriptor < 0) this.descriptor = this.openFile();
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.descriptor, bytes, at, bytes.length - at, this.writtenBytes + at);
      }
      this.writtenBytes += bytes.length;
      return true;
    } catch (error) {
      logErrorOf(this.request, 'crit', `write() of a temporary file failed (${(error as Error).message})`);
      return false;
    }
  }

  private openFile(): number {
    const { path, descriptor } = openTempFile(this.limits.tempPath, 'wx+');
    // Nobody else needs its name, and it can't be left behind without one.
    unlinkSync(path);
    const what = `an upstream response is buffered to a temporary file ${path} while reading upstream`;
    logErrorOf(this.request, 'warn', what);
    return descriptor;
  }

  /** The next piece from the file, which is closed behind its last one; null if it can't be read. */
  private readBack(): Buffer | null {
    const length = Math.min(CHUNK_BYTES, this.writtenBytes - this.readAt);
    const bytes = Buffer.allocUnsafeSlow(length);
    try {
      for (let at = 0; at < length; ) {
        const read = readSync(this.descriptor, bytes, at, length - at, this.readAt + at);
        if (read === 0) throw new Error('it is shorter than what was written');
        at += read;
      }
    } catch (error) {
      logErrorOf(this.request, 'crit', `read() of a temporary file failed (${(error as Error).message})`);
      this.closeFile();
      return null;
    }
    this.readAt += length;
    if (this.readAt === this.writtenBytes) this.closeFile();
    return bytes;
  }

  private closeFile(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    this.readAt = 0;
    this.writtenBytes = 0;
  }
}
