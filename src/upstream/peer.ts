/*
 * One server of an upstream group: what the operator said of it and what traffic has shown. Who
 * changes the state is said at each field; the rules are in group.ts and in the balancers.
 */
import { createHash } from 'node:crypto';
import { type Address, formatAddress } from '../net/address.js';
import { makePeerState, PeerFloat, PeerInt, type PeerState } from './peer-state.js';
import type { PeerStats } from './peer-stats.js';

/** nginx's `server` directive inside `upstream`. */
export interface PeerOptions {
  address: Address;
  /** Share of the requests, a whole number from 1. Default 1. */
  weight?: number;
  /** Failures within failTimeoutMs that make it unavailable; 0 never does. Default 1. */
  maxFails?: number;
  /** How long failures count, and how long it then stays unavailable. Default 10 s. */
  failTimeoutMs?: number;
  /** Gets requests only while no other peer can be used. */
  isBackup?: boolean;
  /** Gets none at all. */
  isDown?: boolean;
  /** Gets requests of those alone who ask for it: sticky sessions that began before. */
  isDraining?: boolean;
  /** Requests it gets at once; 0: no limit. Default 0. */
  maxConns?: number;
  /** How long its weight grows from nothing once it is back; 0: it is back at once. Default 0. */
  slowStartMs?: number;
  /** What sticky sessions call it. Default: the MD5 of its address. */
  route?: string;
  /** As the configuration names it: consistent hashing goes by that. Default: the address. */
  server?: string;
}

/** What may be said anew of a peer while it serves; what is left out stays. */
export type PeerChange = Partial<
  Pick<
    PeerOptions,
    'weight' | 'maxConns' | 'maxFails' | 'failTimeoutMs' | 'slowStartMs' | 'route' | 'isDown' | 'isDraining'
  >
>;

/** Bits of `flags`: why it gets no requests. */
export const PeerFlag = {
  down: 1,
  draining: 2,
  /** By health checks. */
  unhealthy: 4,
  /** By health checks that must pass before its first request. */
  unchecked: 8,
} as const;

/** How a peer is, in a word: what says that it gets no requests, or that it gets some. */
export type PeerCondition = 'up' | 'down' | 'unhealthy' | 'checking' | 'unavailable' | 'draining';

const NOT_DRAINING = ~PeerFlag.draining;

/** The least part of its weight that a peer has which is warming up, so that no formula divides by nothing. */
const LEAST_RAMP = 0.01;

/** A peer and its state. */
export class Peer {
  readonly address: Address;
  /** The address as text, for logs: "127.0.0.1:9001". */
  readonly name: string;
  /** As the configuration names it. */
  readonly server: string;
  readonly isBackup: boolean;
  maxFails: number;
  failTimeoutMs: number;
  slowStartMs: number;
  /** The weight that it was given, by the configuration or since. */
  configuredWeight: number;
  /** What it is to be called by sticky sessions; '' for nothing. */
  route: string;
  /** What sticky sessions call it. */
  id: string;
  /** What was counted of it; null in groups that aren't counted. */
  stats: PeerStats | null;
  private readonly state: PeerState;
  private readonly ints: Int32Array;
  private readonly floats: Float64Array;

  /**
   * `state` is zeroed, or `isNew` is false and another worker has set it. Throws an
   * Error for a weight, maxFails or failTimeoutMs that makes no sense.
   */
  constructor(options: PeerOptions, state: PeerState = makePeerState(), isNew = true) {
    this.address = options.address;
    this.name = formatAddress(options.address);
    this.server = options.server ?? this.name;
    this.maxFails = options.maxFails ?? 1;
    this.failTimeoutMs = options.failTimeoutMs ?? 10_000;
    this.isBackup = options.isBackup ?? false;
    this.slowStartMs = options.slowStartMs ?? 0;
    this.route = options.route ?? '';
    this.id = this.route === '' ? hashOf(this.name) : this.route;
    this.stats = null;
    this.state = state;
    this.ints = state.ints;
    this.floats = state.floats;
    const weight = options.weight ?? 1;
    this.configuredWeight = weight;
    this.check(weight);
    if (isNew) this.begin(options);
  }

  private begin({ maxConns, isDown, isDraining }: PeerOptions): void {
    const weight = this.configuredWeight;
    this.ints[PeerInt.weight] = weight;
    this.ints[PeerInt.maxConns] = maxConns ?? 0;
    this.ints[PeerInt.flags] = (isDown ? PeerFlag.down : 0) | (isDraining ? PeerFlag.draining : 0);
    this.effectiveWeight = weight;
    this.accessedAtMs = Number.NEGATIVE_INFINITY;
    this.checkedAtMs = Number.NEGATIVE_INFINITY;
    this.floats[PeerFloat.rampFromMs] = Number.NEGATIVE_INFINITY;
  }

