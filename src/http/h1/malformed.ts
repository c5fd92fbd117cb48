/*
 * How the HTTP/1 codec says that bytes are not a message it takes: a status for the client and a reason
 * for the log. Codecs return these as values; nothing here is thrown.
 */

/** Why a message is refused. `status` is what a client is answered; an upstream's message becomes a 502. */
export interface Malformed {
  readonly status: number;
  /** Completes "client sent ..." or "upstream sent ..." in the log. */
  readonly reason: string;
}

/** Byte offsets are never negative, so the codecs' scanning functions use these two for the rest. */
export const INCOMPLETE = -1;
export const MALFORMED = -2;

/** Limits on one message head. Bytes; from nginx's large_client_header_buffers (4 of 8k). */
export interface HeadLimits {
  /** The longest start line and the longest field line. */
  readonly lineBytes: number;
  /** The whole head, first line included. */
  readonly headBytes: number;
  /** How many field lines (nginx: max_headers). */
  readonly fieldCount: number;
}

export const DEFAULT_HEAD_LIMITS: HeadLimits = { lineBytes: 8192, headBytes: 32768, fieldCount: 1000 };
