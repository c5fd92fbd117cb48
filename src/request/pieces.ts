/*
 * What a filter makes of one write, gathered: a body in which much is replaced would else go out in as many writes.
 */
import type { BodySink } from './body-sink.js';

/** Pieces of a body, in order, on their way to the next sink. */
export class Pieces {
  private readonly list: Buffer[] = [];
  private bytes = 0;
  private isAnyBorrowed = false;

  add(piece: Buffer, isBorrowed: boolean): void {
    if (piece.length === 0) return;
    this.list.push(piece);
    this.bytes += piece.length;
    this.isAnyBorrowed ||= isBorrowed;
  }

  /** Writes what was gathered; what is borrowed must not have changed since. */
  sendTo(sink: BodySink): void {
    const { list, bytes, isAnyBorrowed } = this;
    if (bytes === 0) return;
    const whole = list.length === 1 ? list[0]! : Buffer.concat(list, bytes);
    const isBorrowed = list.length === 1 && isAnyBorrowed;
    this.clear();
    sink.write(whole, isBorrowed);
  }

  clear(): void {
    this.list.length = 0;
    this.bytes = 0;
    this.isAnyBorrowed = false;
  }
}