  /** For the group: says some of it anew, but for flags. */
  change(change: PeerChange): void {
    const { maxConns, maxFails, failTimeoutMs, slowStartMs, weight, route } = change;
    if (maxConns !== undefined) this.ints[PeerInt.maxConns] = maxConns;
    if (maxFails !== undefined) this.maxFails = maxFails;
    if (failTimeoutMs !== undefined) this.failTimeoutMs = failTimeoutMs;
    if (slowStartMs !== undefined) this.slowStartMs = slowStartMs;
    if (weight !== undefined && weight !== this.configuredWeight) {
      this.configuredWeight = weight;
      this.weight = weight;
    }
    if (route === undefined) return;
    this.route = route;
    this.id = route === '' ? hashOf(this.name) : route;
  }

  /** Its number in the group, for the status API; -1 before it has one, and in groups whose servers have none. */
  get number(): number {
    return this.ints[PeerInt.number]! - 1;
  }
  set number(number: number) {
    this.ints[PeerInt.number] = number + 1;
  }

  /** The number is its own unless another worker has given it one. */
  claimNumber(number: number): void {
    Atomics.compareExchange(this.ints, PeerInt.number, 0, number + 1);
  }

  get weight(): number {
    return this.ints[PeerInt.weight]!;
  }
  /** For the group: to be changed at run time. */
  set weight(weight: number) {
    this.ints[PeerInt.weight] = weight;
    this.effectiveWeight = weight;
  }

  get maxConns(): number {
    return this.ints[PeerInt.maxConns]!;
  }
  set maxConns(count: number) {
    this.ints[PeerInt.maxConns] = count;
  }

  /** Of PeerFlag; 0 when nothing speaks against it. Written by the group. */
  get flags(): number {
    return this.ints[PeerInt.flags]!;
  }
  set flags(flags: number) {
    this.ints[PeerInt.flags] = flags;
  }

  get isDown(): boolean {
    return (this.ints[PeerInt.flags]! & PeerFlag.down) !== 0;
  }
  set isDown(isDown: boolean) {
    this.flags = isDown ? this.flags | PeerFlag.down : this.flags & ~PeerFlag.down;
  }

  /** Round robin: how much it is this peer's turn. Written by the balancer. */
  get currentWeight(): number {
    return this.floats[PeerFloat.currentWeight]!;
  }
  set currentWeight(weight: number) {
    this.floats[PeerFloat.currentWeight] = weight;
  }

  /** The weight that failures lowered and that recovers by one a pick. Written by balancer and group. */
  get effectiveWeight(): number {
    return this.floats[PeerFloat.effectiveWeight]!;
  }
  set effectiveWeight(weight: number) {
    this.floats[PeerFloat.effectiveWeight] = weight;
  }

  /** Failures that count. Written by the group. */
  get fails(): number {
    return this.ints[PeerInt.fails]!;
  }
  set fails(count: number) {
    this.ints[PeerInt.fails] = count;
  }

  /** When it last failed. Written by the group. */
  get accessedAtMs(): number {
    return this.floats[PeerFloat.accessedAtMs]!;
  }
  set accessedAtMs(ms: number) {
    this.floats[PeerFloat.accessedAtMs] = ms;
  }

  /** When its window of failTimeoutMs began: at a failure or at the pick after the last window. */
  get checkedAtMs(): number {
    return this.floats[PeerFloat.checkedAtMs]!;
  }
  set checkedAtMs(ms: number) {
    this.floats[PeerFloat.checkedAtMs] = ms;
  }

  /** Tries that were picked and not yet released. */
  get activeRequests(): number {
    return this.ints[PeerInt.activeRequests]!;
  }
  /** For the group: so many more, or fewer. */
  countActive(change: number): void {
    this.state.countActive(change);
  }

  /** How many tries it ever got. Written by the group. */
  get requests(): number {
    return this.floats[PeerFloat.requests]!;
  }
  set requests(count: number) {
    this.floats[PeerFloat.requests] = count;
  }

  /** The moving average of the time to the head of a response; 0 before the first. Written by least time. */
  get headerTimeMs(): number {
    return this.floats[PeerFloat.headerTimeMs]!;
  }
  set headerTimeMs(ms: number) {
    this.floats[PeerFloat.headerTimeMs] = ms;
  }

