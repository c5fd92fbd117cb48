/*
 * Puts a message on a connection: a head, a run of payload with its framing and the end of the body, in one
 * system call where that is possible. One way for requests to upstreams and responses to clients.
 */
import type { Connection } from '../../net/connection.js';
import { FORBIDDEN_IN_TRAILER } from '../message/trailer-fields.js';
import type { FieldLines } from './field-lines.js';

/** The end of a chunked body, with those of its trailer fields that may stand there; null: it has none. */
export function chunkedEnd(trailers: FieldLines | null): string {
  return trailers === null ? '0\r\n\r\n' : `0\r\n${trailers.passOn(FORBIDDEN_IN_TRAILER, true, null)}\r\n`;
}

/**
 * Up to this size head and payload leave as one latin1 string. perf: libuv then copies them to its stack and
 * writes at once; a string of 16 KB costs less than a vectored write of two.
 */
const ONE_STRING_BYTES = 16384;

/**
 * Writes `before` (a head or ''), then bytes[start,end) as payload, then `after` (`chunkedEnd` or '').
 * `isBorrowed`: the bytes won't stay as they are, so they are copied where a write may take time.
 */
export function writeMessage(
  connection: Connection,
  before: string,
  bytes: Buffer,
  start: number,
  end: number,
  isChunked: boolean,
  after: string,
  isBorrowed: boolean,
): void {
  const length = end - start;
  if (length === 0) {
    const text = before + after;
    if (text !== '') connection.writeText(text);
    return;
  }
  const head = isChunked ? `${before}${length.toString(16)}\r\n` : before;
  const tail = isChunked ? `\r\n${after}` : after;
  if (head === '' && tail === '' && !isBorrowed) {
    connection.writeBytes(bytes.subarray(start, end));
    return;
  }
  if (head.length + length + tail.length <= ONE_STRING_BYTES) {
    connection.writeText(head + bytes.toString('latin1', start, end) + tail);
    return;
  }
  const payload = isBorrowed ? Buffer.from(bytes.subarray(start, end)) : bytes.subarray(start, end);
  if (head === '' && tail === '') connection.writeBytes(payload);
  else connection.writeParts(head, payload, tail);
}
