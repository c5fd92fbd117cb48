/*
 * A directive as data. From it come the checks, the values that a module reads, reference pages and editor
 * support; a module declares each of its directives once, with defineDirective.
 */
import type { Finding } from '../diagnostics/catalogue.js';
import type { Directive } from '../syntax/ast.js';
import type { ArgumentSpec } from './arguments.js';
import type { Context } from './contexts.js';

/**
 * What a level takes from the one around it: nothing; all that it says itself replaces (nginx's usual rule, also
 * for directives that can be repeated); or both together.
 */
export type Inheritance = 'none' | 'replace' | 'merge';

/** A block of directives. `opens` is their context, or that by where the block stands. */
export interface DirectiveBlock {
  readonly opens: Context | Partial<Readonly<Record<Context, Context>>>;
}

/** A block of lines that are no directives, such as those of `map` and `types`. */
export interface EntryBlock {
  /** What is wrong with a line, if anything; its words are there, blocks and includes are not. */
  readonly checkEntry: (entry: Directive) => Finding | null;
}

/** One directive. */
export interface DirectiveDefinition<Specs extends readonly ArgumentSpec[] = readonly ArgumentSpec[]> {
  readonly name: string;
  /** For people, without the `;`: `gzip on | off`. */
  readonly syntax: string;
  readonly contexts: readonly Context[];
  readonly args: Specs;
  /** How many arguments there may be, when that is not every number from the fewest to the most. */
  readonly counts?: readonly number[];
  /** Null for a directive that ends in `;`. */
  readonly block: DirectiveBlock | EntryBlock | null;
  /** The arguments that stand for it when it is nowhere; null when it is then simply not there. */
  readonly default: string | null;
  readonly inherit: Inheritance;
  /** It may stand several times in one block. */
  readonly isRepeatable: boolean;
  /** Directives that cannot stand beside it in one block. */
  readonly conflicts?: readonly string[];
  /** One sentence for people. */
  readonly summary: string;
  /** The version of Sluice that has it first. */
  readonly since: string;
  /** `none`: it is taken for nginx's sake and does nothing here. */
  readonly effect: 'full' | 'none';
  /** What of it is not as in nginx, as one sentence for people; left out where all is. */
  readonly differs?: string;
}

/** Declares a directive; the types of its values are inferred from `args`. */
export function defineDirective<const Specs extends readonly ArgumentSpec[]>(
  definition: DirectiveDefinition<Specs>,
): DirectiveDefinition<Specs> {
  return definition;
}

/**
 * How a module declares its directives of one line, which stand in the same places and of which the innermost level
 * decides; what one of them has otherwise is said with it.
 * @returns declares one: its name and what it takes as people write it, its arguments, default and summary
 */
export function lineDirectives(contexts: readonly Context[], common: Partial<DirectiveDefinition<[]>> = {}) {
  return <const Specs extends readonly ArgumentSpec[]>(
    name: string,
    syntax: string,
    args: Specs,
    preset: string | null,
    summary: string,
    more: Partial<DirectiveDefinition<Specs>> = {},
  ): DirectiveDefinition<Specs> => ({
    name,
    syntax: `${name} ${syntax}`.trimEnd(),
    contexts,
    block: null,
    default: preset,
    inherit: 'replace',
    isRepeatable: false,
    summary,
    since: '0.2.0',
    effect: 'full',
    ...common,
    args,
    ...more,
  });
}

/** The context that a directive's block opens; null if its lines are no directives or it has no block. */
export function contextWithin(definition: DirectiveDefinition, context: Context): Context | null {
  const { block } = definition;
  if (block === null || !('opens' in block)) return null;
  return typeof block.opens === 'string' ? block.opens : (block.opens[context] ?? null);
}
