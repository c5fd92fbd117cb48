/*
 * An origin that records what it is sent, byte by byte, and answers every request it can read without
 * doubt; what it can't, it answers by closing.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { readStrictRequests, type StrictReading } from './strict-requests.js';

/** The bytes of one connection, as latin1 text, and what they say. */
export interface RecordedConnection {
  text: string;
  reading: StrictReading;
}

const NOTHING: StrictReading = { requests: [], unfinishedBytes: 0, offence: null };

/** An origin on a port of its own. */
export class RecordingOrigin {
  /** Those that brought bytes, in the order in which they were accepted. */
  readonly connections: RecordedConnection[] = [];
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
    return this.connections.reduce((sum, { reading }) => sum + reading.requests.length, 0);
  }

  /** All it was sent. */
  get text(): string {
    return this.connections.map(({ text }) => text).join('');
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket, answer: string): void {
    const connection: RecordedConnection = { text: '', reading: NOTHING };
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      if (connection.text === '') this.connections.push(connection);
      connection.text += bytes.toString('latin1');
      const answered = connection.reading.requests.length;
      connection.reading = readStrictRequests(connection.text);
      socket.write(answer.repeat(connection.reading.requests.length - answered));
      if (connection.reading.offence !== null) socket.end();
    });
  }
}
