/*
 * The directives of nginx's http core module, as data. What servers, locations and listening sockets are made of them
 * is in the files beside; declared elsewhere are those that belong together with code of their own (resolver, error_log,
 * open_file_cache ...).
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { type ArgumentSpec, optional, rest } from '../../../conf/schema/arguments.js';
import type { Context } from '../../../conf/schema/contexts.js';
import {
  type DirectiveDefinition,
  defineDirective,
  lineDirectives,
} from '../../../conf/schema/definition.js';
import { listenAddress } from '../../../conf/values/address.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { offset, size } from '../../../conf/values/size.js';
import { text } from '../../../conf/values/text.js';
import { timeMs, wholeSecondsMs } from '../../../conf/values/time.js';
import { variableSize } from '../../../conf/values/variable-size.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { HTTP_SERVER, HTTP_SERVER_LOCATION, HTTP_SERVER_LOCATION_IF } from './contexts.js';
import { listenParameters } from './listen-parameters.js';

// --- blocks -----------------------------------------------------------------------------------------

export const http = defineDirective({
  name: 'http',
  syntax: 'http { ... }',
  contexts: ['main'],
  args: [],
  block: { opens: 'http' },
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Holds all that serves HTTP.',
  since: '0.2.0',
  effect: 'full',
});

export const server = defineDirective({
  name: 'server',
  syntax: 'server { ... }',
  contexts: ['http'],
  args: [],
  block: { opens: 'server' },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'One virtual server, chosen by the address it listens on and the name the client asks for.',
  since: '0.2.0',
  effect: 'full',
});

export const location = defineDirective({
  name: 'location',
  syntax: 'location [ = | ~ | ~* | ^~ ] uri { ... } | @name { ... }',
  contexts: ['server', 'location'],
  args: [text('= | ~ | ~* | ^~ | uri'), optional(text('uri'))],
  block: { opens: 'location' },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'What holds for requests whose path begins with, equals or matches the one given.',
  since: '0.2.0',
  effect: 'full',
});

export const limitExcept = defineDirective({
  name: 'limit_except',
  syntax: 'limit_except method ... { ... }',
  contexts: ['location'],
  args: [rest(text('method'), 1)],
  block: { opens: 'limit_except' },
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'What holds for all methods but those named; GET includes HEAD.',
  since: '0.2.0',
  effect: 'full',
});

// --- servers ----------------------------------------------------------------------------------------

export const listen = defineDirective({
  name: 'listen',
  syntax:
    'listen address[:port] | port | unix:path [default_server] [ssl] [proxy_protocol] [backlog=number] [bind] [reuseport] [ipv6only=on | off] [so_keepalive=on | off | idle:interval:count] ...',
  contexts: ['server'],
  args: [listenAddress, listenParameters],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Where a server listens; without it on port 80, or 8000 for a user who is not root.',
  since: '0.2.0',
  effect: 'full',
});

export const serverName = defineDirective({
  name: 'server_name',
  syntax: 'server_name name ...',
  contexts: ['server'],
  args: [rest(text('name'), 1)],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'The names of a server: exact, with a * at either end, or ~ and a regular expression.',
  since: '0.2.0',
  effect: 'full',
});

/** A directive of one line that the innermost level decides. */
function simple<const Specs extends readonly ArgumentSpec[]>(
  name: string,
  contexts: readonly Context[],
  args: Specs,
  preset: string | null,
  summary: string,
  more: Partial<DirectiveDefinition<Specs>> = {},
): DirectiveDefinition<Specs> {
  const labels = args.map(labelOf).filter((label) => label !== '');
  return lineDirectives(contexts)(name, labels.join(' '), args, preset, summary, more);
}

function labelOf(spec: ArgumentSpec): string {
  if ('parse' in spec) return spec.label;
  if ('optional' in spec) return `[${spec.optional.label}]`;
  return 'rest' in spec ? `${spec.rest.label} ...` : '';
}

