/*
 * The variables of a configuration: names to numbered slots, each with the function that reads it. Generic over
 * what is evaluated (an HTTP request, a session); what a variable means is a module's business.
 */

/** What variables are evaluated on: keeps values already read, by slot. Owned and reset by the subject. */
export interface VariableSubject {
  /** undefined: not read yet; null: read, and not found. Grown on demand. */
  readonly variableValues: (string | null | undefined)[];
}

/** How one variable is read and written. */
export interface VariableDefinition<S> {
  /** Without the dollar, lower case. */
  readonly name: string;
  /** Null when there is no such value now (nginx: not found); prints as ''. */
  readonly get: (subject: S) => string | null;
  /** Present when `set` may assign to a variable with an effect of its own ($args, $limit_rate). */
  readonly set?: (subject: S, value: string) => void;
  /** Read anew each time: its value changes in the life of a request. */
  readonly isVolatile?: boolean;
}

/** Variables whose names share a beginning: $http_*, $arg_*, $cookie_* ... */
export interface VariableFamily<S> {
  readonly prefix: string;
  /** The variable for the rest of the name. */
  readonly member: (rest: string) => Omit<VariableDefinition<S>, 'name'>;
}

/** A variable in use: its slot and definition. */
export interface Variable<S> extends VariableDefinition<S> {
  readonly slot: number;
}

/** Every variable a configuration may name. Filled while a cycle is built, then only read. */
export class VariableTable<S extends VariableSubject> {
  private readonly definitions: Map<string, VariableDefinition<S>>;
  private readonly families: VariableFamily<S>[];
  private readonly used: Map<string, Variable<S>>;
  private slotCount: number;

  constructor() {
    this.definitions = new Map();
    this.families = [];
    this.used = new Map();
    this.slotCount = 0;
  }

  /** Adds a variable; a later definition of a name wins, as `map` and `set` may redefine one. */
  define(definition: VariableDefinition<S>): void {
    this.definitions.set(definition.name, definition);
    this.used.delete(definition.name);
  }

  /** Adds a family; the one with the longest matching prefix answers. */
  defineFamily(family: VariableFamily<S>): void {
    this.families.push(family);
    this.families.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  /**
   * The variable of that name for somebody who will give it values (set, named groups of regular expressions,
   * auth_request_set ...) by `assignVariable`; not found until then. What has a definition of its own keeps it.
   */
  assignable(name: string): Variable<S> {
    const lower = name.toLowerCase();
    if (!this.definitions.has(lower)) this.define({ name: lower, get: () => null });
    return this.use(lower)!;
  }

  /** Whether a name has a definition of its own, family members aside. */
  has(name: string): boolean {
    return this.definitions.has(name.toLowerCase());
  }

  /** The variable of that name with a slot, or null: the configuration names one that doesn't exist. */
  use(name: string): Variable<S> | null {
    const lower = name.toLowerCase();
    const known = this.used.get(lower);
    if (known !== undefined) return known;
    const definition = this.definitions.get(lower) ?? this.memberOf(lower);
    if (definition === null) return null;
    const variable: Variable<S> = { ...definition, slot: this.slotCount++ };
    this.used.set(lower, variable);
    return variable;
  }

  /** Every defined name and family prefix ("http_*"), for "did you mean". */
  get names(): string[] {
    return [...this.definitions.keys(), ...this.families.map((family) => `${family.prefix}*`)];
  }

  private memberOf(name: string): VariableDefinition<S> | null {
    for (const family of this.families) {
      if (name.length > family.prefix.length && name.startsWith(family.prefix)) {
        return { name, ...family.member(name.slice(family.prefix.length)) };
      }
    }
    return null;
  }
}

/** A variable's value on a subject, read once unless it is volatile; null when not found. */
export function readVariable<S extends VariableSubject>(variable: Variable<S>, subject: S): string | null {
  if (variable.isVolatile) return variable.get(subject);
  const values = subject.variableValues;
  const known = values[variable.slot];
  if (known !== undefined) return known;
  const value = variable.get(subject);
  values[variable.slot] = value;
  return value;
}

/** Gives a variable its value on a subject: by its own `set` where it has one. */
export function assignVariable<S extends VariableSubject>(
  variable: Variable<S>,
  subject: S,
  value: string | null,
): void {
  if (variable.set !== undefined) variable.set(subject, value ?? '');
  else subject.variableValues[variable.slot] = value;
}
