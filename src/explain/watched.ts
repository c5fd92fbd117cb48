/*
 * What is known of a configuration that is watched: which block each Location comes from, what filters it has, where
 * entries stand, and the trace of the request that is served by it.
 */
import type { CheckedDirective } from '../conf/schema/checked.js';
import type { DirectiveDefinition } from '../conf/schema/definition.js';
import type { Scope } from '../conf/schema/scope.js';
import type { Directive, Word } from '../conf/syntax/ast.js';
import type { HttpModule } from '../modules/module.js';
import type { Location } from '../request/location.js';
import type { VirtualServer } from '../request/virtual-server.js';
import type { UpstreamPlan } from '../upstream/upstream-plan.js';
import type { Place } from './explanation.js';
import { placeOf, Trace } from './trace.js';

/** A folder that can't be there, for files that aren't to be written. */
export const NOWHERE = '/dev/null/nowhere';

/** One `upstream {}`. */
export interface WatchedUpstream {
  readonly scope: Scope;
  readonly plan: UpstreamPlan;
}

export class Watched {
  readonly trace: Trace = new Trace();
  readonly scopes: Map<Location, Scope> = new Map();
  /** Locations by the directive that opens them. */
  readonly locations: Map<Directive, Location> = new Map();
  readonly servers: Map<VirtualServer, Scope> = new Map();
  /** Modules with a filter at a location. */
  readonly filters: Map<Location, Set<HttpModule>> = new Map();
  /** By lower-case name. */
  readonly upstreams: Map<string, WatchedUpstream> = new Map();
  /** Directives by their words, for what is told by a word. */
  private readonly owners: Map<Word, Directive> = new Map();
  /** By name: the directive that makes the variable (map, geo ...). */
  readonly makers: Map<string, Directive> = new Map();
  /** All of them. */
  modules: readonly HttpModule[] = [];
  /** What a module is being told to declare. */
  declaring: readonly CheckedDirective[] = [];

  /** Takes in a block, so that words in it can be placed. */
  own(scope: Scope): void {
    for (const { node, entries } of scope.directives) {
      for (const directive of [node, ...entries]) {
        for (const word of directive.args) this.owners.set(word, directive);
      }
    }
  }

  placeAt(at: Directive | Word): Place {
    if ('word' in at) return placeOf(at);
    const owner = this.owners.get(at);
    if (owner !== undefined) return { ...placeOf(owner), ...at.source.positionAt(at.start) };
    return { file: at.source.name, ...at.source.positionAt(at.start), directive: at.raw };
  }

  /** What a module's directives say at a level, in the order of the file. */
  inForce(
    module: Pick<HttpModule, 'directives'>,
    scope: Scope,
    isWanted: (definition: DirectiveDefinition) => boolean = () => true,
  ): Place[] {
    return module.directives
      .filter(isWanted)
      .flatMap((definition) => scope.all(definition))
      .map(({ node }) => placeOf(node))
      .sort((a, b) =>
        a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
      );
  }
}
