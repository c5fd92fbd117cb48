/*
 * The life of a request, top to bottom: which server, which phases, which location, who answers, what becomes of
 * errors and redirects, and its end. How bytes are read and written is told elsewhere.
 */
import { describeDefect } from '../core/describe-defect.js';
import type { ZoneCounters } from '../metrics/zone-counters.js';
import { judgeTls } from './client-tls.js';
import { delayOutcome } from './delay.js';

import { logErrorOf } from './error-line.js';
import { findErrorPage } from './error-page.js';
import { filePath } from './file-path.js';
import type { HttpRequest } from './http-request.js';
import type { Location } from './location.js';
import { LocationMatch } from './location-tree.js';
import { DECLINED, DONE, OK, type Outcome, type PhaseHandler } from './phase.js';
import { parseRequestHost } from './request-host.js';
import type { RequestRegex } from './request-regex.js';
import { parseRequestUri } from './request-uri.js';
import { sendErrorPage, sendRedirect, sendStub } from './send.js';
import { ServerMatch } from './server-names.js';
import { TIMELINE, type Wait } from './timeline.js';
import { escapeUri } from './uri-escape.js';
import type { VirtualServer } from './virtual-server.js';

/** The numbers of HttpRequest.phase. */
const POST_READ = 0;
const SERVER_REWRITE = 1;
const FIND_LOCATION = 2;
const REWRITE = 3;
const POST_REWRITE = 4;
const PREACCESS = 5;
const ACCESS = 6;
const PRECONTENT = 7;
const CONTENT = 8;

/** Of those numbers, as nginx has them. */
const PHASE_NAMES = [
  'post_read',
  'server_rewrite',
  'find_config',
  'rewrite',
  'post_rewrite',
  'preaccess',
  'access',
  'precontent',
];

const serverMatch = new ServerMatch<VirtualServer, RequestRegex>();
const locationMatch = new LocationMatch<Location>();

/** The head is parsed and says what it should: from here to the answer. */
export function serve(request: HttpRequest): void {
  if (!admit(request)) return;
  if (request.method === 'CONNECT' && !mayConnect(request)) return;
  if (request.method === 'TRACE') {
    logErrorOf(request, 'info', 'client sent TRACE method');
    request.keepsAlive = false;
    finalize(request, 405);
    return;
  }
  const { postRead, serverRewrite } = request.location;
  request.phase = postRead.length === 0 && serverRewrite.length === 0 ? FIND_LOCATION : POST_READ;
  runPhases(request);
}

/** Whether it is for one of our servers, which may have it; else it is answered. */
export function admit(request: HttpRequest): boolean {
  const trouble = identify(request);
  if (trouble !== '') {
    logErrorOf(request, 'info', trouble);
    finalize(request, 400);
    return false;
  }
  const status = request.client.isForTls ? judgeTls(request) : 0;
  if (status !== 0) finalize(request, status);
  return status === 0;
}

/** Finds the server and the path that a head names; what is wrong with it, or ''. */
function identify(request: HttpRequest): string {
  const { head } = request;
  request.method = head.method;
  if (head.host !== '') {
    const host = parseRequestHost(head.host);
    if (host === null) return 'client sent invalid host header';
    request.host = host.name;
    request.hostPort = host.port;
  }
  chooseServer(request);
  countBegin(request);
  if (request.host === '') request.host = request.server.settings.serverName;
  const { mergeSlashes } = request.server.settings;
  const uri = parseRequestUri(head.target === '*' ? '/' : head.target, mergeSlashes);
  if (uri === null) return 'client sent invalid request target';
  request.path = uri.path;
  request.args = uri.args;
  request.rawPath = uri.raw;
  request.isPathQuoted = uri.isQuoted;
  request.hasPlusInPath = uri.hasPlus;
  return '';
}

