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
  private heldBytes = 0;
  private isEnded = false;

  /** The sink of a child whose body comes here; all that is written afterwards comes behind it. */
  addPart(whenEnded: () => void): BodySink {
    const part = new Part(this, whenEnded);
    this.parts.push(part);
    return part;
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (this.parts.length === 0) {
      this.next.write(bytes, isBorrowed);
      return;
    }
    this.heldBytes += bytes.length;
    this.parts.push(isBorrowed ? Buffer.from(bytes) : bytes);
  }

  override flush(): void {
    if (this.parts.length === 0) this.next.flush();
  }

  override end(): void {
    this.isEnded = true;
    if (this.parts.length === 0) this.next.end();
  }

  override get isBlocked(): boolean {
    return this.heldBytes >= HELD_BYTES || (this.parts.length === 0 && this.next.isBlocked);
  }

  override onDrain(): void {
    const [first] = this.parts;
    if (first instanceof Part) first.source.onDrain();
    else this.source.onDrain();
  }

  override abort(): void {
    this.parts.length = 0;
    this.next.abort();
  }

  isTurnOf(part: Part): boolean {
    return this.parts[0] === part;
  }

  /** The part whose turn it was is whole. */
  goOn(): void {
    this.parts.shift();
    for (;;) {
      const [first] = this.parts;
      if (first === undefined) break;
      if (first instanceof Part) {
        first.sendHeld();
        if (!first.isEnded) {
          if (!this.next.isBlocked) first.source.onDrain();
          return;
        }
      } else {
        this.heldBytes -= first.length;
        this.next.write(first, false);
      }
      this.parts.shift();
    }
    if (this.isEnded) this.next.end();
    else if (!this.next.isBlocked) this.source.onDrain();
  }
}

/** A child's place in the body. */
class Part extends BodySink {
  isEnded = false;
  private readonly home: Postponer;
  private readonly whenEnded: () => void;
  private held: Buffer[] = [];
  private heldBytes = 0;

  constructor(home: Postponer, whenEnded: () => void) {
    super();
    this.home = home;
    this.whenEnded = whenEnded;
  }

  write(bytes: Buffer, isBorrowed: boolean): void {
    if (this.home.isTurnOf(this)) {
      this.home.next.write(bytes, isBorrowed);
      return;
    }
    this.heldBytes += bytes.length;
    this.held.push(isBorrowed ? Buffer.from(bytes) : bytes);
  }

  flush(): void {
    if (this.home.isTurnOf(this)) this.home.next.flush();
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    const isTurn = this.home.isTurnOf(this);
    this.whenEnded();
    if (isTurn) this.home.goOn();
  }

  get isBlocked(): boolean {
    return this.home.isTurnOf(this) ? this.home.next.isBlocked : this.heldBytes >= HELD_BYTES;
  }

  sendHeld(): void {
    for (const bytes of this.held) this.home.next.write(bytes, false);
    this.held = [];
    this.heldBytes = 0;
  }

  abort(): void {
    this.held = [];
  }
}
