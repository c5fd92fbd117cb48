/*
 * What a directive takes: a list of types, of which the last ones may be left out or repeated, or be
 * parameters with names. Counting and reading the words against that list is here.
 */
import type { Word } from '../syntax/ast.js';
import { Refusal, type ValueType } from '../values/value-type.js';

/** An argument that may be left out. Only other optional ones may follow. */
export interface OptionalArgument<T> {
  readonly optional: ValueType<T>;
}

/** All further arguments, of one type each; it comes last. */
export interface RestArguments<T> {
  readonly rest: ValueType<T>;
  /** How many there must be. */
  readonly least: number;
}

/** All further arguments as `name=value`, or as the name alone; it comes last. */
export interface ParameterArguments<T> {
  readonly parameters: ParameterTypes;
  /** Only there for the types. */
  readonly result?: T;
}

/** The type of each parameter's value; null for one that is its name alone. */
export type ParameterTypes = Readonly<Record<string, ValueType<unknown> | null>>;

/** One entry in what a directive takes. */
export type ArgumentSpec =
  | ValueType<unknown>
  | OptionalArgument<unknown>
  | RestArguments<unknown>
  | ParameterArguments<unknown>;

/** The values that come of a list of entries, in their order. */
export type ParsedArguments<Specs extends readonly ArgumentSpec[]> = Specs extends readonly [
  infer First,
  ...infer Others extends readonly ArgumentSpec[],
]
  ? [...ParsedArgument<First>, ...ParsedArguments<Others>]
  : [];

type ParsedArgument<Spec> =
  Spec extends ValueType<infer T>
    ? [T]
    : Spec extends OptionalArgument<infer T>
      ? [T | undefined]
      : Spec extends RestArguments<infer T>
        ? T[]
        : Spec extends ParameterArguments<infer T>
          ? [T]
          : never;

type ParsedParameters<Types extends ParameterTypes> = {
  readonly [Name in keyof Types]?: Types[Name] extends ValueType<infer T> ? T : true;
};

export function optional<T>(type: ValueType<T>): OptionalArgument<T> {
  return { optional: type };
}

export function rest<T>(type: ValueType<T>, least = 0): RestArguments<T> {
  return { rest: type, least };
}

export function parameters<const Types extends ParameterTypes>(
  types: Types,
): ParameterArguments<ParsedParameters<Types>> {
  return { parameters: types };
}

/** How many arguments there may be. */
export interface ArgumentCount {
  readonly min: number;
  readonly max: number;
}

export function countArguments(specs: readonly ArgumentSpec[]): ArgumentCount {
  let min = 0;
  let max = 0;
  for (const spec of specs) {
    if ('parse' in spec) min++;
    else if ('rest' in spec) min += spec.least;
    max += 'parse' in spec || 'optional' in spec ? 1 : Number.POSITIVE_INFINITY;
  }
  return { min, max };
}

/** `one argument`, `2 or 3 arguments`, `at least one argument` */
export function describeCount({ min, max }: ArgumentCount, counts?: readonly number[]): string {
  if (counts !== undefined) return `${counts.join(' or ')} arguments`;
  if (max === 0) return 'no arguments';
  const noun = (count: number) => (count === 1 ? 'one argument' : `${count} arguments`);
  if (min === max) return noun(min);
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? 'any arguments' : `at least ${noun(min)}`;
  if (min === 0) return `at most ${noun(max)}`;
  return max === min + 1 ? `${min} or ${noun(max)}` : `${min} to ${noun(max)}`;
}

/** A word that is no value of the type that stands in its place. */
export interface RefusedWord {
  readonly word: Word;
  readonly refusal: Refusal;
  /** Where in the word the refused text begins: behind `name=` for a parameter. */
  readonly from: number;
}

/** The values of a directive's arguments, whose number fits. Those that are refused go to `refused`. */
export function readArguments(
  specs: readonly ArgumentSpec[],
  args: readonly Word[],
  refused: RefusedWord[],
): unknown[] {
  const [first] = specs;
  // Most directives take one argument.
  if (specs.length === 1 && 'parse' in first!) return [readWord(first, args[0]!, refused)];
  const values: unknown[] = [];
  let index = 0;
  for (const spec of specs) {
    if ('parse' in spec) values.push(readWord(spec, args[index++]!, refused));
    else if ('optional' in spec) {
      const word = args[index++];
      values.push(word === undefined ? undefined : readWord(spec.optional, word, refused));
    } else if ('rest' in spec) {
      while (index < args.length) values.push(readWord(spec.rest, args[index++]!, refused));
    } else {
      values.push(readParameters(spec.parameters, args.slice(index), refused));
      index = args.length;
    }
  }
  return values;
}

function readWord(type: ValueType<unknown>, word: Word, refused: RefusedWord[], from = 0): unknown {
  const value = type.parse(from === 0 ? word.text : word.text.slice(from));
  if (value instanceof Refusal) refused.push({ word, refusal: value, from });
  return value;
}

function readParameters(types: ParameterTypes, args: readonly Word[], refused: RefusedWord[]): object {
  const result: Record<string, unknown> = {};
  for (const word of args) {
    const equals = word.text.indexOf('=');
    const name = equals < 0 ? word.text : word.text.slice(0, equals);
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === null && equals < 0) result[name] = true;
    else if (type && equals >= 0) result[name] = readWord(type, word, refused, equals + 1);
    else refused.push({ word, refusal: refuseParameter(types, word.text), from: 0 });
  }
  return result;
}

function refuseParameter(types: ParameterTypes, text: string): Refusal {
  const known = Object.entries(types).map(([name, type]) => (type === null ? name : `${name}=`));
  const message = `Cannot take parameter "${text}": use ${known.join(', ')}`;
  return new Refusal(message, () => `invalid parameter "${text}"`);
}
