/*
 * The directives that there are, by name and place. Which ones these are is decided by who makes a registry.
 */
import { nearestWord } from '../../core/nearest-word.js';
import type { Context } from './contexts.js';
import type { DirectiveDefinition } from './definition.js';
import { KNOWN_DIRECTIVES } from './known-directives.js';

const KNOWN_NAMES = [...KNOWN_DIRECTIVES.keys()];

/** What is longer was not meant to be a directive. */
const MAX_NAME = 60;

export class Registry {
  readonly #byName = new Map<string, DirectiveDefinition[]>();
  readonly #rivals = new Set<string>();
  readonly #namesIn = new Map<Context, readonly string[]>();

  /** Throws when two definitions have the same name in the same place: that is a defect, not a user's mistake. */
  constructor(definitions: Iterable<DirectiveDefinition>) {
    for (const definition of definitions) {
      const namesakes = this.#byName.get(definition.name) ?? [];
      const twice = definition.contexts.find((context) => findAt(namesakes, context) !== null);
      if (twice !== undefined) throw new Error(`Directive "${definition.name}" is defined twice in ${twice}`);
      this.#byName.set(definition.name, [...namesakes, definition]);
      for (const rival of definition.conflicts ?? []) this.#rivals.add(rival);
    }
  }

  /** All definitions in the order of their names. */
  get definitions(): DirectiveDefinition[] {
    return [...this.#byName.keys()].sort().flatMap((name) => this.#byName.get(name)!);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Some directive cannot stand beside it. */
  isRival(name: string): boolean {
    return this.#rivals.has(name);
  }

  /** Every directive of that name; several if it means different things in different places. */
  named(name: string): readonly DirectiveDefinition[] {
    return this.#byName.get(name) ?? [];
  }

  /** What the name means in a place. */
  find(name: string, context: Context): DirectiveDefinition | null {
    return findAt(this.named(name), context);
  }

  /** The directive that was probably meant, preferably one that may stand there. */
  suggest(name: string, context: Context): string | null {
    if (name.length > MAX_NAME) return null;
    return (
      nearestWord(name, this.#listNames(context)) ??
      nearestWord(name, [...this.#byName.keys()]) ??
      nearestWord(name, KNOWN_NAMES)
    );
  }

  #listNames(context: Context): readonly string[] {
    const listed = this.#namesIn.get(context);
    if (listed !== undefined) return listed;
    const names = [...this.#byName.keys()].filter((name) => this.find(name, context) !== null);
    this.#namesIn.set(context, names);
    return names;
  }
}

function findAt(definitions: readonly DirectiveDefinition[], context: Context): DirectiveDefinition | null {
  return definitions.find((definition) => definition.contexts.includes(context)) ?? null;
}
