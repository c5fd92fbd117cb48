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
 * Which units a time may have. nginx has two kinds of times: those it keeps in milliseconds know no years and
 * months, those it keeps in seconds no milliseconds. `any` has all of them.
 */
export type DurationUnits = 'any' | 'to-weeks' | 'from-seconds';

const UNITS_OF: Record<DurationUnits, readonly Unit[]> = {
  any: UNITS,
  'to-weeks': UNITS.slice(2),
  'from-seconds': UNITS.slice(0, SECONDS + 1),
};

/**
 * Milliseconds of a time in nginx's syntax: "500ms", "30s", "1h30m", "1h 30m"; a number without a
 * unit is seconds. Units go from long to short, each at most once. Throws an Error that says what
 * would work.
 *
 * differs from nginx: a unit without a number ("1hm") is refused, where nginx takes 0 for it.
 */
export function parseDurationMs(text: string, units: DurationUnits = 'any'): number {
  const part = /(\d+)([a-zA-Z]*) */y;
  let totalMs = 0;
  let lastUnit = -1;
  while (part.lastIndex < text.length || lastUnit < 0) {
    const start = part.lastIndex;
    const match = part.exec(text);
    if (match === null) throw refuse(text, `${describeRest(text, start)}; write it like 500ms, 30s or 1h30m`);
    const [whole, digits = '', name = ''] = match;
    const index = findUnit(text, name, units);
    // A number that ends the text needs no unit, and then may follow any.
    const isLast = name === '' && !whole.endsWith(' ') && part.lastIndex === text.length;
    if (index <= lastUnit && !isLast)
      throw refuse(text, 'units must go from long to short, each once; write it like 1h30m');
    lastUnit = name === '' ? UNITS.length : index;
    totalMs += Number(digits) * UNITS[index]!.ms;
  }
  if (!Number.isSafeInteger(totalMs)) throw refuse(text, 'it is too long; use at most 285616y');
  return totalMs;
}

function findUnit(text: string, name: string, units: DurationUnits): number {
  if (name === '') return SECONDS;
  const unit = UNITS_OF[units].find((one) => one.name === name);
  if (unit !== undefined) return UNITS.indexOf(unit);
  throw refuse(text, `unknown unit "${name}"; use ${nameUnits(units)}`);
}

function nameUnits(units: DurationUnits): string {
  const names = UNITS_OF[units].map((unit) => unit.name).reverse();
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function describeRest(text: string, start: number): string {
  return start === text.length ? 'it is empty' : `a number is missing before "${text.slice(start)}"`;
}

function refuse(text: string, reason: string): Error {
  return new Error(`Cannot parse time "${text}": ${reason}`);
}

/** Milliseconds as nginx's syntax has them: "10s", "1500ms". */
export function formatMs(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
