/*
 * What `if` and `elif` ask: `$a`, `$a = text`, `$a != text`, `$a = /regex/`.
 */
import { SsiProblem } from './ssi-page.js';

/** Evaluates texts, and matches them. */
export interface ExpressionReader {
  evaluate(text: string): string;
  match(pattern: string, text: string): boolean;
}

/** The left side: names and plain words; then, if anything, the operator and the right side. */
const EXPRESSION = /^([\w${}"']*) *(?:(!?=) *([\s\S]*))?$/;

/** Whether an expression holds. */
export function holds(expression: string, reader: ExpressionReader): boolean {
  const match = EXPRESSION.exec(expression);
  if (match === null) throw invalid(expression);
  const [, name, operator, right = ''] = match;
  // nginx makes the left side lower case, words in it too.
  const left = reader.evaluate(name!.toLowerCase());
  if (operator === undefined) return left !== '';
  return isMatch(expression, left, right, reader) === (operator === '=');
}

function isMatch(expression: string, left: string, right: string, reader: ExpressionReader): boolean {
  if (right.length > 1 && right.startsWith('/')) {
    if (!right.endsWith('/')) throw invalid(expression);
    return reader.match(reader.evaluate(right.slice(1, -1)), left);
  }
  return reader.evaluate(right.startsWith('\\/') ? right.slice(1) : right) === left;
}

function invalid(expression: string): SsiProblem {
  return new SsiProblem(`invalid expression in "${expression}"`);
}