/** Whether a CONNECT may go on; else it is answered. Its connection serves no other request in either case. */
function mayConnect(request: HttpRequest): boolean {
  const { versionMinor, contentLength, isChunked } = request.head;
  request.keepsAlive = false;
  if (versionMinor === 0 || !request.server.allowsConnect) {
    logErrorOf(request, 'info', 'client sent CONNECT method');
    finalize(request, 405);
    return false;
  }
  if (contentLength <= 0 && !isChunked) return true;
  logErrorOf(request, 'info', 'client sent CONNECT request with body');
  finalize(request, 400);
  return false;
}

/** Sets the server for the host a request names. */
function chooseServer(request: HttpRequest): void {
  const { names, defaultServer } = request.point;
  if (names === null) return;
  const server = names.find(request.host, serverMatch) ?? defaultServer;
  if (serverMatch.regex !== null) serverMatch.regex.take(request, serverMatch.captures!);
  request.server = server;
  request.location = server.base;
}

function countBegin(request: HttpRequest): void {
  const { zone } = request.server;
  if (zone === null) return;
  request.zone = zone;
  zone.begin();
}

/** Goes on with the phases from where the request is, until it is answered or has to wait. */
function runPhases(request: HttpRequest): void {
  for (;;) {
    const handlers = handlersOf(request);
    while (request.handlerIndex < handlers.length) {
      const handler = handlers[request.handlerIndex++]!;
      const outcome = callHandler(request, handler);
      if (typeof outcome === 'object') {
        waitFor(request, outcome);
        return;
      }
      if (outcome === DECLINED) continue;
      if (!takeOutcome(request, outcome)) return;
      break;
    }
    if (request.handlerIndex < handlers.length) continue;
    if (!enterNextPhase(request)) return;
  }
}

/** What the phase the request is in has to run. */
function handlersOf(request: HttpRequest): readonly PhaseHandler[] {
  const { location } = request;
  switch (request.phase) {
    case POST_READ:
      return location.postRead;
    case SERVER_REWRITE:
      return location.serverRewrite;
    case REWRITE:
      return location.rewrite;
    case PREACCESS:
      return location.preaccess;
    case ACCESS:
      return request.parent === null ? location.access : NO_HANDLERS;
    case PRECONTENT:
      return location.precontent;
    case CONTENT:
      return location.content === null ? location.contentPhase : NO_HANDLERS;
    default:
      return NO_HANDLERS;
  }
}

const NO_HANDLERS: readonly PhaseHandler[] = [];

/** A handler that throws is a defect of ours, and ends this request alone. */
function callHandler(request: HttpRequest, handler: PhaseHandler): Outcome | Promise<Outcome> {
  try {
    return handler(request);
  } catch (defect) {
    return reportDefect(request, defect);
  }
}

function reportDefect(request: HttpRequest, defect: unknown): Outcome {
  request.location.settings.errorLog.log('alert', describeDefect(defect), request.connectionNumber);
  return 500;
}

function waitFor(request: HttpRequest, promise: Promise<Outcome>): void {
  const { turn } = request;
  request.main.isReusable = false;
  const wait = noteWait(request);
  promise
    .catch((defect: unknown) => reportDefect(request, defect))
    .then((outcome) => {
      // It may have been answered otherwise meanwhile: an error of its body, or of a part of it.
      if (request.isOver || request.turn !== turn) return;
      if (wait !== null) wait.endMs = request.context.clock.nowMs();
      if (takeOutcome(request, outcome)) runPhases(request);
    })
    .catch((defect: unknown) => request.client.connection.failBy(defect));
}

/** For one that is traced. What is left when all other phases are told is content's. */
function noteWait(request: HttpRequest): Wait | null {
  if (request.parent !== null || request.phase === CONTENT) return null;
  const timeline = TIMELINE.of(request);
  if (timeline === undefined) return null;
  return timeline.beginWait(PHASE_NAMES[request.phase]!, request.context.clock.nowMs());
}

/**
 * What a handler said. Whether the phases go on; where it was the last word of its phase, `handlerIndex` is past the
 * phase's handlers.
 */
