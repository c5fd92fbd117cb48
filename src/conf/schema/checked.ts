/*
 * What a check leaves for those who build on it: directives with their definitions and values, includes
 * resolved, everything that was wrong left out.
 */
import type { Directive } from '../syntax/ast.js';
import type { ArgumentSpec, ParsedArguments } from './arguments.js';
import type { Context } from './contexts.js';
import type { DirectiveDefinition } from './definition.js';

/** A directive that passed. */
export interface CheckedDirective {
  readonly definition: DirectiveDefinition;
  /** As it stands in the file, for messages about it. */
  readonly node: Directive;
  readonly context: Context;
  /** By the order of the definition's `args`; valuesOf gives them with their types. */
  readonly values: readonly unknown[];
  /** What stands in its block; none for a simple directive. */
  readonly block: readonly CheckedDirective[];
  /** The lines of a block whose lines are no directives. */
  readonly entries: readonly Directive[];
}

/** The values of a directive that is of this definition; null for one of another. */
export function valuesOf<Specs extends readonly ArgumentSpec[]>(
  definition: DirectiveDefinition<Specs>,
  checked: CheckedDirective,
): ParsedArguments<Specs> | null {
  const isSame = (checked.definition as unknown) === definition;
  return isSame ? (checked.values as ParsedArguments<Specs>) : null;
}
