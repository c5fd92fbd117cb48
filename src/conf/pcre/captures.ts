/*
 * Where JavaScript keeps captures otherwise than PCRE. It takes a reference to a group that has not matched
 * for the empty text, where PCRE fails; and it forgets what the groups in a loop captured when the next round
 * begins, where PCRE keeps it. The first would change what matches and is refused; the second changes what
 * some groups hold, and these are listed.
 */
import { canBeEmpty, isEmptyTooSoon } from './emptiness.js';
import { allNodes, type Branches, type Node, PatternProblem } from './pattern.js';

/** Groups whose text may differ from PCRE's; 0 is all that matched. Throws PatternProblem for a reference that may be unset. */
export function findUnsureGroups(body: Branches): readonly number[] {
  const walk = new CaptureWalk();
  walk.branches(body, new Set());
  const nodes = [...allNodes(body)];
  const hasOtherOrder = nodes.some(isEmptyTooSoon);
  if (hasOtherOrder && nodes.some(isAtomic)) {
    throw new PatternProblem(0, 'loops of what may match nothing that fit an atomic group', true);
  }
  return hasOtherOrder ? [0, ...body.flat().flatMap(groupsIn)] : [...walk.unsure].sort((a, b) => a - b);
}

class CaptureWalk {
  readonly unsure = new Set<number>();

  /** @returns the groups that are certain to be set afterwards */
  branches(branches: Branches, before: ReadonlySet<number>): ReadonlySet<number> {
    const [first = before, ...others] = branches.map((branch) =>
      branch.reduce((set, node) => this.#node(node, set), before),
    );
    return new Set([...first].filter((group) => others.every((set) => set.has(group))));
  }

  #node(node: Node, before: ReadonlySet<number>): ReadonlySet<number> {
    switch (node.kind) {
      case 'group': {
        const after = this.branches(node.body, before);
        return node.capture === null ? after : new Set([...after, node.capture]);
      }
      case 'atomic':
        return this.branches(node.body, before);
      case 'look': {
        const after = this.branches(node.body, before);
        // JavaScript matches lookbehind from right to left.
        if (node.isBehind) for (const group of groupsIn(node)) this.unsure.add(group);
        return node.isNegative ? before : after;
      }
      case 'repeat': {
        const after = this.#node(node.node, before);
        // JavaScript ends a loop before a round that takes nothing, PCRE after it.
        const mayBeEmpty = node.max > 1 && node.max > node.min && canBeEmpty(node.node);
        for (const group of groupsIn(node.node)) {
          if (mayBeEmpty || (node.max > 1 && !after.has(group))) this.unsure.add(group);
        }
        return node.min === 0 ? before : after;
      }
      case 'backreference':
        if (!before.has(node.group)) {
          const what = `references to a group that may not have matched (group ${node.group})`;
          throw new PatternProblem(node.at, what, true);
        }
        return before;
      default:
        return before;
    }
  }
}

function isAtomic(node: Node): boolean {
  return node.kind === 'atomic' || (node.kind === 'repeat' && node.mode === 'possessive');
}

function groupsIn(node: Node): number[] {
  if (node.kind === 'repeat') return groupsIn(node.node);
  if (!('body' in node)) return [];
  const inner = node.body.flat().flatMap(groupsIn);
  return node.kind === 'group' && node.capture !== null ? [node.capture, ...inner] : inner;
}
