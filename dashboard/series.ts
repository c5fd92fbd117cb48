/*
 * From what the server counted in each second to what people read: rates, shares and percentiles. No page here.
 */

/** One second, or about that. Answers: none, 1xx to 5xx. Durations: by the server's bounds, and one for all beyond. */
export interface Second {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly lengthMs: number;
  readonly reading: number;
  readonly writing: number;
  readonly waiting: number;
  readonly answers: readonly number[];
  readonly durations: readonly number[];
}

const ANSWERS_FROM = 5;
const ANSWER_CLASSES = 6;

/** A row of the server's history; `offsetMs` makes Unix time of its clock's. */
export function readSecond(row: readonly number[], offsetMs: number): Second {
  const [atMs = 0, lengthMs = 0, reading = 0, writing = 0, waiting = 0] = row;
  const durationsFrom = ANSWERS_FROM + ANSWER_CLASSES;
  return {
    atMs: atMs + offsetMs,
    lengthMs,
    reading,
    writing,
    waiting,
    answers: row.slice(ANSWERS_FROM, durationsFrom),
    durations: row.slice(durationsFrom),
  };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Place by place, over all of them. */
export function addUp(lists: readonly (readonly number[])[]): number[] {
  const total: number[] = [];
  for (const list of lists) for (const [i, each] of list.entries()) total[i] = (total[i] ?? 0) + each;
  return total;
}

/** How many a second. */
export function rate(count: number, { lengthMs }: Pick<Second, 'lengthMs'>): number {
  return lengthMs > 0 ? (count * 1000) / lengthMs : 0;
}

/**
 * What a part `share` of the requests took no longer than, in milliseconds; null without requests. Within a bound's part
 * requests are taken to be spread evenly; those beyond all bounds took as long as the last.
 */
export function percentile(
  durations: readonly number[],
  boundsSeconds: readonly number[],
  share: number,
): number | null {
  const total = sum(durations);
  if (total === 0) return null;
  let rank = total * share;
  for (const [i, bound] of boundsSeconds.entries()) {
    const count = durations[i] ?? 0;
    if (count >= rank && count > 0) {
      const from = boundsSeconds[i - 1] ?? 0;
      return (from + ((bound - from) * rank) / count) * 1000;
    }
    rank -= count;
  }
  return boundsSeconds[boundsSeconds.length - 1]! * 1000;
}

/** The seconds of the last so many milliseconds before `nowMs`. */
export function lastOf(seconds: readonly Second[], nowMs: number, ms: number): readonly Second[] {
  let first = seconds.length;
  while (first > 0 && seconds[first - 1]!.atMs > nowMs - ms) first--;
  return seconds.slice(first);
}
