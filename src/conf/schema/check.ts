/*
 * A configuration against the directives that there are: names, places, numbers of arguments, values,
 * duplicates. All that is found is reported, in nginx's order within a directive, so that its first error is
 * ours too. What directives mean together is for those who apply them.
 */
import { describeErrno } from '../../core/errno.js';
import * as catalogue from '../diagnostics/catalogue.js';
import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.js';
import type { Conf } from '../load/load.js';
import { sortDiagnostics } from '../load/order.js';
import type { ReadFailure } from '../load/reader.js';
import { type Directive, directivesOf, type Item } from '../syntax/ast.js';
import { offsetInSource } from '../syntax/word-offset.js';
import {
  type ArgumentCount,
  countArguments,
  describeCount,
  type RefusedWord,
  readArguments,
} from './arguments.js';
import type { CheckedDirective } from './checked.js';
import { type Context, describeContext } from './contexts.js';
import { contextWithin, type DirectiveDefinition, type EntryBlock } from './definition.js';
import { FindingList } from './finding-list.js';
import { hintForArguments, hintForName } from './hints.js';
import { KNOWN_DIRECTIVES } from './known-directives.js';
import type { Registry } from './registry.js';

/** Bounds what includes that multiply can make us do. */
const MAX_DIRECTIVES = 1_000_000;

export interface CheckOptions {
  /** Why a file cannot be opened, or null if it can; without, files are not looked for. */
  readonly probeFile?: (path: string) => ReadFailure | null;
}

/** What a check gives. */
export interface Checked {
  readonly directives: readonly CheckedDirective[];
  /** Those of the loader and those of the check, in the order nginx would come upon them. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks a whole configuration. Never throws. */
export function checkConf(conf: Conf, registry: Registry, options: CheckOptions = {}): Checked {
  const checker = new Checker(conf, registry, options);
  const directives = checker.checkBlock(conf.items, 'main');
  return { directives, diagnostics: sortDiagnostics([...conf.diagnostics, ...checker.findings], conf) };
}

/** One block while it is checked; files included in it share it. */
interface Scope {
  readonly context: Context;
  readonly checked: CheckedDirective[];
  /** The first of each name that matters for others: a handful, so a list is faster than a map. */
  seen: Directive[] | null;
}

const NO_BODY: Pick<CheckedDirective, 'block' | 'entries'> = { block: [], entries: [] };

class Checker {
  readonly #findings = new FindingList();
  readonly #conf: Conf;
  readonly #registry: Registry;
  readonly #options: CheckOptions;
  readonly #counts = new Map<DirectiveDefinition, ArgumentCount>();
  readonly #refused: RefusedWord[] = [];
  #visited = 0;

  constructor(conf: Conf, registry: Registry, options: CheckOptions) {
    this.#conf = conf;
    this.#registry = registry;
    this.#options = options;
  }

  get findings(): readonly Diagnostic[] {
    return this.#findings.diagnostics;
  }

  checkBlock(items: readonly Item[], context: Context): CheckedDirective[] {
    const scope: Scope = { context, checked: [], seen: null };
    this.#checkItems(items, scope);
    return scope.checked;
  }

  #checkItems(items: readonly Item[], scope: Scope): void {
    for (const item of items) {
      if (item.kind !== 'directive') continue;
      if (++this.#visited > MAX_DIRECTIVES) {
        if (this.#visited === MAX_DIRECTIVES + 1) {
          this.#findings.report(item, () => catalogue.tooManyDirectives(MAX_DIRECTIVES));
        }
        return;
      }
      if (item.name === 'include') this.#checkInclude(item, (parsed) => this.#checkItems(parsed, scope));
      else this.#checkDirective(item, scope);
    }
  }

  #checkInclude(directive: Directive, follow: (items: readonly Item[]) => void): void {
    if (directive.block !== null) this.#findings.report(directive, () => catalogue.notTerminated('include'));
    else if (directive.args.length !== 1 && !directive.isBroken) {
      this.#reportCount(directive, 'one argument', 1);
    } else for (const parsed of this.#conf.includes.get(directive) ?? []) follow(parsed.items);
  }

