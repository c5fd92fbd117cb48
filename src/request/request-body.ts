/*
 * A client's request body read in whole before it is used: in memory up to client_body_buffer_size, beyond that in a
 * file. Passing one on while it comes in is the upstream exchange's.
 */
import { closeSync, unlinkSync, writeSync } from 'node:fs';
import type { BodyReceiver } from './client-side.js';
import { logErrorOf } from './error-line.js';
import type { HttpRequest } from './http-request.js';
import { openTempFile } from './temp-file.js';
import { TIMELINE } from './timeline.js';

/** One body. Owned by the client's request; released when that is over. */
export class RequestBody implements BodyReceiver {
  /** What is in memory, in order; all of it goes to the file once there is one. */
  chunks: Buffer[] = [];
  /** Bytes of payload so far. */
  length = 0;
  /** The file's path; null while memory does. */
  path: string | null = null;
  isComplete = false;
  private descriptor = -1;
  private readonly request: HttpRequest;
  /** Told once when the body is whole. */
  private readonly waiting: (() => void)[] = [];
  /** 0: as the location says. */
  private readonly mostInMemory: number;

  /** With `mostInMemory` no file takes it: what is longer is refused. */
  constructor(request: HttpRequest, mostInMemory = 0) {
    this.request = request;
    this.mostInMemory = mostInMemory;
  }

  /** Calls back when all of it is there; at once if it is. */
  whenComplete(callback: () => void): void {
    if (this.isComplete) callback();
    else this.waiting.push(callback);
  }

  onPayload(bytes: Buffer, start: number, end: number): boolean {
    const { request } = this;
    const most = this.mostInMemory || request.location.settings.clientMaxBodySize;
    this.length += end - start;
    if (most > 0 && this.length > most) {
      logErrorOf(request, 'error', `client intended to send too large chunked body: ${this.length} bytes`);
      this.fail(413);
      return true;
    }
    if (end > start && !this.keep(Buffer.from(bytes.subarray(start, end)))) {
      this.fail(500);
      return true;
    }
    if (request.body.isComplete) this.complete();
    else request.client.resumeBody();
    return true;
  }

  /** All of it as one buffer: for those who need the bytes ($request_body). Null when it is in a file. */
  get inMemory(): Buffer | null {
    if (this.path !== null) return null;
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0]!;
  }

  /**
   * Gives the whole body away as a file, whose path is returned: from now on it is the caller's. Null, and logged, when
   * it can't be written.
   */
  takeFile(): string | null {
    if (this.path === null) {
      if (!this.openFile(true)) return null;
      for (const chunk of this.chunks) if (!this.writeAll(chunk)) return null;
    }
    const { path } = this;
    this.path = null;
    this.chunks = [];
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    return path;
  }

  /** The request is over: the file goes, unless it is wanted. */
  release(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    this.chunks = [];
    const { clientBodyInFileOnly } = this.request.location.settings;
    if (this.path === null || clientBodyInFileOnly === 'on') return;
    try {
      unlinkSync(this.path);
    } catch {
      // Somebody took it away: it was a temporary file.
    }
  }

  /** The rest of it won't come: who waits is not called, and to who asks later there is no body, as in nginx. */
  giveUp(): void {
    if (this.isComplete) return;
    this.waiting.length = 0;
    this.release();
    this.path = null;
    this.length = 0;
    this.isComplete = true;
  }

  private keep(bytes: Buffer): boolean {
    const { clientBodyBufferSize, clientBodyInFileOnly } = this.request.location.settings;
    if (this.mostInMemory > 0) {
      this.chunks.push(bytes);
      return true;
    }
    if (this.path === null && (this.length > clientBodyBufferSize || clientBodyInFileOnly !== 'off')) {
      if (!this.openFile()) return false;
      for (const chunk of this.chunks) if (!this.writeAll(chunk)) return false;
      this.chunks = [];
    }
    if (this.path !== null) return this.writeAll(bytes);
    this.chunks.push(bytes);
    return true;
  }

  private openFile(isWanted = false): boolean {
    const { clientBodyTempPath } = this.request.location.settings;
    try {
      const { path, descriptor } = openTempFile(clientBodyTempPath, 'wx');
      this.path = path;
      this.descriptor = descriptor;
    } catch (error) {
      const { path, message } = error as NodeJS.ErrnoException;
      logErrorOf(this.request, 'crit', `open() "${path}" failed: ${message}`);
      return false;
    }
    const what = `a client request body is buffered to a temporary file ${this.path}`;
    if (!isWanted) logErrorOf(this.request, 'warn', what);
    return true;
  }

  private writeAll(bytes: Buffer): boolean {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
      return true;
    } catch (error) {
      logErrorOf(this.request, 'crit', `write() "${this.path}" failed: ${(error as Error).message}`);
      return false;
    }
  }

  private complete(): void {
    const { clientBodyInFileOnly } = this.request.location.settings;
    const needsFile = clientBodyInFileOnly !== 'off' && this.mostInMemory === 0;
    if (needsFile && this.path === null && this.length > 0 && !this.openFile()) {
      this.fail(500);
      return;
    }
    this.isComplete = true;
    for (const callback of this.waiting.splice(0)) callback();
  }

  private fail(status: number): void {
    const { client, failBody } = this.request;
    this.request.isBodyRefused = true;
    this.giveUp();
    client.intake.receiver = null;
    client.connection.pauseReading();
    failBody!(status);
  }
}

/**
 * Reads all of the client's body, then calls back; at once when there is none or it is there already. When it can't
 * be had (too large, the client is gone) the request is answered accordingly and nobody is called.
 * @param mostInMemory as in RequestBody; only for the first who reads it
 */
export function readBody(
  request: HttpRequest,
  fail: (status: number) => void,
  whenRead: () => void,
  mostInMemory = 0,
): void {
  const { main } = request;
  const { client } = main;
  if (main.payload === null) {
    main.payload = new RequestBody(main, mostInMemory);
    main.failBody = fail;
    client.intake.receiver = main.payload;
    main.isReusable = false;
    if (!main.body.isComplete) TIMELINE.of(main)?.beginBody(main.context.clock.nowMs());
    main.payload.whenComplete(whenRead);
    client.intake.sendContinue();
    main.payload.onPayload(client.intake.earlyBytes, client.intake.earlyStart, client.intake.earlyEnd);
    return;
  }
  main.payload.whenComplete(whenRead);
}
