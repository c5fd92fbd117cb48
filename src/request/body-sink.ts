/*
 * The way of a response's body from the one who makes it to the client: a chain of sinks. Each takes bytes, and
 * says when it has enough; nobody waits for a promise.
 */

/** Who writes into a sink and had to stop. */
export interface DrainListener {
  /** The sink it writes to takes more again: `isBlocked` is false. */
  onDrain(): void;
}

/** One that takes a body. After `end` nothing more is written. */
export abstract class BodySink {
  /** Who writes to it. */
  source: DrainListener;

  constructor() {
    this.source = NOBODY;
  }

  /**
   * Takes payload. `isBorrowed`: the bytes will change after the call, so what is kept must be copied; else they
   * stay as they are for good.
   */
  abstract write(bytes: Buffer, isBorrowed: boolean): void;

  /** What was written should reach the client now, though more will come. */
  abstract flush(): void;

  /** That was all. */
  abstract end(): void;

  /** Whether the writer should stop until `source.onDrain()`. What is written nevertheless isn't lost. */
  abstract get isBlocked(): boolean;

  /** The request is over before the body was: lets go of what is held (files, codecs). Passed on by filters. */
  abstract abort(): void;
}

const NOBODY: DrainListener = { onDrain() {} };

/** A sink that passes on, changed or not. By itself it changes nothing: override what should differ. */
export abstract class BodyFilter extends BodySink implements DrainListener {
  /** Where it writes to; set when the chain is built. */
  next: BodySink;

  constructor() {
    super();
    this.next = NOWHERE;
  }

  write(bytes: Buffer, isBorrowed: boolean): void {
    this.next.write(bytes, isBorrowed);
  }

  flush(): void {
    this.next.flush();
  }

  end(): void {
    this.next.end();
  }

  /** One that holds back for a reason of its own overrides this, and calls `this.source.onDrain()` afterwards. */
  get isBlocked(): boolean {
    return this.next.isBlocked;
  }

  /** What it wrote to goes on. */
  onDrain(): void {
    this.source.onDrain();
  }

  abort(): void {
    this.next.abort();
  }
}

/** Takes anything and keeps nothing: the body of an answer to HEAD. */
export class NullSink extends BodySink {
  write(): void {}
  flush(): void {}
  end(): void {}
  get isBlocked(): boolean {
    return false;
  }
  abort(): void {}
}

const NOWHERE: BodySink = new NullSink();
