/*
 * The locations of a server, whose search tells the trace what was found and why nothing else was. What is found is the
 * tree's own doing; here it is compared with what stands in the configuration.
 */
import type { Scope } from '../conf/schema/scope.js';
import type { Directive } from '../conf/syntax/ast.js';
import {
  clientMaxBodySize,
  internal,
  location as locationDirective,
} from '../modules/http/core/directives.js';
import type { HttpRequest } from '../request/http-request.js';
import type { Location } from '../request/location.js';
import { type LocationMatch, LocationTree } from '../request/location-tree.js';
import { makeStep, type OpenStep, placeOf } from './trace.js';
import type { Watched } from './watched.js';

export class WatchedTree extends LocationTree<Location> {
  private readonly watched: Watched;
  /** Set once the server is known that it is of. */
  scope: Scope | null = null;

  constructor(watched: Watched) {
    super();
    this.watched = watched;
  }

  override find(path: string, match: LocationMatch<Location>): Location | null {
    const { trace } = this.watched;
    const request = trace.current;
    if (request === null || this.scope === null) return super.find(path, match);
    const step = makeStep('location', '');
    const { scope } = this;
    return trace.frame(
      step,
      request,
      () => super.find(path, match),
      (found) => {
        const search = new Search(path, match, step.details.splice(0), this.watched);
        step.details.push(...search.describe(scope));
        step.text = found === null ? `no location fits "${path}"` : `"${path}" is in ${nameOf(found)}`;
        if (match.isRedirect) step.text += ', which is asked for with the final "/"';
        const scopeOfFound = found === null ? undefined : this.watched.scopes.get(found);
        if (found !== null && scopeOfFound !== undefined) {
          step.places.push(placeOf(scopeOfFound.opener!.node));
          step.details.push(...refusals(found, scopeOfFound, request));
        }
        return true;
      },
    );
  }
}

/** Why a location takes no such request at all. */
function refusals({ settings }: Location, scope: Scope, request: HttpRequest): OpenStep[] {
  const { contentLength } = request.head;
  const steps: OpenStep[] = [];
  if (settings.isInternal && !request.isInternal) {
    const places = scope.own(internal).map(({ node }) => placeOf(node));
    steps.push(makeStep('handler', 'refuses with 404: clients may not ask for it', places));
  }
  if (settings.clientMaxBodySize > 0 && contentLength > settings.clientMaxBodySize) {
    const places = scope.all(clientMaxBodySize).map(({ node }) => placeOf(node));
    const text = `refuses with 413: ${contentLength} bytes are more than the ${settings.clientMaxBodySize} of client_max_body_size`;
    steps.push(makeStep('handler', text, places));
  }
  return steps.map((step) => ({ ...step, module: 'core' }));
}

/** How a location is called: `location ^~ /a`. */
function nameOf({ kind, path }: Location): string {
  return `location ${{ exact: '= ', regex: '~ ' }[kind as string] ?? ''}${path}`;
}

/** One search that is over, to be told of. */
class Search {
  private readonly path: string;
  private readonly match: LocationMatch<Location>;
  private readonly watched: Watched;
  /** By the place of their location: the regular expressions that were tried. */
  private readonly tried: Map<string, OpenStep>;

  constructor(path: string, match: LocationMatch<Location>, tried: readonly OpenStep[], watched: Watched) {
    this.path = path;
    this.match = match;
    this.watched = watched;
    this.tried = new Map(tried.map((step) => [keyOf(step.places[0]!), step]));
  }

  /** The locations of a level, and of those inside that were looked into. */
  describe(scope: Scope): OpenStep[] {
    const nodes = scope.own(locationDirective).map(({ node }) => node);
    const longest = this.longestPrefix(nodes);
    return nodes.flatMap((node): OpenStep[] => {
      const location = this.watched.locations.get(node);
      if (location === undefined || location.kind === 'named') return [];
      const step = makeStep('candidate', this.why(location, node, longest), [placeOf(node)]);
      step.result = this.resultOf(location, step.text);
      const inner = this.watched.scopes.get(location);
      const isEntered =
        location === longest || this.match.matches.some((match) => match.location === location);
      if (inner !== undefined && isEntered) step.details.push(...this.describe(inner));
      return [step];
    });
  }

  private longestPrefix(nodes: readonly Directive[]): Location | null {
    let longest: Location | null = null;
    for (const node of nodes) {
      const location = this.watched.locations.get(node);
      if (location?.kind !== 'prefix' || !this.path.startsWith(location.path)) continue;
      if (longest === null || location.path.length > longest.path.length) longest = location;
    }
    return longest;
  }

  private resultOf(location: Location, why: string): OpenStep['result'] {
    if (location === this.match.location) return 'won';
    return why.startsWith('not tried') ? 'not tried' : 'lost';
  }

  private why(location: Location, node: Directive, longest: Location | null): string {
    const { path, match } = this;
    const isChosen = location === match.location;
    switch (location.kind) {
      case 'exact':
        if (isChosen && match.isRedirect) return 'is the path with a final "/"';
        return isChosen ? 'is the path: the search ends' : 'is not the path';
      case 'prefix':
        if (isChosen && match.isRedirect) return 'is the path with a final "/"';
        if (!path.startsWith(location.path)) return 'does not begin the path';
        if (location !== longest) return 'begins the path, but a longer one does too';
        if (stopsRegexes(node))
          return 'is the longest that begins the path; ^~ keeps regular expressions out';
        if (isChosen) return 'is the longest that begins the path';
        if (match.location?.kind === 'exact') return 'begins the path, but another is the path';
        return `is the longest that begins the path, but ${this.isInside(location) ? 'one inside of it' : 'a regular expression'} fits`;
      default:
        return this.whyRegex(node, longest);
    }
  }

  /** Whether what was found stands inside of a location. */
  private isInside(outer: Location): boolean {
    const { scopes } = this.watched;
    let scope = this.match.location === null ? null : (scopes.get(this.match.location) ?? null);
    while (scope !== null && scope !== scopes.get(outer)) scope = scope.parent;
    return scope !== null;
  }

  private whyRegex(node: Directive, longest: Location | null): string {
    const step = this.tried.get(keyOf(placeOf(node)));
    if (step !== undefined)
      return step.result === 'won' ? step.text.replace(/^".*?" matches/, 'matches') : 'does not match';
    const { match } = this;
    if (match.isRedirect || match.location?.kind === 'exact') return 'not tried: the search ended before';
    if (longest !== null && match.location === longest) return 'not tried: ^~ keeps it out';
    return 'not tried: one before it matches';
  }
}

function stopsRegexes(node: Directive): boolean {
  return node.args[0]!.text.startsWith('^~');
}

function keyOf({ file, line, column }: { file: string; line: number; column: number }): string {
  return `${file}:${line}:${column}`;
}
