/*
 * Names to addresses by asking name servers (nginx: resolver, resolver_timeout): a cache with times to live, one
 * question for all who wait for a name, other servers when one stays silent, aliases followed.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '../../core/clock.js';
import type { TimerWheel } from '../../core/timer-wheel.js';
import type { Address } from '../address.js';
import type { DefectReporter } from '../connection.js';
import {
  type DnsAnswer,
  DnsMalformed,
  decodeAnswer,
  isDnsName,
  RecordType,
  ResponseCode,
} from './dns-message.js';
import {
  type CacheEntry,
  Lookup,
  type LookupOwner,
  Question,
  Waiter,
  type WaiterCallback,
} from './lookup.js';
import { NameServer, type NameServerListener } from './name-server.js';
import { ServiceLookup, type ServiceResolution } from './service-lookup.js';

/** How long a server may stay silent before the next one is asked, or the only one again. */
const RESEND_MS = 5000;

/** An alias of an alias of ... so often. */
const MAX_ALIASES = 50;

/** How long it is believed that there is nothing of a name, at most; and how long a failure counts for those who retry. */
const NEGATIVE_MS = 10_000;

/** Names that are remembered; the one not asked for longest is forgotten. */
const MAX_CACHED = 10_000;

/** nginx's number for "timed out", which is none of DNS. */
const TIMED_OUT = 110;

export interface ResolverOptions {
  /** Asked in turn. */
  readonly servers: readonly Address[];
  /** How long answers hold, whatever they say of it; null: as they say. */
  readonly validMs: number | null;
  readonly usesIpv4: boolean;
  readonly usesIpv6: boolean;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  /** What servers said wrong. */
  readonly onError: (text: string) => void;
  readonly onDefect: DefectReporter;
  /** Told of each question and of what came of it; null for nobody. Default null. */
  readonly count?: ((what: ResolverEvent) => void) | null;
}

/** What is counted: names, services and addresses that were asked for, and what was answered, in the words of DNS. */
export const RESOLVER_EVENTS = [
  'name',
  'srv',
  'addr',
  'noerror',
  'formerr',
  'servfail',
  'nxdomain',
  'notimp',
  'refused',
  'timedout',
  'unknown',
] as const;
export type ResolverEvent = (typeof RESOLVER_EVENTS)[number];

/** By their codes. */
const ANSWERS: readonly ResolverEvent[] = ['noerror', 'formerr', 'servfail', 'nxdomain', 'notimp', 'refused'];

/** What a name stands for. */
export interface Resolution {
  /** 0, or why there are no addresses: a code of DNS, or TIMED_OUT. */
  readonly code: number;
  /** As text, without ports; none with a code that isn't 0. */
  readonly addresses: readonly string[];
  /** Until when, by the resolver's clock, that needn't be asked again. */
  readonly validUntilMs: number;
}

/** Ends a wait: nothing is told to who waited. */
export type Cancel = () => void;

const NO_CANCEL: Cancel = () => {};

/** `Host not found`, for logs. */
export function describeResolveCode(code: number): string {
  switch (code) {
    case 1:
      return 'Format error';
    case 2:
      return 'Server failure';
    case 3:
      return 'Host not found';
    case 4:
      return 'Unimplemented';
    case 5:
      return 'Operation refused';
    case TIMED_OUT:
      return 'Operation timed out';
    default:
      return 'Unknown error';
  }
}

/** Asks for addresses or services. */
export class Resolver implements NameServerListener, LookupOwner {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  private readonly options: ResolverOptions;
  private readonly servers: readonly NameServer[];
  private nextServer: number;
  /** Names, and services behind "srv ". */
  private readonly cache: Map<string, CacheEntry>;
  private readonly lookups: Map<string, Lookup>;
  private readonly questions: Map<number, Question>;

  constructor(options: ResolverOptions) {
    this.clock = options.clock;
    this.wheel = options.wheel;
    this.options = options;
    this.servers = options.servers.map((each) => new NameServer(each, this, options.wheel, options.onDefect));
    this.nextServer = 0;
    this.cache = new Map();
    this.lookups = new Map();
    this.questions = new Map();
  }

  /**
   * The addresses of a name; `done` is called once, perhaps before this returns. The addresses of a cached name begin
   * anywhere, so that all get used.
   */
  resolve(name: string, timeoutMs: number, done: (resolution: Resolution) => void): Cancel {
    return this.wait(normalize(name), timeoutMs, (entry, isCached) =>
      done({
        code: entry.code,
        addresses: isCached ? rotate(entry.addresses) : entry.addresses,
        validUntilMs: entry.validUntilMs,
      }),
    );
  }