  /** The same to the last byte. */
  get responseTimeMs(): number {
    return this.floats[PeerFloat.responseTimeMs]!;
  }
  set responseTimeMs(ms: number) {
    this.floats[PeerFloat.responseTimeMs] = ms;
  }

  /** Requests that have yet to get what least time measures. Written by least time, as the three below. */
  get inflightRequests(): number {
    return this.ints[PeerInt.inflightRequests]!;
  }
  set inflightRequests(count: number) {
    this.ints[PeerInt.inflightRequests] = count;
  }

  /** The moving average of how long those have waited. */
  get inflightTimeMs(): number {
    return this.floats[PeerFloat.inflightTimeMs]!;
  }
  set inflightTimeMs(ms: number) {
    this.floats[PeerFloat.inflightTimeMs] = ms;
  }

  /** How long all of them together had waited at inflightChangedAtMs. */
  get inflightSumMs(): number {
    return this.floats[PeerFloat.inflightSumMs]!;
  }
  set inflightSumMs(ms: number) {
    this.floats[PeerFloat.inflightSumMs] = ms;
  }

  get inflightChangedAtMs(): number {
    return this.floats[PeerFloat.inflightChangedAtMs]!;
  }
  set inflightChangedAtMs(ms: number) {
    this.floats[PeerFloat.inflightChangedAtMs] = ms;
  }

  /** Whether so many failures count that it is out, but for one trial every failTimeoutMs. */
  get isFailed(): boolean {
    return this.maxFails > 0 && this.ints[PeerInt.fails]! >= this.maxFails;
  }

  /** Whether failures or health checks keep requests from it. */
  get isOut(): boolean {
    const byChecks = PeerFlag.unhealthy | PeerFlag.unchecked;
    return this.isFailed || (this.ints[PeerInt.flags]! & byChecks) !== 0;
  }

  /** Why it gets no requests: what an operator asked for before what was found out; "up" if nothing is. */
  get condition(): PeerCondition {
    const { flags } = this;
    if ((flags & PeerFlag.down) !== 0) return 'down';
    if ((flags & PeerFlag.draining) !== 0) return 'draining';
    if ((flags & PeerFlag.unhealthy) !== 0) return 'unhealthy';
    if ((flags & PeerFlag.unchecked) !== 0) return 'checking';
    return this.isFailed ? 'unavailable' : 'up';
  }

  /** Whether it may get a request now: not down, not failed within its window, and not at max_conns. */
  isUsable(nowMs: number): boolean {
    return this.ints[PeerInt.flags] === 0 && this.hasRoom(nowMs);
  }

  /** The same for a request that asks for this peer: draining is no hindrance then. */
  isUsableByName(nowMs: number): boolean {
    return (this.ints[PeerInt.flags]! & NOT_DRAINING) === 0 && this.hasRoom(nowMs);
  }

  /** From now on its weight grows up to what it is, if it has a slow_start. */
  startSlowly(nowMs: number): void {
    if (this.slowStartMs > 0) this.floats[PeerFloat.rampFromMs] = nowMs;
  }

  /** The part of its weight that it has now: 1 but for the slow_start after it came back. */
  ramp(nowMs: number): number {
    if (this.slowStartMs === 0) return 1;
    const part = (nowMs - this.floats[PeerFloat.rampFromMs]!) / this.slowStartMs;
    return part >= 1 ? 1 : Math.max(LEAST_RAMP, part);
  }

  private hasRoom(nowMs: number): boolean {
    const maxConns = this.ints[PeerInt.maxConns]!;
    if (maxConns > 0 && this.ints[PeerInt.activeRequests]! >= maxConns) return false;
    return !(this.isFailed && nowMs - this.floats[PeerFloat.checkedAtMs]! <= this.failTimeoutMs);
  }

  private check(weight: number): void {
    if (!Number.isSafeInteger(weight) || weight < 1) {
      throw new Error(`Cannot use peer "${this.name}": weight "${weight}" is not a whole number from 1`);
    }
    if (!Number.isSafeInteger(this.maxFails) || this.maxFails < 0) {
      throw new Error(
        `Cannot use peer "${this.name}": max_fails "${this.maxFails}" is not a whole number from 0`,
      );
    }
    if (!(this.failTimeoutMs >= 0)) {
      throw new Error(
        `Cannot use peer "${this.name}": fail_timeout "${this.failTimeoutMs}" ms is not a time from 0`,
      );
    }
  }
}

function hashOf(name: string): string {
  return createHash('md5').update(name, 'latin1').digest('hex');
}
