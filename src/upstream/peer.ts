/*
 * One server of an upstream group: what the operator said of it and what traffic has shown. Who
 * changes the state is said at each field; the rules are in group.ts and in the balancers.
 */

import { type Address, formatAddress } from '../net/address.js';

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
}

/** A peer and its state. Every field is initialised here, in one order: it is a hot object. */
export class Peer {
  readonly address: Address;
  /** The address as text, for logs: "127.0.0.1:9001". */
  readonly name: string;
  readonly weight: number;
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  readonly isBackup: boolean;
  isDown: boolean;
  /** Round robin: how much it is this peer's turn. Written by the balancer. */
  currentWeight: number;
  /** The weight that failures lowered and that recovers by one a pick. Written by balancer and group. */
  effectiveWeight: number;
  /** Failures that count. Written by the group. */
  fails: number;
  /** When it last failed. Written by the group. */
  accessedAtMs: number;
  /** When its window of failTimeoutMs began: at a failure or at the pick after the last window. */
  checkedAtMs: number;
  /** Tries that were picked and not yet released. Written by the group. */
  activeRequests: number;

  /** Throws an Error for a weight, maxFails or failTimeoutMs that makes no sense. */
  constructor(options: PeerOptions) {
    this.address = options.address;
    this.name = formatAddress(options.address);
    this.weight = options.weight ?? 1;
    this.maxFails = options.maxFails ?? 1;
    this.failTimeoutMs = options.failTimeoutMs ?? 10_000;
    this.isBackup = options.isBackup ?? false;
    this.isDown = options.isDown ?? false;
    this.currentWeight = 0;
    this.effectiveWeight = this.weight;
    this.fails = 0;
    this.accessedAtMs = Number.NEGATIVE_INFINITY;
    this.checkedAtMs = Number.NEGATIVE_INFINITY;
    this.activeRequests = 0;
    this.#check();
  }

  /** Whether so many failures count that it is out, but for one trial every failTimeoutMs. */
  get isFailed(): boolean {
    return this.maxFails > 0 && this.fails >= this.maxFails;
  }

  /** Whether it may get a request now: not down, and not failed within its window. */
  isUsable(nowMs: number): boolean {
    return !this.isDown && !(this.isFailed && nowMs - this.checkedAtMs <= this.failTimeoutMs);
  }

  #check(): void {
    if (!Number.isSafeInteger(this.weight) || this.weight < 1) {
      throw new Error(`Cannot use peer "${this.name}": weight "${this.weight}" is not a whole number from 1`);
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
