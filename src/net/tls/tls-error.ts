/*
 * What went wrong with TLS, in the words that OpenSSL has for it and in which nginx logs it.
 */

/** TLS could not be had on a connection; the message is for the log. */
export class TlsError extends Error {
  /** Whether the other side caused it by what it sent or left out, so that it is no more than information. */
  readonly isOthersDoing: boolean;

  constructor(message: string, isOthersDoing = true) {
    super(message);
    this.name = 'TlsError';
    this.isOthersDoing = isOthersDoing;
  }
}

/** An error of Node's, before a connection was secure. */
export function describeHandshakeError(error: NodeJS.ErrnoException): string {
  const detail = describeOpensslError(error);
  if (detail !== null) return `SSL_do_handshake() failed (${detail})`;
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return 'peer closed connection in SSL handshake';
  return `SSL_do_handshake() failed (${error.code ?? error.message})`;
}

/** `SSL: error:0A00010B:SSL routines::wrong version number`; null if the error is none of OpenSSL's. */
export function describeOpensslError(error: unknown): string | null {
  const { message = '', opensslErrorStack = [] } = error as {
    message?: string;
    opensslErrorStack?: string[];
  };
  const all = [message, ...opensslErrorStack];
  const parts = all.map(shorten).filter((part) => part !== null);
  return parts.length === 0 ? null : `SSL: ${parts.join(' ')}`;
}

/** `LIBRARY:FUNCTION:REASON:FILE...` without the function, as OpenSSL 3 prints it to others. */
function shorten(text: string): string | null {
  const match = /error:([0-9A-Fa-f]{8}):([^:]*):([^:]*):([^:\n]*)/.exec(text);
  return match === null ? null : `error:${match[1]}:${match[2]}::${match[4]}`;
}
