/*
 * Messages to a server over UDP: sent at once, lost where they can't be, which is what UDP promises.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Address } from './address.js';

/** Held while the server's name is looked up. */
const MAX_WAITING = 256;

/** How long a socket that failed is left alone. */
const RETRY_MS = 1000;

/** Sends messages to one server. */
export class DatagramSender {
  readonly #address: Address;
  readonly #onError: (error: NodeJS.ErrnoException) => void;
  #socket: Socket | null;
  #isConnected: boolean;
  #isClosing: boolean;
  #waiting: Buffer[];
  #retryMs: number;

  /** @param onError told when the server cannot be reached at all; once a second at most */
  constructor(address: Address, onError: (error: NodeJS.ErrnoException) => void) {
    this.#address = address;
    this.#onError = onError;
    this.#socket = null;
    this.#isConnected = false;
    this.#isClosing = false;
    this.#waiting = [];
    this.#retryMs = Number.NEGATIVE_INFINITY;
  }

  send(message: Buffer): void {
    const socket = this.#socket ?? this.#open();
    if (socket === null) return;
    if (this.#isConnected) socket.send(message, ignoreError);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(message);
  }

  close(): void {
    // What waits for the name still goes out.
    if (this.#socket !== null && this.#waiting.length > 0) this.#isClosing = true;
    else this.#end();
  }

  #open(): Socket | null {
    const { host, port } = this.#address;
    if (performance.now() < this.#retryMs) return null;
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    this.#socket = socket;
    // A server that isn't there tells so by ICMP; it may come back, so the socket stays.
    socket.on('error', (error) => {
      if (!this.#isConnected) this.#fail(error);
    });
    socket.unref();
    // Node calls it with the error of the look-up, which its types don't tell.
    socket.connect(port, host, (error?: NodeJS.ErrnoException | null) => {
      if (this.#socket !== socket) return;
      if (error) {
        this.#fail(error);
        return;
      }
      this.#isConnected = true;
      for (const message of this.#waiting.splice(0)) socket.send(message, ignoreError);
      if (this.#isClosing) this.#end();
    });
    return socket;
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#retryMs = performance.now() + RETRY_MS;
    this.#waiting = [];
    this.#end();
    this.#onError(error);
  }

  #end(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isConnected = false;
    if (socket === null) return;
    socket.on('error', ignoreError);
    socket.close();
  }
}

function ignoreError(): void {}
