/*
 * nginx's notation for lengths of time. Words like "off" or "infinite" belong to who asks.
 */

interface Unit {
  readonly name: string;
  readonly ms: number;
}

/** From the longest, which is also the order they must be written in. */
const UNITS: readonly Unit[] = [
  { name: 'y', ms: 365 * 86_400_000 },
  { name: 'M', ms: 30 * 86_400_000 },
  { name: 'w', ms: 7 * 86_400_000 },
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'm', ms: 60_000 },
  { name: 's', ms: 1000 },
  { name: 'ms', ms: 1 },
];
const SECONDS = UNITS.findIndex((unit) => unit.name === 's');

/**
 * Milliseconds of a time in nginx's syntax: "500ms", "30s", "1h30m", "1h 30m"; a number without a
 * unit is seconds. Units go from long to short, each at most once. Throws an Error that says what
 * would work.
 */
export function parseDurationMs(text: string): number {
  const part = /(\d+)([a-zA-Z]*) */y;
  let totalMs = 0;
  let lastUnit = -1;
  while (part.lastIndex < text.length || lastUnit < 0) {
    const start = part.lastIndex;
    const match = part.exec(text);
    if (match === null) throw refuse(text, `${describeRest(text, start)}; write it like 500ms, 30s or 1h30m`);
    const [, digits = '', name = ''] = match;
    const index = name === '' ? SECONDS : UNITS.findIndex((unit) => unit.name === name);
    const unit = UNITS[index];
    if (unit === undefined) throw refuse(text, `unknown unit "${name}"; use ms, s, m, h, d, w, M or y`);
    if (index <= lastUnit)
      throw refuse(text, 'units must go from long to short, each once; write it like 1h30m');
    lastUnit = index;
    totalMs += Number(digits) * unit.ms;
  }
  if (text.endsWith(' ')) throw refuse(text, 'it ends in a space; write it like 1h 30m');
  if (!Number.isSafeInteger(totalMs)) throw refuse(text, 'it is too long; use at most 285616y');
  return totalMs;
}

function describeRest(text: string, start: number): string {
  return start === text.length ? 'it is empty' : `a number is missing before "${text.slice(start)}"`;
}

function refuse(text: string, reason: string): Error {
  return new Error(`Cannot parse time "${text}": ${reason}`);
}
