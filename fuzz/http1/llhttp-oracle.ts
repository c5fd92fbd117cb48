/*
 * Requests and responses as llhttp reads them, Node's strict parser, reached through node:http over
 * connections in memory.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as startRequest,
} from 'node:http';
import { Duplex } from 'node:stream';
import type { Fields, Message, Reading } from './reading.js';

/** Larger than Sluice's own limits, which are not what is compared. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** A connection that brings `bytes` and then ends; what is written to it is lost. */
class OneWay extends Duplex {
  /** What is read from it. */
  readonly reading: Reading;
  /** node:http's object for each message of the reading that may have a body. */
  readonly incoming: Map<Message, IncomingMessage>;
  #bytes: Buffer | null;

  constructor(bytes: Buffer) {
    super({ allowHalfOpen: true });
    this.reading = { messages: [], end: 'whole', why: '', heads: [] };
    this.incoming = new Map();
    this.#bytes = bytes;
  }

  /** Resolves with the reading once it is closed. */
  whenClosed(): Promise<Reading> {
    return new Promise((resolve) => {
      // Later, since the last events of its messages may come behind.
      this.on('close', () => setImmediate(() => resolve(this.#finish())));
    });
  }

  #finish(): Reading {
    const { reading } = this;
    for (const message of reading.messages) {
      const incoming = this.incoming.get(message);
      message.isWhole ||= incoming?.complete ?? false;
      if (message.isWhole) message.trailers = toPairs(incoming?.rawTrailers ?? []);
      else {
        message.body = '';
        if (reading.end === 'whole') reading.end = 'unfinished';
      }
    }
    return reading;
  }

  override _read(): void {
    if (this.#bytes === null) return;
    if (this.#bytes.length > 0) this.push(this.#bytes);
    this.#bytes = null;
    // Later, since node:http drops what it has parsed but not handed on when a connection ends.
    setImmediate(() => setImmediate(() => this.push(null)));
  }

  override _write(_chunk: unknown, _encoding: unknown, callback: () => void): void {
    callback();
  }

  // What node:http expects of a socket besides.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** Reads all requests of a connection that carries `bytes` and is then closed. */
export class RequestOracle {
  readonly #server: Server;

  constructor() {
    this.#server = createServer({
      insecureHTTPParser: false,
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: 0,
      connectionsCheckingInterval: 2 ** 31 - 1,
    });
    this.#server.maxHeadersCount = 0;
    const take = (incoming: IncomingMessage, response: ServerResponse) => {
      takeMessage(incoming, `${incoming.method} ${incoming.url} HTTP/${incoming.httpVersion}`);
      response.end();
    };
    this.#server.on('request', take);
    this.#server.on('checkContinue', take);
    this.#server.on('checkExpectation', take);
    this.#server.on('connect', (incoming, socket) => {
      takeMessage(incoming, `${incoming.method} ${incoming.url} HTTP/${incoming.httpVersion}`).isWhole = true;
      socket.destroy();
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      noteError((socket as OneWay).reading, error);
      socket.destroy();
    });
  }

  read(bytes: Buffer): Promise<Reading> {
    const socket = new OneWay(bytes);
    this.#server.emit('connection', socket);
    return socket.whenClosed();
  }
}

/** Reads the responses to a request of `method` on a connection that carries `bytes` and is then closed. */
export async function readResponsesWithLlhttp(bytes: Buffer, method: string): Promise<Reading> {
  const socket = new OneWay(bytes);
  const { reading } = socket;
  const client = startRequest({
    method,
    host: 'a',
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    createConnection: () => socket,
  });
  client.maxHeadersCount = 0;
  client.on('information', ({ statusCode, statusMessage, rawHeaders }) => {
    const start = `${statusCode} ${statusMessage}`;
    reading.messages.push({ start, fields: toPairs(rawHeaders), body: '', trailers: [], isWhole: true });
  });
  const take = (incoming: IncomingMessage) =>
    takeMessage(incoming, `${incoming.statusCode} ${incoming.statusMessage}`);
  client.on('response', take);
  client.on('upgrade', (incoming, upgraded) => {
    take(incoming).isWhole = true;
    upgraded.destroy();
  });
  client.on('error', (error) => noteError(reading, error));
  client.end();
  const result = await socket.whenClosed();
  const isFinal = ({ start, isWhole }: Message) => isWhole && /^(?:[2-9]|101)/.test(start);
  // What follows the response is nobody's.
  if (result.messages.some(isFinal)) result.end = 'whole';
  else if (result.end === 'whole') result.end = 'unfinished';
  return result;
}

function takeMessage(incoming: IncomingMessage, start: string): Message {
  const fields = toPairs(incoming.rawHeaders);
  const message: Message = { start, fields, body: '', trailers: [], isWhole: false };
  const socket = incoming.socket as unknown as OneWay;
  socket.reading.messages.push(message);
  socket.incoming.set(message, incoming);
  incoming.on('data', (bytes: Buffer) => {
    message.body += bytes.toString('latin1');
  });
  incoming.on('error', () => {});
  return message;
}

function toPairs(flat: readonly string[]): Fields {
  const pairs: Fields = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
  return pairs;
}

function noteError(reading: Reading, error: NodeJS.ErrnoException): void {
  const code = error.code ?? error.message;
  // What follows the last message of a connection is nobody's.
  if (code === 'HPE_CLOSED_CONNECTION') return;
  reading.end = code === 'HPE_INVALID_EOF_STATE' || code === 'ECONNRESET' ? 'unfinished' : 'malformed';
  reading.why = code;
}