function takeOutcome(request: HttpRequest, outcome: Outcome): boolean {
  if (outcome === DONE) return false;
  if (outcome === DECLINED) return true;
  switch (request.phase) {
    case POST_READ:
    case PREACCESS:
    case PRECONTENT:
      if (outcome === OK) {
        request.handlerIndex = PAST_ALL;
        return true;
      }
      break;
    case SERVER_REWRITE:
    case REWRITE:
      if (outcome === OK) return true;
      break;
    case ACCESS:
      return takeAccess(request, outcome);
    case CONTENT:
      if (outcome === OK) return false;
      break;
  }
  finalize(request, outcome);
  return false;
}

const PAST_ALL = Number.MAX_SAFE_INTEGER;

function takeAccess(request: HttpRequest, outcome: Outcome): boolean {
  const { satisfiesAny } = request.location.settings;
  if (outcome === OK) {
    if (!satisfiesAny) return true;
    request.refusedStatus = 0;
    request.response.fields.remove(isConnect(request) ? 'proxy-authenticate' : 'www-authenticate');
    request.handlerIndex = PAST_ALL;
    return true;
  }
  if (satisfiesAny && (outcome === 403 || asksForCredentials(outcome))) {
    // Credentials may help; a 403 behind that must not hide it.
    if (!asksForCredentials(request.refusedStatus)) request.refusedStatus = outcome;
    return true;
  }
  refuse(request, outcome);
  return false;
}

function isConnect(request: HttpRequest): boolean {
  return request.main.head.method === 'CONNECT';
}

function asksForCredentials(status: number): boolean {
  return status === 401 || status === 407;
}

/** Ends the access phase; who has the wrong credentials waits for that by auth_delay. */
function refuse(request: HttpRequest, status: number): void {
  const { authDelayMs } = request.location.settings;
  request.refusedStatus = 0;
  if (authDelayMs === 0 || !asksForCredentials(status)) {
    finalize(request, status);
    return;
  }
  logErrorOf(request, 'info', 'delaying unauthorized request');
  waitFor(request, delayOutcome(request, authDelayMs, status));
  // Past this phase, where what comes is the last word.
  request.phase = PRECONTENT;
}

/** All handlers of the phase have had their say. Whether the request goes on. */
function enterNextPhase(request: HttpRequest): boolean {
  request.handlerIndex = 0;
  switch (request.phase) {
    case SERVER_REWRITE:
      request.isUriChanged = false;
      request.phase = FIND_LOCATION;
      return true;
    case FIND_LOCATION:
      request.phase = REWRITE;
      if (!findLocation(request)) return false;
      if (!isAnsweredAtOnce(request.location)) return true;
      request.phase = CONTENT;
      answer(request);
      return false;
    case POST_REWRITE:
      if (!request.isUriChanged) {
        request.phase = PREACCESS;
        return true;
      }
      return searchAgain(request);
    case ACCESS:
      if (request.refusedStatus === 0) {
        request.phase = PRECONTENT;
        return true;
      }
      if (request.refusedStatus === 403) logErrorOf(request, 'error', 'access forbidden by rule');
      refuse(request, request.refusedStatus);
      return false;
    case CONTENT:
      answer(request);
      return false;
    case PRECONTENT:
      request.phase = CONTENT;
      return true;
    default:
      request.phase++;
      return true;
  }
}

/** perf: whether nobody has a say in the phases between the search for a location and its answer. */
function isAnsweredAtOnce({ content, rewrite, preaccess, access, precontent }: Location): boolean {
  return (
    content !== null &&
    rewrite.length === 0 &&
    preaccess.length === 0 &&
    access.length === 0 &&
    precontent.length === 0
  );
}

/** Looks for the location of the path. Whether the request goes on with it. */
function findLocation(request: HttpRequest): boolean {
  const { server } = request;
  server.locations.find(request.path, locationMatch);
  request.location = locationMatch.location ?? server.base;
  for (const { location, captures } of locationMatch.matches) location.regex!.take(request, captures);
  if (locationMatch.isRedirect) {
    const args = request.args === '' ? '' : `?${request.args}`;
    request.response.location = `${escapeUri(request.path, 'path')}/${args}`;
    finalize(request, 301);
    return false;
  }
  return enterLocation(request);
}

