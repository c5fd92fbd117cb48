/*
 * Patterns of file names as the C library's glob() reads them, since that is what nginx calls: `*`, `?` and
 * `[...]` within one name, a leading dot only matched by a dot, results in the order of their bytes.
 */
import { toByteString } from '../syntax/source-text.js';

/** Whether nginx takes a name for a pattern. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** All paths that match, sorted; none is no error. `listFolder` is that of a ConfReader. */
export function expandGlob(
  pattern: string,
  listFolder: (path: string) => readonly string[] | null,
): readonly string[] {
  let paths = [''];
  const parts = pattern.match(/[^/]+|\/+/g) ?? [];
  parts.forEach((part, index) => {
    // A plain folder need not be listed: it may be one that only lets pass.
    const isPlain = part.startsWith('/') || (index < parts.length - 1 && !isPattern(part));
    const literal = dropBackslashes(part);
    if (isPlain) paths = paths.map((path) => path + literal);
    else paths = paths.flatMap((path) => matchNames(part, path, listFolder));
  });
  return sortByBytes(paths);
}

function dropBackslashes(part: string): string {
  return part.replace(/\\(.)/gs, '$1');
}

function matchNames(
  part: string,
  folder: string,
  listFolder: (path: string) => readonly string[] | null,
): string[] {
  const names = listFolder(folder === '' ? '.' : folder);
  if (names === null) return [];
  const literal = dropBackslashes(part);
  if (literal === '.' || literal === '..') return [folder + literal];
  const matches = isPattern(part) ? compilePattern(part) : (name: string) => name === literal;
  return names.filter(matches).map((name) => folder + name);
}

function sortByBytes(paths: string[]): string[] {
  return paths
    .map((path) => ({ path, bytes: toByteString(path) }))
    .sort((a, b) => (a.bytes < b.bytes ? -1 : a.bytes > b.bytes ? 1 : 0))
    .map(({ path }) => path);
}

type Step = '*' | ((character: string) => boolean);

/** A test for one name. Linear: a pattern cannot make it backtrack over more than its last `*`. */
function compilePattern(pattern: string): (name: string) => boolean {
  const steps = readSteps([...pattern]);
  return (name) => !(name.startsWith('.') && !pattern.startsWith('.')) && matchSteps(steps, [...name]);
}

function matchSteps(steps: readonly Step[], characters: readonly string[]): boolean {
  let step = 0;
  let at = 0;
  let starStep = -1;
  let starAt = 0;
  while (at < characters.length) {
    const current = steps[step];
    if (current === '*') {
      starStep = step++;
      starAt = at;
    } else if (current?.(characters[at]!)) {
      step++;
      at++;
    } else if (starStep >= 0) {
      step = starStep + 1;
      at = ++starAt;
    } else return false;
  }
  while (steps[step] === '*') step++;
  return step === steps.length;
}

function readSteps(pattern: readonly string[]): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    const bracket = character === '[' ? readBracket(pattern, i) : null;
    if (bracket !== null) {
      steps.push(bracket.matches);
      i = bracket.end;
    } else if (character === '*') steps.push('*');
    else if (character === '?') steps.push(() => true);
    else {
      const literal = character === '\\' && i + 1 < pattern.length ? pattern[++i]! : character;
      steps.push((other) => other === literal);
    }
  }
  return steps;
}

const CLASSES: ReadonlyMap<string, RegExp> = new Map([
  ['alnum', /[A-Za-z0-9]/],
  ['alpha', /[A-Za-z]/],
  ['digit', /[0-9]/],
  ['lower', /[a-z]/],
  ['upper', /[A-Z]/],
  ['punct', /[!-/:-@[-`{-~]/],
  ['space', /[\t-\r ]/],
  ['xdigit', /[0-9A-Fa-f]/],
]);

/** A `[...]`, or null when it has no end and so stands for itself. */
function readBracket(
  pattern: readonly string[],
  start: number,
): { matches: (character: string) => boolean; end: number } | null {
  let at = start + 1;
  const isNegated = pattern[at] === '!' || pattern[at] === '^';
  if (isNegated) at++;
  const members: ((character: string) => boolean)[] = [];
  for (let isFirst = true; isFirst || pattern[at] !== ']'; isFirst = false) {
    if (at >= pattern.length) return null;
    const name = /^\[:(\w+):\]/.exec(pattern.slice(at, at + 12).join(''))?.[1];
    const named = name === undefined ? undefined : CLASSES.get(name);
    if (named !== undefined) {
      members.push((character) => named.test(character));
      at += name!.length + 4;
      continue;
    }
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++;
    const low = pattern[at++]!;
    const isRange = pattern[at] === '-' && pattern[at + 1] !== undefined && pattern[at + 1] !== ']';
    const high = isRange ? pattern[at + 1]! : low;
    if (isRange) at += 2;
    members.push((character) => character >= low && character <= high);
  }
  return { matches: (character) => members.some((has) => has(character)) !== isNegated, end: at };
}
