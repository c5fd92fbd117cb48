/*
 * Variables about what was asked for: target, arguments, fields and body of the request, and where its location
 * looks for files.
 */
import { realpathSync } from 'node:fs';
import type { RequestHead } from '../../../http/h1/request-head.js';
import { FieldId, fieldIdOf } from '../../../http/message/field-id.js';
import { formatSeconds } from '../../../log/seconds.js';
import { basicCredentials } from '../../../request/basic-credentials.js';
import { logErrorOf } from '../../../request/error-line.js';
import { documentRoot, filePath } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { findCookie } from '../../../request/request-cookie.js';
import type { VariableTable } from '../../../variables/variable-table.js';

type Getter = (request: HttpRequest) => string | null;

/** Read once a request. */
const KEPT: Readonly<Record<string, Getter>> = {
  request: ({ requestLine }) => orNull(requestLine),
  request_uri: ({ head }) => orNull(head.target),
  server_protocol: ({ requestLine }) => orNull(requestLine.slice(requestLine.lastIndexOf(' ') + 1)),
  host: ({ host, server }) => host || server.settings.serverName,
  request_port: (request) => String(request.hostPort || ''),
  is_request_port: (request) => (request.hostPort === 0 ? '' : ':'),
  server_name: ({ server }) => server.settings.serverName,
  scheme: ({ client }) => (client.tls === null ? 'http' : 'https'),
  https: ({ client }) => (client.tls === null ? '' : 'on'),
  remote_user: (request) => orNull(request.remoteUser) ?? basicCredentials(request)?.user ?? null,
  content_type: ({ head }) => joinById(head, FieldId.contentType, ', '),
  http_cookie: ({ head }) => joinById(head, FieldId.cookie, '; '),
  request_body: ({ main }) => main.payload?.inMemory?.toString('latin1') || null,
  request_body_file: ({ main }) => main.payload?.path ?? null,
};

/** Of those, what can't hold a line end, for what a head is parsed by. */
const ONE_LINE: ReadonlySet<string> = new Set([
  'request_uri',
  'host',
  'request_port',
  'is_request_port',
  'scheme',
  'content_type',
  'http_cookie',
]);

/** Read each time. */
const VOLATILE: Readonly<Record<string, Getter>> = {
  content_length: contentLength,
  uri: ({ path }) => orNull(path),
  document_uri: ({ path }) => orNull(path),
  query_string: ({ args }) => orNull(args),
  is_args: ({ args }) => (args === '' ? '' : '?'),
  document_root: documentRoot,
  realpath_root: realpathRoot,
  request_filename: filePath,
  request_method: ({ main }) => orNull(main.method === '' ? main.head.method : main.method),
  request_length: requestLength,
  request_time: ({ main }) => formatSeconds(main.context.clock.nowMs() - main.startMs),
};

/** Those of nginx that have a definition of their own, so that no configuration may set them. */
const FIXED_FIELDS = ['host', 'user_agent', 'referer', 'via', 'x_forwarded_for'] as const;

/** $uri, $args, $arg_*, $http_*, $cookie_*, $request_filename ... */
export function addRequestVariables(table: VariableTable<HttpRequest>): void {
  for (const [name, get] of Object.entries(KEPT)) table.define({ name, get, isOneLine: ONE_LINE.has(name) });
  for (const [name, get] of Object.entries(VOLATILE)) table.define({ name, get, isVolatile: true });
  for (const name of FIXED_FIELDS)
    table.define({ name: `http_${name}`, get: fieldGetter(name), isOneLine: true });
  table.define({
    name: 'args',
    isVolatile: true,
    get: ({ args }) => orNull(args),
    set(request, value) {
      request.args = value;
      request.rawPath = '';
    },
  });
  table.defineFamily({ prefix: 'http_', member: (name) => ({ get: fieldGetter(name) }) });
  table.defineFamily({
    prefix: 'cookie_',
    member: (name) => ({ get: ({ head }) => findCookie(head, name) }),
  });
  table.defineFamily({
    prefix: 'arg_',
    member: (name) => ({ isVolatile: true, get: ({ args }) => argumentOf(args, name) }),
  });
  for (let group = 1; group <= 9; group++) {
    table.define({
      name: String(group),
      isVolatile: true,
      get: ({ captures }) => captures?.[group] ?? null,
    });
  }
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

function contentLength({ main }: HttpRequest): string | null {
  if (main.head.contentLength >= 0) return String(main.head.contentLength);
  return main.head.isChunked && main.payload?.isComplete === true ? String(main.payload.length) : null;
}

/** Head and body, framing included, as far as it has come in. */
function requestLength({ main }: HttpRequest): string {
  return String(main.requestBytes);
}

function realpathRoot(request: HttpRequest): string | null {
  const root = documentRoot(request);
  try {
    return realpathSync(Buffer.from(root, 'latin1'), 'buffer').toString('latin1');
  } catch (error) {
    logErrorOf(request, 'crit', `realpath() "${root}" failed: ${(error as Error).message}`);
    return null;
  }
}

/** Fields by their name as variables write it: lower case, with underscores for hyphens. */
function fieldGetter(variableName: string): Getter {
  const id = fieldIdOf(variableName.replaceAll('_', '-'));
  if (id !== FieldId.other) return ({ head }) => joinById(head, id, ', ');
  return ({ head }) => joinByName(head, variableName);
}

/** The values of all lines of a known field; null without one. */
function joinById({ fields }: RequestHead, id: number, separator: string): string | null {
  let joined: string | null = null;
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== id) continue;
    joined = joined === null ? fields.value(i) : joined + separator + fields.value(i);
  }
  return joined;
}

function joinByName({ fields }: RequestHead, variableName: string): string | null {
  let joined: string | null = null;
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== FieldId.other) continue;
    const name = fields.name(i);
    if (name.length !== variableName.length) continue;
    if (name.toLowerCase().replaceAll('-', '_') !== variableName) continue;
    joined = joined === null ? fields.value(i) : `${joined}, ${fields.value(i)}`;
  }
  return joined;
}

/** The value of an argument as it was sent, the first of that name in any case; null without one. */
function argumentOf(args: string, name: string): string | null {
  if (args === '') return null;
  for (let start = 0; start <= args.length; ) {
    const next = args.indexOf('&', start);
    const end = next < 0 ? args.length : next;
    const equals = start + name.length;
    if (args[equals] === '=' && equals < end && args.slice(start, equals).toLowerCase() === name) {
      return args.slice(equals + 1, end);
    }
    start = end + 1;
  }
  return null;
}
