/*
 * The end of the way of a response whose head went to the client as the upstream sent it, where what follows no
 * longer goes straight on: payload with its framing to the client's connection.
 */
import { BodySink, type DrainListener } from './body-sink.js';
import type { HttpRequest } from './http-request.js';

/** Writes one such body. */
export class ClientPayloadSink extends BodySink implements DrainListener {
  private readonly request: HttpRequest;
  private readonly isChunked: boolean;

  constructor(request: HttpRequest, isChunked: boolean) {
    super();
    this.request = request;
    this.isChunked = isChunked;
    request.client.drainListener = this;
  }

  write(bytes: Buffer, isBorrowed: boolean): void {
    const { request } = this;
    const { connection } = request.client;
    const kept = isBorrowed ? Buffer.from(bytes) : bytes;
    request.bytesSent += bytes.length;
    if (this.isChunked) {
      const size = bytes.length.toString(16);
      request.bytesSent += size.length + 4;
      connection.writeParts(`${size}\r\n`, kept, '\r\n');
    } else connection.writeBytes(kept);
    request.client.noteWritten();
  }

  flush(): void {}

  end(): void {
    const { request } = this;
    const { client } = request;
    if (this.isChunked) {
      const text = `0\r\n${request.response.trailers?.toLines() ?? ''}\r\n`;
      request.bytesSent += text.length;
      client.connection.writeText(text);
    }
    request.isResponseComplete = true;
    client.endResponse();
  }

  get isBlocked(): boolean {
    return this.request.client.connection.hasPendingWrites;
  }

  onDrain(): void {
    this.source.onDrain();
  }

  abort(): void {}
}