/** What a location asks of every request. Whether the request may go on. */
function enterLocation(request: HttpRequest): boolean {
  const { settings } = request.location;
  if (settings.isInternal && !request.isInternal) {
    finalize(request, 404);
    return false;
  }
  const { limitedMethods, limited } = request.location;
  if (limited !== null && !limitedMethods!.has(request.method)) request.location = limited;
  const { contentLength } = request.head;
  const isTooLarge = settings.clientMaxBodySize > 0 && contentLength > settings.clientMaxBodySize;
  // What was read already, or will be thrown away for the page of this error, is let pass.
  if (!isTooLarge || request.parent !== null || request.payload !== null || request.isBodyRefused)
    return true;
  request.isBodyRefused = true;
  logErrorOf(request, 'error', `client intended to send too large body: ${contentLength} bytes`);
  finalize(request, 413);
  return false;
}

/** A rewrite changed the path: back to the search for a location. */
function searchAgain(request: HttpRequest): boolean {
  if (--request.uriChanges === 0) {
    logErrorOf(request, 'error', 'rewrite or internal redirection cycle while processing');
    finalize(request, 500);
    return false;
  }
  request.isUriChanged = false;
  request.location = request.server.base;
  request.phase = FIND_LOCATION;
  return true;
}

/** Nobody of the content phase answered, or the location has one who does. */
function answer(request: HttpRequest): void {
  const { content } = request.location;
  if (content === null) {
    const isFolder = request.path.endsWith('/');
    const path = isFolder ? filePath(request) : null;
    if (path !== null) logErrorOf(request, 'error', `directory index of "${path}" is forbidden`);
    finalize(request, isFolder ? 403 : 404);
    return;
  }
  answerBy(request, content);
}

/** Has a request answered by a handler, whatever its location has. */
export function answerBy(request: HttpRequest, content: PhaseHandler): void {
  request.phase = CONTENT;
  const outcome = callHandler(request, content);
  if (typeof outcome === 'object') waitFor(request, outcome);
  else if (outcome !== OK && outcome !== DONE) finalize(request, outcome === DECLINED ? 404 : outcome);
}

/**
 * Serves the request again under another path, decoded, as if it had asked for that; `internal` locations are open
 * to it now. Whatever the caller holds of the request it must have let go.
 */
export function redirectInternally(request: HttpRequest, path: string, args: string): void {
  if (--request.uriChanges === 0) {
    const what = `rewrite or internal redirection cycle while internally redirecting to "${path}"`;
    logErrorOf(request, 'error', what);
    finalize(request, 500);
    return;
  }
  request.path = path;
  request.args = args;
  request.rawPath = '';
  request.isPathOfLocation = true;
  request.addsPathToAlias = false;
  startOver(request, SERVER_REWRITE);
}

/** Serves the request by a named location ('@name'), its path as it is. */
export function redirectToNamed(request: HttpRequest, name: string): void {
  const location = request.server.locations.findNamed(name);
  if (--request.uriChanges === 0 || location === null) {
    const what =
      location === null
        ? `could not find named location "${name}"`
        : `rewrite or internal redirection cycle while redirect to named location "${name}"`;
    logErrorOf(request, 'error', what);
    finalize(request, 500);
    return;
  }
  startOver(request, REWRITE, location);
}

function startOver(request: HttpRequest, phase: number, location = request.server.base): void {
  request.turn++;
  request.isInternal = true;
  request.isUriChanged = false;
  request.refusedStatus = 0;
  request.responder = null;
  request.states = [];
  request.location = location;
  request.handlerIndex = 0;
  request.phase = phase;
  runPhases(request);
}

/**
 * Begins a subrequest that was set up by subrequest.ts: from the server's rewrites on, with `internal` locations open.
 */
export function serveSubrequest(request: HttpRequest): void {
  startOver(request, SERVER_REWRITE);
}

