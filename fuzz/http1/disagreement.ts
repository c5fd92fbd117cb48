/*
 * Where two readers read the same bytes differently, and the ways to say why that is right. The classes
 * themselves are in explanations.ts.
 */
import type { Message, Reading } from './reading.js';

/** Two readings of the same bytes, and the message from which on they differ. */
export interface Disagreement {
  readonly text: string;
  readonly sluice: Reading;
  readonly llhttp: Reading;
  readonly at: number;
}

/** A class of disagreement. */
export interface Explanation {
  readonly name: string;
  readonly reason: string;
  /** Bytes that are read so differently. */
  readonly example: string;
  /** The version of llhttp from which on it reads them as Sluice does. */
  readonly fixedIn?: string;
  readonly explains: (disagreement: Disagreement) => boolean;
}

type Description = Omit<Explanation, 'explains'>;

/** Sluice refuses what llhttp takes. Harmless to those behind it, so its grounds alone tell the classes apart. */
export function stricter({ grounds, ...rest }: Description & { grounds: readonly string[] }): Explanation {
  return {
    ...rest,
    explains: ({ sluice, at }) =>
      sluice.end === 'malformed' &&
      sluice.messages.length <= at + 1 &&
      !isWholeAt(sluice, at) &&
      grounds.includes(sluice.why),
  };
}

/** What Sluice took though llhttp refused it: the message, its head's bytes and all that was sent. */
interface Taken {
  readonly message: Message;
  readonly head: string;
  readonly text: string;
}

/** Sluice takes what llhttp refuses with one of `codes`; `holds` must find in the message what is taken. */
export function laxer({
  codes,
  holds,
  ...rest
}: Description & { codes: readonly string[]; holds: (taken: Taken) => boolean }): Explanation {
  return {
    ...rest,
    explains: ({ text, sluice, llhttp, at }) => {
      const message = sluice.messages[at];
      if (message === undefined || llhttp.end !== 'malformed' || isWholeAt(llhttp, at)) return false;
      return codes.includes(llhttp.why) && holds({ message, head: sluice.heads[at]!, text });
    },
  };
}

/** Compares two readings; null when they agree. */
export function compare(text: string, sluice: Reading, llhttp: Reading): Disagreement | null {
  for (let at = 0; ; at++) {
    const one = sluice.messages[at];
    const other = llhttp.messages[at];
    if (one === undefined && other === undefined) {
      return sluice.end === llhttp.end ? null : { text, sluice, llhttp, at };
    }
    if (JSON.stringify(one) !== JSON.stringify(other)) return { text, sluice, llhttp, at };
  }
}

/** The class that a disagreement is of; null when it is of none. */
export function explain(disagreement: Disagreement, table: readonly Explanation[]): Explanation | null {
  return table.find(({ explains }) => explains(disagreement)) ?? null;
}

/** Whether the message there was read to its end. */
export function isWholeAt(reading: Reading, at: number): boolean {
  return reading.messages[at]?.isWhole ?? false;
}
