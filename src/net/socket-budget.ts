/*
 * The process's sockets against its limit of descriptors. Past the limit, libuv accepts clients only to
 * close them at once and tells nobody: so accepting pauses before, clients wait in the kernel's queue, and
 * upstream connections wait until a descriptor is free. What pauses a listener is accept-gate.ts, what all
 * threads of the process have open socket-counts.ts.
 */
import { eventClock } from '../core/clock.js';
import { type Descriptors, readDescriptors } from './descriptors.js';
import { CLIENTS, OPEN, SocketCounts } from './socket-counts.js';

/** A listener, as the budget sees it. */
export interface Gate {
  /** No more clients for now. */
  pause(): void;
  resume(): void;
  /** Accepting paused for the first time in a while (true), or has not paused for a while (false). */
  noteShortage(isShort: boolean): void;
  /** A socket is needed: close what nobody would miss. */
  reclaim(): void;
}

/** Left to each thread for what is no socket of ours: name lookups, log files opened anew, files read. */
const RESERVED_DESCRIPTORS = 10;

/** Clients may have this part, so that upstream connections always find some and those accepted get on. */
const CLIENT_PART = 3 / 4;

/** For each thread, however low the limit: a client, its upstream connection, and one more of each. */
const LEAST_SOCKETS = 4;

/** How often connections to close are looked for while there is a shortage. */
const REVIEW_MS = 250;

/** How often the limit is read again meanwhile; with 10,000 descriptors that takes 10 ms. */
const MEASURE_MS = 1000;

/**
 * The last so many looks count for how many descriptors are none of ours, and of them the highest: a socket counts as
 * closed a while after its descriptor is free, so that one look may take many of ours for free ones where much goes on.
 */
const LOOKS = 5;

/** A shortage is over, and the next one worth a line in the log, after this long without a pause. */
const CALM_MS = 10_000;

/**
 * Counts the sockets of a thread, pauses and resumes its gates, and holds back who must wait for a socket. Half of the
 * limit is divided between the threads, so that none is without; the other half is for who comes first.
 */
export class SocketBudget {
  /** How many threads of the process open sockets. */
  threadCount: number;
  /** Whether accepting is paused, so that clients may be waiting. */
  isPaused: boolean;
  private counts: SocketCounts;
  private readonly read: () => Descriptors | null;
  private readonly gates: Set<Gate>;
  /** What opens a socket when there is room, in the order asked. */
  private readonly waiting: (() => void)[];
  private lastPausedMs: number;
  private lastMeasuredMs: number;
  /** What was found in the last looks. */
  private readonly others: number[];
  /** Runs from the first pause until the shortage is over. */
  private review: NodeJS.Timeout | null;

  constructor(read: () => Descriptors | null) {
    this.counts = new SocketCounts();
    this.threadCount = 1;
    this.isPaused = false;
    this.read = read;
    this.gates = new Set();
    this.waiting = [];
    this.lastPausedMs = 0;
    this.lastMeasuredMs = 0;
    this.others = [];
    this.review = null;
  }

  /** Counts from now on where the other threads do. Before the first socket. */
  share(counts: SocketCounts): void {
    this.counts = counts;
  }

  /** How many sockets all threads may have; Infinity where the limit can't be read, and before the first gate. */
  get limit(): number {
    return this.counts.limit;
  }

  set limit(sockets: number) {
    this.counts.limit = sockets;
  }

  /** Of all threads. */
  get openCount(): number {
    return this.counts.sum(OPEN);
  }

  /** Whether an upstream connection can be opened now. */
  get hasRoom(): boolean {
    return this.counts.hasRoom(OPEN, this.limit, this.threadCount);
  }

  /** Whether somebody waits for a socket: what is kept only for later should be closed. */
  get isAwaited(): boolean {
    return this.waiting.length > 0;
  }

  /** A socket was opened. */
  noteOpened(isClient: boolean): void {
    this.counts.add(isClient, 1);
    if (!this.isPaused && !this.hasClientRoom) this.pause();
  }

