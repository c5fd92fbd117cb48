/*
 * "Did you mean": the known word closest to what was typed. Where the question is asked and how it
 * is worded is for the callers.
 */

/**
 * The candidate fewest edits away from `word` (a letter put in, left out, changed, or two swapped), or
 * null when none is near enough to have been meant: a third of its letters may differ, at least one.
 * Of equally near ones the first wins.
 */
export function nearestWord(word: string, candidates: readonly string[]): string | null {
  let nearest: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (Math.abs(word.length - candidate.length) > allowed) continue;
    const edits = editDistance(word, candidate, Math.min(allowed, fewest - 1));
    if (edits <= allowed && edits < fewest) {
      nearest = candidate;
      fewest = edits;
    }
  }
  return nearest;
}

/**
 * Optimal string alignment distance, with three rows of the table instead of all of it. Past `limit` it gives up:
 * of a thousand candidates nearly all differ too much within their first letters.
 */
function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  let lastLeast = 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, beforeLast[j - 2]! + 1);
      }
      row.push(edits);
      if (edits < least) least = edits;
    }
    // A swap reaches back two rows.
    if (least > limit && lastLeast > limit) return Number.POSITIVE_INFINITY;
    beforeLast = last;
    last = row;
    lastLeast = least;
  }
  return last[b.length]!;
}
