/*
 * One side of a TCP connection in a test's hands: sends the bytes it is given, and reads what comes by
 * length, by delimiter or by message. Knows nothing of who is the client.
 */
import type { Socket } from 'node:net';
import { type RawFraming, RawMessage, requestFraming, responseFraming } from './raw-message.js';

/** How long a test's read waits while nothing comes, so that it fails with what did. */
const READ_TIMEOUT_MS = 10_000;

const CRLF = '\r\n';
const HEAD_END = '\r\n\r\n';

/** The other side closed before what was to be read had come. */
export class ConnectionGone extends Error {}

/** A socket, half-open where the other side ended. Unread bytes gather here, so a slow reader must `pause`. */
export class RawSocket {
  /** Bytes received so far, read or not. */
  receivedBytes: number;
  /** The other side sent FIN. */
  isEnded: boolean;
  isClosed: boolean;
  /** Why the connection broke; null when it didn't. ECONNRESET for a RST. */
  error: NodeJS.ErrnoException | null;
  readonly #socket: Socket;
  readonly #readTimeoutMs: number;
  #chunks: Buffer[];
  #unreadBytes: number;
  #waiting: (() => void)[];
  #onBytes: ((bytes: Buffer) => void) | null;

  /** `readTimeoutMs`: how long a read may wait; Infinity for one that waits for what may never come. */
  constructor(socket: Socket, readTimeoutMs = READ_TIMEOUT_MS) {
    this.receivedBytes = 0;
    this.isEnded = false;
    this.isClosed = false;
    this.error = null;
    this.#socket = socket;
    this.#readTimeoutMs = readTimeoutMs;
    this.#chunks = [];
    this.#unreadBytes = 0;
    this.#waiting = [];
    this.#onBytes = null;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('end', () => {
      this.isEnded = true;
      this.#notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#notify();
    });
  }

  /** Bytes sent that the kernel has not taken. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Sends bytes, or latin1 text. Resolves when the kernel has them; need not be awaited. */
  send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (typeof data === 'string') this.#socket.write(data, 'latin1', () => resolve());
      else this.#socket.write(data, () => resolve());
    });
  }

  /** Sends FIN behind what was sent; goes on reading. */
  end(): void {
    this.#socket.end();
  }

  /** Closes both directions: FIN, or RST when something is unread. */
  close(): void {
    this.#socket.destroy();
  }

  /** Closes with RST; over a unix socket, which has none, as `close`. */
  reset(): void {
    if (this.#socket.remoteFamily === undefined) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Reads nothing more from the kernel. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** From now on gives what comes, and what has come unread, to `onBytes` instead of keeping it. */
  divert(onBytes: (bytes: Buffer) => void): void {
    const unread = this.#chunks.splice(0);
    this.#unreadBytes = 0;
    this.#onBytes = onBytes;
    for (const bytes of unread) onBytes(bytes);
  }

  /** What has come and was not read, left where it is. */
  peek(): string {
    return this.#whole().toString('latin1');
  }

  async readBytes(count: number): Promise<Buffer> {
    await this.#until(() => this.#unreadBytes >= count, `${count} bytes`);
    return this.#cut(count);
  }

  /** Reads up to and including `delimiter`. */
  async readUntil(delimiter: string): Promise<string> {
    let from = 0;
    const find = () => {
      // Only the front is merged, so that a large body behind a line is not copied for each.
      for (;;) {
        const [first] = this.#chunks;
        if (first === undefined) return -1;
        const at = first.indexOf(delimiter, from, 'latin1');
        if (at >= 0 || this.#chunks.length === 1) return at;
        from = Math.max(0, first.length - delimiter.length);
        this.#chunks.splice(0, 2, Buffer.concat(this.#chunks.slice(0, 2)));
      }
    };
    let at = -1;
    await this.#until(() => {
      at = find();
      return at >= 0;
    }, JSON.stringify(delimiter));
    return this.#cut(at + delimiter.length).toString('latin1');
  }

  readHead(): Promise<string> {
    return this.readUntil(HEAD_END);
  }

  async readRequest(): Promise<RawMessage> {
    const head = await this.readHead();
    return this.#readMessage(head, requestFraming(head));
  }

  /** A response to a request of method `method`, be it a 1xx. */
  async readResponse(method = 'GET'): Promise<RawMessage> {
    const head = await this.readHead();
    return this.#readMessage(head, responseFraming(head, method));
  }

  /** Everything up to the other side's FIN, which must come. */
  async readToEnd(): Promise<string> {
    await this.#until(() => this.isEnded, 'FIN');
    return this.#cut(this.#unreadBytes).toString('latin1');
  }

  /** Waits until the connection is over in the other side's direction, and says how. */
  async waitForEnd(): Promise<'fin' | 'reset'> {
    await this.#until(() => this.isEnded || this.isClosed, 'the end', false);
    return this.isEnded ? 'fin' : 'reset';
  }

  /** Waits until `count` bytes have come in all, read or not. */
  async waitForBytes(count: number): Promise<void> {
    await this.#until(() => this.receivedBytes >= count, `${count} bytes in all`);
  }

  async #readMessage(head: string, framing: RawFraming): Promise<RawMessage> {
    switch (framing.kind) {
      case 'none':
        return new RawMessage(head, Buffer.alloc(0), '');
      case 'length':
        return new RawMessage(head, await this.readBytes(framing.bytes), '');
      case 'close':
        return new RawMessage(head, Buffer.from(await this.readToEnd(), 'latin1'), '');
      case 'chunked':
        return this.#readChunks(head);
    }
  }

  async #readChunks(head: string): Promise<RawMessage> {
    const chunks: Buffer[] = [];
    for (;;) {
      const line = await this.readUntil(CRLF);
      if (!/^[0-9a-f]+\r\n$/i.test(line)) throw new Error(`Not a chunk size: ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      if (size === 0) break;
      chunks.push(await this.readBytes(size));
      const end = await this.readBytes(2);
      if (end.toString('latin1') !== CRLF) throw new Error(`Not the end of a chunk: ${JSON.stringify(end)}`);
    }
    let trailers = '';
    for (let line = await this.readUntil(CRLF); line !== CRLF; line = await this.readUntil(CRLF)) {
      trailers += line;
    }
    return new RawMessage(head, Buffer.concat(chunks), trailers);
  }

  #take(bytes: Buffer): void {
    this.receivedBytes += bytes.length;
    if (this.#onBytes !== null) this.#onBytes(bytes);
    else {
      this.#chunks.push(bytes);
      this.#unreadBytes += bytes.length;
    }
    this.#notify();
  }

  #cut(count: number): Buffer {
    const taken: Buffer[] = [];
    let missing = count;
    while (missing > 0) {
      const first = this.#chunks[0]!;
      if (first.length <= missing) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(missing);
      taken.push(first.subarray(0, missing));
      missing -= Math.min(missing, first.length);
    }
    this.#unreadBytes -= count;
    return taken.length === 1 ? taken[0]! : Buffer.concat(taken);
  }

  #whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** `isPromised`: it is an error when the connection ends without. */
  async #until(isDone: () => boolean, what: string, isPromised = true): Promise<void> {
    let isLate = false;
    const onLate = () => {
      isLate = true;
      this.#notify();
    };
    const timer = Number.isFinite(this.#readTimeoutMs) ? setTimeout(onLate, this.#readTimeoutMs) : undefined;
    let seenBytes = this.receivedBytes;
    try {
      while (!isDone()) {
        // However slow the machine: what comes is no time-out.
        if (this.receivedBytes !== seenBytes) timer?.refresh();
        seenBytes = this.receivedBytes;
        const isOver = this.isClosed || this.isEnded;
        if (isPromised && isOver)
          throw new ConnectionGone(this.#describe(what, this.error?.code ?? 'closed'));
        if (isLate) throw new Error(this.#describe(what, 'timed out'));
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #describe(what: string, why: string): string {
    const unread = this.#whole();
    const text = JSON.stringify(unread.toString('latin1', 0, 300));
    return `Waited for ${what}: ${why}; ${unread.length} bytes unread: ${text}`;
  }

  #notify(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
