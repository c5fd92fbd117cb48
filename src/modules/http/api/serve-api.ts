/*
 * One call of the API from its request to its answer: version, route, whether it may be done, the body, the answer.
 */
import { toByteString } from '../../../conf/syntax/source-text.js';
import { describeDefect } from '../../../core/describe-defect.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DONE, type Outcome } from '../../../request/phase.js';
import { readBody } from '../../../request/request-body.js';
import { respond } from '../../../request/send.js';
import { readVariable, type Variable } from '../../../variables/variable-table.js';
import type { ApiPlace } from '../../api-calls.js';
import { ApiError } from './api-error.js';
import { applyFields } from './fields.js';
import { checkOrigin, mustBeJson } from './foreign.js';
import type { ApiAnswer, ApiCall, Route, ServedGroup } from './route.js';
import { findRoute, partsOf, VERSIONS } from './routes.js';

/** The longest body; a server's parameters need a hundredth of it. */
const MAX_BODY_BYTES = 65_536;

/** One place where calls come in. */
export interface ApiSettings extends ApiPlace {
  readonly groups: () => ReadonlyMap<string, ServedGroup>;
  /** $request_id. */
  readonly requestId: Variable<HttpRequest>;
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const WRITES: ReadonlyMap<string, 'post' | 'patch' | 'delete'> = new Map([
  ['POST', 'post'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
]);

export function serveApi(request: HttpRequest, settings: ApiSettings): Outcome {
  try {
    const parts = partsOf(pathBehind(request.path, settings.pathLength));
    const [first, ...rest] = parts;
    if (first === undefined) {
      allow(request, READS.has(request.method), 'GET, HEAD');
      send(request, { status: 200, body: VERSIONS });
      return DONE;
    }
    const version = VERSIONS.find((each) => String(each) === first);
    if (version === undefined) {
      throw new ApiError(
        404,
        'UnknownVersion',
        `unknown version "${first}"; there are 1 to ${VERSIONS.length}`,
      );
    }
    const { route, names } = findRoute(version, rest);
    const call = { request, version, names, groups: settings.groups(), body: undefined };
    if (READS.has(request.method)) {
      send(request, { status: 200, body: applyFields(route.get(call), request.args, route.isMap === true) });
      return DONE;
    }
    change(call, route, settings);
  } catch (error) {
    sendError(request, settings, error);
  }
  return DONE;
}

function pathBehind(path: string, length: number): string {
  return path.slice(length < 0 ? Math.max(0, path.search(/\/\d+(\/|$)/)) : length);
}

function allow(request: HttpRequest, isAllowed: boolean, methods: string): void {
  if (isAllowed) return;
  request.response.fields.add('Allow', methods);
  throw new ApiError(405, 'MethodDisabled', `method "${request.method}" disabled`);
}

function change(call: ApiCall, route: Route, settings: ApiSettings): void {
  const { request } = call;
  const method = WRITES.get(request.method);
  const methods = [...WRITES].filter(([, name]) => settings.mayWrite && route[name] !== undefined);
  const isAllowed = settings.mayWrite && method !== undefined && route[method] !== undefined;
  allow(request, isAllowed, ['GET', 'HEAD', ...methods.map(([name]) => name)].join(', '));
  checkOrigin(request);
  const run = (body: unknown) => send(request, route[method!]!({ ...call, body }));
  if (method === 'delete') {
    run(undefined);
    return;
  }
  mustBeJson(request);
  if (request.head.contentLength > MAX_BODY_BYTES) throw tooLarge();
  const fail = (status: number) =>
    sendError(
      request,
      settings,
      status === 413 ? tooLarge() : new ApiError(status, 'BodyReadError', 'reading request body failed'),
    );
  readBody(
    request,
    fail,
    () => {
      if (request.isOver) return;
      try {
        run(parseBody(request.main.payload!.inMemory));
      } catch (error) {
        sendError(request, settings, error);
      }
    },
    MAX_BODY_BYTES,
  );
}

function tooLarge(): ApiError {
  return new ApiError(413, 'BodyTooLarge', `the body is longer than ${MAX_BODY_BYTES} bytes`);
}

function parseBody(bytes: Buffer | null): unknown {
  if (bytes === null) throw tooLarge();
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const why = bytes.length === 0 ? 'the body is empty' : (error as Error).message;
    throw new ApiError(415, 'JsonError', `the body is not JSON: ${toByteString(why)}`);
  }
}

/** Texts in the body are latin1 already. */
function send(request: HttpRequest, { status, body, made }: ApiAnswer): void {
  const { response } = request;
  response.fields.set('Cache-Control', 'no-store');
  if (made !== undefined) response.location = `${request.path.replace(/\/+$/, '')}/${made}`;
  if (body === undefined) respond(request, status, '', '');
  else respond(request, status, 'application/json', JSON.stringify(body));
}

function sendError(request: HttpRequest, settings: ApiSettings, error: unknown): void {
  if (request.isResponseStarted || request.isOver) return;
  if (!(error instanceof ApiError)) logErrorOf(request, 'alert', describeDefect(error));
  const told =
    error instanceof ApiError ? error : new ApiError(500, 'InternalError', 'a defect, see the error log');
  const requestId = readVariable(settings.requestId, request) ?? '';
  send(request, { status: told.status, body: told.toJson(requestId) });
}
