/*
 * The memory sockets read into. Connections that wait share one buffer, so that an idle one holds none;
 * a connection whose bytes must stay until they were written elsewhere has one of its own.
 */

/** One read's most bytes. perf: 64 KB takes a whole small message in one system call. */
export const READ_BUFFER_BYTES = 65536;

/** What every connection without a buffer of its own reads into. Its bytes hold until the next read. */
export const SHARED_READ_BUFFER: Buffer = createReadBuffer();

/**
 * A buffer for one connection. It is left to the garbage collector, never reused: a write of another
 * connection may still refer to it when its owner is gone.
 */
export function createReadBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
}
