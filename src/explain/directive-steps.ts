/*
 * What a directive of the rewrite module has done, in words.
 */
import type { Directive } from '../conf/syntax/ast.js';
import type { HttpRequest } from '../request/http-request.js';
import { DONE } from '../request/phase.js';
import type { VariableTable } from '../variables/variable-table.js';

/** The path and arguments before it. */
interface Before {
  readonly path: string;
  readonly args: string;
}

/** Whether a directive is one of those told of here. */
export function isRewriting({ name }: Directive): boolean {
  return REWRITING.has(name);
}

const REWRITING: ReadonlySet<string> = new Set(['set', 'if', 'return', 'rewrite', 'break']);

export function describeStep(
  { name, args }: Directive,
  request: HttpRequest,
  before: Before,
  result: unknown,
  variables: VariableTable<HttpRequest>,
): string {
  switch (name) {
    case 'set': {
      const variable = args[0]!.text;
      return `${variable} = "${variables.read(variable.slice(1), request) ?? ''}"`;
    }
    case 'if':
      return result === true ? 'is true' : 'is false';
    case 'return':
      return describeReturn(request, result as number);
    case 'rewrite':
      return describeRewrite(request, before, result as number);
    default:
      return 'ends the directives of this level';
  }
}

function describeReturn({ response }: HttpRequest, outcome: number): string {
  if (outcome === DONE) return `answers ${response.status}`;
  if (outcome === 444) return 'closes the connection without an answer';
  return response.location === ''
    ? `answers ${outcome}`
    : `redirects with ${outcome} to "${response.location}"`;
}

function describeRewrite(request: HttpRequest, before: Before, outcome: number): string {
  if (outcome >= 300 && outcome < 400) return `redirects with ${outcome} to "${request.response.location}"`;
  if (request.captures === null) return 'does not match';
  const from = uriOf(before);
  const to = uriOf(request);
  const then = request.isUriChanged ? '' : ', and stays in this location';
  return `makes "${to}" of "${from}"${then}`;
}

export function uriOf({ path, args }: Before): string {
  return args === '' ? path : `${path}?${args}`;
}
