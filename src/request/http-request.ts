/*
 * One request of a client and what becomes of it: its head, its body's decoder, status, times and tries.
 * Data only; one object serves many requests in turn.
 */
import { BodyDecoder } from '../http/h1/body-decoder.js';
import { RequestHead } from '../http/h1/request-head.js';
import { FieldId } from '../http/message/field-id.js';
import type { AccessEntry } from '../log/access-log.js';
import { UpstreamTries } from './upstream-tries.js';
import type { VirtualServer } from './virtual-server.js';

/** nginx's status for a client that closed before it was answered; seen in the access log only. */
export const CLIENT_CLOSED_REQUEST = 499;

/** The request under way on a client's connection. */
export class HttpRequest implements AccessEntry {
  readonly head: RequestHead;
  readonly body: BodyDecoder;
  readonly server: VirtualServer;
  remoteAddress: string;
  /** Of the client's connection, for the error log. */
  connectionNumber: number;
  readonly tries: UpstreamTries;
  startMs: number;
  status: number;
  bodyBytesSent: number;
  /** Whether the connection may serve another request after this one. */
  keepsAlive: boolean;
  isResponseStarted: boolean;
  requestTimeMs: number;

  constructor(server: VirtualServer) {
    this.head = new RequestHead(server.headLimits);
    this.body = new BodyDecoder(server.headLimits);
    this.server = server;
    this.remoteAddress = '';
    this.connectionNumber = 0;
    this.tries = new UpstreamTries(server.clock);
    this.startMs = 0;
    this.status = 0;
    this.bodyBytesSent = 0;
    this.keepsAlive = false;
    this.isResponseStarted = false;
    this.requestTimeMs = 0;
  }

  /** A new request of that client begins now. */
  begin(remoteAddress: string, connectionNumber: number): void {
    this.head.reset();
    this.remoteAddress = remoteAddress;
    this.connectionNumber = connectionNumber;
    this.tries.reset();
    this.startMs = this.server.clock.nowMs();
    this.status = 0;
    this.bodyBytesSent = 0;
    this.keepsAlive = false;
    this.isResponseStarted = false;
  }

  /** It is over: one access log line. */
  log(): void {
    const { accessLog } = this.server;
    if (accessLog === null) return;
    this.requestTimeMs = this.server.clock.nowMs() - this.startMs;
    accessLog.log(this);
  }

  /** The Connection line of the response, as the client's version needs it; '' where it says nothing new. */
  get connectionField(): string {
    if (!this.keepsAlive) return 'Connection: close\r\n';
    return this.head.versionMinor === 0 ? 'Connection: keep-alive\r\n' : '';
  }

  /** For an error log line: who asked what. */
  describe(): string {
    const host = this.head.host === '' ? '' : `, host: "${this.head.host}"`;
    return `client: ${this.remoteAddress}, request: "${this.head.requestLine}"${host}`;
  }

  get requestLine(): string {
    return this.head.requestLine;
  }
  get remoteUser(): string {
    return '';
  }
  get referer(): string {
    return this.head.fields.valueOf(FieldId.referer);
  }
  get userAgent(): string {
    return this.head.fields.valueOf(FieldId.userAgent);
  }
  get upstreamAddresses(): string {
    return this.tries.addresses;
  }
  get upstreamStatuses(): string {
    return this.tries.statuses;
  }
  get upstreamConnectTimes(): string {
    return this.tries.connectTimes;
  }
  get upstreamHeaderTimes(): string {
    return this.tries.headerTimes;
  }
  get upstreamResponseTimes(): string {
    return this.tries.responseTimes;
  }
}