  /** The addresses, with ports and weights, that offer a service of a name: `http`, or `_http._tcp`. */
  resolveService(
    name: string,
    service: string,
    timeoutMs: number,
    done: (resolution: ServiceResolution) => void,
  ): Cancel {
    const prefix = service.includes('.') ? service : `_${service}._tcp`;
    const lookup = new ServiceLookup(this, timeoutMs, done);
    lookup.begin((ended) =>
      this.wait(SERVICE_KEY + normalize(`${prefix}.${name}`), timeoutMs, (entry) => ended(entry)),
    );
    return () => lookup.cancel();
  }

  /** Lets go of sockets and timers. Who waits hears nothing more. */
  close(): void {
    for (const lookup of this.lookups.values()) lookup.close();
    this.lookups.clear();
    this.questions.clear();
    for (const server of this.servers) server.close();
  }

  onMessage(server: NameServer, message: Uint8Array, isTcp: boolean): void {
    try {
      this.accept(server, decodeAnswer(message), isTcp);
    } catch (error) {
      if (!(error instanceof DnsMalformed)) throw error;
      this.options.onError(`${error.message}, resolver: ${server.name}`);
    }
  }

  onServerError(server: NameServer, reason: string): void {
    this.options.onError(`name server ${server.name}: ${reason}`);
    for (const lookup of [...this.lookups.values()]) if (lookup.server === server) this.askNext(lookup);
  }

  private wait(key: string, timeoutMs: number, done: WaiterCallback): Cancel {
    const waiter = new Waiter(this.wheel, done, () => {
      this.options.count?.('timedout');
      return this.failure(TIMED_OUT);
    });
    this.follow(key, waiter);
    if (waiter.isDone) return NO_CANCEL;
    waiter.deadline.set(timeoutMs);
    return () => waiter.leave();
  }

  /** Gives the waiter what is known, or has it wait for it. */
  private follow(key: string, waiter: Waiter): void {
    const entry = this.recall(key);
    if (entry !== null) {
      this.conclude(key, entry, waiter, true);
      return;
    }
    if (!isDnsName(nameOf(key))) {
      waiter.end(this.failure(ResponseCode.noSuchName), false);
      return;
    }
    let lookup = this.lookups.get(key);
    if (lookup === undefined) {
      lookup = new Lookup(key, this.wheel, this);
      this.lookups.set(key, lookup);
      this.begin(lookup);
    }
    lookup.waiters.add(waiter);
    waiter.lookup = lookup;
  }

  private conclude(key: string, entry: CacheEntry, waiter: Waiter, isCached: boolean): void {
    if (entry.cname === null) waiter.end(entry, isCached);
    else if (waiter.aliases++ >= MAX_ALIASES) waiter.end(this.failure(ResponseCode.noSuchName), false);
    else this.follow(key.startsWith(SERVICE_KEY) ? SERVICE_KEY + entry.cname : entry.cname, waiter);
  }

  private begin(lookup: Lookup): void {
    const { usesIpv4, usesIpv6 } = this.options;
    const types: number[] = [];
    this.options.count?.(lookup.key.startsWith(SERVICE_KEY) ? 'srv' : 'name');
    if (lookup.key.startsWith(SERVICE_KEY)) types.push(RecordType.srv);
    else {
      if (usesIpv4) types.push(RecordType.a);
      if (usesIpv6) types.push(RecordType.aaaa);
    }
    lookup.serverIndex = this.nextServer;
    this.nextServer = (this.nextServer + 1) % this.servers.length;
    const name = nameOf(lookup.key);
    for (const type of types) {
      const id = this.freeId();
      const question = new Question(lookup, id, name, type);
      this.questions.set(id, question);
      lookup.questions.push(question);
    }
    this.ask(lookup);
  }

  /** security: an id that can't be guessed makes answers hard to forge. */
  private freeId(): number {
    let id: number;
    do id = randomInt(0x10000);
    while (this.questions.has(id));
    return id;
  }

  /** Sends what is unanswered to the lookup's server. */
  private ask(lookup: Lookup): void {
    const server = this.servers[lookup.serverIndex]!;
    lookup.server = server;
    lookup.askedCount++;
    lookup.deadline.set(RESEND_MS);
    for (const question of lookup.questions) {
      if (question.answer !== null) continue;
      if (question.isTcp) server.sendTcp(question.message);
      else server.sendUdp(question.message);
    }
  }

  /** The server is of no use for it; each one gets one chance at once, after that there is time. */
  private askNext(lookup: Lookup): void {
    if (lookup.askedCount < this.servers.length) this.askAgain(lookup);
  }

  private askAgain(lookup: Lookup): void {
    lookup.serverIndex = (lookup.serverIndex + 1) % this.servers.length;
    this.ask(lookup);
  }

  /** For a lookup: its server stayed silent. */
  onSilence(lookup: Lookup): void {
    if (lookup.waiters.size > 0) this.askAgain(lookup);
    else this.drop(lookup);
  }

