/*
 * Reading a request's body back from the temporary file it was put into.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** What is read at a time, and waits for an upstream at most. */
const CHUNK_BYTES = 65536;

/** Reads one file, as often as its request is sent. */
export class PayloadReader {
  private readonly path: string;
  private descriptor: number;
  private position: number;

  constructor(path: string) {
    this.path = path;
    this.descriptor = -1;
    this.position = 0;
  }

  /** From the start again. */
  rewind(): void {
    this.position = 0;
  }

  /** From now on it can be read whatever becomes of its name. Throws what the system says. */
  open(): void {
    if (this.descriptor < 0) this.descriptor = openSync(this.path, 'r');
  }

  /** The next piece, in a buffer of its own; null at the end. Throws what the system says. */
  read(): Buffer | null {
    this.open();
    const bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const length = readSync(this.descriptor, bytes, 0, CHUNK_BYTES, this.position);
    this.position += length;
    return length === 0 ? null : bytes.subarray(0, length);
  }

  close(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
  }
}
