/*
 * `match name { ... }`: what an answer to a health check must be like, as conditions on its status, fields and body.
 */
import { type Finding, finding } from '../../../conf/diagnostics/catalogue.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Directive } from '../../../conf/syntax/ast.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { regex } from '../../../conf/values/regex.js';
import { text } from '../../../conf/values/text.js';
import { Refusal } from '../../../conf/values/value-type.js';
import type { ResponseHead } from '../../../http/h1/response-head.js';
import type { BodyCondition, HeadCondition, HealthMatch } from '../../../upstream/health/health-match.js';

export const match = defineDirective({
  name: 'match',
  syntax: 'match name { status ...; header ...; body ...; }',
  contexts: ['http'],
  args: [text('name')],
  block: { checkEntry },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Says what an answer to a health check must be like.',
  since: '0.2.0',
  effect: 'full',
});

/** One line of the block. */
type Condition = { readonly head: HeadCondition } | { readonly body: BodyCondition };

const FORMS = {
  status: 'use status CODE ..., status FROM-TO or status ! CODE ...',
  header: 'use header NAME, header ! NAME, or header NAME = | != | ~ | !~ VALUE',
  body: 'use body ~ REGEX or body !~ REGEX',
};

function checkEntry(entry: Directive): Finding | null {
  const condition = readCondition(entry);
  return typeof condition === 'string' ? finding('match', condition, null) : null;
}

/** What lines that were checked say together. */
export function makeMatch(entries: readonly Directive[]): HealthMatch {
  const conditions = entries.map(readCondition).filter((condition) => typeof condition !== 'string');
  return {
    head: conditions.flatMap((condition) => ('head' in condition ? [condition.head] : [])),
    body: conditions.flatMap((condition) => ('body' in condition ? [condition.body] : [])),
  };
}

/** The condition of a line, or what is wrong with it. */
function readCondition({ name, args }: Directive): Condition | string {
  const words = args.map((word) => word.text);
  switch (name) {
    case 'status':
      return readStatus(words);
    case 'header':
      return readHeader(words);
    case 'body':
      return readBody(words);
    default:
      return `Cannot take "${name}" in "match": use status, header or body`;
  }
}

function readStatus(words: readonly string[]): Condition | string {
  const isNot = words[0] === '!';
  const ranges = (isNot ? words.slice(1) : words).map((word) => /^(\d{3})(?:-(\d{3}))?$/.exec(word));
  if (ranges.length === 0 || ranges.includes(null))
    return `Cannot take "status ${words.join(' ')}": ${FORMS.status}`;
  const bounds = ranges.map((range) => [Number(range![1]), Number(range![2] ?? range![1])] as const);
  return { head: ({ status }) => bounds.some(([from, to]) => status >= from && status <= to) !== isNot };
}

function readHeader(words: readonly string[]): Condition | string {
  const [first, second, third] = words;
  const wrong = `Cannot take "header ${words.join(' ')}": ${FORMS.header}`;
  if (words.length === 1) return { head: (head) => valuesOf(head, first!).length > 0 };
  if (words.length === 2 && first === '!') return { head: (head) => valuesOf(head, second!).length === 0 };
  if (words.length !== 3) return wrong;
  const test = readTest(second!, third!);
  if (typeof test === 'string') return test;
  if (test === null) return wrong;
  const { isNot, holds } = test;
  return { head: (head) => valuesOf(head, first!).some(holds) !== isNot };
}

function readBody(words: readonly string[]): Condition | string {
  const [operator, pattern] = words;
  const test = words.length === 2 && operator!.endsWith('~') ? readTest(operator!, pattern!) : null;
  if (typeof test === 'string') return test;
  if (test === null) return `Cannot take "body ${words.join(' ')}": ${FORMS.body}`;
  return { body: (body) => test.holds(body) !== test.isNot };
}

interface Test {
  readonly isNot: boolean;
  readonly holds: (value: string) => boolean;
}

/** Null for an operator that there isn't; a text for a pattern that is none. */
function readTest(operator: string, operand: string): Test | string | null {
  const isNot = operator.startsWith('!');
  const value = toByteString(operand);
  if (operator === '=' || operator === '!=') return { isNot, holds: (given) => given === value };
  if (operator !== '~' && operator !== '!~') return null;
  const parsed = regex().parse(operand);
  if (parsed instanceof Refusal) return parsed.message;
  return { isNot, holds: (given) => parsed.regexp.test(given) };
}

function valuesOf({ fields }: ResponseHead, name: string): string[] {
  const lower = name.toLowerCase();
  const values: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    if (fields.name(i).toLowerCase() === lower) values.push(fields.value(i));
  }
  return values;
}