  #checkDirective(directive: Directive, scope: Scope): void {
    const definition = this.#identify(directive, scope.context);
    if (definition === null) {
      this.#checkLost(directive, scope.context);
      return;
    }
    const values = this.#checkHead(directive, definition, scope);
    const { block, entries } = this.#checkBody(directive, definition, scope.context);
    if (values === null || (definition.block === null) !== (directive.block === null)) return;
    scope.checked.push({ definition, node: directive, context: scope.context, values, block, entries });
  }

  /** What a name means here; reported if it means nothing. */
  #identify(directive: Directive, context: Context): DirectiveDefinition | null {
    const { name } = directive;
    const definition = this.#registry.find(name, context);
    if (definition !== null) return definition;
    this.#findings.report(directive, () => this.#describeLost(directive, context));
    return null;
  }

  #describeLost(directive: Directive, context: Context): catalogue.Finding {
    const { name } = directive;
    const elsewhere = this.#registry.named(name);
    if (elsewhere.length > 0) {
      const places = elsewhere.flatMap((one) => one.contexts).map(describeContext);
      return catalogue.misplacedDirective(name, describeContext(context), places);
    }
    const module = KNOWN_DIRECTIVES.get(name);
    if (module !== undefined) return catalogue.unsupportedDirective(name, module);
    return catalogue.unknownDirective(name, hintForName(directive, context, this.#registry));
  }

  /** The block of a directive that does not belong here; what is wrong in it is told all the same. */
  #checkLost(directive: Directive, context: Context): void {
    const [definition] = this.#registry.named(directive.name);
    if (definition === undefined || directive.block === null) return;
    const within = contextWithin(definition, definition.contexts[0] ?? context);
    if (within !== null) this.checkBlock(directive.block, within);
  }

  #checkHead(directive: Directive, definition: DirectiveDefinition, scope: Scope): readonly unknown[] | null {
    const { name } = directive;
    if (directive.isBroken) return null;
    if (definition.block === null && directive.block !== null) {
      this.#findings.report(directive, () => {
        return catalogue.notTerminated(name, hintForArguments(directive, this.#registry));
      });
      return null;
    }
    if (definition.block !== null && directive.block === null) {
      this.#findings.report(directive, () => catalogue.noOpeningBrace(name));
      return null;
    }
    const count = this.#countOf(definition);
    const given = directive.args.length;
    const isFine = definition.counts?.includes(given) ?? (given >= count.min && given <= count.max);
    if (!isFine) {
      this.#reportCount(directive, describeCount(count, definition.counts), count.max);
      return null;
    }
    const isAlone = this.#checkNeighbours(directive, definition, scope);
    const values = this.#checkValues(directive, definition);
    return isAlone ? values : null;
  }

  #countOf(definition: DirectiveDefinition): ArgumentCount {
    const known = this.#counts.get(definition);
    if (known !== undefined) return known;
    const count = countArguments(definition.args);
    this.#counts.set(definition, count);
    return count;
  }

  #checkNeighbours(directive: Directive, definition: DirectiveDefinition, scope: Scope): boolean {
    const { name } = directive;
    const { isRepeatable, conflicts } = definition;
    if (isRepeatable && conflicts === undefined && !this.#registry.isRival(name)) return true;
    const seen = scope.seen;
    const first = seen?.find((other) => other.name === name);
    if (seen === null) scope.seen = [directive];
    else if (first === undefined) seen.push(directive);
    else if (!isRepeatable) {
      this.#findings.report(directive, () => catalogue.duplicateDirective(name), first);
      return false;
    }
    const rival = conflicts && seen?.find((other) => conflicts.includes(other.name));
    if (rival === undefined) return true;
    this.#findings.report(directive, () => catalogue.conflictingDirective(name, rival.name), rival);
    return false;
  }

  #checkValues(directive: Directive, definition: DirectiveDefinition): readonly unknown[] | null {
    const refused = this.#refused;
    const values = readArguments(definition.args, directive.args, refused);
    if (refused.length > 0) {
      const hint = hintForArguments(directive, this.#registry);
      // With a ";" missing, what follows are no arguments at all.
      const told = hint === null ? refused : refused.slice(0, 1);
      for (const one of told) this.#findings.add(() => describeRefusal(directive, one, hint));
      refused.length = 0;
      return null;
    }
    return this.#checkFiles(directive, definition) ? values : null;
  }

  #checkFiles(directive: Directive, definition: DirectiveDefinition): boolean {
    const { probeFile } = this.#options;
    if (probeFile === undefined) return true;
    let areThere = true;
    definition.args.forEach((spec, index) => {
      const type = 'optional' in spec ? spec.optional : spec;
      const word = directive.args[index];
      if (!('mustExist' in type && type.mustExist) || word === undefined) return;
      const failure = probeFile(word.text);
      if (failure === null) return;
      areThere = false;
      const found = catalogue.cannotOpen(word.text, describeErrno(failure.code), failure.number);
      this.#findings.add(() => diagnose(found, word, directive.headEnd));
    });
    return areThere;
  }

  #checkBody(
    directive: Directive,
    definition: DirectiveDefinition,
    context: Context,
  ): Pick<CheckedDirective, 'block' | 'entries'> {
    if (definition.block === null || directive.block === null) return NO_BODY;
    if ('checkEntry' in definition.block) {
      const entries: Directive[] = [];
      this.#checkEntries(directive.block, definition.block, entries);
      return { block: NO_BODY.block, entries };
    }
    const within = contextWithin(definition, context);
    return within === null
      ? NO_BODY
      : { block: this.checkBlock(directive.block, within), entries: NO_BODY.entries };
  }

  #checkEntries(items: readonly Item[], block: EntryBlock, entries: Directive[]): void {
    for (const entry of directivesOf(items)) {
      if (entry.block !== null) {
        const brace = { source: entry.source, start: entry.headEnd, end: entry.headEnd + 1 };
        this.#findings.add(() =>
          diagnose(catalogue.unexpectedCharacter('{', 'no block can stand here'), brace),
        );
      } else if (this.#conf.includes.has(entry)) {
        this.#checkInclude(entry, (parsed) => this.#checkEntries(parsed, block, entries));
      } else if (!entry.isBroken) {
        const found = block.checkEntry(entry);
        if (found === null) entries.push(entry);
        else this.#findings.report(entry, () => found);
      }
    }
  }

  #reportCount(directive: Directive, takes: string, max: number): void {
    const { name, args, word } = directive;
    this.#findings.add(() => {
      const hint = hintForArguments(directive, this.#registry);
      const found = catalogue.wrongArgumentCount(name, takes, args.length, hint);
      return diagnose(found, args[max] ?? word, directive.headEnd);
    });
  }
}

function describeRefusal(directive: Directive, refused: RefusedWord, hint: string | null): Diagnostic {
  const { word, refusal, from } = refused;
  const isWhole = refusal.at === null && from === 0;
  const start = isWhole ? word.start : offsetInSource(word, from + (refusal.at ?? 0));
  const found = catalogue.badValue(refusal.message, refusal.nginxText(directive.name), hint);
  return diagnose(found, { source: word.source, start, end: word.end }, directive.headEnd);
}
