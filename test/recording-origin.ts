/*
 * An origin that records what it is sent, byte by byte, and answers every request it can read without
 * doubt; what it can't, it answers by closing.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { readStrictRequests, type StrictRequest } from './strict-requests.js';

/** What one connection brought. */
export class RecordedConnection {
  /** All bytes, as latin1 text. */
  text = '';
  /** What they say as far as it is whole. */
  requests: StrictRequest[] = [];
  /** What was ambiguous in them; null when nothing was. */
  offence: string | null = null;
  #readTo = 0;

  /** Takes in more; gives how many requests are whole now that were not before. */
  take(bytes: Buffer): number {
    this.text += bytes.toString('latin1');
    const { requests, unfinishedBytes, offence } = readStrictRequests(this.text.slice(this.#readTo));
    this.requests.push(...requests);
    this.#readTo = this.text.length - unfinishedBytes;
    this.offence ??= offence;
    return requests.length;
  }

  /** Forgets what was read. */
  forget(): void {
    this.text = this.text.slice(this.#readTo);
    this.requests = [];
    this.#readTo = 0;
  }
}

/** An origin on a port of its own. */
export class RecordingOrigin {
  /** Those that brought bytes, in the order in which they did. */
  connections: RecordedConnection[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `answer` is what every request gets. */
  constructor(answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n') {
    this.#server = createServer((socket) => this.#accept(socket, answer));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Requests it read whole, on all its connections. */
  get requestCount(): number {
    return this.connections.reduce((sum, { requests }) => sum + requests.length, 0);
  }

  /** What was ambiguous in what it was sent; null when nothing was. */
  get offence(): string | null {
    return this.connections.find(({ offence }) => offence !== null)?.offence ?? null;
  }

  /** All it was sent. */
  get text(): string {
    return this.connections.map(({ text }) => text).join('');
  }

  /** Forgets what it has read. */
  forget(): void {
    for (const connection of this.connections) connection.forget();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket, answer: string): void {
    const connection = new RecordedConnection();
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (connection.text === '') this.connections = this.connections.filter((each) => each !== connection);
    });
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      if (!this.connections.includes(connection)) this.connections.push(connection);
      socket.write(answer.repeat(connection.take(bytes)));
      if (connection.offence !== null) socket.end();
    });
  }
}