export const clientHeaderTimeout = simple(
  'client_header_timeout',
  HTTP_SERVER,
  [timeMs],
  '60s',
  'How long a client may take to send a request head; then 408.',
);
export const clientHeaderBufferSize = simple(
  'client_header_buffer_size',
  HTTP_SERVER,
  [size],
  '1k',
  'How long a request line or header line may be that needs no large buffer.',
);
export const largeClientHeaderBuffers = simple(
  'large_client_header_buffers',
  HTTP_SERVER,
  [number({ min: 1 }), size],
  '4 8k',
  'How many large buffers a request head may take and of what size, which also bounds a line.',
);
export const maxHeaders = simple(
  'max_headers',
  HTTP_SERVER,
  [number({ min: 1 })],
  '1000',
  'How many header lines a request may have; more is answered with 400.',
);
export const ignoreInvalidHeaders = simple(
  'ignore_invalid_headers',
  HTTP_SERVER,
  [flag],
  'on',
  'Whether header lines with odd names are left out instead of being refused or passed on.',
);
export const mergeSlashes = simple(
  'merge_slashes',
  HTTP_SERVER,
  [flag],
  'on',
  'Whether several slashes in a row count as one in a path.',
);
export const underscoresInHeaders = simple(
  'underscores_in_headers',
  HTTP_SERVER,
  [flag],
  'off',
  'Whether a header name may have underscores.',
);

// --- where files are and what they are --------------------------------------------------------------

export const root = simple(
  'root',
  HTTP_SERVER_LOCATION_IF,
  [variableText],
  'html',
  'The folder that paths are looked for in.',
  { syntax: 'root path', conflicts: ['alias'] },
);
export const alias = simple(
  'alias',
  ['location'],
  [variableText],
  null,
  'What stands in a file name for the path of the location.',
  { syntax: 'alias path', conflicts: ['root'] },
);
export const types = defineDirective({
  name: 'types',
  syntax: 'types { type extension ...; }',
  contexts: HTTP_SERVER_LOCATION,
  args: [],
  block: {
    checkEntry: ({ name, args }) =>
      args.length > 0
        ? null
        : finding('types-entry', `"${name}" has no file name extensions`, 'name at least one'),
  },
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'The media types of files by the extensions of their names.',
  since: '0.2.0',
  effect: 'full',
});
export const defaultType = simple(
  'default_type',
  HTTP_SERVER_LOCATION,
  [text('type')],
  'text/plain',
  'The media type of files whose extension has none.',
);

// --- request bodies ---------------------------------------------------------------------------------

export const clientMaxBodySize = simple(
  'client_max_body_size',
  HTTP_SERVER_LOCATION,
  [offset],
  '1m',
  'How large a request body may be, 0 for any size; more is answered with 413.',
);
export const clientBodyBufferSize = simple(
  'client_body_buffer_size',
  HTTP_SERVER_LOCATION,
  [size],
  '16k',
  'How much of a request body is kept in memory; beyond, it goes to a file.',
);
export const clientBodyTimeout = simple(
  'client_body_timeout',
  HTTP_SERVER_LOCATION,
  [timeMs],
  '60s',
  'How long a client may pause within a request body; then 408.',
);
export const clientBodyTempPath = simple(
  'client_body_temp_path',
  HTTP_SERVER_LOCATION,
  [text('path'), rest(number({ min: 1, max: 3 }))],
  'client_body_temp',
  'The folder of files with request bodies, and the digits of its levels of subfolders.',
  { syntax: 'client_body_temp_path path [level1 [level2 [level3]]]', counts: [1, 2, 3, 4] },
);
export const clientBodyInFileOnly = simple(
  'client_body_in_file_only',
  HTTP_SERVER_LOCATION,
  [keyword('off', 'on', 'clean')],
  'off',
  'Whether every request body goes to a file, which stays (on) or not (clean).',
);
export const clientBodyInSingleBuffer = simple(
  'client_body_in_single_buffer',
  HTTP_SERVER_LOCATION,
  [flag],
  'off',
  'Keeps a request body in memory in one piece, which it always is when somebody asks for it.',
  { effect: 'none' },
);

