/*
 * What makes requests stick: the peer they ask for, by the first of some variables that says anything, and what is
 * said or learned of the one they got.
 */

import type { HttpRequest } from '../../../request/http-request.js';
import { RequestState } from '../../../request/request-state.js';
import type { Affinity } from '../../../upstream/affinity.js';
import type { Peer } from '../../../upstream/peer.js';
import type { Text } from '../../../variables/text.js';

/** What a request asked for when it began; what it says later may be of its answer. */
interface Asked {
  readonly affinity: StickyAffinity;
  readonly id: string;
  /** The Set-Cookie value that it was given; null for none. */
  cookie: string | null;
}

const ASKED = new RequestState<Asked>();

/** By route; the base of the others. */
export class StickyAffinity implements Affinity {
  private readonly lookups: readonly Text<HttpRequest>[];

  constructor(lookups: readonly Text<HttpRequest>[]) {
    this.lookups = lookups;
  }

  find(subject: unknown, _peers: readonly Peer[]): string | null {
    const { id } = this.askedBy(subject as HttpRequest);
    return id === '' ? null : id;
  }

  onPick(_subject: unknown, _peer: Peer): void {}
  onHeader(_subject: unknown, _peer: Peer): void {}
  onServed(_subject: unknown, _peer: Peer): void {}

  protected askedBy(request: HttpRequest): Asked {
    const known = ASKED.of(request);
    if (known?.affinity === this) return known;
    const asked: Asked = { affinity: this, id: firstOf(this.lookups, request), cookie: null };
    ASKED.set(request, asked);
    return asked;
  }
}

/** The first value that isn't empty; '' if all are. */
export function firstOf(texts: readonly Text<HttpRequest>[], request: HttpRequest): string {
  for (const text of texts) {
    const value = text.evaluate(request);
    if (value !== '') return value;
  }
  return '';
}
