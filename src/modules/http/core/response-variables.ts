/*
 * Variables about the answer: its status and fields, and what was sent of it.
 */
import { formatHttpDate } from '../../../core/http-date.js';
import { parseSizeBytes } from '../../../core/size.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { FieldList } from '../../../request/field-list.js';
import { joinedField } from '../../../request/field-text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { VariableTable } from '../../../variables/variable-table.js';

type Getter = (request: HttpRequest) => string | null;

/** Fields that Response keeps by themselves, or as several of a name. */
const SENT: Readonly<Record<string, Getter>> = {
  content_type: contentType,
  content_length: ({ response }) => (response.contentLength >= 0 ? String(response.contentLength) : null),
  location: ({ response }) => orNull(response.location) ?? joinFields(response.fields, 'location'),
  last_modified: ({ response }) =>
    response.lastModified >= 0
      ? formatHttpDate(response.lastModified)
      : joinFields(response.fields, 'last_modified'),
  cache_control: ({ response }) => joinFields(response.fields, 'cache_control'),
  link: ({ response }) => joinFields(response.fields, 'link'),
};

/** Fields about the connection: written by us, whoever answered. */
const SENT_BY_CONNECTION: Readonly<Record<string, Getter>> = {
  connection,
  keep_alive({ main }) {
    const { keepaliveHeaderSeconds } = main.location.settings;
    return main.keepsAlive && keepaliveHeaderSeconds > 0 ? `timeout=${keepaliveHeaderSeconds}` : null;
  },
  transfer_encoding: (request) => (isChunked(request) ? 'chunked' : null),
};

/** Members of the family that Response keeps by themselves; others are in its list of fields. */
const SENT_MEMBERS: Readonly<Record<string, Getter>> = {
  etag: ({ response }) => orNull(response.etag),
  content_encoding: ({ response }) => orNull(response.contentEncoding),
  server: ({ response }) => response.server,
  date: ({ response }) => response.date,
};

/** $status, $sent_http_*, $bytes_sent, $limit_rate ... */
export function addResponseVariables(table: VariableTable<HttpRequest>): void {
  for (const [name, get] of Object.entries(SENT))
    table.define({ name: `sent_http_${name}`, get: passedOr(name, get) });
  for (const [name, get] of Object.entries(SENT_BY_CONNECTION))
    table.define({ name: `sent_http_${name}`, get });
  table.define({ name: 'status', isVolatile: true, get: status });
  table.define({ name: 'bytes_sent', get: ({ main }) => String(main.bytesSent) });
  table.define({ name: 'body_bytes_sent', get: ({ main }) => String(main.bodyBytesSent) });
  table.define({ name: 'request_completion', get: ({ main }) => (isComplete(main) ? 'OK' : '') });
  table.define({ name: 'limit_rate', isVolatile: true, get: limitRate, set: setLimitRate });
  table.defineFamily({
    prefix: 'sent_http_',
    member: (name) => {
      const get = Object.hasOwn(SENT_MEMBERS, name) ? SENT_MEMBERS[name] : undefined;
      return { get: passedOr(name, get ?? (({ response }) => joinFields(response.fields, name))) };
    },
  });
  table.defineFamily({
    prefix: 'sent_trailer_',
    member: (name) => ({
      get: ({ response }) => (response.trailers === null ? null : joinFields(response.trailers, name)),
    }),
  });
}

/** What `get` finds in the response, or what was passed on of an upstream's answer in its place. */
function passedOr(variableName: string, get: Getter): Getter {
  return (request) => {
    const { passedFields } = request.response;
    return passedFields === '' ? get(request) : joinedField(passedFields, variableName);
  };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

/** `variableName` has underscores for hyphens. */
function joinFields(fields: FieldList, variableName: string): string | null {
  let joined: string | null = null;
  for (let i = 0; i < fields.count; i++) {
    if (fields.name(i).toLowerCase().replaceAll('-', '_') !== variableName) continue;
    joined = joined === null ? fields.value(i) : `${joined}, ${fields.value(i)}`;
  }
  return joined;
}

function status(request: HttpRequest): string {
  const code = request.errorStatus || request.status || request.response.status;
  return String(code).padStart(3, '0');
}

/** As nginx has it: with its charset once the head is out. */
function contentType({ response, isResponseStarted }: HttpRequest): string | null {
  if (response.contentType === '') return null;
  const hasCharset = isResponseStarted && response.charset !== '';
  return hasCharset ? `${response.contentType}; charset=${response.charset}` : response.contentType;
}

function connection({ response, main }: HttpRequest): string {
  if (response.status === 101) return 'upgrade';
  return main.keepsAlive ? 'keep-alive' : 'close';
}

/** A tunnel has no end but that of its connections. */
function isComplete(request: HttpRequest): boolean {
  return request.isResponseComplete || request.isTunnel;
}

function isChunked(request: HttpRequest): boolean {
  const { response, isResponseStarted, head, location } = request;
  if (!isResponseStarted || response.contentLength >= 0 || response.isHeadOnly) return false;
  if (request.isTunnel) return false;
  return head.versionMinor === 1 && location.settings.chunkedTransferEncoding;
}

function limitRate(request: HttpRequest): string {
  return String(Math.max(0, request.limitRate));
}

function setLimitRate(request: HttpRequest, value: string): void {
  try {
    request.limitRate = parseSizeBytes(value, 'm');
  } catch {
    logErrorOf(request, 'error', `invalid $limit_rate "${value}"`);
  }
}