// --- connections ------------------------------------------------------------------------------------

export const sendTimeout = simple(
  'send_timeout',
  HTTP_SERVER_LOCATION,
  [timeMs],
  '60s',
  'How long a client may take nothing of a response before it is cut off.',
);
export const limitRate = simple(
  'limit_rate',
  HTTP_SERVER_LOCATION_IF,
  [variableSize],
  '0',
  'Bytes a second of a response, 0 for no limit.',
  { syntax: 'limit_rate rate' },
);
export const limitRateAfter = simple(
  'limit_rate_after',
  HTTP_SERVER_LOCATION_IF,
  [variableSize],
  '0',
  'Bytes of a response before limit_rate applies.',
  { syntax: 'limit_rate_after size' },
);
export const keepaliveTime = simple(
  'keepalive_time',
  HTTP_SERVER_LOCATION,
  [timeMs],
  '1h',
  'How old a client connection may become; it closes after the request it then serves.',
);
export const keepaliveTimeout = simple(
  'keepalive_timeout',
  HTTP_SERVER_LOCATION,
  [timeMs, optional(wholeSecondsMs)],
  '75s',
  'How long a client connection may be idle, and what Keep-Alive tells of it.',
  { syntax: 'keepalive_timeout timeout [header_timeout]' },
);
export const keepaliveMinTimeout = simple(
  'keepalive_min_timeout',
  HTTP_SERVER_LOCATION,
  [timeMs],
  '0',
  'How long an idle client connection is kept at least when workers shut down or need room.',
);
export const keepaliveRequests = simple(
  'keepalive_requests',
  HTTP_SERVER_LOCATION,
  [number()],
  '1000',
  'How many requests a client connection serves.',
);
export const keepaliveDisable = simple(
  'keepalive_disable',
  HTTP_SERVER_LOCATION,
  [rest(keyword('none', 'msie6', 'safari'), 1)],
  'msie6',
  'Browsers whose connections are closed after each request.',
  { counts: [1, 2] },
);
export const lingeringClose = simple(
  'lingering_close',
  HTTP_SERVER_LOCATION,
  [keyword('off', 'on', 'always')],
  'on',
  'Whether what a client still sends is read and thrown away before its connection is closed.',
);
export const lingeringTime = simple(
  'lingering_time',
  HTTP_SERVER_LOCATION,
  [timeMs],
  '30s',
  'How long lingering_close reads at most.',
);
export const lingeringTimeout = simple(
  'lingering_timeout',
  HTTP_SERVER_LOCATION,
  [timeMs],
  '5s',
  'How long lingering_close waits for more.',
);
export const resetTimedoutConnection = simple(
  'reset_timedout_connection',
  HTTP_SERVER_LOCATION,
  [flag],
  'off',
  'Whether a connection that timed out or got 444 is reset instead of closed.',
);

// --- access -----------------------------------------------------------------------------------------

export const satisfy = simple(
  'satisfy',
  HTTP_SERVER_LOCATION,
  [keyword('all', 'any')],
  'all',
  'Whether all modules that control access have to let a request pass, or one.',
);
export const authDelay = simple(
  'auth_delay',
  HTTP_SERVER_LOCATION,
  [timeMs],
  '0',
  'How long an answer of 401 is held back.',
);
export const internal = simple(
  'internal',
  ['location'],
  [],
  null,
  'A location for redirects and subrequests alone; clients get 404.',
);

// --- answers ----------------------------------------------------------------------------------------

