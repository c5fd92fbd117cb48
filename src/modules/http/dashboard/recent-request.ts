/*
 * What is kept of a request that was slow or failed: where its time went, try by try.
 */
import { MOST_RECENT_TEXT } from '../../../metrics/recent-requests.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Try, UpstreamTries } from '../../../request/upstream-tries.js';

/** A try at an upstream; times are milliseconds from the request's begin, -1 where it did not get so far. */
export interface RecentTry {
  readonly peer: string;
  /** Begun since the one before had failed. */
  readonly isRetry: boolean;
  readonly startMs: number;
  readonly connectedMs: number;
  readonly headerMs: number;
  readonly endMs: number;
  /** 0 for none. */
  readonly status: number;
  readonly bytes: number;
  /** What went wrong, as in the error log; '' for nothing. */
  readonly failure: string;
}

/** A request that is over. */
export interface RecentRequest {
  /** When it began, in Unix milliseconds. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly method: string;
  readonly host: string;
  /** With its arguments. */
  readonly uri: string;
  readonly status: number;
  /** Sent to the client, with the head. */
  readonly bytes: number;
  readonly client: string;
  /** The server's name, and what is written behind its `location`. */
  readonly server: string;
  readonly location: string;
  readonly tries: readonly RecentTry[];
  /** Tries beyond those. */
  readonly otherTries: number;
}

/** Of what others have a say in. A text in JSON is at most twice as long, so that all of a request has room. */
const MOST_URI = 500;
const MOST_NAME = 100;
const MOST_TRIES = 6;

/** Whether it went wrong, for its client or at an upstream. */
export function hasFailed({ status, tries }: HttpRequest): boolean {
  if (status >= 499) return true;
  for (let i = 0; i < tries.count; i++) {
    const { failure, status: answered } = tries.at(i);
    if (failure !== '' || answered >= 500) return true;
  }
  return false;
}

/** A RecentRequest as JSON; '' for one that has no room. */
export function describeRecent(request: HttpRequest, location: string): string {
  const { startMs, requestTimeMs, tries } = request;
  const recent: RecentRequest = {
    atMs: Math.round(request.context.clock.wallMs() - requestTimeMs),
    durationMs: round(requestTimeMs),
    method: cut(request.head.method, MOST_NAME),
    host: cut(request.host, MOST_NAME),
    uri: cut(request.head.target, MOST_URI),
    status: request.status,
    bytes: request.bytesSent,
    client: cut(request.remoteAddress, MOST_NAME),
    server: cut(request.server.settings.serverName, MOST_NAME),
    location: cut(location, MOST_NAME),
    tries: describeTries(tries, startMs),
    otherTries: Math.max(0, tries.count - MOST_TRIES),
  };
  const text = JSON.stringify(recent);
  return text.length <= MOST_RECENT_TEXT ? text : '';
}

function describeTries(tries: UpstreamTries, startMs: number): RecentTry[] {
  return Array.from({ length: Math.min(tries.count, MOST_TRIES) }, (_, i) =>
    describeTry(tries.at(i), i, startMs),
  );
}

function describeTry(each: Readonly<Try>, index: number, fromMs: number): RecentTry {
  const since = (ms: number) => (ms < 0 ? -1 : round(ms - fromMs));
  return {
    peer: cut(each.name, MOST_NAME),
    isRetry: index > 0 && !each.isOfAnother,
    startMs: since(each.startMs),
    connectedMs: since(each.connectedMs),
    headerMs: since(each.headerMs),
    endMs: since(each.endMs),
    status: each.status,
    bytes: each.bytesReceived,
    failure: cut(each.failure, MOST_NAME),
  };
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** Hundredths of a millisecond tell enough. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
