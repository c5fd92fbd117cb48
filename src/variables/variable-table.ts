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
  readonly set?: ((subject: S, value: string) => void) | undefined;
  /** Read anew each time: its value changes in the life of a request. */
  readonly isVolatile?: boolean;
  /** May be given another definition, or values: what a configuration made itself (set, map, a named group). */
  readonly isChangeable?: boolean;
  /** Its value never holds CR, LF or NUL, so that it can stand in a head as it is. Not of one that may be changed. */
  readonly isOneLine?: boolean;
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

/** What the table keeps of one in use: as long as the cycle is built it may get another definition. */
type VariableInUse<S> = { -readonly [Key in keyof Variable<S>]: Variable<S>[Key] };

/** Every variable a configuration may name. Filled while a cycle is built, then only read. */
export class VariableTable<S extends VariableSubject> {
  private readonly definitions: Map<string, VariableDefinition<S>>;
  private readonly families: VariableFamily<S>[];
  private readonly used: Map<string, VariableInUse<S>>;
  private slotCount: number;

  constructor() {
    this.definitions = new Map();
    this.families = [];
    this.used = new Map();
    this.slotCount = 0;
  }

  /** Adds a variable; a later definition of a name wins, also for those who use it already. */
  define(definition: VariableDefinition<S>): void {
    this.definitions.set(definition.name, definition);
    const inUse = this.used.get(definition.name);
    if (inUse !== undefined) redefine(inUse, definition);
  }

  /** Adds a family; the one with the longest matching prefix answers. */
  defineFamily(family: VariableFamily<S>): void {
    this.families.push(family);
    this.families.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  /**
   * The variable of that name for somebody who will give it values (set, named groups of regular expressions,
   * auth_request_set ...) by `assignVariable`; until then what its family says, or not found. Ask `isFixed` before.
   */
  assignable(name: string): Variable<S> {
    const lower = name.toLowerCase();
    if (!this.definitions.has(lower)) {
      this.define({ ...(this.memberOf(lower) ?? { name: lower, get: notFound }), isChangeable: true });
    }
    return this.use(lower);
  }

  /** Whether there is such a variable, or a family that it belongs to. */
  isKnown(name: string): boolean {
    const lower = name.toLowerCase();
    return this.definitions.has(lower) || this.memberOf(lower) !== null;
  }

  /** Whether it is one of a module's own, which a configuration may neither define anew nor set. */
  isFixed(name: string): boolean {
    const definition = this.definitions.get(name.toLowerCase());
    return definition !== undefined && definition.isChangeable !== true && definition.set === undefined;
  }

  /**
   * The variable of that name with a slot. One that isn't known yet has no value until it is defined: it may be by
   * what stands further down in the file, so ask `isKnown` when all of it is read.
   */
  use(name: string): Variable<S> {
    const lower = name.toLowerCase();
    let variable = this.used.get(lower);
    if (variable === undefined) {
      const definition = this.definitions.get(lower) ??
        this.memberOf(lower) ?? { name: lower, get: notFound };
      variable = {
        name: lower,
        get: definition.get,
        set: definition.set,
        isVolatile: definition.isVolatile ?? false,
        isChangeable: definition.isChangeable ?? false,
        isOneLine: isOneLine(definition),
        slot: this.slotCount++,
      };
      this.used.set(lower, variable);
    }
    return variable;
  }

  /** Whether anybody has asked for that variable. */
  isUsed(name: string): boolean {
    return this.used.has(name);
  }

  /** The value of a variable that is named at run time (SSI), without a slot for it; null when there is none. */
  read(name: string, subject: S): string | null {
    const lower = name.toLowerCase();
    const inUse = this.used.get(lower);
    if (inUse !== undefined) return readVariable(inUse, subject);
    const definition = this.definitions.get(lower) ?? this.memberOf(lower);
    return definition === null ? null : definition.get(subject);
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

function isOneLine<S>({ isOneLine = false, isChangeable, set }: VariableDefinition<S>): boolean {
  return isOneLine && isChangeable !== true && set === undefined;
}

function notFound(): null {
  return null;
}

function redefine<S>(variable: VariableInUse<S>, definition: VariableDefinition<S>): void {
  variable.get = definition.get;
  variable.set = definition.set;
  variable.isVolatile = definition.isVolatile ?? false;
  variable.isChangeable = definition.isChangeable ?? false;
  variable.isOneLine = isOneLine(definition);
}

/** A variable's value on a subject, read once unless it is volatile or was assigned; null when not found. */
export function readVariable<S extends VariableSubject>(variable: Variable<S>, subject: S): string | null {
  const values = subject.variableValues;
  const known = values[variable.slot];
  if (known !== undefined) return known;
  const value = variable.get(subject);
  if (!variable.isVolatile) values[variable.slot] = value;
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
