/*
 * What a resolver has under way: lookups of names, their questions, and who waits for them.
 */
import { Deadline, type DeadlineOwner, type TimerWheel } from '../../core/timer-wheel.js';
import { type DnsAnswer, type DnsService, encodeQuestion } from './dns-message.js';
import type { NameServer } from './name-server.js';

/** What is known of a name. */
export interface CacheEntry {
  /** 0, or why there is nothing. */
  readonly code: number;
  readonly addresses: readonly string[];
  readonly services: readonly DnsService[];
  /** Another name to ask for; null where the entry says all. */
  readonly cname: string | null;
  /** Until when whoever asks regularly needn't do so. */
  readonly validUntilMs: number;
  /** Until when it answers those who ask. */
  readonly keptUntilMs: number;
}

export type WaiterCallback = (entry: CacheEntry, isCached: boolean) => void;

/** Is told of lookups whose server says nothing. */
export interface LookupOwner {
  onSilence(lookup: Lookup): void;
}

/** One name being asked for, by all who want it. Lives on without any, as its answer may yet come. */
export class Lookup implements DeadlineOwner {
  readonly key: string;
  readonly questions: Question[];
  readonly waiters: Set<Waiter>;
  /** Runs until the next server's turn. */
  readonly deadline: Deadline;
  server: NameServer | null;
  serverIndex: number;
  /** How many times servers were asked. */
  askedCount: number;
  private readonly owner: LookupOwner;

  constructor(key: string, wheel: TimerWheel, owner: LookupOwner) {
    this.key = key;
    this.questions = [];
    this.waiters = new Set();
    this.deadline = new Deadline(wheel, this);
    this.server = null;
    this.serverIndex = 0;
    this.askedCount = 0;
    this.owner = owner;
  }

  onDeadline(): void {
    this.owner.onSilence(this);
  }

  /** No more is asked. */
  close(): void {
    this.deadline.cancel();
  }
}

/** One question of a lookup, and its answer. */
export class Question {
  readonly lookup: Lookup;
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly message: Buffer;
  /** An answer did not fit into a packet. */
  isTcp: boolean;
  answer: DnsAnswer | null;

  constructor(lookup: Lookup, id: number, name: string, type: number) {
    this.lookup = lookup;
    this.id = id;
    this.name = name;
    this.type = type;
    this.message = encodeQuestion(id, name, type);
    this.isTcp = false;
    this.answer = null;
  }
}

/** Somebody who wants to know a name. */
export class Waiter implements DeadlineOwner {
  /** Runs from the beginning, whatever aliases there are to follow. */
  readonly deadline: Deadline;
  lookup: Lookup | null;
  /** How many were followed. */
  aliases: number;
  isDone: boolean;
  private readonly done: WaiterCallback;
  private readonly timeout: () => CacheEntry;

  /** `timeout` makes what is told when the deadline has passed. */
  constructor(wheel: TimerWheel, done: WaiterCallback, timeout: () => CacheEntry) {
    this.deadline = new Deadline(wheel, this);
    this.lookup = null;
    this.aliases = 0;
    this.isDone = false;
    this.done = done;
    this.timeout = timeout;
  }

  end(entry: CacheEntry, isCached: boolean): void {
    if (this.isDone) return;
    this.leave();
    this.done(entry, isCached);
  }

  /** Wants nothing any more. */
  leave(): void {
    this.isDone = true;
    this.deadline.cancel();
    this.lookup?.waiters.delete(this);
    this.lookup = null;
  }

  onDeadline(): void {
    this.end(this.timeout(), false);
  }
}
