/*
 * Loops around what can match nothing. PCRE ends such a loop after a round that took nothing; JavaScript does
 * not take that round and tries the next way instead. Both reach the same ends, but not in the same order if
 * taking nothing comes before another way, as in (?:|a)* or (?:a*?)*.
 */
import type { Branches, Node } from './pattern.js';

/** The node can match without taking a byte. */
export function canBeEmpty(node: Node): boolean {
  switch (node.kind) {
    case 'set':
    case 'newline':
      return false;
    case 'group':
    case 'atomic':
      return node.body.some((branch) => branch.every(canBeEmpty));
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.node);
    default:
      return true;
  }
}

/** The loop is one that goes other ways in JavaScript: its rounds may try nothing before they try something. */
export function isEmptyTooSoon(node: Node): boolean {
  if (node.kind !== 'repeat' || node.max <= 1 || node.max === node.min) return false;
  return canBeEmpty(node.node) && !isEmptyLast(node.node);
}

/** Of a node that can be empty: all other ways come first. */
function isEmptyLast(node: Node): boolean {
  switch (node.kind) {
    case 'group':
      return areEmptyLast(node.body);
    case 'atomic':
      // It has one way only, and may have thrown the others away.
      return false;
    case 'repeat':
      if (node.mode !== 'greedy') return false;
      return node.max === 0 || !canBeEmpty(node.node) || isEmptyLast(node.node);
    case 'backreference':
    case 'look':
    case 'assertion':
      return true;
    default:
      return true;
  }
}

function areEmptyLast(body: Branches): boolean {
  const firstEmpty = body.findIndex((branch) => branch.every(canBeEmpty));
  return firstEmpty === body.length - 1 && body.at(-1)!.every(isEmptyLast);
}
