/*
 * What the directives of the rewrite module do, each as one step. The steps of a level run in the order of the file,
 * those within an `if` in its place.
 */

import { setContentType } from '../../../request/content-type.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Location } from '../../../request/location.js';
import { DECLINED, DONE, type Outcome } from '../../../request/phase.js';
import type { RequestRegex } from '../../../request/request-regex.js';
import { respond } from '../../../request/send.js';
import { unescapeRedirect } from '../../../request/uri-escape.js';
import type { Text } from '../../../variables/text.js';
import { assignVariable, type Variable } from '../../../variables/variable-table.js';
import { joinPieces, type Piece } from './pieces.js';

/** The next step's turn. Not an outcome of a phase. */
const GO_ON = -100;

/** What one directive does: GO_ON, or the outcome that ends the level's steps. */
export type Step = (request: HttpRequest) => Outcome;

/**
 * Whether groups are escaped in values: so it is until a `rewrite` has matched, which nginx does too. Steps run without
 * a pause, so one flag does for all requests.
 */
let quotesGroups = true;

/** Runs all steps of a level as a handler of a phase does. */
export function runLevel(steps: readonly Step[], request: HttpRequest): Outcome {
  quotesGroups = true;
  const outcome = runSteps(steps, request);
  return outcome === GO_ON ? DECLINED : outcome;
}

function runSteps(steps: readonly Step[], request: HttpRequest): Outcome {
  for (const step of steps) {
    const outcome = step(request);
    if (outcome !== GO_ON) return outcome;
  }
  return GO_ON;
}

/** A value as `set` and `if` take it. */
export function readValue(pieces: readonly Piece[], request: HttpRequest): string {
  return joinPieces(pieces, request, quotesGroups);
}

export function setStep(variable: Variable<HttpRequest>, pieces: readonly Piece[]): Step {
  return (request) => {
    assignVariable(variable, request, readValue(pieces, request));
    return GO_ON;
  };
}

/** `inner` is the location of an `if` in a location: from here on the request is in it. */
export function ifStep(
  isTrue: (request: HttpRequest) => boolean,
  steps: readonly Step[],
  inner: Location | null,
): Step {
  return (request) => {
    if (!isTrue(request)) return GO_ON;
    if (inner !== null) request.location = inner;
    return runSteps(steps, request);
  };
}

export const breakStep: Step = (request) => {
  if (request.isUriChanged) request.isPathOfLocation = false;
  request.isUriChanged = false;
  return DECLINED;
};

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** `text` is null for none. */
export function returnStep(code: number, text: Text<HttpRequest> | null): Step {
  if (REDIRECTS.has(code)) {
    return (request) => {
      request.response.location = text?.evaluate(request) ?? '';
      return code;
    };
  }
  if (code >= 400 && (text === null || text.constant === '')) return () => code;
  return (request) => {
    request.response.status = code;
    const body = text?.evaluate(request) ?? '';
    setContentType(request);
    respond(request, code, request.response.contentType, body);
    return DONE;
  };
}

/** One `rewrite`. */
export interface RewriteRule {
  readonly regex: RequestRegex;
  /** The new path, or the URL of a redirect. */
  readonly target: readonly Piece[];
  /** What follows the first '?'; null without one, or if it redirects. */
  readonly args: readonly Piece[] | null;
  /** The request's own arguments follow. */
  readonly keepsArgs: boolean;
  /** 301 or 302; null for no redirect. */
  readonly redirect: number | null;
  /** Whether a redirect's URL has arguments of its own. */
  readonly hasArgs: boolean;
  readonly ending: 'next' | 'last' | 'break';
  readonly isLogged: boolean;
}

export function rewriteStep(rule: RewriteRule): Step {
  const { regex, isLogged, redirect, ending } = rule;
  return (request) => {
    const { path } = request;
    if (!regex.match(request, path)) {
      request.captures = null;
      if (isLogged) logErrorOf(request, 'notice', `"${regex.pattern}" does not match "${path}"`);
      return GO_ON;
    }
    if (isLogged) logErrorOf(request, 'notice', `"${regex.pattern}" matches "${path}"`);
    request.isInternal = true;
    request.rawPath = '';
    if (redirect !== null) {
      setRedirect(request, rule);
      return redirect;
    }
    request.isUriChanged = ending !== 'break';
    if (ending === 'break') request.isPathOfLocation = false;
    if (!setPath(request, rule)) return 500;
    return ending === 'next' ? GO_ON : DECLINED;
  };
}

function setRedirect(request: HttpRequest, rule: RewriteRule): void {
  let url = unescapeRedirect(joinPieces(rule.target, request, true));
  if (rule.keepsArgs && request.args !== '') url += (rule.hasArgs ? '&' : '?') + request.args;
  if (rule.isLogged) logErrorOf(request, 'notice', `rewritten redirect: "${url}"`);
  request.response.location = url;
}

/** Whether there is a path. */
function setPath(request: HttpRequest, rule: RewriteRule): boolean {
  const { args, keepsArgs } = rule;
  const path = joinPieces(rule.target, request, false);
  if (args !== null) {
    const own = joinPieces(args, request, true);
    request.args = keepsArgs && request.args !== '' ? `${own}&${request.args}` : own;
  } else if (!keepsArgs) request.args = '';
  quotesGroups = false;
  if (rule.isLogged) logErrorOf(request, 'notice', `rewritten data: "${path}", args: "${request.args}"`);
  request.path = path;
  if (path !== '') return true;
  logErrorOf(request, 'error', 'the rewritten URI has a zero length');
  return false;
}
