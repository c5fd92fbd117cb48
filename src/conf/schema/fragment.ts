/*
 * Files that are a part of a configuration: a bare `server {}` as in sites-enabled, or the inside of a server or
 * a location. Here it is found out which part, and what is missing around it is put there.
 */
import type { Conf } from '../load/load.js';
import { directivesOf, type Item, makeDirective } from '../syntax/ast.js';
import type { Context } from './contexts.js';
import { contextWithin } from './definition.js';
import type { Registry } from './registry.js';

/** From what a file most probably is to what it least probably is. */
const CANDIDATES = ['main', 'http', 'server', 'location', 'stream', 'stream server'] as const;

/** What a file is the inside of; `main` for one that is whole. */
export type FragmentContext = (typeof CANDIDATES)[number];

/** The context in which the fewest of a configuration's directives are out of place. */
export function detectContext(conf: Conf, registry: Registry): FragmentContext {
  let best: FragmentContext = 'main';
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of CANDIDATES) {
    const misplaced = new MisplacedCount(conf, registry, fewest).count(conf.items, candidate);
    if (misplaced < fewest) {
      fewest = misplaced;
      best = candidate;
    }
    if (fewest === 0) break;
  }
  return best;
}

/** The configuration with the blocks around it that its context needs. */
export function wrapFragment(conf: Conf, context: FragmentContext): Conf {
  if (context === 'main') return conf;
  const source = conf.sources[0]?.source;
  const at = source && { source, start: 0, end: 0 };
  const wrap = (items: readonly Item[], names: readonly string[]): readonly Item[] => {
    const [name, ...inner] = names;
    if (name === undefined) return items;
    return [makeDirective(name, name === 'location' ? ['/'] : [], wrap(items, inner), at)];
  };
  const blocks = {
    http: ['http'],
    server: ['http', 'server'],
    location: ['http', 'server', 'location'],
    stream: ['stream'],
    'stream server': ['stream', 'server'],
  }[context];
  return { ...conf, items: [makeDirective('events', [], [], at), ...wrap(conf.items, blocks)] };
}

/** Counts directives that are known but not in their place. Gives up at `limit`. */
class MisplacedCount {
  readonly #conf: Conf;
  readonly #registry: Registry;
  readonly #limit: number;
  #misplaced = 0;

  constructor(conf: Conf, registry: Registry, limit: number) {
    this.#conf = conf;
    this.#registry = registry;
    this.#limit = limit;
  }

  count(items: readonly Item[], context: Context): number {
    this.#countItems(items, context, 0);
    return this.#misplaced;
  }

  #countItems(items: readonly Item[], context: Context, depth: number): void {
    for (const directive of directivesOf(items)) {
      if (this.#misplaced >= this.#limit) return;
      // Files are looked into where they are a part of this one, not by way of others.
      for (const { items: included } of depth === 0 ? (this.#conf.includes.get(directive) ?? []) : []) {
        this.#countItems(included, context, depth + 1);
      }
      if (directive.name === 'include' || !this.#registry.has(directive.name)) continue;
      const definition = this.#registry.find(directive.name, context);
      const isBlock = directive.block !== null;
      if (definition === null || (definition.block !== null) !== isBlock) this.#misplaced++;
      else {
        const within = contextWithin(definition, context);
        if (within !== null) this.#countItems(directive.block!, within, depth);
      }
    }
  }
}