  private drop(lookup: Lookup): void {
    lookup.close();
    this.lookups.delete(lookup.key);
    for (const question of lookup.questions) this.questions.delete(question.id);
  }

  private accept(server: NameServer, answer: DnsAnswer, isTcp: boolean): void {
    const question = this.questions.get(answer.id);
    const lookup = question?.lookup;
    const isAnswer =
      question !== undefined &&
      lookup?.server === server &&
      question.isTcp === isTcp &&
      question.answer === null &&
      (answer.name === '' || (answer.name === question.name && answer.type === question.type));
    if (!isAnswer) {
      this.options.onError(`unexpected DNS response for ${answer.name}, resolver: ${server.name}`);
      return;
    }
    if (answer.name === '') {
      const { code, id } = answer;
      const what = `DNS error (${code}: ${describeResolveCode(code)}), query id:${id}, name:"${question.name}"`;
      this.options.onError(`${what}, resolver: ${server.name}`);
      this.askNext(lookup);
    } else if (answer.isTruncated) {
      if (isTcp) return;
      question.isTcp = true;
      lookup.deadline.set(RESEND_MS);
      server.sendTcp(question.message);
    } else {
      question.answer = answer;
      if (lookup.questions.every((each) => each.answer !== null)) this.finish(lookup);
    }
  }

  private finish(lookup: Lookup): void {
    const entry = this.judge(lookup.questions.map((each) => each.answer!));
    this.options.count?.(ANSWERS[entry.code] ?? 'unknown');
    this.drop(lookup);
    if (entry.keptUntilMs > this.clock.nowMs()) this.remember(lookup.key, entry);
    for (const waiter of [...lookup.waiters]) {
      lookup.waiters.delete(waiter);
      waiter.lookup = null;
      this.conclude(lookup.key, entry, waiter, false);
    }
  }

  /** What all answers together say. An error in one of them is one for all. */
  private judge(answers: readonly DnsAnswer[]): CacheEntry {
    const failed = answers.find((answer) => answer.code !== 0);
    const addresses = answers.flatMap((answer) => answer.addresses);
    const services = answers.flatMap((answer) => answer.services);
    const hasAny = addresses.length + services.length > 0;
    const cname = hasAny ? null : (answers.findLast((answer) => answer.cname !== null)?.cname ?? null);
    const code = failed?.code ?? (hasAny || cname !== null ? 0 : ResponseCode.noSuchName);
    if (code === ResponseCode.noSuchName) return this.absence(answers);
    if (code !== 0) return this.failure(code);
    const ttls = answers.map((answer) => answer.ttl).filter((ttl) => ttl >= 0);
    const validMs = this.options.validMs ?? Math.min(...ttls) * 1000;
    const validUntilMs = this.clock.nowMs() + validMs;
    return { code: 0, addresses, services, cname, validUntilMs, keptUntilMs: validUntilMs };
  }

  /** There is no such name, or nothing of it. Believed as long as the servers say, and never for long. */
  private absence(answers: readonly DnsAnswer[]): CacheEntry {
    const toldMs = Math.max(...answers.map((answer) => answer.negativeTtl)) * 1000;
    const keptMs = toldMs > 0 ? Math.min(toldMs, this.options.validMs ?? NEGATIVE_MS, NEGATIVE_MS) : 0;
    return { ...this.failure(ResponseCode.noSuchName), keptUntilMs: this.clock.nowMs() + keptMs };
  }

  private failure(code: number): CacheEntry {
    const validUntilMs = this.clock.nowMs() + (this.options.validMs ?? NEGATIVE_MS);
    return { code, addresses: [], services: [], cname: null, validUntilMs, keptUntilMs: 0 };
  }

  private recall(key: string): CacheEntry | null {
    const entry = this.cache.get(key);
    if (entry === undefined) return null;
    this.cache.delete(key);
    if (entry.keptUntilMs <= this.clock.nowMs()) return null;
    this.cache.set(key, entry);
    return entry;
  }

  private remember(key: string, entry: CacheEntry): void {
    this.cache.delete(key);
    this.cache.set(key, entry);
    if (this.cache.size <= MAX_CACHED) return;
    for (const eldest of this.cache.keys()) {
      this.cache.delete(eldest);
      return;
    }
  }
}

/** In front of the name of a service. */
const SERVICE_KEY = 'srv ';

function nameOf(key: string): string {
  return key.startsWith(SERVICE_KEY) ? key.slice(SERVICE_KEY.length) : key;
}

function normalize(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

function rotate(addresses: readonly string[]): readonly string[] {
  if (addresses.length < 2) return addresses;
  const start = Math.floor(Math.random() * addresses.length);
  return [...addresses.slice(start), ...addresses.slice(0, start)];
}
