/*
 * From the path of the main file to all that it includes. Each file is read and parsed once however often it
 * is included; what the directives in it mean is left to schema/.
 */
import { describeErrno } from '../../core/errno.js';
import * as catalogue from '../diagnostics/catalogue.js';
import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.js';
import { type Directive, directivesOf, type Item } from '../syntax/ast.js';
import { type ParsedSource, parse } from '../syntax/parser.js';
import { Source } from '../syntax/source.js';
import { expandGlob, isPattern } from './glob.js';
import type { ConfReader, ReadFailure } from './reader.js';

/** A file's own chain of includes, the main file counted. nginx ends at its limit of open files. */
const MAX_DEPTH = 100;

/** Blocks whose lines are no directives, and in which "include" is a value like any other. */
const BLOCKS_WITHOUT_INCLUDE: ReadonlySet<string> = new Set(['split_clients', 'charset_map']);

/** Where a source was included first. */
export interface Origin {
  readonly source: Source;
  readonly offset: number;
}

/** A whole configuration as text and trees. */
export interface Conf {
  /** The directives of -g, then the main file's. */
  readonly items: readonly Item[];
  /** Every source once, in the order they were opened first: what -T lists. */
  readonly sources: readonly ParsedSource[];
  /** What each `include` stands for. */
  readonly includes: ReadonlyMap<Directive, readonly ParsedSource[]>;
  readonly origins: ReadonlyMap<Source, Origin>;
  /** Syntax errors and files that cannot be read. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the main file and all it includes. Never throws; what went wrong is among the diagnostics. */
export function loadConf(path: string, reader: ConfReader, commandLine = ''): Conf {
  const loader = new Loader(reader, path.slice(0, path.lastIndexOf('/') + 1));
  return loader.load(path, commandLine);
}

class Loader {
  readonly #reader: ConfReader;
  /** The folder of the main file: includes are relative to it, wherever they stand. */
  readonly #prefix: string;
  readonly #sources: ParsedSource[] = [];
  readonly #byPath = new Map<string, ParsedSource | ReadFailure>();
  readonly #includes = new Map<Directive, readonly ParsedSource[]>();
  readonly #origins = new Map<Source, Origin>();
  readonly #diagnostics: Diagnostic[] = [];
  /** The files being read, from the main one to the one that asks. */
  readonly #open: string[] = [];

  constructor(reader: ConfReader, prefix: string) {
    this.#reader = reader;
    this.#prefix = prefix;
  }

  load(path: string, commandLine: string): Conf {
    const items: Item[] = [];
    if (commandLine !== '') items.push(...this.#add(new Source('-g', commandLine, true)).items);
    items.push(...(this.#loadFile(path, null)?.items ?? []));
    return {
      items,
      sources: this.#sources,
      includes: this.#includes,
      origins: this.#origins,
      diagnostics: this.#diagnostics,
    };
  }

  #loadFile(path: string, include: Directive | null): ParsedSource | null {
    const known = this.#byPath.get(path);
    if (known !== undefined) return this.#recall(path, known, include);
    const text = this.#reader.readFile(path);
    if (typeof text !== 'string') {
      this.#byPath.set(path, text);
      this.#reportFailure(path, text, include);
      return null;
    }
    const source = new Source(path, text);
    if (include !== null) {
      this.#origins.set(source, { source: include.source, offset: include.headEnd });
    }
    this.#open.push(path);
    const parsed = this.#add(source, path);
    this.#open.pop();
    return parsed;
  }

  #recall(path: string, known: ParsedSource | ReadFailure, include: Directive | null): ParsedSource | null {
    if ('code' in known) {
      this.#reportFailure(path, known, include);
      return null;
    }
    const start = this.#open.indexOf(path);
    if (start < 0) return known;
    this.#report(catalogue.includeCycle([...this.#open.slice(start), path]), include);
    return null;
  }

  #add(source: Source, path: string | null = null): ParsedSource {
    const parsed = parse(source);
    this.#sources.push(parsed);
    if (path !== null) this.#byPath.set(path, parsed);
    this.#diagnostics.push(...parsed.diagnostics);
    this.#followIncludes(parsed.items);
    return parsed;
  }

  #followIncludes(items: readonly Item[]): void {
    for (const directive of directivesOf(items)) {
      if (directive.block === null) {
        const isInclude = directive.name === 'include' && directive.args.length === 1 && !directive.isBroken;
        if (isInclude) this.#includes.set(directive, this.#include(directive));
      } else if (!BLOCKS_WITHOUT_INCLUDE.has(directive.name)) this.#followIncludes(directive.block);
    }
  }

  #include(directive: Directive): readonly ParsedSource[] {
    if (this.#open.length >= MAX_DEPTH) {
      this.#report(catalogue.includedTooDeep(MAX_DEPTH), directive);
      return [];
    }
    const name = directive.args[0]!.text;
    const path = name.startsWith('/') ? name : this.#prefix + name;
    const paths = isPattern(path) ? expandGlob(path, (folder) => this.#reader.listFolder(folder)) : [path];
    return paths.map((one) => this.#loadFile(one, directive)).filter((parsed) => parsed !== null);
  }

  #reportFailure(path: string, { code, number }: ReadFailure, include: Directive | null): void {
    const tell = code === 'EISDIR' ? catalogue.cannotRead : catalogue.cannotOpen;
    this.#report(tell(path, describeErrno(code), number), include);
  }

  #report(found: catalogue.Finding, include: Directive | null): void {
    const place = include?.args[0] ?? null;
    this.#diagnostics.push(diagnose(found, place, include?.headEnd));
  }
}
