/*
 * Whether a request goes to another peer when one has failed it (nginx: proxy_next_upstream and its kin, tunnel_ too).
 */
import { isIdempotent } from '../http/message/method.js';
import type { UpstreamGroup } from '../upstream/group.js';
import type { Peer } from '../upstream/peer.js';
import type { HttpRequest } from './http-request.js';
import { NextUpstream } from './upstream-settings.js';

/** What of a location's settings decides. */
export interface NextUpstreamRules {
  /** Of NextUpstream. */
  readonly nextUpstream: number;
  /** 0: as many as there are peers. */
  readonly nextUpstreamTries: number;
  /** 0: no limit. */
  readonly nextUpstreamTimeoutMs: number;
}

/** What a status of an answer counts as, for those that may count as failures. */
const STATUS_FAILURES: ReadonlyMap<number, number> = new Map([
  [500, NextUpstream.http500],
  [502, NextUpstream.http502],
  [503, NextUpstream.http503],
  [504, NextUpstream.http504],
  [403, NextUpstream.http403],
  [404, NextUpstream.http404],
  [429, NextUpstream.http429],
]);

/** The failure that an answer of such a status may count as; undefined for none. */
export function failureOfStatus(status: number): number | undefined {
  return STATUS_FAILURES.get(status);
}

/** Whether a peer is to blame for an answer that has another one asked. */
export function isPeerToBlame(failure: number): boolean {
  return failure !== NextUpstream.http403 && failure !== NextUpstream.http404;
}

/** What is answered when a try has failed and there is no other. */
export function statusOfFailure(failure: number): 502 | 504 {
  return failure === NextUpstream.timeout ? 504 : 502;
}

/** Whether there is another peer than this one to be asked, and the number of tries lets it. */
export function hasTriesLeft(
  { nextUpstreamTries }: NextUpstreamRules,
  request: HttpRequest,
  group: UpstreamGroup,
  peer: Peer,
): boolean {
  const { failedPeers } = request.tries;
  if (nextUpstreamTries !== 0 && failedPeers.length + 1 >= nextUpstreamTries) return false;
  return group.hasOther(peer, failedPeers);
}

/**
 * Whether the request may be sent once more after such a failure, to another peer or to the same. `startedMs`: when the
 * first was asked. `wasSent`: some of it may have reached the peer.
 */
export function maySendAgain(
  { nextUpstream, nextUpstreamTimeoutMs }: NextUpstreamRules,
  request: HttpRequest,
  failure: number,
  startedMs: number,
  wasSent: boolean,
): boolean {
  const mask = wasSent && !isIdempotent(request.method) ? failure | NextUpstream.nonIdempotent : failure;
  if ((nextUpstream & mask) !== mask) return false;
  return nextUpstreamTimeoutMs === 0 || request.context.clock.nowMs() - startedMs < nextUpstreamTimeoutMs;
}
