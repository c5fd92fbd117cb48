/*
 * Where a buffered sink's bytes go: a file descriptor or a stream.
 */

/** Writes bytes. A sink has one write under way at a time. */
export interface LogTarget {
  /** False when an error is for good, as when the reader of a pipe has gone. */
  readonly canRecover: boolean;
  /** Writes some or all of the bytes from offset, then calls onWritten, never before it returns. */
  write(bytes: Buffer, offset: number, onWritten: OnWritten): void;
  /** Writes what it can at once and says how much that was. May throw. */
  writeNow(bytes: Buffer): number;
  /** Goes on in a new file of the same name. Throws an Error, and goes on in the old one, if it cannot. */
  reopen(): void;
  close(): void;
}

/** writtenBytes of them have left; with an error, the others have not. */
export type OnWritten = (error: NodeJS.ErrnoException | null, writtenBytes: number) => void;
