/*
 * The servers of a group as they were last changed at run time, in memory that all workers share: who changes them
 * writes all of them down, the others read that and do the same. A worker that starts later reads it too.
 */
import { BroadcastChannel } from 'node:worker_threads';
import { ZoneLock } from '../zones/zone-lock.js';

/** Words of the header. */
const LOCK = 0;
const VERSION = 1;
const LENGTH = 2;
const NEXT_NUMBER = 3;
const HEADER_BYTES = 16;

/** Room for some thousand servers; what isn't used costs nothing. */
export const SHARED_SERVERS_BYTES = 1 << 20;

/** More than one server takes. */
const MOST_OF_ONE = 4096;

/** Of one group. */
export class SharedServers {
  /** Held around every change. */
  readonly lock: ZoneLock;
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly channel: BroadcastChannel;

  /** @param name tells the group from others of the process */
  constructor(memory: SharedArrayBuffer, name: string) {
    this.words = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.bytes = new Uint8Array(memory, HEADER_BYTES);
    // What is half written isn't read: its version is still to come.
    this.lock = new ZoneLock(this.words, LOCK, () => {});
    this.channel = new BroadcastChannel(`sluice servers ${name}`);
    this.channel.unref();
  }

  /** 0 before the first change. */
  get version(): number {
    return Atomics.load(this.words, VERSION);
  }

  /** With the lock held. */
  read(): string {
    return Buffer.from(this.bytes.slice(0, this.words[LENGTH]!)).toString();
  }

  /** Whether a text like that, with one server more, can be written. */
  hasRoomFor(text: string): boolean {
    return Buffer.byteLength(text) + MOST_OF_ONE <= this.bytes.length;
  }

  /** With the lock held; tells the other workers. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.bytes.set(bytes);
    this.words[LENGTH] = bytes.length;
    Atomics.add(this.words, VERSION, 1);
    this.channel.postMessage(null);
  }

  /** Below it all numbers have been given. */
  get nextNumber(): number {
    return Atomics.load(this.words, NEXT_NUMBER);
  }

  /** A number that no worker has given before, at least `least`. */
  takeNumber(least: number): number {
    for (;;) {
      const next = Atomics.load(this.words, NEXT_NUMBER);
      const number = Math.max(next, least);
      if (Atomics.compareExchange(this.words, NEXT_NUMBER, next, number + 1) === next) return number;
    }
  }

  /** Calls back when another worker has written something. */
  watch(onChange: () => void): void {
    this.channel.onmessage = onChange;
  }

  close(): void {
    this.channel.close();
  }
}
