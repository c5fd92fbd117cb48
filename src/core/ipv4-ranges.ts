/*
 * Values by ranges of IPv4 addresses, which may be cut out of larger ones. As in nginx's geo, ranges are kept for each
 * block of 65,536 addresses by themselves, which decides whether two overlap.
 */

const BLOCK = 0x10000;

interface Range<T> {
  readonly start: number;
  readonly end: number;
  readonly value: T;
}

/** What became of a range that was added: as said, or with the value that was there or the range it overlaps. */
export type AddedRange<T> =
  | { readonly kind: 'added' }
  | { readonly kind: 'replaced'; readonly old: T }
  | { readonly kind: 'overlaps'; readonly start: number; readonly end: number };

/** Addresses are numbers from 0 to 2^32 - 1; ranges have their ends in them. */
export class Ipv4Ranges<T> {
  /** By block: ranges in order, as far as they are in it. */
  private readonly blocks: Map<number, Range<T>[]> = new Map();

  find(address: number): T | undefined {
    const ranges = this.blocks.get(Math.floor(address / BLOCK));
    if (ranges === undefined) return undefined;
    let low = 0;
    let high = ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = ranges[middle]!;
      if (address < range.start) high = middle - 1;
      else if (address > range.end) low = middle + 1;
      else return range.value;
    }
    return undefined;
  }

  /** A range within another takes its place there; one that overlaps another by a part only is not added. */
  add(start: number, end: number, value: T): AddedRange<T> {
    let result: AddedRange<T> = { kind: 'added' };
    for (const part of partsOf(start, end)) {
      const added = this.addPart({ ...part, value });
      if (added.kind === 'overlaps') return added;
      if (added.kind === 'replaced') result = added;
    }
    return result;
  }

  /** Whether exactly that range was there. */
  delete(start: number, end: number): boolean {
    let wasThere = true;
    for (const part of partsOf(start, end)) {
      const ranges = this.blocks.get(Math.floor(part.start / BLOCK)) ?? [];
      const index = ranges.findIndex((range) => range.start === part.start && range.end === part.end);
      if (index < 0) wasThere = false;
      else ranges.splice(index, 1);
    }
    return wasThere;
  }

  private addPart(added: Range<T>): AddedRange<T> {
    const block = Math.floor(added.start / BLOCK);
    let ranges = this.blocks.get(block);
    if (ranges === undefined) {
      ranges = [];
      this.blocks.set(block, ranges);
    }
    // Files are mostly sorted, so the place is near the end.
    let index = ranges.length;
    while (index > 0 && ranges[index - 1]!.start > added.end) index--;
    const other = ranges[index - 1];
    if (other === undefined || other.end < added.start) {
      ranges.splice(index, 0, added);
      return { kind: 'added' };
    }
    const { start, end, value } = other;
    if (added.start < start || added.end > end) return { kind: 'overlaps', start, end };
    const isSame = added.start === start && added.end === end;
    const pieces = [added];
    if (start < added.start) pieces.unshift({ start, end: added.start - 1, value });
    if (end > added.end) pieces.push({ start: added.end + 1, end, value });
    ranges.splice(index - 1, 1, ...pieces);
    return isSame ? { kind: 'replaced', old: value } : { kind: 'added' };
  }
}

function* partsOf(start: number, end: number): Generator<{ start: number; end: number }> {
  for (let from = start; from <= end; ) {
    const to = Math.min(end, Math.floor(from / BLOCK) * BLOCK + BLOCK - 1);
    yield { start: from, end: to };
    from = to + 1;
  }
}