export const errorPage = simple(
  'error_page',
  HTTP_SERVER_LOCATION_IF,
  [rest(variableText, 2)],
  null,
  'Where errors go instead of to our own page: a path, a named location or a URL.',
  { syntax: 'error_page code ... [=[response]] uri', isRepeatable: true },
);
export const recursiveErrorPages = simple(
  'recursive_error_pages',
  HTTP_SERVER_LOCATION,
  [flag],
  'off',
  'Whether errors of error pages get error pages themselves.',
);
export const postAction = simple(
  'post_action',
  HTTP_SERVER_LOCATION_IF,
  [text('uri')],
  null,
  'A path or named location that is requested internally when a request is over.',
);
export const serverTokens = simple(
  'server_tokens',
  HTTP_SERVER_LOCATION,
  [keyword('off', 'on', 'build')],
  'on',
  'Whether Server and error pages tell the version.',
);
export const etag = simple(
  'etag',
  HTTP_SERVER_LOCATION,
  [flag],
  'on',
  'Whether files are sent with an ETag.',
);
export const ifModifiedSince = simple(
  'if_modified_since',
  HTTP_SERVER_LOCATION,
  [keyword('off', 'exact', 'before')],
  'exact',
  'Which time in If-Modified-Since means that a client has a file already.',
);
export const maxRanges = simple(
  'max_ranges',
  HTTP_SERVER_LOCATION,
  [number()],
  '2147483647',
  'How many ranges of a file a request may ask for; 0 for none.',
);
export const absoluteRedirect = simple(
  'absolute_redirect',
  HTTP_SERVER_LOCATION,
  [flag],
  'on',
  'Whether our redirects name scheme and host.',
);
export const serverNameInRedirect = simple(
  'server_name_in_redirect',
  HTTP_SERVER_LOCATION,
  [flag],
  'off',
  'Whether that host is the first server_name instead of what the client asked for.',
);
export const portInRedirect = simple(
  'port_in_redirect',
  HTTP_SERVER_LOCATION,
  [flag],
  'on',
  'Whether our redirects name the port.',
);
export const msiePadding = simple(
  'msie_padding',
  HTTP_SERVER_LOCATION,
  [flag],
  'on',
  'Makes error pages for old browsers longer than 512 bytes.',
  { effect: 'none' },
);
export const msieRefresh = simple(
  'msie_refresh',
  HTTP_SERVER_LOCATION,
  [flag],
  'off',
  'Sends old browsers a page that refreshes instead of a redirect.',
  { effect: 'none' },
);
export const earlyHints = simple(
  'early_hints',
  HTTP_SERVER_LOCATION,
  [rest(variableText, 1)],
  null,
  'If one of these is neither empty nor 0, a 103 (Early Hints) of an upstream is passed on.',
);
export const chunkedTransferEncoding = simple(
  'chunked_transfer_encoding',
  HTTP_SERVER_LOCATION,
  [flag],
  'on',
  'Whether bodies of unknown length are sent in chunks; else the connection ends them.',
);
export const subrequestOutputBufferSize = simple(
  'subrequest_output_buffer_size',
  HTTP_SERVER_LOCATION,
  [size],
  '4k',
  'How much of a subrequest that is kept in memory is kept.',
);
export const logNotFound = simple(
  'log_not_found',
  HTTP_SERVER_LOCATION,
  [flag],
  'on',
  'Whether files that are not there are told in the error log.',
);
export const logSubrequest = simple(
  'log_subrequest',
  HTTP_SERVER_LOCATION,
  [flag],
  'off',
  'Whether subrequests are told in the access log.',
);

// --- for nginx's own machinery ----------------------------------------------------------------------

const TUNING = 'Tunes machinery of nginx that is not there.';

