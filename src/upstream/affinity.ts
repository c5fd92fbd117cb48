/*
 * The seam between a group and sticky sessions: who asks for which peer, and who learns which one a request got.
 */
import type { Peer } from './peer.js';

/** Keeps clients with the peers that serve them. `subject` is a request; what it says is read here alone. */
export interface Affinity {
  /** The id of the one of `peers` that a request asks for; another text or null if it asks for none of them. */
  find(subject: unknown, peers: readonly Peer[]): string | null;
  /** The request will be tried at this peer. Again for each further try. */
  onPick(subject: unknown, peer: Peer): void;
  /** The head of its answer has come, and goes to the client. */
  onHeader(subject: unknown, peer: Peer): void;
  /** The answer has gone to the client. */
  onServed(subject: unknown, peer: Peer): void;
}
