// The soak's origin: the last part of a path says how it is answered, well or in one of the ways in which servers break
// off.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const smallBody = 'small'.repeat(20);
const bigBody: string = 'big '.repeat(16_384);

/** Answers by the last part of the path, latin1. What stands behind | is left unsaid: the origin goes away there. */
const answers: Record<string, string> = {
  small: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${smallBody.length}\r\n\r\n${smallBody}`,
  big: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${bigBody.length}\r\n\r\n${bigBody}`,
  chunked: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${bigBody.length.toString(16)}\r\n${bigBody}\r\n0\r\n\r\n`,
  last: `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${smallBody.length}\r\n\r\n${smallBody}`,
  'until-end': `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${bigBody}|`,
  nothing: '|',
  'half-head': 'HTTP/1.1 200 OK\r\nContent-Le|',
  'head-only': `HTTP/1.1 200 OK\r\nContent-Length: ${bigBody.length}\r\n\r\n|`,
  'half-body': `HTTP/1.1 200 OK\r\nContent-Length: ${bigBody.length}\r\n\r\n${bigBody.slice(0, 30_000)}|`,
  'half-chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nbeginning|',
  nonsense: 'nonsense\r\n\r\n',
  unasked: `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more`,
};

/** Ways that end in a whole answer. */
export const goodWays = ['small', 'small', 'big', 'chunked', 'last', 'until-end'];

/** All others. */
export const badWays = [
  'nothing',
  'half-head',
  'head-only',
  'half-body',
  'half-chunk',
  'nonsense',
  'unasked',
  'early',
  'reset',
  'reset-in-body',
];

/** A listening origin; `close` ends it and its connections. */
export class SoakOrigin {
  readonly port: number;
  private readonly server: Server;
  readonly sockets: Set<Socket>;

  private constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    this.sockets = new Set();
  }

  static async start(): Promise<SoakOrigin> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }).listen(0, '127.0.0.1', 4096);
    await once(server, 'listening');
    const origin = new SoakOrigin(server);
    server.on('connection', (socket) => origin.serve(socket));
    return origin;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    let text = '';
    let isTunnel = false;
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('end', () => socket.end());
    socket.setEncoding('latin1').on('data', (piece: string) => {
      if (isTunnel) {
        socket.write(piece, 'latin1');
        return;
      }
      text += piece;
      for (let length = lengthOf(text); length > 0; length = lengthOf(text)) {
        const request = text.slice(0, length);
        text = text.slice(length);
        if (/^upgrade: /im.test(request)) {
          isTunnel = true;
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhi');
        } else answer(socket, /\/([\w-]+) HTTP/.exec(request)?.[1] ?? '');
      }
      if (!text.includes('/early HTTP')) return;
      text = '';
      answer(socket, 'last');
    });
  }
}

/** The length of the first request in `text`, with its body; 0 while it isn't whole. */
function lengthOf(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  if (headEnd < 4) return 0;
  const head = text.slice(0, headEnd);
  if (/^transfer-encoding: chunked/im.test(head)) {
    const end = text.indexOf('0\r\n\r\n', headEnd);
    return end < 0 ? 0 : end + 5;
  }
  const end = headEnd + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  return end <= text.length ? end : 0;
}

function answer(socket: Socket, way: string): void {
  if (way === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  const isReset = way === 'reset-in-body';
  const text = answers[isReset ? 'half-body' : way] ?? answers.small!;
  const end = text.indexOf('|');
  if (end < 0) socket.write(text, 'latin1');
  else {
    socket.write(text.slice(0, end), 'latin1', () => {
      if (isReset) socket.resetAndDestroy();
      else socket.end();
    });
  }
}
