/*
 * The tree of a pattern as a JavaScript regular expression without flags, or with the i flag where a
 * backreference must ignore case. Atomic groups and possessive quantifiers, which JavaScript lacks, become a
 * lookahead, which does not backtrack either, and a reference to what it captured; this adds groups, so the
 * numbers of PCRE's groups are mapped.
 */
import { printSet } from './byte-set.js';
import { canBeEmpty } from './emptiness.js';
import {
  type Assertion,
  type Backreference,
  type Branches,
  type Node,
  PatternProblem,
  type Repeat,
} from './pattern.js';

export interface Emitted {
  readonly source: string;
  /** By the number of a group in PCRE the number it has in the source. */
  readonly groupIndexes: readonly number[];
}

/** Writes a pattern. Throws PatternProblem. */
export function emitPattern(body: Branches): Emitted {
  const emitter = new Emitter();
  const source = emitter.emitBranches(body);
  return { source, groupIndexes: emitter.groupIndexes };
}

const ASSERTIONS: Record<Assertion, string> = {
  start: '^',
  'very-end': '$',
  end: '(?=\\n?$)',
  // PCRE sees no line after a line feed that ends the text.
  'line-start': '(?:^|(?<=\\n)(?!$))',
  'line-end': '(?=\\n|$)',
  'word-boundary': '\\b',
  'no-word-boundary': '\\B',
};

class Emitter {
  readonly groupIndexes: number[] = [0];
  #count = 0;
  #isBehind = false;

  emitBranches(branches: Branches): string {
    return branches.map((branch) => branch.map((node) => this.#emit(node)).join('')).join('|');
  }

  #emit(node: Node): string {
    switch (node.kind) {
      case 'set':
        return printSet(node.set);
      case 'assertion':
        return ASSERTIONS[node.what];
      case 'newline':
        // PCRE's \R is atomic: it never takes a CR and leaves its LF.
        return '(?:\\r\\n|\\r(?!\\n)|[\\n\\x0b\\f\\x85])';
      case 'group':
        return this.#emitGroup(node.capture, node.body);
      case 'atomic':
        return this.#emitAtomic(() => this.emitBranches(node.body));
      case 'look':
        return this.#emitLook(node);
      case 'backreference':
        return this.#emitReference(node);
      case 'repeat':
        return this.#emitRepeat(node);
    }
  }

  #emitGroup(capture: number | null, body: Branches): string {
    if (capture === null) return `(?:${this.emitBranches(body)})`;
    this.groupIndexes[capture] = ++this.#count;
    return `(${this.emitBranches(body)})`;
  }

  #emitAtomic(emitBody: () => string): string {
    if (this.#isBehind) throw new PatternProblem(0, 'atomic groups in lookbehind', true);
    const index = ++this.#count;
    return `(?:(?=(${emitBody()}))\\${index})`;
  }

  #emitLook({ isBehind, isNegative, body }: Node & { kind: 'look' }): string {
    const wasBehind = this.#isBehind;
    this.#isBehind = wasBehind || isBehind;
    const source = `(?${isBehind ? '<' : ''}${isNegative ? '!' : '='}${this.emitBranches(body)})`;
    this.#isBehind = wasBehind;
    return source;
  }

  #emitReference({ group, at }: Backreference): string {
    if (this.#isBehind) throw new PatternProblem(at, 'backreferences in lookbehind', true);
    return `(?:\\${this.groupIndexes[group]})`;
  }

  #emitRepeat(repeat: Repeat): string {
    if (repeat.mode === 'possessive') {
      return this.#emitAtomic(() => this.#emitRepeat({ ...repeat, mode: 'greedy' }));
    }
    // JavaScript takes no round of a loop that takes nothing, not even the one of a "?".
    const isOptional = repeat.min === 0 && repeat.max === 1 && canBeEmpty(repeat.node);
    if (isOptional && repeat.mode === 'lazy') return `(?:|${this.#emit(repeat.node)})`;
    if (isOptional) return `(?:${this.#emit(repeat.node)}|)`;
    const inner = this.#emit(repeat.node);
    const isUnit = repeat.node.kind === 'set' || repeat.node.kind === 'group';
    const lazy = repeat.mode === 'lazy' ? '?' : '';
    return `${isUnit ? inner : `(?:${inner})`}${printCounts(repeat)}${lazy}`;
  }
}

function printCounts({ min, max }: Repeat): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}
