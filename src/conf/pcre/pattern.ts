/*
 * A PCRE pattern as a tree, in which flags are resolved already: a letter that ignores case is a set of two,
 * a dot a set of 255 or 256. parse.ts makes it, emit.ts writes it as JavaScript.
 */
import type { ByteSet } from './byte-set.js';

export type Node =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'assertion'; readonly what: Assertion }
  | { readonly kind: 'newline' }
  | { readonly kind: 'group'; readonly capture: number | null; readonly body: Branches }
  | { readonly kind: 'atomic'; readonly body: Branches }
  | {
      readonly kind: 'look';
      readonly isBehind: boolean;
      readonly isNegative: boolean;
      readonly body: Branches;
    }
  | Backreference
  | Repeat;

/** Alternatives, each a sequence. */
export type Branches = readonly (readonly Node[])[];

/** `end` is where `$` matches: at the end and before a line feed that ends the text. */
export type Assertion =
  | 'start'
  | 'end'
  | 'very-end'
  | 'line-start'
  | 'line-end'
  | 'word-boundary'
  | 'no-word-boundary';

export interface Backreference {
  readonly kind: 'backreference';
  readonly group: number;
  readonly isCaseless: boolean;
  /** Where it stands in the pattern. */
  readonly at: number;
}

export interface Repeat {
  readonly kind: 'repeat';
  readonly node: Node;
  readonly min: number;
  readonly max: number;
  readonly mode: 'greedy' | 'lazy' | 'possessive';
}

/** A parsed pattern. */
export interface Pattern {
  readonly body: Branches;
  readonly groupCount: number;
  /** The groups that have a name. */
  readonly names: ReadonlyMap<string, number>;
}

/** Why a pattern cannot be used; thrown within this folder and never out of it. */
export class PatternProblem extends Error {
  /** Offset in the pattern, in bytes. */
  readonly at: number;
  /** PCRE takes it, JavaScript has nothing like it. */
  readonly isUntranslatable: boolean;

  constructor(at: number, reason: string, isUntranslatable = false) {
    super(reason);
    this.at = at;
    this.isUntranslatable = isUntranslatable;
  }
}

/** Every node, outer ones first. */
export function* allNodes(branches: Branches): Generator<Node> {
  for (const node of branches.flat()) {
    yield node;
    if (node.kind === 'repeat') yield* allNodes([[node.node]]);
    else if ('body' in node) yield* allNodes(node.body);
  }
}
