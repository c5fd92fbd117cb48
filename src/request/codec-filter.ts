/*
 * A body through one of Node's codecs (gzip, gunzip, brotli ...), which work in other threads: here their order,
 * backpressure, flushes, errors and end are brought into line with the chain of sinks.
 */
import type { BrotliCompress, Gunzip, Gzip } from 'node:zlib';
import { eventClock } from '../core/clock.js';
import { BodyFilter } from './body-sink.js';
import { logErrorOf } from './error-line.js';
import type { HttpRequest } from './http-request.js';
import { finalize } from './lifecycle.js';

/** What all of Node's codecs are. */
export type Codec = Gzip | Gunzip | BrotliCompress;

/**
 * A small body that is whole before anybody wants to see a part of it is coded at once, which spares a codec and the
 * way to another thread.
 */
const AT_ONCE_BYTES = 16384;

/** One way of coding. */
export interface Coding {
  /** Makes the codec of one body. `length`: how many bytes it will get; -1: not known. */
  create(length: number): Codec;
  /** Codes a whole small body; null for codings that may not (a little decompressed can be a lot). */
  readonly codeAtOnce: ((bytes: Buffer, length: number) => Buffer) | null;
  /** The codec's flush that lets a reader have all that was written (zlib: Z_SYNC_FLUSH). */
  readonly flushKind: number;
  /** What to begin the line in the error log with when the codec fails: `inflate() failed`. */
  readonly failure: string;
}

/** Codes one body. What waits for the codec is bounded by its buffer: then it is blocked. */
export class CodecFilter extends BodyFilter {
  /** Bytes before and after. */
  bytesIn = 0;
  bytesOut = 0;
  private readonly request: HttpRequest;
  private readonly coding: Coding;
  private readonly length: number;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private codec: Codec | null = null;
  private isEnded = false;
  private isAborted = false;

  /** `length`: of the body, -1 if that is not known. */
  constructor(request: HttpRequest, coding: Coding, length: number) {
    super();
    this.request = request;
    this.coding = coding;
    this.length = length;
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (bytes.length === 0 || this.isEnded || this.isAborted) return;
    this.bytesIn += bytes.length;
    const kept = isBorrowed ? Buffer.from(bytes) : bytes;
    if (this.codec === null && this.coding.codeAtOnce !== null) {
      this.heldBytes += kept.length;
      this.held.push(kept);
      if (this.heldBytes > AT_ONCE_BYTES) this.startCodec();
      return;
    }
    this.startCodec().write(kept);
  }

  override flush(): void {
    if (this.isEnded || this.isAborted) return;
    if (this.bytesIn === 0) {
      this.next.flush();
      return;
    }
    // Behind what was written, the codec being in order.
    this.startCodec().flush(this.coding.flushKind, () => {
      if (!this.isAborted && !this.isEnded) this.guard(() => this.next.flush());
    });
  }

  override end(): void {
    if (this.isEnded || this.isAborted) return;
    this.isEnded = true;
    const { codeAtOnce } = this.coding;
    if (this.codec !== null || codeAtOnce === null) {
      this.startCodec().end();
      return;
    }
    const whole = this.held.length === 1 ? this.held[0]! : Buffer.concat(this.held, this.heldBytes);
    this.held = [];
    const coded = codeAtOnce(whole, whole.length);
    this.bytesOut += coded.length;
    this.next.write(coded, false);
    this.next.end();
  }

  override get isBlocked(): boolean {
    const { codec } = this;
    return codec === null ? this.next.isBlocked : codec.writableNeedDrain;
  }

  override onDrain(): void {
    const { codec } = this;
    if (codec === null) this.source.onDrain();
    else codec.resume();
  }

  override abort(): void {
    this.isAborted = true;
    this.held = [];
    this.codec?.destroy();
    this.next.abort();
  }

  private startCodec(): Codec {
    if (this.codec !== null) return this.codec;
    const codec = this.coding.create(this.length);
    this.codec = codec;
    codec.on('data', (bytes: Buffer) => this.guard(() => this.take(codec, bytes)));
    codec.on('drain', () => {
      if (!this.isEnded) this.guard(() => this.source.onDrain());
    });
    codec.on('end', () => this.guard(() => this.next.end()));
    codec.on('error', (error) => this.guard(() => this.fail(error)));
    for (const bytes of this.held) codec.write(bytes);
    this.held = [];
    return codec;
  }

  private take(codec: Codec, bytes: Buffer): void {
    this.bytesOut += bytes.length;
    this.next.write(bytes, false);
    if (this.next.isBlocked) codec.pause();
  }

  private fail(error: Error): void {
    logErrorOf(this.request, 'error', `${this.coding.failure}: ${error.message}`);
    finalize(this.request, 500);
  }

  /** The codec's events come by themselves: a defect in what they lead to ends this request alone. */
  private guard(action: () => void): void {
    if (this.isAborted) return;
    eventClock.refresh();
    try {
      action();
    } catch (defect) {
      this.request.client.connection.failBy(defect);
    }
  }
}
