/*
 * Least time: the peer that would be done soonest, by how long its answers took and how many requests it has.
 * Times are moving averages of answers that went to clients; failures count nothing, so they attract nobody.
 */
import type { Peer } from '../peer.js';
import { type Balancer, canPick, type PickContext } from './balancer.js';

/** What is measured: the time to the head or to the last byte. */
export type MeasuredTime = 'header' | 'last_byte';

/** Slower ones are all as bad, and told apart by their requests alone. */
const WORST_MS = 5000;

/** Times within one such step are the same. */
const STEP_MS = 20;

/** Of equals the one whose turn it is, by round robin among them. O(peers), no allocation. */
export class LeastTimeBalancer implements Balancer {
  readonly #peers: readonly Peer[];
  readonly #measured: MeasuredTime;
  readonly #countsInflight: boolean;

  /** With `countsInflight` requests that have no answer yet make a peer look as slow as they are by now. */
  constructor(peers: readonly Peer[], measured: MeasuredTime, countsInflight: boolean) {
    this.#peers = peers;
    this.#measured = measured;
    this.#countsInflight = countsInflight;
  }

  pick(context: PickContext): Peer | null {
    const { nowMs } = context;
    let best: Peer | null = null;
    let bestMs = 0;
    let bestWeight = 0;
    let hasEquals = false;
    for (const peer of this.#peers) {
      if (!canPick(peer, context)) continue;
      if (peer.inflightRequests > 0) {
        const waitedMs = peer.inflightSumMs / peer.inflightRequests + (nowMs - peer.inflightChangedAtMs);
        peer.inflightTimeMs = average(peer.inflightTimeMs, waitedMs);
      }
      const expectedMs = this.#expect(peer, nowMs);
      const weight = peer.weight * peer.ramp(nowMs);
      const difference = best === null ? -1 : expectedMs * bestWeight - bestMs * weight;
      if (difference < 0) {
        best = peer;
        bestMs = expectedMs;
        bestWeight = weight;
        hasEquals = false;
      } else if (difference === 0) hasEquals = true;
    }
    if (hasEquals) best = this.#takeTurns(context, bestMs, bestWeight);
    if (best !== null) this.charge(best, context);
    return best;
  }

  charge(peer: Peer, { nowMs }: PickContext): void {
    if (!this.#countsInflight) return;
    if (peer.inflightRequests > 0) {
      peer.inflightSumMs += (nowMs - peer.inflightChangedAtMs) * peer.inflightRequests;
    }
    peer.inflightChangedAtMs = nowMs;
    peer.inflightRequests++;
  }

  noteHeader(peer: Peer, headerMs: number, nowMs: number): void {
    if (!this.#countsInflight || this.#measured !== 'header') return;
    peer.headerTimeMs = average(peer.headerTimeMs, headerMs);
    this.#endInflight(peer, headerMs, nowMs);
  }

  noteEnd(peer: Peer, headerMs: number, responseMs: number, nowMs: number): void {
    const isHeaderNoted = this.#countsInflight && this.#measured === 'header' && headerMs >= 0;
    if (this.#countsInflight && !isHeaderNoted) this.#endInflight(peer, responseMs, nowMs);
    if (headerMs < 0) return;
    peer.responseTimeMs = average(peer.responseTimeMs, responseMs);
    if (!isHeaderNoted) peer.headerTimeMs = average(peer.headerTimeMs, headerMs);
  }

  #endInflight(peer: Peer, waitedMs: number, nowMs: number): void {
    if (peer.inflightRequests <= 1) peer.inflightSumMs = 0;
    else {
      peer.inflightSumMs += (nowMs - peer.inflightChangedAtMs) * peer.inflightRequests - waitedMs;
      peer.inflightChangedAtMs = nowMs;
    }
    peer.inflightRequests = Math.max(0, peer.inflightRequests - 1);
  }

  /** Milliseconds until the peer is done with what it has and one request more. */
  #expect(peer: Peer, nowMs: number): number {
    const isHeader = this.#measured === 'header';
    let ms = decayedMs(peer, isHeader ? peer.headerTimeMs : peer.responseTimeMs, nowMs);
    if (peer.inflightRequests > 0) ms = Math.max(ms, Math.round(peer.inflightTimeMs));
    ms = ms > WORST_MS ? WORST_MS : ms + STEP_MS - (ms % STEP_MS);
    return ms * (1 + peer.activeRequests);
  }

  #takeTurns(context: PickContext, bestMs: number, bestWeight: number): Peer | null {
    const { nowMs } = context;
    let best: Peer | null = null;
    let total = 0;
    for (const peer of this.#peers) {
      if (!canPick(peer, context)) continue;
      const ramp = peer.ramp(nowMs);
      if (this.#expect(peer, nowMs) * bestWeight !== bestMs * peer.weight * ramp) continue;
      const gain = peer.effectiveWeight * ramp;
      peer.currentWeight += gain;
      total += gain;
      if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++;
      if (best === null || peer.currentWeight > best.currentWeight) best = peer;
    }
    if (best !== null) best.currentWeight -= total;
    return best;
  }
}

/** A peer nobody asked for fail_timeout looks twice as fast for each that passes, so that slow ones get a chance. */
function decayedMs(peer: Peer, ms: number, nowMs: number): number {
  const idleMs = nowMs - peer.checkedAtMs;
  if (idleMs <= peer.failTimeoutMs || idleMs === Number.POSITIVE_INFINITY) return Math.floor(ms);
  const halvings = Math.floor(idleMs / (peer.failTimeoutMs + 1000));
  return halvings > 30 ? 0 : Math.floor(ms) >>> halvings;
}

/** The moving average with one more value; the first one is taken as it is. */
function average(beforeMs: number, ms: number): number {
  return beforeMs === 0 ? ms : ms * 0.05 + beforeMs * 0.95;
}