/**
 * The client's request is over before its answer: whatever is under way for it lets go, and nobody is told of
 * subrequests any more.
 */
export function abandon(request: HttpRequest): void {
  for (const subrequest of request.subrequests.splice(0)) {
    subrequest.isOver = true;
    letGo(subrequest);
  }
  letGo(request);
}

function letGo(request: HttpRequest): void {
  const { responder } = request;
  request.responder = null;
  responder?.abort();
  request.output.abort();
}

/**
 * Ends the making of an answer with a status instead of one: by the location's error_page or a page of ours. With a
 * response begun already the client sees it break off.
 */
export function finalize(request: HttpRequest, status: number): void {
  if (request.isOver) return;
  request.turn++;
  if (request.isResponseStarted) {
    request.output.abort();
    request.main.client.breakOff();
    return;
  }
  if (status === 444) {
    request.status = 444;
    request.main.client.close();
    return;
  }
  if (status < 300 && status !== 201 && status !== 204) {
    sendErrorPage(request, status);
    return;
  }
  if (request.stub !== null) {
    sendStub(request, request.stub);
    return;
  }
  request.errorStatus = status;
  if (CLOSES_CONNECTION.has(status) && request.parent === null) request.keepsAlive = false;
  request.response.contentType = '';
  const page = request.isErrorPage || request.uriChanges === 0 ? null : findErrorPage(request, status);
  if (page === null) {
    sendErrorPage(request, status);
    return;
  }
  if (!request.location.settings.recursiveErrorPages) request.isErrorPage = true;
  if (page.status !== -1) request.errorStatus = page.status === 'own' ? 0 : page.status;
  showErrorPage(request, page.uri.evaluate(request), page.status);
}

/** After these nobody knows what else the client's bytes mean, or whether it is friendly. */
const CLOSES_CONNECTION: ReadonlySet<number> = new Set([400, 413, 414, 494, 495, 496, 497, 500, 501]);

function showErrorPage(request: HttpRequest, uri: string, status: number | 'own'): void {
  if (uri.startsWith('@')) {
    if (request.method !== 'HEAD') request.method = 'GET';
    redirectToNamed(request, uri);
  } else if (uri.startsWith('/')) {
    if (request.method !== 'HEAD') request.method = 'GET';
    const mark = uri.indexOf('?');
    if (mark < 0) redirectInternally(request, uri, '');
    else redirectInternally(request, uri.slice(0, mark), uri.slice(mark + 1));
  } else {
    const isRedirect = typeof status === 'number' && REDIRECTS.has(status);
    sendRedirect(request, isRedirect ? (status as number) : 302, uri);
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether an answered request is to be served once more, for what that does. */
export function hasPostAction(request: HttpRequest): boolean {
  return request.location.settings.postAction !== '' && !request.isPostAction;
}

/** Serves an answered request by its post_action; its client's side is told of the end once more. */
export function runPostAction(request: HttpRequest): void {
  const { postAction } = request.location.settings;
  request.isPostAction = true;
  request.isResponseStarted = false;
  request.response.reset();
  if (postAction.startsWith('/')) redirectInternally(request, postAction, '');
  else redirectToNamed(request, postAction);
}

/** The client's request is over, answered or not: logs it and lets go of what was kept for it. */
export function endRequest(request: HttpRequest): void {
  request.isOver = true;
  request.requestTimeMs = request.context.clock.nowMs() - request.startMs;
  if (request.server.zone !== null) countEnd(request, request.server.zone);
  const { log } = request.location;
  for (let i = 0; i < log.length; i++) void callHandler(request, log[i]!);
  request.end();
  request.payload?.release();
}

/** A request whose head was refused has not begun anywhere: the default server counts it. */
function countEnd(request: HttpRequest, zone: ZoneCounters): void {
  if (request.zone !== null) zone.end(request.answeredStatus, request.requestBytes, request.bytesSent);
  else zone.note(request.answeredStatus, request.requestBytes, request.bytesSent);
}