/** Taken so that a configuration runs as it is. */
const withoutEffect = [
  simple('variables_hash_max_size', ['http'], [number()], '1024', TUNING, { effect: 'none' }),
  simple('variables_hash_bucket_size', ['http'], [number()], '64', TUNING, { effect: 'none' }),
  simple('server_names_hash_max_size', ['http'], [number()], '512', TUNING, { effect: 'none' }),
  simple('server_names_hash_bucket_size', ['http'], [number()], '64', TUNING, { effect: 'none' }),
  simple('types_hash_max_size', HTTP_SERVER_LOCATION, [number()], '1024', TUNING, { effect: 'none' }),
  simple('types_hash_bucket_size', HTTP_SERVER_LOCATION, [number()], '64', TUNING, { effect: 'none' }),
  simple('connection_pool_size', HTTP_SERVER, [size], '512', TUNING, { effect: 'none' }),
  simple('request_pool_size', HTTP_SERVER, [size], '4k', TUNING, { effect: 'none' }),
  simple('client_body_early_read', HTTP_SERVER, [rest(variableText, 1)], null, TUNING, { effect: 'none' }),
  simple('sendfile', HTTP_SERVER_LOCATION_IF, [flag], 'off', TUNING, { effect: 'none' }),
  simple('sendfile_max_chunk', HTTP_SERVER_LOCATION, [size], '2m', TUNING, { effect: 'none' }),
  simple('aio', HTTP_SERVER_LOCATION, [text('on | off | threads')], 'off', TUNING, { effect: 'none' }),
  simple('aio_write', HTTP_SERVER_LOCATION, [flag], 'off', TUNING, { effect: 'none' }),
  simple('read_ahead', HTTP_SERVER_LOCATION, [size], '0', TUNING, { effect: 'none' }),
  simple('directio', HTTP_SERVER_LOCATION, [text('size | off')], 'off', TUNING, { effect: 'none' }),
  simple('directio_alignment', HTTP_SERVER_LOCATION, [offset], '512', TUNING, { effect: 'none' }),
  simple('tcp_nopush', HTTP_SERVER_LOCATION, [flag], 'off', TUNING, { effect: 'none' }),
  simple('tcp_nodelay', HTTP_SERVER_LOCATION, [flag], 'on', TUNING, { effect: 'none' }),
  simple('send_lowat', HTTP_SERVER_LOCATION, [size], '0', TUNING, { effect: 'none' }),
  simple('output_buffers', HTTP_SERVER_LOCATION, [number({ min: 1 }), size], '2 32k', TUNING, {
    effect: 'none',
  }),
  simple('postpone_output', HTTP_SERVER_LOCATION, [size], '1460', TUNING, { effect: 'none' }),
];

/** Directives of a server block that make it a server. */
// biome-ignore lint/suspicious/noExplicitAny: each has argument types of its own
export const CORE_DIRECTIVES: readonly DirectiveDefinition<any>[] = [
  http,
  server,
  location,
  limitExcept,
  listen,
  serverName,
  clientHeaderTimeout,
  clientHeaderBufferSize,
  largeClientHeaderBuffers,
  maxHeaders,
  ignoreInvalidHeaders,
  mergeSlashes,
  underscoresInHeaders,
  root,
  alias,
  types,
  defaultType,
  clientMaxBodySize,
  clientBodyBufferSize,
  clientBodyTimeout,
  clientBodyTempPath,
  clientBodyInFileOnly,
  clientBodyInSingleBuffer,
  sendTimeout,
  limitRate,
  limitRateAfter,
  keepaliveTime,
  keepaliveTimeout,
  keepaliveMinTimeout,
  keepaliveRequests,
  keepaliveDisable,
  lingeringClose,
  lingeringTime,
  lingeringTimeout,
  resetTimedoutConnection,
  satisfy,
  authDelay,
  internal,
  errorPage,
  recursiveErrorPages,
  postAction,
  serverTokens,
  etag,
  ifModifiedSince,
  maxRanges,
  absoluteRedirect,
  serverNameInRedirect,
  portInRedirect,
  msiePadding,
  msieRefresh,
  earlyHints,
  chunkedTransferEncoding,
  subrequestOutputBufferSize,
  logNotFound,
  logSubrequest,
  ...withoutEffect,
];
