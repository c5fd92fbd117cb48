/*
 * The configuration language as a JSON Schema, for editors and programs that write configurations: a configuration is a
 * list of directives, each with its name, its arguments and its block, as crossplane has them.
 */
import { countArguments } from '../../conf/schema/arguments.js';
import type { Context } from '../../conf/schema/contexts.js';
import { contextWithin, type DirectiveDefinition } from '../../conf/schema/definition.js';
import type { Registry } from '../../conf/schema/registry.js';

/** A JSON Schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** The schema of everything in a registry. */
export function configurationSchema(registry: Registry): Schema {
  const { definitions } = registry;
  const contexts = [...new Set(definitions.flatMap((definition) => definition.contexts))].sort();
  const defs: Record<string, Schema> = { include: INCLUDE, entries: ENTRIES };
  for (const context of contexts) {
    const here = definitions.filter((definition) => definition.contexts.includes(context));
    const refs = here.map((definition) => {
      const key = `${definition.name}_in_${keyOf(placeOf(definition, context))}`;
      defs[key] ??= directiveSchema(definition, context);
      return { $ref: `#/$defs/${key}` };
    });
    defs[keyOf(context)] = { type: 'array', items: { anyOf: [...refs, { $ref: '#/$defs/include' }] } };
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'nginx.conf as Sluice reads it',
    $ref: '#/$defs/main',
    $defs: defs,
  };
}

/** Where a directive is described: once for all its places, unless its block means something else in each. */
function placeOf(definition: DirectiveDefinition, context: Context): Context {
  const { block, contexts } = definition;
  const isOne = block === null || !('opens' in block) || typeof block.opens === 'string';
  return isOne ? contexts[0]! : context;
}

const STRING = { type: 'string' };

const INCLUDE: Schema = {
  description: 'Reads other files in place.',
  properties: {
    directive: { const: 'include' },
    args: { type: 'array', items: STRING, minItems: 1, maxItems: 1 },
  },
  required: ['directive', 'args'],
};

/** Blocks whose lines are no directives, such as those of `map`. */
const ENTRIES: Schema = {
  type: 'array',
  items: {
    properties: { directive: STRING, args: { type: 'array', items: STRING } },
    required: ['directive', 'args'],
  },
};

function keyOf(context: Context): string {
  return context.replace(' ', '_');
}

function directiveSchema(definition: DirectiveDefinition, context: Context): Schema {
  const { min, max } = countArguments(definition.args);
  const within = contextWithin(definition, context);
  const block = within === null ? { $ref: '#/$defs/entries' } : { $ref: `#/$defs/${keyOf(within)}` };
  const hasBlock = definition.block !== null;
  return {
    title: definition.syntax,
    description: definition.summary,
    ...(definition.default === null ? {} : { default: definition.default }),
    properties: {
      directive: { const: definition.name },
      args: {
        type: 'array',
        items: STRING,
        minItems: min,
        ...(Number.isFinite(max) ? { maxItems: max } : {}),
      },
      ...(hasBlock ? { block } : {}),
    },
    required: hasBlock ? ['directive', 'args', 'block'] : ['directive', 'args'],
  };
}
