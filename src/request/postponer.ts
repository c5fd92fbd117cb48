/*
 * Keeps the parts of a response in order when some of them come of subrequests: what is behind an include waits until
 * the include is whole (nginx: the postpone filter). Subrequests run at the same time; each that is ahead of its turn
 * is stopped after a little.
 */
import { BodyFilter, BodySink } from './body-sink.js';

/** How much each part may hold before its turn. */
const HELD_BYTES = 65536;

/** A stage of the chain: its own body and the bodies of children, in the order they were begun. */
export class Postponer extends BodyFilter {
  /** The first one is whose turn it is; none: the body itself. */
  private readonly parts: (Part | Buffer)[] = [];
  /** Of the body itself, behind the parts. */
  private heldBytes = 0;
  private isFlushWanted = false;
  private isEnded = false;
  private isAborted = false;
  /** Called when the body itself is whole and all of it is here, before its end is passed on: the last to add parts. */
  private readonly whenWhole: (() => void)[] = [];

  /** The sink of a child whose body comes here; all that is written afterwards comes behind it. */
  addPart(whenEnded: () => void): BodySink {
    const part = new Part(this, whenEnded);
    this.parts.push(part);
    return part;
  }

  /** Calls back once the body itself is whole: parts that are added then come last of all. */
  beforeEnd(callback: () => void): void {
    this.whenWhole.push(callback);
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (this.parts.length === 0) {
      this.next.write(bytes, isBorrowed);
      return;
    }
    if (bytes.length === 0 || this.isAborted) return;
    this.heldBytes += bytes.length;
    this.parts.push(isBorrowed ? Buffer.from(bytes) : bytes);
  }

  override flush(): void {
    if (this.parts.length === 0) this.next.flush();
    else this.isFlushWanted = true;
  }

  override end(): void {
    for (const callback of this.whenWhole.splice(0)) callback();
    this.isEnded = true;
    if (this.parts.length === 0 && !this.isAborted) this.next.end();
  }

  override get isBlocked(): boolean {
    return this.parts.length === 0 ? this.next.isBlocked : this.heldBytes >= HELD_BYTES;
  }

  override onDrain(): void {
    const [first] = this.parts;
    if (first instanceof Part) first.source.onDrain();
    else if (!this.isEnded) this.source.onDrain();
  }

  override abort(): void {
    this.isAborted = true;
    this.parts.length = 0;
    this.whenWhole.length = 0;
    this.next.abort();
  }

  isTurnOf(part: Part): boolean {
    return this.parts[0] === part;
  }

  /** The part whose turn it was is whole. */
  goOn(): void {
    const wasFull = this.heldBytes >= HELD_BYTES;
    this.parts.shift();
    const next = this.sendHeld();
    if (this.isAborted) return;
    if (this.isFlushWanted && next === null) {
      this.isFlushWanted = false;
      this.next.flush();
    }
    if (next !== null) {
      if (!this.next.isBlocked) next.source.onDrain();
      if (wasFull && this.heldBytes < HELD_BYTES && !this.isEnded) this.source.onDrain();
    } else if (this.isEnded) this.next.end();
    else if (!this.next.isBlocked) this.source.onDrain();
  }

  /** Sends what is there in its turn. The part that is waited for next; null for the body itself. */
  private sendHeld(): Part | null {
    for (;;) {
      const [first] = this.parts;
      if (first === undefined) return null;
      if (first instanceof Part) {
        first.sendHeld();
        if (!first.isEnded) return this.isAborted ? null : first;
      } else {
        this.heldBytes -= first.length;
        this.next.write(first, false);
      }
      this.parts.shift();
    }
  }
}

/** A child's place in the body. */
class Part extends BodySink {
  isEnded = false;
  private readonly home: Postponer;
  private readonly whenEnded: () => void;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private isFlushWanted = false;

  constructor(home: Postponer, whenEnded: () => void) {
    super();
    this.home = home;
    this.whenEnded = whenEnded;
  }

  write(bytes: Buffer, isBorrowed: boolean): void {
    if (this.isEnded) return;
    if (this.home.isTurnOf(this)) {
      this.home.next.write(bytes, isBorrowed);
      return;
    }
    this.heldBytes += bytes.length;
    this.held.push(isBorrowed ? Buffer.from(bytes) : bytes);
  }

  flush(): void {
    if (this.home.isTurnOf(this)) this.home.next.flush();
    else this.isFlushWanted = true;
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    // Those who waited for it write behind it, so it keeps its place until they have.
    this.whenEnded();
    if (this.home.isTurnOf(this)) this.home.goOn();
  }

  get isBlocked(): boolean {
    return this.home.isTurnOf(this) ? this.home.next.isBlocked : this.heldBytes >= HELD_BYTES;
  }

  sendHeld(): void {
    for (const bytes of this.held) this.home.next.write(bytes, false);
    this.held = [];
    this.heldBytes = 0;
    if (this.isFlushWanted) this.home.next.flush();
    this.isFlushWanted = false;
  }

  /** It won't be completed, and so neither will the body that it is a part of. */
  abort(): void {
    this.isEnded = true;
    this.held = [];
  }
}
