/*
 * Statuses of answers as slots of a bounded table: those that the registry of HTTP or nginx has are counted by
 * themselves, others by their class.
 */

/** IANA's, nginx's own (444, 494 to 499), and what large clouds answer. */
const KNOWN: readonly number[] = [
  100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307,
  308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421,
  422, 423, 424, 425, 426, 428, 429, 431, 444, 451, 494, 495, 496, 497, 499, 500, 501, 502, 503, 504, 505,
  506, 507, 508, 510, 511, 520, 521, 522, 523, 524, 525, 526, 530,
];

/** Classes are 1 to 5; what is in none of them is 0. */
const CLASSES = 6;

/** How many slots there are. */
export const STATUS_SLOTS: number = CLASSES + KNOWN.length;

const SLOTS = makeSlots();

function makeSlots(): Uint8Array {
  const slots = new Uint8Array(600);
  for (let status = 100; status < slots.length; status++) slots[status] = Math.floor(status / 100);
  for (const [i, status] of KNOWN.entries()) slots[status] = CLASSES + i;
  return slots;
}

/** The slot of a status. */
export function statusSlot(status: number): number {
  return SLOTS[status] ?? 0;
}

/** Answers by class and by code. Other codes than those of the table are in their class only. */
export interface StatusCounts {
  readonly '1xx': number;
  readonly '2xx': number;
  readonly '3xx': number;
  readonly '4xx': number;
  readonly '5xx': number;
  /** Those that there were any of, in order. */
  readonly codes: Readonly<Record<string, number>>;
  readonly total: number;
}

/** What was counted; `read` gives the number at a slot. */
export function readStatusCounts(read: (slot: number) => number): StatusCounts {
  const classes = Array.from({ length: CLASSES }, (_, slot) => read(slot));
  const codes: Record<string, number> = {};
  for (const [i, status] of KNOWN.entries()) {
    const count = read(CLASSES + i);
    if (count === 0) continue;
    codes[status] = count;
    classes[Math.floor(status / 100)]! += count;
  }
  const [, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0] = classes;
  const total = classes.reduce((sum, count) => sum + count);
  return { '1xx': c1, '2xx': c2, '3xx': c3, '4xx': c4, '5xx': c5, codes, total };
}
