/*
 * The records of a group's peers in memory that all workers share: a peer that one of them finds dead is dead for all.
 * Each worker makes its own Peer objects; those of the same server find the same record.
 */
import { createHash } from 'node:crypto';
import { sharedMs } from '../core/clock.js';
import { formatAddress } from '../net/address.js';
import type { WorkerPlace } from '../zones/worker-place.js';
import { ZoneLock } from '../zones/zone-lock.js';
import { Peer, type PeerOptions } from './peer.js';
import { PEER_STATE_BYTES, PeerInt, PeerState } from './peer-state.js';
import { PeerStats, peerStatsBytes } from './peer-stats.js';

/** Words of the header: the lock of all records, and how many there are. */
const LOCK = 0;
const COUNT = 1;
const HEADER_BYTES = 16;

/** A slot: the MD5 of what the peer is known by, how many Peer objects of all workers use it, and the record. */
const KEY_WORDS = 4;
const USERS = 4;
const SLOT_HEADER_BYTES = 24;

/** Numbers of sources begin here that no configuration names. */
export const RUNTIME_SOURCES = 1_000_000;

/** Room for addresses that come and go. */
const SPARE_SLOTS = 32;

/** Bytes for a group of that many servers. */
export function peerTableBytes(servers: number, { count }: WorkerPlace): number {
  return HEADER_BYTES + (servers * 2 + SPARE_SLOTS) * slotBytes(count);
}

/** Bytes for what is counted of them. */
export function peerTableStatsBytes(servers: number, worker: WorkerPlace): number {
  return (servers * 2 + SPARE_SLOTS) * peerStatsBytes(worker);
}

/** Of one group. */
export class PeerTable {
  /** Held around every change of a record. */
  readonly lock: ZoneLock;
  private readonly memory: SharedArrayBuffer;
  private readonly words: Int32Array;
  private readonly worker: WorkerPlace;
  /** Where the records are of peers that were made here. */
  private readonly slots: WeakMap<Peer, number>;
  private readonly stats: SharedArrayBuffer | null;

  /** @param stats where peers are counted, see `peerTableStatsBytes`; null: they aren't */
  constructor(memory: SharedArrayBuffer, worker: WorkerPlace, stats: SharedArrayBuffer | null = null) {
    this.stats = stats;
    this.memory = memory;
    this.words = new Int32Array(memory);
    this.worker = worker;
    this.slots = new WeakMap();
    this.lock = new ZoneLock(this.words, LOCK, () => {});
  }

  /**
   * A peer with the record that the other workers' has, or a new one. Where the table is full it has one of its own.
   * @param source tells servers of a group apart that are the same
   */
  makePeer(options: PeerOptions, source: number): Peer {
    const key = keyOf(options, source);
    this.lock.acquire();
    try {
      const slot = this.find(key) ?? this.add(key);
      if (slot === null) return new Peer(options);
      const isNew = this.words[slot + USERS] === 0;
      const state = this.stateAt(slot);
      if (isNew) state.clear();
      const peer = new Peer(options, state, isNew);
      this.words[slot + USERS]!++;
      this.slots.set(peer, slot);
      if (this.stats !== null) {
        const index = (slot * 4 - HEADER_BYTES) / slotBytes(this.worker.count);
        peer.stats = new PeerStats(this.stats, index * peerStatsBytes(this.worker), this.worker);
        if (isNew) peer.stats.reset(0);
      }
      return peer;
    } finally {
      this.lock.release();
    }
  }

  /** This worker has no use for it any more, once what it does now is done. */
  dropPeer(peer: Peer): void {
    const slot = this.slots.get(peer);
    if (slot === undefined) return;
    this.slots.delete(peer);
    this.lock.acquire();
    this.words[slot + USERS]!--;
    this.lock.release();
  }

  /** A worker has died: what it had under way is no more. */
  forgetWorker(index: number): void {
    this.lock.acquire();
    for (let i = 0; i < this.words[COUNT]!; i++) this.stateAt(this.slotAt(i)).forgetWorker(index);
    this.lock.release();
  }

  private find(key: Int32Array): number | null {
    const { words } = this;
    for (let i = 0; i < words[COUNT]!; i++) {
      const slot = this.slotAt(i);
      if (key.every((word, at) => words[slot + at] === word)) return slot;
    }
    return null;
  }

  /** A slot for a new key: one that nobody uses, or the next. Null when there is none. */
  private add(key: Int32Array): number | null {
    const { words } = this;
    let index = 0;
    while (index < words[COUNT]! && !this.isFree(this.slotAt(index))) index++;
    if (index === words[COUNT]) {
      if ((index + 1) * slotBytes(this.worker.count) + HEADER_BYTES > this.memory.byteLength) return null;
      words[COUNT]!++;
    }
    const slot = this.slotAt(index);
    words.set(key, slot);
    words[slot + USERS] = 0;
    return slot;
  }

  private isFree(slot: number): boolean {
    return this.words[slot + USERS]! <= 0 && this.stateAt(slot).ints[PeerInt.activeRequests] === 0;
  }

  /** Where a slot begins, in words. */
  private slotAt(index: number): number {
    return (HEADER_BYTES + index * slotBytes(this.worker.count)) / 4;
  }

  private stateAt(slot: number): PeerState {
    return new PeerState(this.memory, slot * 4 + SLOT_HEADER_BYTES, this.worker);
  }
}

function slotBytes(workers: number): number {
  return SLOT_HEADER_BYTES + PEER_STATE_BYTES + Math.ceil(workers / 2) * 8;
}

function keyOf(options: PeerOptions, source: number): Int32Array {
  const { address, server = formatAddress(address), weight = 1, isBackup = false } = options;
  // The weight of a server that came at run time may have changed since.
  const said = source < RUNTIME_SOURCES ? weight : 0;
  const text = JSON.stringify([source, formatAddress(address), server, said, isBackup]);
  const md5 = createHash('md5').update(text).digest();
  return Int32Array.from({ length: KEY_WORDS }, (_, i) => md5.readInt32LE(i * 4));
}

/** The time by a clock that all workers have in common, as times in the records are. */
export function commonClock(clock: { nowMs(): number; wallMs(): number }): typeof clock {
  return { nowMs: () => sharedMs(clock), wallMs: () => clock.wallMs() };
}
