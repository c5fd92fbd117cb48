// The upstream of the uploads: reads every request to the end of its body, by length or chunked, and
// then answers 200. A program of its own (upload-sink.js PORT), on node:net, so that it takes little of
// the core it shares with the load. It checks nothing: what it gets comes from a proxy under test.

import { createServer, type Socket } from 'node:net';

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const headEnd = '\r\n\r\n';
const lastChunk = Buffer.from('\r\n0\r\n\r\n');

const port = Number(process.argv[2]);
createServer({ noDelay: true }, (socket) => new SinkConnection(socket)).listen(port, '127.0.0.1');

class SinkConnection {
  private readonly socket: Socket;
  /** Bytes of an unfinished head, or the last bytes of a chunked body. */
  private rest: Buffer = Buffer.alloc(0);
  private isInBody = false;
  private isChunked = false;
  private missingBytes = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => this.read(bytes));
    socket.on('error', () => socket.destroy());
  }

  private read(bytes: Buffer): void {
    let unread: Buffer | undefined = bytes;
    while (unread !== undefined && unread.length > 0) {
      unread = this.isInBody ? this.readBody(unread) : this.readHead(unread);
    }
  }

  /** Returns what follows the head, or undefined when the head is not whole yet. */
  private readHead(bytes: Buffer): Buffer | undefined {
    const head = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const end = head.indexOf(headEnd);
    if (end < 0) {
      this.rest = head;
      return undefined;
    }
    const fields = head.toString('latin1', 0, end);
    this.rest = Buffer.alloc(0);
    this.isChunked = /^transfer-encoding: *chunked/im.test(fields);
    this.missingBytes = Number(/^content-length: *(\d+)/im.exec(fields)?.[1] ?? 0);
    this.isInBody = this.isChunked || this.missingBytes > 0;
    if (!this.isInBody) this.socket.write(answer);
    // The line end before the first chunk belongs to the search for the last one.
    return head.subarray(this.isChunked ? end + 2 : end + headEnd.length);
  }

  /** Returns what follows the body, or undefined when more of it is to come. */
  private readBody(bytes: Buffer): Buffer | undefined {
    if (this.isChunked) return this.readChunks(bytes);
    if (bytes.length < this.missingBytes) {
      this.missingBytes -= bytes.length;
      return undefined;
    }
    this.isInBody = false;
    this.socket.write(answer);
    return bytes.subarray(this.missingBytes);
  }

  /** The load sends letters only, so the last chunk is found by its bytes alone; no one pipelines here. */
  private readChunks(bytes: Buffer): undefined {
    const tail = bytes.length >= lastChunk.length ? bytes : Buffer.concat([this.rest, bytes]);
    this.rest = tail.subarray(-lastChunk.length);
    if (!this.rest.equals(lastChunk)) return;
    this.rest = Buffer.alloc(0);
    this.isInBody = false;
    this.socket.write(answer);
  }
}
