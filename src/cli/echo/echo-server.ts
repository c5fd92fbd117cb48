/*
 * The echo app as a server: answers every request with what it received, as JSON, so that one sees
 * what a proxy sends upstream. On node:http on purpose: an origin that shares no code with the proxy.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Address, formatAddress } from '../../net/address.js';
import { BodyRecorder, describeRequest } from './echo-answer.js';

/** Longer than a proxy keeps an idle upstream connection, so that the echo app is not the one to close it. */
const KEEPALIVE_MS = 120_000;

/** A running echo app. */
export interface EchoServer {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: Address;
  /** Stops accepting and finishes what runs. */
  drain(): Promise<void>;
  /** Ends everything now. */
  stop(): Promise<void>;
}

/** @throws NodeJS.ErrnoException with the code of listen or of the name look-up when it cannot bind */
export async function startEchoServer(address: Address): Promise<EchoServer> {
  const server = createServer({ requestTimeout: 0, headersTimeout: 60_000 });
  server.keepAliveTimeout = KEEPALIVE_MS;
  await listen(server, address);
  const bound: Address =
    address.path === null ? { ...address, port: (server.address() as { port: number }).port } : address;
  const name = formatAddress(bound);
  let isDraining = false;
  server.on('request', (request, response) => {
    answerRequest(request, response, name, () => !isDraining);
  });
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    address: bound,
    drain() {
      isDraining = true;
      server.close();
      return closed;
    },
    stop() {
      server.close();
      server.closeAllConnections();
      return closed;
    },
  };
}

function listen(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    server.listen(
      address.path === null ? { host: address.host, port: address.port } : { path: address.path },
    );
  });
}

function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  serverName: string,
  canKeepAlive: () => boolean,
): void {
  const body = new BodyRecorder();
  request.on('data', (chunk: Buffer) => body.add(chunk));
  // A client that goes away mid-body emits an error here; there is nobody left to tell.
  request.on('error', () => response.destroy());
  request.on('end', () => {
    const answer = describeRequest(request.method ?? '', request.url ?? '', request.rawHeaders, body);
    const bytes = Buffer.from(`${JSON.stringify(answer, null, 2)}\n`);
    response.shouldKeepAlive &&= canKeepAlive();
    response.writeHead(200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': bytes.length,
      'X-Echo-Server': serverName,
    });
    response.end(bytes);
  });
}