  /** A socket could not be opened for want of descriptors: others have taken those that seemed left. */
  noteExhausted(): void {
    // Nothing can be read now; the next review tells more.
    this.limit = Math.max(this.leastSockets, Math.min(this.limit, this.openCount - 1));
    if (!this.isPaused) this.pause();
  }

  /** A socket was closed; its descriptor is free already. */
  noteClosed(isClient: boolean): void {
    this.counts.add(isClient, -1);
    if (this.isPaused || this.waiting.length > 0) this.settle();
  }

  /** Calls `open` as soon as there is room for one more socket, never before this returns. */
  whenRoom(open: () => void): void {
    this.waiting.push(open);
    // If other threads have taken the room, nothing was paused here that would look for it again.
    if (this.isPaused) for (const gate of this.gates) gate.reclaim();
    else this.pause();
  }

  /** A gate opens, its own descriptor included in what is counted now. */
  addGate(gate: Gate): void {
    this.gates.add(gate);
    this.measure();
    if (this.isPaused) gate.pause();
    else if (!this.hasClientRoom) this.pause();
  }

  removeGate(gate: Gate): void {
    this.gates.delete(gate);
    if (this.gates.size > 0) return;
    this.endReview();
    this.counts.noteShortage(false);
  }

  /** Reads the limit again: it was changed, or descriptors that are none of ours came or went. */
  measure(): void {
    this.lastMeasuredMs = eventClock.nowMs();
    const before = this.openCount;
    const descriptors = this.read();
    if (descriptors === null) return;
    // Other threads open and close while this one reads.
    this.others.push(descriptors.open - Math.min(before, this.openCount));
    if (this.others.length > LOOKS) this.others.shift();
    const reserved = RESERVED_DESCRIPTORS * this.threadCount;
    this.limit = Math.max(this.leastSockets, descriptors.limit - Math.max(...this.others) - reserved);
  }

  private get leastSockets(): number {
    return LEAST_SOCKETS * this.threadCount;
  }

  private get hasClientRoom(): boolean {
    if (this.waiting.length > 0 || !this.hasRoom) return false;
    return this.counts.hasRoom(CLIENTS, Math.ceil(this.limit * CLIENT_PART), this.threadCount);
  }

  private pause(): void {
    if (this.gates.size === 0) return;
    if (!this.isPaused) for (const gate of this.gates) gate.pause();
    this.isPaused = true;
    if (this.review === null) {
      this.noteShortage(true);
      this.review = setInterval(() => this.reviewShortage(), REVIEW_MS);
    }
    // A paused listener alone would not keep the process alive.
    this.review.ref();
    for (const gate of this.gates) gate.reclaim();
  }

  private settle(): void {
    while (this.waiting.length > 0 && this.hasRoom) this.waiting.shift()!();
    if (!this.isPaused || !this.hasClientRoom) return;
    this.isPaused = false;
    this.lastPausedMs = eventClock.nowMs();
    this.review?.unref();
    for (const gate of this.gates) gate.resume();
  }

  private reviewShortage(): void {
    eventClock.refresh();
    const nowMs = eventClock.nowMs();
    if (nowMs - this.lastMeasuredMs >= MEASURE_MS) this.measure();
    this.settle();
    if (!this.hasClientRoom) this.pause();
    if (this.isPaused || nowMs - this.lastPausedMs < CALM_MS) return;
    this.endReview();
    this.noteShortage(false);
  }

  /** Told by the thread that runs short first, and by the last one that is no more. */
  private noteShortage(isShort: boolean): void {
    if (this.counts.noteShortage(isShort)) for (const gate of this.gates) gate.noteShortage(isShort);
  }

  private endReview(): void {
    if (this.review !== null) clearInterval(this.review);
    this.review = null;
    this.isPaused = false;
  }
}

/** The budget of this thread: descriptors are the process's, whoever opens them. */
export const SOCKETS = new SocketBudget(readDescriptors);
