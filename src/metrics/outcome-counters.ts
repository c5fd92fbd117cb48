/*
 * How often each of a few things has happened: what became of the requests that a limit looked at.
 */
import type { WorkerPlace } from '../zones/worker-place.js';
import { CounterRows, counterBytes } from './counter-rows.js';

/** Counts by name. */
export class OutcomeCounters<Name extends string = string> {
  readonly names: readonly Name[];
  private readonly rows: CounterRows;
  private readonly own: Float64Array;

  /** @param memory of `outcomeBytes(names, worker)` bytes */
  constructor(names: readonly Name[], memory: SharedArrayBuffer, worker?: WorkerPlace) {
    this.names = names;
    this.rows = new CounterRows(memory, names.length, worker);
    this.own = this.rows.own;
  }

  note(name: Name): void {
    this.add(name, 1);
  }

  add(name: Name, count: number): void {
    this.own[this.names.indexOf(name)]! += count;
  }

  /** Begins to count anew. */
  reset(): void {
    for (const slot of this.names.keys()) this.rows.reset(slot);
  }

  /** Over all workers and since the start. */
  snapshot(): Record<Name, number> {
    return Object.fromEntries(this.names.map((name, slot) => [name, this.rows.sum(slot)])) as Record<
      Name,
      number
    >;
  }
}

/** What OutcomeCounters of those names need. */
export function outcomeBytes(names: readonly string[], worker?: WorkerPlace): number {
  return counterBytes(names.length, worker);
}
