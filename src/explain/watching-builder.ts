/*
 * Builds a configuration as the server does, but for what is seen from outside: regular expressions, variables, files,
 * locations and directives tell the trace what they do, and nobody is connected to or asked for a name.
 */
import { FileCache } from '../cache/file-cache.js';
import type { PlacedEnvironment } from '../compile/environment.js';
import { HttpBuilder } from '../compile/http-builder.js';
import type { Regex } from '../conf/pcre/translate.js';
import type { Directive, Word } from '../conf/syntax/ast.js';
import type { ErrorLog } from '../log/error-log.js';
import type { Connect } from '../net/connector.js';
import type { Resolver, ResolverOptions } from '../net/resolver/resolver.js';
import type { HttpRequest } from '../request/http-request.js';
import type { Location } from '../request/location.js';
import type { LocationTree } from '../request/location-tree.js';
import type { RequestRegex } from '../request/request-regex.js';
import type { VariableTable } from '../variables/variable-table.js';
import { BelievingResolver } from './believing-resolver.js';
import { describeStep, isRewriting } from './directive-steps.js';
import { makeStep, placeOf } from './trace.js';
import { NOWHERE, type Watched } from './watched.js';
import { WatchedTree } from './watched-tree.js';
import { WatchedVariables } from './watched-variables.js';

/** Longer than any explanation takes. */
const LONG_MS = 3_600_000;

export class WatchingBuilder extends HttpBuilder {
  override readonly variables: VariableTable<HttpRequest>;
  override readonly connect: Connect;
  private readonly watched: Watched;
  /** What tells of itself, by its regular expression. */
  private readonly telling: Set<Directive | Word> = new Set();

  constructor(environment: PlacedEnvironment, errorLog: ErrorLog, watched: Watched, connect: Connect) {
    super(environment, errorLog);
    this.watched = watched;
    this.variables = new WatchedVariables(watched);
    this.connect = connect;
  }

  override regex(regex: Regex, at: Directive | Word): RequestRegex {
    this.telling.add(at);
    const regexp = new WatchedRegExp(regex, at, this.watched);
    return super.regex({ ...regex, regexp }, at);
  }

  override get onLineChosen(): (line: Directive) => void {
    const { trace } = this.watched;
    return (line) => {
      if (this.telling.has(line)) return;
      const rest = line.name === 'default' || line.name === '*';
      const step = makeStep('match', rest ? 'decides, as no other line does' : 'decides', [placeOf(line)]);
      trace.note({ ...step, result: 'won' });
    };
  }

  override locationTree(): LocationTree<Location> {
    return new WatchedTree(this.watched);
  }

  /** Only caches are looked for where they are: nothing is written. */
  override writtenFolder(path: string): string {
    return this.watched.declaring.length > 0 ? super.writtenFolder(path) : NOWHERE;
  }

  override step<F extends (request: HttpRequest) => unknown>(at: Directive, run: F): F {
    // Handlers of other modules are watched by themselves.
    if (!isRewriting(at)) return run;
    const { trace } = this.watched;
    const watched = (request: HttpRequest) => {
      const step = makeStep('directive', '', [placeOf(at)]);
      const before = { path: request.path, args: request.args };
      return trace.frame(
        step,
        request,
        () => run(request),
        (result) => {
          step.text = describeStep(at, request, before, result, this.variables);
          return true;
        },
      );
    };
    return watched as F;
  }

  /** Names are believed: they stand for themselves. Answers that are stored are read, and none is added. */
  override carried<T>(kind: string, name: string, make: () => T): T {
    return super.carried(kind, name, () => {
      if (kind === 'host') {
        const known = { addresses: [{ address: name, port: 0 }], validUntilMs: Number.POSITIVE_INFINITY };
        return known as T;
      }
      const made = make();
      return made instanceof FileCache ? (new ReadOnlyCache(made.limits) as T) : made;
    });
  }

  override resolver(options: ResolverOptions): Resolver {
    return new BelievingResolver(options, this.clock.nowMs() + LONG_MS);
  }
}

/** Tells of each try. */
class WatchedRegExp extends RegExp {
  private readonly regex: Regex;
  private readonly at: Directive | Word;
  private readonly watched: Watched;

  constructor(regex: Regex, at: Directive | Word, watched: Watched) {
    super(regex.regexp);
    this.regex = regex;
    this.at = at;
    this.watched = watched;
  }

  override exec(text: string): RegExpExecArray | null {
    const match = super.exec(text);
    const step = makeStep(
      'match',
      `"${this.regex.pattern}" ${match === null ? 'does not match' : 'matches'} "${text}"${capturesOf(match, this.regex)}`,
      [this.watched.placeAt(this.at)],
    );
    step.result = match === null ? 'lost' : 'won';
    this.watched.trace.note(step);
    return match;
  }
}

/** What is in the groups, each by its number and by its name if it has one. */
function capturesOf(match: RegExpExecArray | null, { groupIndexes, names }: Regex): string {
  if (match === null) return '';
  const said = groupIndexes.flatMap((index, group) => {
    const text = match[index];
    if (group === 0 || text === undefined) return [];
    const [name] = [...names].find(([, number]) => number === group) ?? [];
    return name === undefined ? [`$${group}="${text}"`] : [`$${group}="${text}"`, `$${name}="${text}"`];
  });
  return said.length === 0 ? '' : `: ${said.join(' ')}`;
}

/** Reads what is stored and changes nothing. */
class ReadOnlyCache extends FileCache {
  override use(...args: Parameters<FileCache['use']>): ReturnType<FileCache['use']> {
    const node = super.use(...args);
    // So seldom that its answer isn't to be stored.
    node.uses = Number.NEGATIVE_INFINITY;
    return node;
  }

  override temporaryPathOf(hash: string): string {
    return `${NOWHERE}/${hash}`;
  }

  override sweep(): void {}
}
