/*
 * What serves one request, lent to a client's connection from the first byte of a request to the last of its
 * response. A connection between two requests holds none of it.
 */

import { HttpRequest } from './http-request.js';
import { type Downstream, UpstreamExchange } from './upstream-exchange.js';
import type { VirtualServer } from './virtual-server.js';

/** Kept for reuse; what a burst of requests needed beyond is left to the garbage collector. */
const MAX_SPARE = 1024;

/** A request and the exchange that answers it. */
export class Serving {
  readonly request: HttpRequest;
  readonly exchange: UpstreamExchange;

  constructor(server: VirtualServer) {
    this.request = new HttpRequest(server);
    this.exchange = new UpstreamExchange(this.request);
  }
}

/** The servings of one virtual server. perf: last in, first out keeps those in use in the processor's cache. */
export class ServingPool {
  private readonly server: VirtualServer;
  private readonly spare: Serving[];

  constructor(server: VirtualServer) {
    this.server = server;
    this.spare = [];
  }

  /** A serving for a request of `downstream` that begins now. */
  take(downstream: Downstream): Serving {
    const serving = this.spare.pop() ?? new Serving(this.server);
    serving.exchange.downstream = downstream;
    serving.request.begin(downstream.remoteAddress, downstream.connectionNumber);
    return serving;
  }

  /** Takes one back; its exchange is over. */
  give(serving: Serving): void {
    serving.exchange.forget();
    if (this.spare.length < MAX_SPARE && serving.request.head.isSmall) this.spare.push(serving);
  }
}
