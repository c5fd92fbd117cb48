/*
 * Where the time of one request went, as parts of it: for each try at an upstream, and around them.
 */
import type { RecentRequest, RecentTry } from '../src/modules/http/dashboard/recent-request.js';

/** `wait`: for a server, or in a limit. `connect`, `first byte`, `body`: of a try. `answer`: to the client. */
export type PartKind = 'wait' | 'connect' | 'first byte' | 'body' | 'failed' | 'answer';

/** Milliseconds from the request's begin. */
export interface Part {
  readonly kind: PartKind;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One line: the request itself, or a try. */
export interface Line {
  readonly label: string;
  /** How it ended. */
  readonly outcome: string;
  readonly isFailed: boolean;
  readonly parts: readonly Part[];
}

/** Tries in their order, behind what came before each. */
export function linesOf(request: RecentRequest): Line[] {
  const lines: Line[] = [];
  let doneMs = 0;
  for (const each of request.tries) {
    lines.push(lineOf(each, doneMs));
    doneMs = Math.max(doneMs, each.endMs, each.startMs);
  }
  if (lines.length === 0 || request.durationMs - doneMs >= 0.01) {
    const parts = partsBetween([['answer', doneMs, request.durationMs]]);
    lines.push({ label: 'to the client', outcome: String(request.status), isFailed: false, parts });
  }
  return lines;
}

function lineOf(each: RecentTry, doneMs: number): Line {
  const { peer, isRetry, startMs, connectedMs, headerMs, endMs, status, failure } = each;
  const isFailed = failure !== '' || status >= 500;
  const stages: [PartKind, number, number][] = [['wait', doneMs, startMs]];
  let atMs = startMs;
  for (const [kind, toMs] of [
    ['connect', connectedMs],
    ['first byte', headerMs],
  ] as const) {
    if (toMs < 0) continue;
    stages.push([kind, atMs, toMs]);
    atMs = toMs;
  }
  stages.push([isFailed && (failure !== '' || headerMs < 0) ? 'failed' : 'body', atMs, endMs]);
  const outcome = failure !== '' ? failure : status > 0 ? String(status) : 'broken off';
  return {
    label: isRetry ? `retry: ${peer}` : peer,
    outcome,
    isFailed,
    parts: partsBetween(stages),
  };
}

/** Without those that took no time, but for a failure, which is to be seen. */
function partsBetween(stages: readonly [PartKind, number, number][]): Part[] {
  return stages
    .filter(([kind, from, to]) => to > from || kind === 'failed')
    .map(([kind, fromMs, toMs]) => ({ kind, fromMs, toMs: Math.max(fromMs, toMs) }));
}
