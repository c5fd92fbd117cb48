/*
 * A tree to text in one canonical form: a directive a line, four spaces a level, at most one blank line. Words
 * stay as they were written, comments stay, and so do line breaks between the arguments of a directive. What
 * it prints parses to the same tree; trees with syntax errors have no such promise.
 */
import type { Comment, Directive, Item } from './ast.js';

const INDENT = '    ';

/** The text of items, ending in a line feed; '' for none. */
export function print(items: readonly Item[]): string {
  const lines: string[] = [];
  printItems(items, '', lines);
  return lines.length === 0 ? '' : lines.join('\n') + '\n';
}

function printItems(items: readonly Item[], indent: string, lines: string[]): void {
  items.forEach((item, index) => {
    // A trailing comment belongs to the line that is there already: of a directive, or of a "{".
    if (item.kind === 'comment' && item.isTrailing && lines.length > 0) {
      lines[lines.length - 1] += ` #${item.text}`;
      return;
    }
    if (item.isAfterBlankLine && index > 0) lines.push('');
    if (item.kind === 'comment') lines.push(`${indent}#${item.text}`);
    else printDirective(item, indent, lines);
  });
}

function printDirective(directive: Directive, indent: string, lines: string[]): void {
  const { block } = directive;
  const head = printHead(directive, indent);
  if (block === null) lines.push(`${head};`);
  else if (block.length === 0) lines.push(`${spaced(head)}{}`);
  else {
    lines.push(`${spaced(head)}{`);
    printItems(block, indent + INDENT, lines);
    lines.push(`${indent}}`);
  }
}

function spaced(head: string): string {
  return head.endsWith(' ') || head.endsWith('\n') ? head : `${head} `;
}

function printHead(directive: Directive, indent: string): string {
  let text = indent + directive.word.raw;
  let previous = directive.word;
  let isLineOver = false;
  let next = 0;
  const printComments = (before: number): void => {
    for (; directive.innerComments[next]?.before === before; next++) {
      text += printInnerComment(directive.innerComments[next]!.comment, isLineOver, indent);
      isLineOver = true;
    }
  };
  directive.args.forEach((word, index) => {
    printComments(index);
    // nginx lets a ")" follow a closing quote, for conditions: ($a = "b")
    const isGlued = previous.quote !== '' && word.raw.startsWith(')') && !isLineOver && !word.isOnNewLine;
    if (isLineOver || word.isOnNewLine) text += `\n${indent}${INDENT}`;
    else if (!isGlued) text += ' ';
    text += word.raw;
    previous = word;
    isLineOver = false;
  });
  printComments(directive.args.length);
  return isLineOver ? `${text}\n${indent}` : text;
}

function printInnerComment(comment: Comment, isLineOver: boolean, indent: string): string {
  const before = isLineOver || !comment.isTrailing ? `\n${indent}${INDENT}` : ' ';
  return `${before}#${comment.text}`;
}
