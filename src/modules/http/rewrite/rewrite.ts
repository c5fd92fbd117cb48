/*
 * nginx's rewrite module: rewrite, return, set, if and break. What they do is steps.ts; here the directives of a level
 * become its steps.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Location } from '../../../request/location.js';
import { BuildKey, type HttpBuild, type HttpModule, type LocationBuild } from '../../module.js';
import { readVariableName } from '../../variable-name.js';
import { compileCondition } from './condition.js';
import {
  breakOff,
  ifBlock,
  isUrl,
  returnAnswer,
  rewriteLog,
  rewriteRule,
  setVariable,
  uninitializedVariableWarn,
} from './directives.js';
import { bindPieces, type Piece } from './pieces.js';
import {
  breakStep,
  ifStep,
  type RewriteRule,
  returnStep,
  rewriteStep,
  runLevel,
  type Step,
  setStep,
} from './steps.js';

export const rewriteModule: HttpModule = {
  name: 'rewrite',
  directives: [
    rewriteRule,
    returnAnswer,
    setVariable,
    ifBlock,
    breakOff,
    rewriteLog,
    uninitializedVariableWarn,
  ],
  declare: declareVariables,
  location: addSteps,
};

/** Levels where uninitialized_variable_warn is off. */
const silentLevels = new BuildKey<Set<Location>>(
  'levels without uninitialized_variable_warn',
  () => new Set(),
);

/** What `set` names becomes a variable, unless it is one already. */
function declareVariables(directives: readonly CheckedDirective[], build: HttpBuild): void {
  const { variables } = build;
  const silent = build.shared(silentLevels);
  for (const directive of directives) {
    if (valuesOf(setVariable, directive) === null) continue;
    const name = readVariableName(directive.node.args[0]!, build);
    if (name !== null && !variables.isKnown(name)) {
      variables.define({ name, isChangeable: true, get: (request) => warnOfNoValue(request, name, silent) });
    }
  }
}

function warnOfNoValue(request: HttpRequest, name: string, silent: ReadonlySet<Location>): string {
  if (!silent.has(request.location)) logErrorOf(request, 'warn', `using uninitialized "${name}" variable`);
  return '';
}

function addSteps(scope: Scope, build: LocationBuild): void {
  const [warns] = scope.value(uninitializedVariableWarn);
  if (!warns) build.shared(silentLevels).add(build.location);
  if (build.kind === 'if' || build.kind === 'limit_except') return;
  const [isLogged] = scope.value(rewriteLog);
  const steps = compileSteps(scope.directives, isLogged, build);
  if (steps.length === 0) return;
  build.addHandler(build.kind === 'server' ? 'serverRewrite' : 'rewrite', (request) =>
    runLevel(steps, request),
  );
}

function compileSteps(
  directives: readonly CheckedDirective[],
  isLogged: boolean,
  build: LocationBuild,
): Step[] {
  const steps: Step[] = [];
  for (const directive of directives) {
    const step = compileStep(directive, isLogged, build);
    if (step !== null) steps.push(step);
  }
  return steps;
}

function compileStep(directive: CheckedDirective, isLogged: boolean, build: LocationBuild): Step | null {
  const { node } = directive;
  const step = stepOf(directive, isLogged, build);
  // An `if` tells of its condition instead: the steps in it are its own.
  return step === null || directive.definition.block !== null ? step : build.step(node, step);
}

function stepOf(directive: CheckedDirective, isLogged: boolean, build: LocationBuild): Step | null {
  const { node } = directive;
  const assignment = valuesOf(setVariable, directive);
  if (assignment !== null) {
    const variable = build.variables.assignable(assignment[0].slice(1));
    return setStep(variable, bindPieces(assignment[1], node.args[1]!, build));
  }
  if (valuesOf(breakOff, directive) !== null) return breakStep;
  if (valuesOf(ifBlock, directive) !== null) return compileIf(directive, isLogged, build);
  if (valuesOf(returnAnswer, directive) !== null) return compileReturn(directive, build);
  if (valuesOf(rewriteRule, directive) !== null) return compileRewrite(directive, isLogged, build);
  return null;
}

function compileIf(directive: CheckedDirective, isLogged: boolean, build: LocationBuild): Step | null {
  const condition = compileCondition(directive.node.args, isLogged, build);
  const inner = build.kind === 'server' ? null : build.inner(directive);
  const steps = compileSteps(directive.block, isLogged, build);
  return condition === null ? null : ifStep(build.step(directive.node, condition), steps, inner);
}

function compileReturn(directive: CheckedDirective, build: LocationBuild): Step | null {
  const [target, text] = valuesOf(returnAnswer, directive)!;
  const { args } = directive.node;
  if ('url' in target) {
    if (text === undefined) return returnStep(302, build.text(target.url, args[0]!));
    const nginxText = `invalid return code "${args[0]!.text}"`;
    build.report(
      args[0]!,
      finding('return-code', nginxText, 'a URL stands alone, or behind a code', nginxText),
    );
    return null;
  }
  return returnStep(target.code, text === undefined ? null : build.text(text, args[1]!));
}

const ENDINGS = {
  last: { ending: 'last', redirect: null },
  break: { ending: 'break', redirect: null },
  redirect: { ending: 'last', redirect: 302 },
  permanent: { ending: 'last', redirect: 301 },
} as const;

function compileRewrite(directive: CheckedDirective, isLogged: boolean, build: LocationBuild): Step | null {
  const [regex, parts, flag] = valuesOf(rewriteRule, directive)!;
  const { args } = directive.node;
  const written = args[1]!.text;
  if (written === '') {
    build.report(args[1]!, finding('replacement', 'empty replacement', 'use "/" for the root'));
    return null;
  }
  if (flag !== undefined && !Object.hasOwn(ENDINGS, flag)) {
    const hint = 'use last, break, redirect or permanent';
    build.report(args[2]!, finding('rewrite-flag', `invalid parameter "${flag}"`, hint));
    return null;
  }
  const end = flag === undefined ? null : ENDINGS[flag as keyof typeof ENDINGS];
  const redirect = end?.redirect ?? (isUrl(written) ? 302 : null);
  const pieces = bindPieces(parts, args[1]!, build);
  const keepsArgs = !written.endsWith('?');
  if (!keepsArgs) pieces[pieces.length - 1] = (pieces[pieces.length - 1] as string).slice(0, -1);
  const split = redirect === null ? splitAtMark(pieces) : { target: pieces, args: null };
  return rewriteStep({
    ...split,
    regex: build.regex(regex, args[0]!),
    keepsArgs,
    redirect,
    hasArgs: pieces.some((piece) => typeof piece === 'string' && piece.includes('?')),
    ending: end?.ending ?? 'next',
    isLogged,
  });
}

/** Arguments begin behind the first '?'. */
function splitAtMark(pieces: readonly Piece[]): Pick<RewriteRule, 'target' | 'args'> {
  const index = pieces.findIndex((piece) => typeof piece === 'string' && piece.includes('?'));
  if (index < 0) return { target: pieces, args: null };
  const text = pieces[index] as string;
  const mark = text.indexOf('?');
  return {
    target: [...pieces.slice(0, index), text.slice(0, mark)],
    args: [text.slice(mark + 1), ...pieces.slice(index + 1)],
  };
}
