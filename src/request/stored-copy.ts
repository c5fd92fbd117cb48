/*
 * An answer of an upstream that becomes a file beside going to its client (nginx: proxy_store): written elsewhere first,
 * and moved to its place once it is whole.
 */
import { closeSync, unlinkSync, writeSync } from 'node:fs';
import { chmod, unlink, utimes } from 'node:fs/promises';
import { parseHttpDate } from '../core/http-date.js';
import { logErrorOf } from './error-line.js';
import { describeFailure } from './file-access.js';
import { filePath, toFileName } from './file-path.js';
import type { HttpRequest } from './http-request.js';
import type { RequestText } from './location.js';
import { moveFile } from './move-file.js';
import type { TempPath } from './settings.js';
import { openTempFile } from './temp-file.js';

/** One location's way to keep answers. */
export interface StoreSettings {
  /** Null: where the location's root or alias has the request's path. */
  readonly path: RequestText | null;
  /** Of files; folders may be searched by whom files may be read by. */
  readonly fileMode: number;
  readonly tempPath: TempPath;
}

/** Who gets what comes of an answer's body, to keep it. */
export interface AnswerKeeper {
  /** False: nothing is kept, or it has failed. */
  readonly isKeeping: boolean;
  write(bytes: Buffer): void;
  /** That was all of it. */
  complete(): void;
  /** No more comes: what isn't whole is dropped. */
  end(): void;
}

/** The copy of one answer. */
export class StoredCopy implements AnswerKeeper {
  private readonly request: HttpRequest;
  private readonly settings: StoreSettings;
  private readonly path: string;
  private readonly lastModified: string;
  private temporaryPath: string;
  /** -1: there is no file, or none any more. */
  private descriptor: number;

  /** `lastModified`: the field's value, which becomes the file's time; '' for none. */
  constructor(request: HttpRequest, settings: StoreSettings, lastModified: string) {
    // It may be told of failures when the client's answer is out.
    request.main.isReusable = false;
    this.request = request;
    this.settings = settings;
    this.path = (settings.path === null ? filePath(request) : settings.path.evaluate(request)) ?? '';
    this.lastModified = lastModified;
    this.temporaryPath = '';
    this.descriptor = -1;
    if (this.path === '') return;
    try {
      const { path, descriptor } = openTempFile(settings.tempPath, 'wx');
      this.temporaryPath = path;
      this.descriptor = descriptor;
    } catch (error) {
      this.temporaryPath = (error as NodeJS.ErrnoException).path ?? '';
      this.logFailure('open()', error);
    }
  }

  get isKeeping(): boolean {
    return this.descriptor >= 0;
  }

  write(bytes: Buffer): void {
    if (this.descriptor < 0) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
    } catch (error) {
      this.logFailure('write()', error);
      this.end();
    }
  }

  complete(): void {
    if (this.descriptor < 0) return;
    closeSync(this.descriptor);
    this.descriptor = -1;
    void this.putInPlace();
  }

  end(): void {
    if (this.descriptor < 0) return;
    closeSync(this.descriptor);
    this.descriptor = -1;
    try {
      unlinkSync(this.temporaryPath);
    } catch (error) {
      this.logFailure('unlink()', error);
    }
  }

  private async putInPlace(): Promise<void> {
    const { request, temporaryPath, path } = this;
    const { fileMode } = this.settings;
    try {
      await chmod(temporaryPath, fileMode);
      const seconds = parseHttpDate(this.lastModified);
      if (seconds >= 0) await utimes(temporaryPath, seconds, seconds);
      if (await moveFile(request, temporaryPath, path, fileMode)) return;
      await unlink(toFileName(temporaryPath));
    } catch (error) {
      this.logFailure('chmod()', error);
    }
  }

  private logFailure(call: string, error: unknown): void {
    const message = describeFailure(call, this.temporaryPath, error as NodeJS.ErrnoException);
    logErrorOf(this.request, 'crit', message);
  }
}
