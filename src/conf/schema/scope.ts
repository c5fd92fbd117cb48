/*
 * What a level of the configuration says: its own directives, and those it takes from the levels around it by each
 * directive's rule of inheritance. What the values mean is for those who ask.
 */

import { directivesOf } from '../syntax/ast.js';
import { parse } from '../syntax/parser.js';
import { Source } from '../syntax/source.js';
import { type ArgumentSpec, type ParsedArguments, readArguments } from './arguments.js';
import type { CheckedDirective } from './checked.js';
import type { Context } from './contexts.js';
import type { DirectiveDefinition } from './definition.js';

/** A directive in its place, with the types of its values. */
export interface Placed<Specs extends readonly ArgumentSpec[]> extends Omit<CheckedDirective, 'values'> {
  readonly values: ParsedArguments<Specs>;
}

/** The directive whose block a scope is. */
export type ScopeOpener = Pick<CheckedDirective, 'definition' | 'node' | 'block'>;

/** One block: the file itself, http, a server, a location, an if or a limit_except. */
export class Scope {
  readonly context: Context;
  /** Null for the file itself. */
  readonly parent: Scope | null;
  /** The directive whose block this is; null for the file itself. */
  readonly opener: ScopeOpener | null;
  /** What stands in it, in order. */
  readonly directives: readonly CheckedDirective[];
  private readonly byDefinition: Map<unknown, CheckedDirective[]>;

  constructor(
    context: Context,
    parent: Scope | null,
    opener: ScopeOpener | null,
    directives: readonly CheckedDirective[],
  ) {
    this.context = context;
    this.parent = parent;
    this.opener = opener;
    this.directives = directives;
    this.byDefinition = new Map();
    for (const directive of directives) {
      const namesakes = this.byDefinition.get(directive.definition);
      if (namesakes === undefined) this.byDefinition.set(directive.definition, [directive]);
      else namesakes.push(directive);
    }
  }

  /** Whether the block itself has the directive. */
  has<Specs extends readonly ArgumentSpec[]>(definition: DirectiveDefinition<Specs>): boolean {
    return this.byDefinition.has(definition);
  }

  /** The directives of that kind in this very block. */
  own<Specs extends readonly ArgumentSpec[]>(
    definition: DirectiveDefinition<Specs>,
  ): readonly Placed<Specs>[] {
    return (this.byDefinition.get(definition) ?? NONE) as unknown as readonly Placed<Specs>[];
  }

  /** Those that are in force here: its own, or by the directive's inheritance those of the levels around it. */
  all<Specs extends readonly ArgumentSpec[]>(
    definition: DirectiveDefinition<Specs>,
  ): readonly Placed<Specs>[] {
    const own = this.own(definition);
    if (definition.inherit === 'none' || this.parent === null) return own;
    if (definition.inherit === 'merge') {
      const above = this.parent.all(definition);
      return above.length === 0 ? own : own.length === 0 ? above : [...above, ...own];
    }
    return own.length > 0 ? own : this.parent.all(definition);
  }

  /** The one that is in force here; null if there is none. The default doesn't count. */
  find<Specs extends readonly ArgumentSpec[]>(definition: DirectiveDefinition<Specs>): Placed<Specs> | null {
    const all = this.all(definition);
    return all.length === 0 ? null : all[all.length - 1]!;
  }

  /** Its values here, by default what the definition says. A directive without a default is a defect: use `find`. */
  value<Specs extends readonly ArgumentSpec[]>(
    definition: DirectiveDefinition<Specs>,
  ): ParsedArguments<Specs> {
    return this.find(definition)?.values ?? (defaultOf(definition) as ParsedArguments<Specs>);
  }

  /** The innermost scope of that context that this one is in, itself included. */
  within(context: Context): Scope | null {
    return this.context === context ? this : (this.parent?.within(context) ?? null);
  }
}

const NONE: readonly CheckedDirective[] = [];

const defaults = new WeakMap<object, readonly unknown[]>();

/** The values that the definition's default stands for. Throws for one that is none: a defect of its module. */
function defaultOf(definition: DirectiveDefinition): readonly unknown[] {
  let values = defaults.get(definition);
  if (values !== undefined) return values;
  if (definition.default === null) throw new Error(`Directive "${definition.name}" has no default`);
  const text = `${definition.name} ${definition.default};`;
  const [directive] = directivesOf(parse(new Source('default', text)).items);
  const refused: { readonly refusal: { readonly message: string } }[] = [];
  values = readArguments(definition.args, directive!.args, refused as never[]);
  if (refused.length > 0) throw new Error(`Default of "${definition.name}": ${refused[0]!.refusal.message}`);
  defaults.set(definition, values);
  return values;
}
