/*
 * What keys of a terminal say to `sluice top`.
 */

const CTRL_C = 3;
const ESCAPE = 27;

/** Whether they end it: q, Ctrl-C, Escape. Arrows and the like begin with the byte of Escape, with more behind it. */
export function isEnding(keys: Buffer): boolean {
  if (keys[0] === ESCAPE) return keys.length === 1;
  return keys.includes('q') || keys.includes(CTRL_C);
}
