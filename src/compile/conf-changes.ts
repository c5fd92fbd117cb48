/*
 * What differs between two configurations, in short lines: servers, locations, upstream groups and their servers that
 * came or went, and in all others the names of the directives that changed. How a file is laid out, quoted and split by
 * includes makes no difference.
 */
import type { CheckedDirective } from '../conf/schema/checked.js';
import type { Scope } from '../conf/schema/scope.js';
import type { Directive } from '../conf/syntax/ast.js';

/** So many changes are told; of more only their number. */
const MOST_LINES = 30;

/** The changes from one main level to the other; none if there are none. */
export function describeChanges(before: Scope, after: Scope): string[] {
  const lines = compareBlocks(before.directives, after.directives, '');
  for (const name of OUTER) {
    lines.push(...compareBlocks(blockOf(before.directives, name), blockOf(after.directives, name), name));
  }
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES - 1), `and ${lines.length - MOST_LINES + 1} more changes`];
}

/** Blocks that are told of by themselves, by what they are called. */
interface Named {
  readonly key: string;
  /** As it is told: `location "/a" of server "x"`. */
  readonly title: string;
  readonly directive: CheckedDirective;
}

/** Blocks of the main level without a name, of which there is one each. */
const OUTER: ReadonlySet<string> = new Set(['events', 'http', 'stream']);

function compareBlocks(
  before: readonly CheckedDirective[],
  after: readonly CheckedDirective[],
  within: string,
): string[] {
  const named = compareNamed(namedIn(before, within), namedIn(after, within));
  return [...changedLine(before, after, within), ...named];
}

function blockOf(directives: readonly CheckedDirective[], name: string): CheckedDirective[] {
  return directives.filter(({ node }) => node.name === name).flatMap(({ block }) => block);
}

/** The names of those that are no blocks of their own and aren't the same. */
function changedLine(
  before: readonly CheckedDirective[],
  after: readonly CheckedDirective[],
  within: string,
): string[] {
  const [old, fresh] = [textsByName(before), textsByName(after)];
  const names = [...new Set([...old.keys(), ...fresh.keys()])].filter(
    (name) => old.get(name) !== fresh.get(name),
  );
  if (names.length === 0) return [];
  return [`${within === '' ? 'main level' : within} changed: ${names.join(', ')}`];
}

function textsByName(directives: readonly CheckedDirective[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const directive of directives) {
    const { name } = directive.node;
    if (OUTER.has(name) || keyOf(directive) !== null) continue;
    texts.set(name, `${texts.get(name) ?? ''}${textOf(directive)}`);
  }
  return texts;
}

/** A directive with all that stands in it, as it is meant. */
function textOf({ node, block, entries }: CheckedDirective): string {
  const inner = [...block.map(textOf), ...entries.map(entryText)];
  return `${entryText(node)}${inner.length === 0 ? '' : `{${inner.join('')}}`}`;
}

function entryText({ name, args }: Directive): string {
  return JSON.stringify([name, ...args.map(({ text }) => text)]);
}

/** What tells a block or a server of a group from others beside it; null for what is told by its name alone. */
function keyOf({ node, context, block }: CheckedDirective): string | null {
  const words = node.args.map(({ text }) => text);
  switch (node.name) {
    case 'server':
      return context === 'upstream' ? words[0]! : serverName(block);
    case 'upstream':
    case 'location':
      return words.join(' ');
    default:
      return null;
  }
}

/** The first name of a virtual server, else where it listens. */
function serverName(block: readonly CheckedDirective[]): string {
  const first = (name: string) => block.find(({ node }) => node.name === name)?.node.args[0]?.text;
  return first('server_name') || first('listen') || '';
}

/** Several with the same key are told apart by their order. */
function namedIn(directives: readonly CheckedDirective[], within: string): Named[] {
  const counts = new Map<string, number>();
  return directives.flatMap((directive) => {
    const key = keyOf(directive);
    if (key === null) return [];
    const { name } = directive.node;
    const whole = `${name} ${key}`;
    const count = (counts.get(whole) ?? 0) + 1;
    counts.set(whole, count);
    const of = within === '' || OUTER.has(within) ? '' : ` of ${within}`;
    const number = count === 1 ? '' : ` (${count})`;
    return [{ key: `${whole} ${count}`, title: `${name} "${key}"${number}${of}`, directive }];
  });
}

function compareNamed(before: readonly Named[], after: readonly Named[]): string[] {
  const known = new Map(before.map((named) => [named.key, named]));
  const lines: string[] = [];
  for (const { key, title, directive } of after) {
    const old = known.get(key);
    known.delete(key);
    if (old === undefined) lines.push(`${title} added`);
    else if (textOf(old.directive) !== textOf(directive))
      lines.push(...compareOne(old.directive, directive, title));
  }
  for (const { title } of known.values()) lines.push(`${title} removed`);
  if (lines.length === 0 && regexes(before) !== regexes(after)) lines.push(orderLine(after));
  return lines;
}

function compareOne(old: CheckedDirective, fresh: CheckedDirective, title: string): string[] {
  const lines = compareBlocks(old.block, fresh.block, title);
  if (entryText(old.node) === entryText(fresh.node)) return lines;
  // Of a server in a group: its parameters.
  const words = ({ node }: CheckedDirective) => node.args.slice(1).map(({ text }) => text);
  const [before, after] = [words(old), words(fresh)];
  const changed = [...after.filter((word) => !before.includes(word)), ...gone(before, after)];
  return [`${title} changed: ${changed.join(', ')}`, ...lines];
}

/** Parameters that are no more, without their values where another value stands for them. */
function gone(before: readonly string[], after: readonly string[]): string[] {
  const names = after.map(parameterName);
  return before.filter((word) => !names.includes(parameterName(word))).map((word) => `no ${word}`);
}

function parameterName(word: string): string {
  return word.split('=')[0]!;
}

/** Locations with regular expressions, whose order counts. */
function regexes(some: readonly Named[]): string {
  const isRegex = ({ directive: { node } }: Named) =>
    node.name === 'location' && node.args[0]!.text.startsWith('~');
  return JSON.stringify(some.filter(isRegex).map(({ key }) => key));
}

function orderLine(some: readonly Named[]): string {
  const { title } = some.find(({ directive }) => directive.node.name === 'location')!;
  const of = / of .*$/.exec(title)?.[0] ?? '';
  return `locations${of} changed: the order of regular expressions`;
}
