/*
 * One name server: questions go there by UDP, or by TCP when an answer did not fit. What comes back is handed on as
 * it is; when to ask again is the resolver's.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { eventClock } from '../../core/clock.js';
import { Deadline, type DeadlineOwner, type TimerWheel } from '../../core/timer-wheel.js';
import { type Address, formatAddress } from '../address.js';
import type { Connection, DefectReporter } from '../connection.js';
import { type ConnectHandler, connect } from '../connector.js';

/** How long a question by TCP may take. */
const TCP_TIMEOUT_MS = 5000;

/** Questions that wait for the socket to be there; more are dropped, as by a network. */
const MAX_WAITING = 1000;

/** What a name server brings; also what goes wrong with it. */
export interface NameServerListener {
  /** A message came. It is borrowed. */
  onMessage(server: NameServer, message: Uint8Array, isTcp: boolean): void;
  /** Questions that were sent there are in vain. */
  onServerError(server: NameServer, reason: string): void;
}

export class NameServer {
  readonly address: Address;
  /** For logs. */
  readonly name: string;
  private readonly listener: NameServerListener;
  private readonly wheel: TimerWheel;
  private readonly onDefect: DefectReporter;
  private socket: Socket | null;
  private isConnected: boolean;
  private waiting: Buffer[];
  private readonly questions: Set<TcpQuestion>;

  constructor(address: Address, listener: NameServerListener, wheel: TimerWheel, onDefect: DefectReporter) {
    this.address = address;
    this.name = formatAddress(address);
    this.listener = listener;
    this.wheel = wheel;
    this.onDefect = onDefect;
    this.socket = null;
    this.isConnected = false;
    this.waiting = [];
    this.questions = new Set();
  }

  sendUdp(message: Buffer): void {
    const socket = this.socket ?? this.open();
    if (this.isConnected) socket.send(message);
    else if (this.waiting.length < MAX_WAITING) this.waiting.push(message);
  }

  sendTcp(message: Buffer): void {
    const question = new TcpQuestion(this, message, this.listener, this.wheel, this.onDefect);
    this.questions.add(question);
    question.whenOver = () => this.questions.delete(question);
  }

  /** Lets go of its sockets. What was asked has no answer. */
  close(): void {
    this.discard();
    for (const question of this.questions) question.close();
  }

  /**
   * security: the socket is a connected one, so the kernel drops what comes from elsewhere, and the port is the
   * system's choice.
   */
  private open(): Socket {
    const socket = createSocket(isIPv6(this.address.host) ? 'udp6' : 'udp4');
    socket.unref();
    socket.on('message', (message) => {
      eventClock.refresh();
      this.guard(() => this.listener.onMessage(this, message, false));
    });
    socket.on('error', (error) => {
      if (this.socket !== socket) return;
      eventClock.refresh();
      this.discard();
      this.guard(() => this.listener.onServerError(this, error.message));
    });
    socket.on('connect', () => {
      this.isConnected = true;
      for (const message of this.waiting.splice(0)) socket.send(message);
    });
    this.socket = socket;
    socket.connect(this.address.port, this.address.host);
    return socket;
  }

  private discard(): void {
    const { socket } = this;
    this.socket = null;
    this.isConnected = false;
    this.waiting = [];
    socket?.close();
  }

  private guard(call: () => void): void {
    try {
      call();
    } catch (defect) {
      this.onDefect(defect);
    }
  }
}

/** One question by TCP, on a connection of its own. */
class TcpQuestion implements ConnectHandler, DeadlineOwner {
  /** Called when the connection is gone. */
  whenOver: () => void;
  private readonly server: NameServer;
  private readonly message: Buffer;
  private readonly listener: NameServerListener;
  private readonly deadline: Deadline;
  private readonly connection: Connection;
  private received: Buffer;
  private isDone: boolean;

  constructor(
    server: NameServer,
    message: Buffer,
    listener: NameServerListener,
    wheel: TimerWheel,
    onDefect: DefectReporter,
  ) {
    this.whenOver = () => {};
    this.server = server;
    this.message = message;
    this.listener = listener;
    this.deadline = new Deadline(wheel, this);
    this.received = Buffer.alloc(0);
    this.isDone = false;
    this.deadline.set(TCP_TIMEOUT_MS);
    this.connection = connect(server.address, this, onDefect);
  }

  get served(): Connection {
    return this.connection;
  }

  /** Nobody wants the answer any more. */
  close(): void {
    this.isDone = true;
    this.deadline.cancel();
    this.connection.destroy();
  }

  onConnect(): void {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.message.length);
    this.connection.writeBytes(Buffer.concat([length, this.message]));
  }

  onBytes(bytes: Buffer, end: number): void {
    if (this.isDone) return;
    // Bounded by the 64 KB that the length has room for.
    this.received = Buffer.concat([this.received, bytes.subarray(0, end)]);
    if (this.received.length < 2) return;
    const length = this.received.readUInt16BE();
    if (this.received.length < 2 + length) return;
    this.close();
    this.listener.onMessage(this.server, this.received.subarray(2, 2 + length), true);
  }

  onEnd(): void {
    this.fail('closed the connection');
  }

  onDrain(): void {}

  onClose(error: NodeJS.ErrnoException | null): void {
    this.fail(error?.message ?? 'closed the connection');
    this.whenOver();
  }

  onDeadline(): void {
    this.fail('did not answer by TCP in time');
  }

  private fail(reason: string): void {
    if (this.isDone) return;
    this.close();
    this.listener.onServerError(this.server, reason);
  }
}
