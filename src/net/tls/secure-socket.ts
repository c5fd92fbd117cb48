/*
 * TLS over a socket that is connected: Node's TLSSocket, with what a Connection needs of a socket besides: writes that need
 * not wait for each other, and how the handshake went. It is made by Connection alone.
 */
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { SessionServer } from './session-cache.js';

/** The client's side of a handshake. */
export interface ClientTlsOptions {
  readonly isServer: false;
  readonly context: SecureContext;
  /** What the server is told of where it is asked for (SNI); '' for nothing. */
  readonly serverName: string;
  /** What is gone on with, as `onSession` was given it; null for nothing. */
  readonly session: Buffer | null;
  /** A session that can be gone on with later; several may come. Null: nobody wants any. */
  readonly onSession: ((session: Buffer) => void) | null;
  /** Judges the server once its certificate is there: what is wrong with it, for the log; null for nothing. */
  readonly judge: ((socket: SecureSocket) => string | null) | null;
}

/** The server's side. */
export interface ServerTlsOptions {
  readonly isServer: true;
  readonly context: SecureContext;
  /** Whether a certificate is asked for. Whether it is one to trust, `verifyError` says; nobody is refused here. */
  readonly asksForCertificate: boolean;
  /** In ALPN, by preference. */
  readonly protocols: readonly string[];
  /** Keeps clients' sessions; null where none are kept. */
  readonly sessions: SessionServer | null;
}

export type TlsOptions = ClientTlsOptions | ServerTlsOptions;

/**
 * Node's own, as far as it is used beyond what is documented; checked on Node 20 and 26. A handle is what tls.Server and
 * tls.connect ask in the same way.
 */
interface TlsHandle {
  verifyError(): (Error & { code?: string }) | null;
  start(): void;
  setServername(name: string): void;
  setSession(session: Buffer): void;
  enableSessionCallbacks(): void;
  /** Told of each session that the server gives. */
  onnewsession: (id: Buffer, session: Buffer) => void;
}
interface SocketInternals {
  _handle: TlsHandle | null;
  _releaseControl(): void;
}

/** One part of what is written. */
type Chunk = { chunk: string | Buffer; encoding: BufferEncoding };
type Written = (error?: Error | null) => void;

/** The secure socket of a Connection. */
export class SecureSocket extends TLSSocket {
  private readonly plain: Socket;
  /** Whether OpenSSL has a write under way: it takes one at a time, and Node aborts the process at a second one. */
  private isBusy: boolean;
  private waiting: Chunk[];
  private waitingWritten: Written[];
  /** For the end, which comes behind all that was written. */
  private onIdle: (() => void) | null;

  /** Takes over `plain`, which is connected and paused. The handshake begins at once; 'secure' tells its end. */
  constructor(plain: Socket, options: TlsOptions) {
    super(
      plain,
      options.isServer ? serverOptions(options) : { isServer: false, secureContext: options.context },
    );
    this.plain = plain;
    this.isBusy = false;
    this.waiting = [];
    this.waitingWritten = [];
    this.onIdle = null;
    // Otherwise Node keeps the errors of the socket below to itself.
    this.internals._releaseControl();
    if (options.isServer) return;
    const handle = this.internals._handle!;
    if (options.serverName !== '') handle.setServername(options.serverName);
    if (options.session !== null) handle.setSession(options.session);
    const { onSession } = options;
    if (onSession !== null) {
      handle.onnewsession = (_id, session) => onSession(session);
      handle.enableSessionCallbacks();
    }
    handle.start();
  }

  private get internals(): SocketInternals {
    return this as unknown as SocketInternals;
  }

  /** What OpenSSL has against the other side's certificate; null for nothing, and for no certificate. */
  get verifyError(): { readonly code: string; readonly message: string } | null {
    const error = this.internals._handle?.verifyError() ?? null;
    return error === null ? null : { code: error.code ?? '', message: error.message };
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, written: Written): void {
    if (this.isBusy) {
      this.waiting.push({ chunk, encoding });
      this.waitingWritten.push(written);
      return;
    }
    this.isBusy = true;
    super._write(chunk, encoding, (error) => this.finishWrite([written], error));
  }

  override _writev(chunks: Chunk[], written: Written): void {
    if (this.isBusy) {
      this.waiting.push(...chunks);
      this.waitingWritten.push(written);
      return;
    }
    this.isBusy = true;
    super._writev!(chunks, (error) => this.finishWrite([written], error));
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.isBusy) this.onIdle = () => super._final(callback);
    else super._final(callback);
  }

  override resetAndDestroy(): this {
    this.plain.resetAndDestroy();
    return this;
  }

  private finishWrite(written: readonly Written[], error?: Error | null): void {
    this.isBusy = false;
    const { waiting, waitingWritten } = this;
    if (waiting.length > 0) {
      this.waiting = [];
      this.waitingWritten = [];
      this.isBusy = true;
      super._writev!(waiting, (failure) => this.finishWrite(waitingWritten, failure));
    } else if (this.onIdle !== null) {
      const { onIdle } = this;
      this.onIdle = null;
      onIdle();
    }
    for (const each of written) each(error);
  }
}

function serverOptions({
  context,
  asksForCertificate,
  protocols,
  sessions,
}: ServerTlsOptions): TLSSocketOptions {
  return {
    isServer: true,
    secureContext: context,
    requestCert: asksForCertificate,
    rejectUnauthorized: false,
    ALPNProtocols: [...protocols],
    ...(sessions === null ? {} : { server: sessions as never }),
  };
}
