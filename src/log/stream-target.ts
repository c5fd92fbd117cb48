/*
 * Standard output or error when it is a pipe or a socket.
 */

import { writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { LogTarget, OnWritten } from './log-target.js';

/** A stream of the process. It is never closed, and an error of it is for good. */
export class StreamTarget implements LogTarget {
  readonly canRecover = false;
  readonly #stream: Writable;
  readonly #fd: number;

  constructor(stream: Writable, fd: number) {
    this.#stream = stream;
    this.#fd = fd;
    // The write's callback has the error too, but unheard it would end the process. The listener
    // stays: whatever else is printed must not end it either.
    if (!stream.listeners('error').includes(ignoreError)) stream.on('error', ignoreError);
  }

  write(bytes: Buffer, offset: number, onWritten: OnWritten): void {
    this.#stream.write(bytes.subarray(offset), (error) => {
      onWritten(error ?? null, error ? 0 : bytes.length - offset);
    });
  }

  writeNow(bytes: Buffer): number {
    return writeSync(this.#fd, bytes);
  }

  reopen(): void {}

  close(): void {}
}

function ignoreError(): void {}
