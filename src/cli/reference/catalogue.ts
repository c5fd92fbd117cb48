/*
 * Directives with the module that each belongs to, for reference pages and the schema.
 */
import type { DirectiveDefinition } from '../../conf/schema/definition.js';
import { HTTP_MODULES } from '../../modules/catalog.js';
import { MAIN_DIRECTIVES } from '../../modules/core/directives.js';

/** One module with what it declares. */
export interface ModuleReference {
  /** `core` for the main part of the file, else nginx's name of an http module. */
  readonly name: string;
  readonly title: string;
  readonly directives: readonly DirectiveDefinition[];
}

/** All of them: the main part first, then by name. */
export function moduleReferences(): ModuleReference[] {
  const modules = HTTP_MODULES.filter(({ directives }) => directives.length > 0).map(
    ({ name, directives }) => ({
      name: `http_${name}`,
      title: `ngx_http_${name}_module`,
      directives: sorted(directives),
    }),
  );
  modules.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    { name: 'core', title: 'the main part of the file', directives: sorted(MAIN_DIRECTIVES) },
    ...modules,
  ];
}

function sorted(directives: readonly DirectiveDefinition[]): DirectiveDefinition[] {
  return [...directives].sort((a, b) => (a.name < b.name ? -1 : 1));
}
