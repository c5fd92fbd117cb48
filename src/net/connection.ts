/*
 * One TCP or unix socket, plain or with TLS: reading without stream machinery where Node allows it, writing, backpressure
 * both ways, byte counts. What the bytes mean is its handler's business.
 */
import { Socket } from 'node:net';
import { eventClock } from '../core/clock.js';
import { releaseReadBuffer, SHARED_READ_BUFFER, takeReadBuffer } from './read-buffer.js';
import { SOCKETS } from './socket-budget.js';
import { SecureSocket, type TlsOptions } from './tls/secure-socket.js';
import { describeHandshakeError, TlsError } from './tls/tls-error.js';

/** What happens on a connection. Nothing is called after `onClose`. */
export interface ConnectionHandler {
  /** The client's connection that all this is for, be it this one: what is thrown here ends it, and nothing else. */
  readonly served: Connection;
  /** bytes[0,end) arrived. They are borrowed: what must outlive the call is copied, see `ownsBytes`. */
  onBytes(bytes: Buffer, end: number): void;
  /** The other side sends no more (FIN); it may still read. Not told while reading is paused. */
  onEnd(): void;
  /** Writes had to wait, and now the kernel has taken everything. */
  onDrain(): void;
  /** The socket is gone, `error` says why when it wasn't asked for. Called exactly once. */
  onClose(error: NodeJS.ErrnoException | null): void;
}

/** libuv's handle under a socket, as far as it is used: public through no API, so every part is optional. */
interface SocketHandle {
  readonly writeQueueSize?: number;
  /** That of the socket below, with TLS. */
  readonly _parent?: SocketHandle;
}

/** See Connection.socketOptions. */
export interface SocketOptions {
  readonly allowHalfOpen: true;
  readonly onread: {
    readonly buffer: () => Uint8Array;
    readonly callback: (length: number, bytes: Uint8Array) => boolean;
  };
}

/** Is told what code of ours threw that should never have: for an [alert] line. Throws nothing itself. */
export type DefectReporter = (defect: unknown) => void;

/** Stands in between the constructor and `attach`. */
const NO_SOCKET = new Socket();

/**
 * A connection. Writes never block and are never refused: whoever writes looks at `hasPendingWrites` and stops
 * its own source until `onDrain`, which is what bounds memory.
 */
export class Connection {
  handler: ConnectionHandler;
  isClosed: boolean;
  isReadingPaused: boolean;
  /** Nothing more can be written: `end` was called, or a write met a reset. */
  isEnded: boolean;
  /** Where the next read goes: the shared buffer or one of this connection's own. */
  readBuffer: Buffer;
  private readonly isAccepted: boolean;
  private readonly onDefect: DefectReporter;
  private socket: Socket;
  /**
   * Writes handed to libuv and not finished. They go there directly, past the socket's own queue, which is
   * therefore always empty. perf: that queue's state and its 'drain' were 5 % of a small request's user time.
   */
  private pendingWrites: number;
  /** Set while a write is handed over: one that finishes meanwhile never waited. */
  private isInWrite: boolean;
  private readonly onWritten: (error?: Error | null) => void;
  private error: NodeJS.ErrnoException | null;
  /** The error of a write, while what the other side said before is still to be read; see `failWrite`. */
  private brokenBy: NodeJS.ErrnoException | null;
  /** The other side's end came while reading was paused: without `onread` the socket reads on by itself. */
  private hasUntoldEnd: boolean;
  private lastQueueSize: number;
  /** What tells of TLS once it is agreed upon; null on a plain connection. */
  tls: SecureSocket | null;

  /** A connection without a socket: `attach` follows. `isAccepted`: a client's. */
  constructor(handler: ConnectionHandler, isAccepted: boolean, onDefect: DefectReporter) {
    this.handler = handler;
    this.isClosed = false;
    this.isReadingPaused = false;
    this.isEnded = false;
    this.readBuffer = SHARED_READ_BUFFER;
    this.isAccepted = isAccepted;
    this.onDefect = onDefect;
    this.socket = NO_SOCKET;
    this.pendingWrites = 0;
    this.isInWrite = false;
    this.onWritten = (error) => this.finishWrite(error);
    this.error = null;
    this.brokenBy = null;
    this.hasUntoldEnd = false;
    this.lastQueueSize = 0;
    this.tls = null;
  }

