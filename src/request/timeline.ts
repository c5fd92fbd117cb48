/*
 * What made a client's request wait besides its upstreams, for requests that somebody traces. Whoever makes requests wait
 * writes it down where there is a timeline; all others have none, and cost nothing. Tries are in upstream-tries.ts.
 */
import type { HttpRequest } from './http-request.js';
import { LastingState } from './request-state.js';

/** A phase that waited. Times are the clock's. */
export interface Wait {
  /** nginx's name of it. */
  readonly phase: string;
  readonly startMs: number;
  /** -1: it went on until something else ended the request, or the phases. */
  endMs: number;
}

/** Of one request no more are kept; a page of many parts makes any number of them. */
const MOST_SUBREQUESTS = 100;

/** One client's request. -1: it did not come to that. */
export class Timeline {
  /** In their order. What time the phases took besides was the content phase's. */
  readonly waits: Wait[] = [];
  /** Since when the client's body was read, and when it was there. Both for one that did not come with the head alone. */
  bodyStartMs = -1;
  bodyEndMs = -1;
  /** When the head of the answer was made here. Not for one that an upstream's goes through as it came. */
  answeredMs = -1;
  /** What it asked of its own server. */
  readonly subrequests: Set<HttpRequest> = new Set();

  beginWait(phase: string, nowMs: number): Wait {
    const wait = { phase, startMs: nowMs, endMs: -1 };
    this.waits.push(wait);
    return wait;
  }

  beginBody(nowMs: number): void {
    if (this.bodyStartMs < 0) this.bodyStartMs = nowMs;
  }

  endBody(nowMs: number): void {
    if (this.bodyStartMs >= 0) this.bodyEndMs = nowMs;
  }

  addSubrequest(request: HttpRequest): void {
    if (this.subrequests.size < MOST_SUBREQUESTS) this.subrequests.add(request);
  }
}

/** Of requests that are traced. */
export const TIMELINE: LastingState<Timeline> = new LastingState();
