import { describe, expect, expectTypeOf, it } from 'vitest';
import { directivesOf } from '../syntax/ast.js';
import { parse } from '../syntax/parser.js';
import { Source } from '../syntax/source.js';
import { flag } from '../values/flag.js';
import { keyword } from '../values/keyword.js';
import { number } from '../values/number.js';
import { size } from '../values/size.js';
import { text } from '../values/text.js';
import {
  type ArgumentSpec,
  countArguments,
  describeCount,
  optional,
  type ParsedArguments,
  parameters,
  type RefusedWord,
  readArguments,
  rest,
} from './arguments.js';

function read(specs: readonly ArgumentSpec[], words: string) {
  const refused: RefusedWord[] = [];
  const [directive] = directivesOf(parse(new Source('a.conf', `d ${words};`)).items);
  const values = readArguments(specs, directive!.args, refused);
  return { values, refused: refused.map(({ refusal, from }) => [refusal.message, from]) };
}

describe('readArguments', () => {
  it('reads plain and optional arguments in their order', () => {
    const specs = [flag, optional(size), optional(number())];
    expect(read(specs, 'on').values).toEqual([true, undefined, undefined]);
    expect(read(specs, 'off 1k 3').values).toEqual([false, 1024, 3]);
  });

  it('reads all that is left', () => {
    expect(read([text(), rest(number())], 'a').values).toEqual(['a']);
    expect(read([text(), rest(number())], 'a 1 2 3').values).toEqual(['a', 1, 2, 3]);
  });

  it('reads parameters with values and without, in any order', () => {
    const specs = [text(), parameters({ weight: number(), backup: null, id: text() })];
    expect(read(specs, 'a backup weight=5 id=a=b').values).toEqual([
      'a',
      { backup: true, weight: 5, id: 'a=b' },
    ]);
    expect(read(specs, 'a').values).toEqual(['a', {}]);
  });

  it.each([
    ['weight', 'Cannot take parameter "weight": use weight=, backup', 0],
    ['backup=1', 'Cannot take parameter "backup=1": use weight=, backup', 0],
    ['toString', 'Cannot take parameter "toString": use weight=, backup', 0],
    ['weight=x', 'Cannot parse number "x": write a whole number such as 10', 7],
  ])('refuses the parameter %s', (words, message, from) => {
    const { refused } = read([parameters({ weight: number(), backup: null })], words);
    expect(refused).toEqual([[message, from]]);
  });

  it('reports every argument that is refused', () => {
    expect(read([flag, rest(size)], 'x 1k y').refused.length).toBe(2);
  });

  it('gives values the types that their specs have', () => {
    const specs = [
      keyword('a', 'b'),
      optional(size),
      parameters({ weight: number(), backup: null }),
    ] as const satisfies readonly ArgumentSpec[];
    type Values = ParsedArguments<typeof specs>;
    expectTypeOf<Values>().toEqualTypeOf<
      ['a' | 'b', number | undefined, { readonly weight?: number; readonly backup?: true }]
    >();
    const more = [flag, rest(text())] as const satisfies readonly ArgumentSpec[];
    expectTypeOf<ParsedArguments<typeof more>>().toEqualTypeOf<[boolean, ...string[]]>();
  });
});

describe('countArguments', () => {
  it.each<[readonly ArgumentSpec[], string]>([
    [[], 'no arguments'],
    [[flag], 'one argument'],
    [[flag, flag], '2 arguments'],
    [[flag, optional(flag)], '1 or 2 arguments'],
    [[optional(flag)], 'at most one argument'],
    [[flag, optional(flag), optional(flag)], '1 to 3 arguments'],
    [[rest(flag)], 'any arguments'],
    [[rest(flag, 1)], 'at least one argument'],
    [[flag, rest(flag, 2)], 'at least 3 arguments'],
    [[flag, parameters({})], 'at least one argument'],
  ])('%#: is %s', (specs, words) => {
    expect(describeCount(countArguments(specs))).toBe(words);
  });

  it('names numbers that are not every one from the fewest to the most', () => {
    expect(describeCount({ min: 1, max: 3 }, [1, 3])).toBe('1 or 3 arguments');
  });
});
