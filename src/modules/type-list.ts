/*
 * Directives that list MIME types a filter looks at: gzip_types, sub_filter_types, ssi_types and their like.
 */
import { type RestArguments, rest } from '../conf/schema/arguments.js';
import { type DirectiveDefinition, defineDirective } from '../conf/schema/definition.js';
import type { Scope } from '../conf/schema/scope.js';
import { text } from '../conf/values/text.js';
import { ContentTypes } from '../request/content-types.js';

/** A directive that takes MIME types, or `*`. */
export type TypeListDirective = DirectiveDefinition<readonly [RestArguments<string>]>;

/** Declares one. `since` as in all directives; `what` is what is done to those types: "are compressed". */
export function defineTypeList(name: string, what: string, standard = 'text/html'): TypeListDirective {
  return defineDirective({
    name,
    syntax: `${name} mime-type ... | *`,
    contexts: ['http', 'server', 'location'],
    args: [rest(text('mime-type'), 1)],
    block: null,
    default: standard,
    inherit: 'replace',
    isRepeatable: true,
    summary: `Types of answers that ${what}, besides text/html; * for any.`,
    since: '0.2.0',
    effect: 'full',
  });
}

/** The types in force at a level. text/html always is among them. */
export function typesOf(scope: Scope, directive: TypeListDirective): ContentTypes {
  const all = scope.all(directive);
  const listed = all.length === 0 ? directive.default!.split(' ') : all.flatMap(({ values }) => values);
  if (listed.includes('*')) return new ContentTypes(null);
  return new ContentTypes(new Set(['text/html', ...listed.map((type) => type.toLowerCase())]));
}