  /** Takes over `socket`: from now on only this object listens to it. */
  attach(socket: Socket): void {
    this.socket = socket;
    SOCKETS.noteOpened(this.isAccepted);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // With TLS it is told once more, by the socket above.
      if (this.socket === socket) this.error ??= error;
      if (error.code === 'EMFILE') SOCKETS.noteExhausted();
    });
    // With TLS the socket above closes behind this one, and knows why.
    socket.on('close', () => {
      if (this.socket === socket) this.close();
    });
    socket.on('end', () => this.receiveEnd());
  }

  /**
   * Has all further bytes go through TLS; `firstBytes` have come already. `onSecure` is called when both sides agree, or
   * `onClose` comes with a TlsError. Nothing is written before. How long it may take is the caller's business.
   */
  startTls(options: TlsOptions, firstBytes: Buffer | null, onSecure: () => void): void {
    const plain = this.socket;
    plain.pause();
    this.readBuffer = SHARED_READ_BUFFER;
    plain.removeAllListeners('data');
    if (firstBytes !== null) plain.unshift(firstBytes);
    const secure = new SecureSocket(plain, options);
    this.socket = secure;
    this.isReadingPaused = false;
    secure.on('error', (error: NodeJS.ErrnoException) => {
      const isEarly = this.tls === null && !(error instanceof TlsError);
      this.error ??= isEarly ? new TlsError(describeHandshakeError(error)) : error;
      secure.destroy();
    });
    secure.on('close', () => this.close());
    secure.on('end', () => {
      if (this.tls === null) secure.destroy(new TlsError('peer closed connection in SSL handshake'));
      else this.receiveEnd();
    });
    secure.on('data', (chunk: Buffer) => this.receive(chunk, chunk.length));
    secure.once('secure', () => this.finishHandshake(secure, options, onSecure));
  }

  private finishHandshake(secure: SecureSocket, options: TlsOptions, onSecure: () => void): void {
    eventClock.refresh();
    const { served } = this.handler;
    try {
      const complaint = options.isServer || options.judge === null ? null : options.judge(secure);
      if (complaint !== null) {
        this.error ??= new TlsError(complaint);
        secure.destroy();
        return;
      }
      this.tls = secure;
      onSecure();
    } catch (defect) {
      served.failBy(defect);
    }
  }

  /** What a socket made for this connection is opened with: half-open, reading by `onread`. */
  get socketOptions(): SocketOptions {
    return {
      allowHalfOpen: true,
      onread: {
        buffer: () => this.readBuffer,
        callback: (length, bytes) => this.receive(bytes as Buffer, length),
      },
    };
  }

  /** Whether `destroy` was called, or it broke: `onClose` follows or was. */
  get isDestroyed(): boolean {
    return this.socket.destroyed;
  }

  /** Whether TLS has begun and is not agreed upon. */
  get isHandshaking(): boolean {
    return this.tls === null && this.socket instanceof SecureSocket;
  }

  get remoteAddress(): string {
    return this.socket.remoteAddress ?? '';
  }

  get remotePort(): number {
    return this.socket.remotePort ?? 0;
  }

  /** '' for a unix socket, and once it is closed. */
  get localAddress(): string {
    return this.socket.localAddress ?? '';
  }

  get localPort(): number {
    return this.socket.localPort ?? 0;
  }

  /** Whether the kernel has yet to take some of what was written. */
  get hasPendingWrites(): boolean {
    return this.pendingWrites > 0;
  }

  /** For the listener and the connector: gives what was read to the handler. False pauses reading. */
  receive(bytes: Buffer, length: number): boolean {
    if (this.isClosed) return false;
    eventClock.refresh();
    const { served } = this.handler;
    try {
      this.handler.onBytes(bytes, length);
    } catch (defect) {
      served.failBy(defect);
    }
    return !this.isReadingPaused && !this.isClosed;
  }

  /** Whether bytes given to `onBytes` stay as they are for as long as reading is paused. */
  ownsBytes(bytes: Buffer): boolean {
    return bytes !== SHARED_READ_BUFFER;
  }

  /**
   * From the next read on, reads into a buffer of this connection's own, so that its bytes can be written
   * elsewhere without a copy.
   */
  takeBuffer(): void {
    if (this.readBuffer === SHARED_READ_BUFFER) this.readBuffer = takeReadBuffer();
  }

  /** From the next read on, reads into the shared buffer; its own is left to whatever refers to it. */
  leaveBuffer(): void {
    this.readBuffer = SHARED_READ_BUFFER;
  }

  /** Leaves its own buffer to a write that still refers to it; the next read goes into another one. */
  renewBuffer(): void {
    if (this.readBuffer !== SHARED_READ_BUFFER) this.readBuffer = takeReadBuffer();
  }

  /**
   * As `leaveBuffer`, when nobody refers to its bytes any more and no read goes there: within `onBytes`, or on
   * a connection that reads no more.
   */
  releaseBuffer(): void {
    if (this.readBuffer === SHARED_READ_BUFFER) return;
    releaseReadBuffer(this.readBuffer);
    this.readBuffer = SHARED_READ_BUFFER;
  }

  /** Whether `bytes` are where the next read goes. */
  isReadInto(bytes: Buffer): boolean {
    return bytes === SHARED_READ_BUFFER || bytes === this.readBuffer;
  }

  /** Writes latin1 text. */
  writeText(text: string): void {
    if (this.isClosed || this.brokenBy !== null) return;
    this.beginWrite();
    this.socket._write(text, 'latin1', this.onWritten);
    this.isInWrite = false;
  }

  /** Writes bytes, which must stay unchanged while `hasPendingWrites`. */
  writeBytes(bytes: Buffer): void {
    if (this.isClosed || this.brokenBy !== null) return;
    this.beginWrite();
    this.socket._write(bytes, 'buffer' as BufferEncoding, this.onWritten);
    this.isInWrite = false;
  }

  /** Writes latin1 text, bytes and latin1 text by one system call; either text may be ''. */
  writeParts(before: string, bytes: Buffer, after: string): void {
    if (this.isClosed || this.brokenBy !== null) return;
    const parts: { chunk: string | Buffer; encoding: BufferEncoding }[] = [];
    if (before !== '') parts.push({ chunk: before, encoding: 'latin1' });
    parts.push({ chunk: bytes, encoding: 'buffer' as BufferEncoding });
    if (after !== '') parts.push({ chunk: after, encoding: 'latin1' });
    this.beginWrite();
    this.socket._writev!(parts, this.onWritten);
    this.isInWrite = false;
  }

  pauseReading(): void {
    if (this.isReadingPaused) return;
    this.isReadingPaused = true;
    this.socket.pause();
  }

  resumeReading(): void {
    if (!this.isReadingPaused || this.isClosed) return;
    this.isReadingPaused = false;
    this.socket.resume();
    if (this.hasUntoldEnd) process.nextTick(() => this.receiveEnd());
  }

  /** Sends what is pending, then FIN. Reading goes on. */
  end(): void {
    if (this.isEnded || this.isClosed) return;
    this.isEnded = true;
    this.socket.end();
  }

  /** Closes at once; what is pending is lost. `onClose` follows. */
  destroy(): void {
    if (this.socket !== NO_SOCKET) this.socket.destroy();
    else {
      this.isEnded = true;
      process.nextTick(() => this.close());
    }
  }

  /**
   * Closes with RST, so that the other side can't take what it got for a complete message. Unix sockets have
   * none, and Node throws if asked for one: there it is a plain close.
   */
  reset(): void {
    if (this.remoteAddress === '') this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** Reports what code that serves this connection threw, and closes it: nobody knows what state that is in. */
  failBy(defect: unknown): void {
    this.onDefect(defect);
    this.destroy();
  }

  /**
   * Whether the kernel took bytes since the last call: a slow reader is not a dead one. Asked by a send
   * timeout, since `onDrain` comes only when nothing is left.
   */
  hasSendProgress(): boolean {
    const { _handle } = this.socket as unknown as { _handle?: SocketHandle | null };
    const size = (_handle?.writeQueueSize ?? 0) + (_handle?._parent?.writeQueueSize ?? 0);
    const hasProgress = size !== this.lastQueueSize;
    this.lastQueueSize = size;
    return hasProgress;
  }

  private receiveEnd(): void {
    if (this.isClosed) return;
    this.hasUntoldEnd = this.isReadingPaused;
    if (this.hasUntoldEnd) return;
    eventClock.refresh();
    if (this.brokenBy !== null) {
      this.socket.destroy(this.brokenBy);
      return;
    }
    const { served } = this.handler;
    try {
      this.handler.onEnd();
    } catch (defect) {
      served.failBy(defect);
    }
  }

  private beginWrite(): void {
    this.pendingWrites++;
    this.isInWrite = true;
  }

  private finishWrite(error: Error | null | undefined): void {
    this.pendingWrites--;
    if (error) this.failWrite(error);
    else if (!this.isInWrite && this.pendingWrites === 0 && !this.isClosed) {
      eventClock.refresh();
      const { served } = this.handler;
      try {
        this.handler.onDrain();
      } catch (defect) {
        served.failBy(defect);
      }
    }
  }

  /**
   * A client that took a RST is gone. An origin may have answered early and closed: its answer is still there
   * to be read, and the end behind it is told as this error.
   */
  private failWrite(error: NodeJS.ErrnoException): void {
    const isReset = error.code === 'EPIPE' || error.code === 'ECONNRESET';
    if (!isReset || this.isAccepted || this.socket.readableEnded) {
      this.socket.destroy(error);
      return;
    }
    this.brokenBy ??= error;
    this.isEnded = true;
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    eventClock.refresh();
    this.readBuffer = SHARED_READ_BUFFER;
    if (this.socket !== NO_SOCKET) SOCKETS.noteClosed(this.isAccepted);
    const { served } = this.handler;
    try {
      this.handler.onClose(this.error);
    } catch (defect) {
      served.failBy(defect);
    }
  }
}
