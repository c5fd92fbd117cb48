/*
 * A connection without a network: whoever serves it reads what is given to `receive`, and what it writes is told to
 * whoever looks on. For explaining what would be sent, and to whom.
 */
import { Socket } from 'node:net';
import { Connection, type ConnectionHandler, type DefectReporter } from './connection.js';

/** Who is at its two ends, for those who ask a connection. */
export interface MemoryEnds {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** Stands in until whoever serves it is made. */
const NOBODY: ConnectionHandler = {
  served: null as unknown as Connection,
  onBytes() {},
  onEnd() {},
  onDrain() {},
  onClose() {},
};

/**
 * One end of it.
 * @param isAccepted whether it is a client's
 * @param onWrite told what is written, as latin1 text
 */
export function openMemoryConnection(
  ends: MemoryEnds,
  isAccepted: boolean,
  onDefect: DefectReporter,
  onWrite: (text: string) => void,
): Connection {
  const connection = new Connection(NOBODY, isAccepted, onDefect);
  connection.attach(new MemorySocket(ends, onWrite));
  return connection;
}

type Written = (error?: Error | null) => void;

class MemorySocket extends Socket {
  private readonly onWrite: (text: string) => void;

  constructor(ends: MemoryEnds, onWrite: (text: string) => void) {
    super({ allowHalfOpen: true });
    this.onWrite = onWrite;
    for (const [name, value] of Object.entries(ends)) Object.defineProperty(this, name, { value });
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: Written): void {
    this.onWrite(typeof chunk === 'string' ? chunk : chunk.toString('latin1'));
    done();
  }

  override _writev(
    chunks: readonly { readonly chunk: string | Buffer; readonly encoding: BufferEncoding }[],
    done: Written,
  ): void {
    for (const { chunk, encoding } of chunks) this._write(chunk, encoding, () => {});
    done();
  }

  override resetAndDestroy(): this {
    return this.destroy();
  }
}
