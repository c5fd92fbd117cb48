/*
 * A regular expression as nginx takes it, to one that JavaScript runs. It must be matched against bytes: texts
 * whose characters are bytes (latin1), as the engine keeps them, so that a dot is one byte as it is in nginx.
 */
import { countBytes, toByteString } from '../syntax/source-text.js';
import { findUnsureGroups } from './captures.js';
import { emitPattern } from './emit.js';
import { parsePattern } from './parse.js';
import { allNodes, type Branches, type Node, PatternProblem } from './pattern.js';

/** A pattern ready to use. It is not global or sticky, so it keeps no state. */
export interface Regex {
  readonly regexp: RegExp;
  /** What was translated. */
  readonly pattern: string;
  readonly isCaseless: boolean;
  /** How many groups the pattern has, in PCRE's numbers. */
  readonly groupCount: number;
  /** By PCRE's number of a group its index in a match of `regexp`; these differ if `regexp` has extra groups. */
  readonly groupIndexes: readonly number[];
  /** Named groups with PCRE's numbers. nginx makes variables of these. */
  readonly names: ReadonlyMap<string, number>;
  /** Groups whose text may differ from PCRE's, which is so for some in loops. 0 is all that matched. */
  readonly unsureGroups: readonly number[];
}

/** Why there is no such regular expression. */
export interface RegexProblem {
  readonly reason: string;
  /** Offset in the pattern, in characters. */
  readonly at: number;
  /** nginx would have taken it. */
  readonly isUntranslatable: boolean;
  /** What nginx writes into its log; null if it would have taken it. */
  readonly nginxText: string | null;
}

/** Translates a pattern; `isCaseless` is what `~*` asks for. Never throws. */
export function translatePcre(pattern: string, isCaseless: boolean): Regex | RegexProblem {
  try {
    return translate(pattern, isCaseless);
  } catch (error) {
    if (error instanceof PatternProblem) return describe(pattern, error);
    // JavaScript bounds the size of an expression, as PCRE does, but elsewhere.
    const reason = error instanceof Error ? error.message : String(error);
    return { reason, at: 0, isUntranslatable: true, nginxText: null };
  }
}

function translate(pattern: string, isCaseless: boolean): Regex {
  const { body, groupCount, names } = parsePattern(toByteString(pattern), isCaseless);
  const unsureGroups = findUnsureGroups(body);
  const { source, groupIndexes } = emitPattern(body);
  const regexp = new RegExp(source, needsCaselessFlag(body) ? 'i' : '');
  // JavaScript may notice only now that the expression is too large for it.
  regexp.test('');
  return { regexp, pattern, isCaseless, groupCount, groupIndexes, names, unsureGroups };
}

function describe(pattern: string, { message, at, isUntranslatable }: PatternProblem): RegexProblem {
  const index = characterAt(pattern, at);
  if (isUntranslatable) {
    return { reason: `JavaScript has no ${message}`, at: index, isUntranslatable, nginxText: null };
  }
  const rest = pattern.slice(index);
  const place = rest === '' ? '' : ` at "${rest}"`;
  const nginxText = `pcre2_compile() failed: ${message} in "${pattern}"${place}`;
  return { reason: message, at: index, isUntranslatable, nginxText };
}

function characterAt(pattern: string, byteOffset: number): number {
  let bytes = 0;
  let index = 0;
  for (const character of pattern) {
    bytes += countBytes(character);
    if (bytes > byteOffset) break;
    index += character.length;
  }
  return index;
}

/** Sets have both cases of their letters already; only a reference needs the flag, and then for all. */
function needsCaselessFlag(body: Branches): boolean {
  const nodes = [...allNodes(body)];
  const references = nodes.filter((node) => node.kind === 'backreference');
  const caseless = references.find((node) => node.isCaseless);
  if (caseless === undefined) return false;
  const isUniform = references.every((node) => node.isCaseless) && nodes.every(isSameInBothCases);
  if (!isUniform) {
    throw new PatternProblem(caseless.at, 'references that ignore case where other parts do not', true);
  }
  return true;
}

function isSameInBothCases(node: Node): boolean {
  if (node.kind !== 'set') return true;
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    if (node.set[upper] !== node.set[upper + 0x20]) return false;
  }
  // Above ASCII JavaScript knows letters where nginx sees bytes.
  return node.set.subarray(0x80).every((isIn) => isIn === node.set[0x80]);
}
