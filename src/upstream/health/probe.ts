/*
 * One check of one peer: a connection of its own, one request, and whether the answer is as it must be.
 */
import { describeErrno } from '../../core/errno.js';
import { Deadline, type DeadlineOwner, type TimerWheel } from '../../core/timer-wheel.js';
import { BodyDecoder, BodyKind } from '../../http/h1/body-decoder.js';
import { DEFAULT_HEAD_LIMITS, INCOMPLETE, MALFORMED } from '../../http/h1/malformed.js';
import { ResponseHead } from '../../http/h1/response-head.js';
import { type Address, formatAddress } from '../../net/address.js';
import type { Connection, DefectReporter } from '../../net/connection.js';
import { type ConnectHandler, connect } from '../../net/connector.js';
import type { UpstreamTls } from '../upstream-tls.js';
import type { HealthMatch } from './health-match.js';

/** As much of a body is looked at as nginx Plus does. */
const MAX_BODY = 256 * 1024;

/** What is asked, and for how long an answer is waited for. */
export interface ProbeOptions {
  /** The whole request, as latin1 text. */
  readonly request: string;
  readonly match: HealthMatch;
  readonly timeoutMs: number;
  /** Null: it is asked without TLS. */
  readonly tls: UpstreamTls | null;
  readonly wheel: TimerWheel;
  readonly onDefect: DefectReporter;
}

/** `reason` is null for a peer that answered as it must. Called once. */
export type ProbeEnd = (reason: string | null) => void;

export class Probe implements ConnectHandler, DeadlineOwner {
  private readonly options: ProbeOptions;
  private readonly connection: Connection;
  private readonly deadline: Deadline;
  private readonly head: ResponseHead;
  private readonly body: BodyDecoder;
  private hasHead: boolean;
  private held: Buffer;
  private text: string;
  private end: ProbeEnd | null;

  /** Begins to connect. */
  constructor(address: Address, options: ProbeOptions, end: ProbeEnd) {
    this.options = options;
    this.head = new ResponseHead(DEFAULT_HEAD_LIMITS);
    this.body = new BodyDecoder(DEFAULT_HEAD_LIMITS);
    this.hasHead = false;
    this.held = Buffer.alloc(0);
    this.text = '';
    this.end = end;
    this.deadline = new Deadline(options.wheel, this);
    this.deadline.set(options.timeoutMs);
    const tls = options.tls?.optionsFor(formatAddress(address)) ?? null;
    this.connection = connect(address, this, options.onDefect, null, tls);
  }

  get served(): Connection {
    return this.connection;
  }

  /** Nobody wants to know any more. */
  cancel(): void {
    this.end = null;
    this.leave();
  }

  onConnect(): void {
    this.connection.writeText(this.options.request);
  }

  onBytes(bytes: Buffer, end: number): void {
    if (this.end === null) return;
    if (this.hasHead) this.readBody(bytes, 0, end);
    else {
      const whole =
        this.held.length === 0 ? bytes.subarray(0, end) : Buffer.concat([this.held, bytes.subarray(0, end)]);
      this.readHead(whole);
    }
  }

  onEnd(): void {
    if (this.hasHead && this.body.endAtClose()) this.judgeBody();
    else this.finish('it closed the connection before its answer was whole');
  }

  onDrain(): void {}

  onClose(error: NodeJS.ErrnoException | null): void {
    const why = error === null ? 'it closed the connection' : describeErrno(error.code ?? error.message);
    this.finish(why);
  }

  onDeadline(): void {
    this.finish('it did not answer in time');
  }

  private readHead(bytes: Buffer): void {
    const after = this.head.parse(bytes, 0, bytes.length);
    if (after === INCOMPLETE) {
      this.held = Buffer.from(bytes);
      return;
    }
    if (after === MALFORMED) {
      this.finish(`it sent ${this.head.malformed!.reason}`);
      return;
    }
    const { head } = this;
    if (head.status < 200) {
      head.reset();
      this.held = Buffer.alloc(0);
      if (after < bytes.length) this.readHead(bytes.subarray(after));
      return;
    }
    const { match } = this.options;
    if (!match.head.every((condition) => condition(head))) {
      this.finish(`its answer with status ${head.status} is not as it must be`);
      return;
    }
    if (match.body.length === 0) {
      this.finish(null);
      return;
    }
    this.hasHead = true;
    let kind: number = BodyKind.untilClose;
    if (head.status === 204 || head.status === 304) kind = BodyKind.none;
    else if (head.isChunked) kind = BodyKind.chunked;
    else if (head.contentLength >= 0) kind = BodyKind.length;
    this.body.start(kind, head.contentLength);
    this.readBody(bytes, after, bytes.length);
  }

  private readBody(bytes: Buffer, start: number, end: number): void {
    const { body } = this;
    if (body.decode(bytes, start, end) === MALFORMED) {
      this.finish(`it sent ${body.reason}`);
      return;
    }
    this.text += bytes.toString('latin1', body.payloadStart, body.payloadEnd);
    if (body.isComplete || this.text.length >= MAX_BODY) this.judgeBody();
  }

  private judgeBody(): void {
    const isGood = this.options.match.body.every((condition) => condition(this.text));
    this.finish(isGood ? null : "its answer's body is not as it must be");
  }

  private finish(reason: string | null): void {
    const { end } = this;
    this.end = null;
    this.leave();
    end?.(reason);
  }

  private leave(): void {
    this.deadline.cancel();
    this.connection.destroy();
  }
}
