/*
 * The objects that requests are served with, lent to a client's connection from the first byte of a request to the
 * last of its response. A connection between two requests holds none.
 */
import type { ClientSide } from './client-side.js';
import { HttpRequest } from './http-request.js';
import type { ListenPoint, ServiceContext } from './virtual-server.js';

/** Kept for reuse; what a burst of requests needed beyond is left to the garbage collector. */
const MAX_SPARE = 1024;

/** Those of one address. perf: last in, first out keeps those in use in the processor's cache. */
export class RequestPool {
  private readonly point: ListenPoint;
  private readonly context: ServiceContext;
  private readonly spare: HttpRequest[];

  constructor(point: ListenPoint, context: ServiceContext) {
    this.point = point;
    this.context = context;
    this.spare = [];
  }

  /** A request of `client` that begins now. */
  take(client: ClientSide): HttpRequest {
    const { point, context } = this;
    const request =
      this.spare.pop() ?? new HttpRequest(point, point.defaultServer.settings.headLimits, context, null);
    request.begin(client);
    return request;
  }

  /** Takes one back that is over. */
  give(request: HttpRequest): void {
    if (!request.isReusable || !request.head.isSmall || this.spare.length >= MAX_SPARE) return;
    request.letGo();
    this.spare.push(request);
  }
}
