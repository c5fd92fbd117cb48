/*
 * The directives of nginx's http proxy module, as data. Those of its cache are in cache-directives.ts, those of TLS to upstreams in
 * tls-directives.ts.
 */
import { optional, rest } from '../../../conf/schema/arguments.js';
import { lineDirectives } from '../../../conf/schema/definition.js';
import { accessRights } from '../../../conf/values/access-rights.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { matcher } from '../../../conf/values/regex.js';
import { offset, size } from '../../../conf/values/size.js';
import { text } from '../../../conf/values/text.js';
import { timeMs } from '../../../conf/values/time.js';
import { variableText } from '../../../conf/values/variable-text.js';

const LEVELS = ['http', 'server', 'location'] as const;

const simple = lineDirectives(LEVELS);

const MANY = { isRepeatable: true } as const;
const IDLE = { effect: 'none' } as const;

// --- where requests go --------------------------------------------------------------------------------

export const proxyPass = simple(
  'proxy_pass',
  'URL',
  [variableText],
  null,
  'Sends requests to a server or a group of them; a path in the URL replaces that of the location.',
  { contexts: ['location', 'location if', 'limit_except'], inherit: 'none' },
);
export const proxyBind = simple(
  'proxy_bind',
  'address [transparent] | off',
  [variableText, optional(keyword('transparent'))],
  null,
  'The local address that connections to upstreams come from.',
);
const proxySocketKeepalive = simple(
  'proxy_socket_keepalive',
  'on | off',
  [flag],
  'off',
  'Whether TCP keepalive probes are sent on connections to upstreams; none are here.',
  IDLE,
);
const proxySocketRcvbuf = simple(
  'proxy_socket_rcvbuf',
  'size',
  [size],
  '0',
  "The receive buffer of connections to upstreams; the system's own is used here.",
  IDLE,
);
const proxySocketSndbuf = simple(
  'proxy_socket_sndbuf',
  'size',
  [size],
  '0',
  "The send buffer of connections to upstreams; the system's own is used here.",
  IDLE,
);
const proxySendLowat = simple(
  'proxy_send_lowat',
  'size',
  [size],
  '0',
  'The least a socket sends at once on FreeBSD; nothing here.',
  IDLE,
);
export const proxyConnectTimeout = simple(
  'proxy_connect_timeout',
  'time',
  [timeMs],
  '60s',
  'How long it may take to connect to an upstream.',
);
export const proxySendTimeout = simple(
  'proxy_send_timeout',
  'time',
  [timeMs],
  '60s',
  'How long an upstream may take nothing of a request; then it has failed.',
);
export const proxyReadTimeout = simple(
  'proxy_read_timeout',
  'time',
  [timeMs],
  '60s',
  'How long an upstream may send nothing of its answer; then it has failed.',
);

// --- what is asked ------------------------------------------------------------------------------------

export const proxyMethod = simple(
  'proxy_method',
  'method',
  [variableText],
  null,
  "The method that upstreams are asked by, instead of the client's.",
);
export const proxyHttpVersion = simple(
  'proxy_http_version',
  '1.0 | 1.1',
  [keyword('1.0', '1.1')],
  '1.1',
  'The version of HTTP that upstreams are spoken to in.',
);
export const proxySetHeader = simple(
  'proxy_set_header',
  'field value',
  [text('field'), variableText],
  null,
  'Sets a field of the request for the upstream, or leaves it out if the value is empty.',
  MANY,
);
export const proxySetBody = simple(
  'proxy_set_body',
  'value',
  [variableText],
  null,
  "The request's body for the upstream, instead of the client's.",
);
export const proxyPassRequestHeaders = simple(
  'proxy_pass_request_headers',
  'on | off',
  [flag],
  'on',
  "Whether the client's fields are passed on.",
);
export const proxyPassRequestBody = simple(
  'proxy_pass_request_body',
  'on | off',
  [flag],
  'on',
  "Whether the client's body is passed on.",
);
export const proxyRequestBuffering = simple(
  'proxy_request_buffering',
  'on | off',
  [flag],
  'on',
  "Whether the client's body is read whole before an upstream is asked.",
);
const proxyHeadersHashMaxSize = simple(
  'proxy_headers_hash_max_size',
  'size',
  [number()],
  '512',
  'The size of a table of nginx; nothing here.',
  IDLE,
);
const proxyHeadersHashBucketSize = simple(
  'proxy_headers_hash_bucket_size',
  'size',
  [number()],
  '64',
  'The size of a table of nginx; nothing here.',
  IDLE,
);

// --- when another is asked ----------------------------------------------------------------------------

export const proxyNextUpstream = simple(
  'proxy_next_upstream',
  'error | timeout | invalid_header | http_500 | http_502 | http_503 | http_504 | http_403 | http_404 | http_429 | non_idempotent | off ...',
  [
    rest(
      keyword(
        'error',
        'timeout',
        'invalid_header',
        'non_idempotent',
        'http_500',
        'http_502',
        'http_503',
        'http_504',
        'http_403',
        'http_404',
        'http_429',
        'updating',
        'off',
      ),
      1,
    ),
  ],
  'error timeout',
  'What has a request go to the next server of its group.',
);
export const proxyNextUpstreamTries = simple(
  'proxy_next_upstream_tries',
  'number',
  [number()],
  '0',
  'How many servers a request may go to; 0 is all of them.',
);
export const proxyNextUpstreamTimeout = simple(
  'proxy_next_upstream_timeout',
  'time',
  [timeMs],
  '0',
  'How long a request may still go to another server; 0 is always.',
);

// --- what becomes of answers --------------------------------------------------------------------------

export const proxyBuffering = simple(
  'proxy_buffering',
  'on | off',
  [flag],
  'on',
  'Whether an answer is read ahead of a slow client; off passes on what comes at once.',
);
export const proxyBufferSize = simple(
  'proxy_buffer_size',
  'size',
  [size],
  '4k',
  'The buffer for the first part of an answer, its head.',
);
export const proxyBuffers = simple(
  'proxy_buffers',
  'number size',
  [number({ min: 1 }), size],
  '8 4k',
  'How much of an answer is held in memory for a slow client.',
);
const proxyBusyBuffersSize = simple(
  'proxy_busy_buffers_size',
  'size',
  [size],
  null,
  'How much of the buffers nginx sends from while it reads into the others; nothing here.',
  IDLE,
);
export const proxyTempPath = simple(
  'proxy_temp_path',
  'path [level1 [level2 [level3]]]',
  [text('path'), rest(number({ min: 1, max: 3 }))],
  'proxy_temp',
  'The folder of files with parts of answers, and the digits of its levels of subfolders.',
  { counts: [1, 2, 3, 4] },
);
export const proxyMaxTempFileSize = simple(
  'proxy_max_temp_file_size',
  'size',
  [offset],
  '1024m',
  'How much of an answer is held in a file for a slow client; 0 uses none.',
);
const proxyTempFileWriteSize = simple(
  'proxy_temp_file_write_size',
  'size',
  [size],
  null,
  'How much nginx writes to such a file at a time; nothing here.',
  IDLE,
);
export const proxyLimitRate = simple(
  'proxy_limit_rate',
  'rate',
  [variableText],
  '0',
  'How many bytes a second are read from an upstream; 0 is no limit.',
);
export const proxyIgnoreClientAbort = simple(
  'proxy_ignore_client_abort',
  'on | off',
  [flag],
  'off',
  'Whether a request is carried through at the upstream when its client has gone.',
);
export const proxyInterceptErrors = simple(
  'proxy_intercept_errors',
  'on | off',
  [flag],
  'off',
  "Whether error_page applies to an upstream's answers of 300 and above.",
);
export const proxyPassHeader = simple(
  'proxy_pass_header',
  'field',
  [text('field')],
  null,
  'Passes on a field of answers that is hidden otherwise, such as Server.',
  MANY,
);
export const proxyHideHeader = simple(
  'proxy_hide_header',
  'field',
  [text('field')],
  null,
  "Keeps a field of an upstream's answers from the client.",
  MANY,
);
export const proxyIgnoreHeaders = simple(
  'proxy_ignore_headers',
  'field ...',
  [
    rest(
      keyword(
        'X-Accel-Redirect',
        'X-Accel-Expires',
        'X-Accel-Limit-Rate',
        'X-Accel-Buffering',
        'X-Accel-Charset',
        'Expires',
        'Cache-Control',
        'Set-Cookie',
        'Vary',
      ),
      1,
    ),
  ],
  null,
  'Fields of answers that are not obeyed.',
);
export const proxyRedirect = simple(
  'proxy_redirect',
  'default | off | redirect replacement',
  [matcher, optional(variableText)],
  null,
  'Changes the URL in Location and Refresh of answers.',
  MANY,
);
export const proxyCookieDomain = simple(
  'proxy_cookie_domain',
  'off | domain replacement',
  [text('domain'), optional(text('replacement'))],
  null,
  'Changes the Domain of cookies in answers.',
  MANY,
);
export const proxyCookiePath = simple(
  'proxy_cookie_path',
  'off | path replacement',
  [matcher, optional(variableText)],
  null,
  'Changes the Path of cookies in answers.',
  MANY,
);
export const proxyCookieFlags = simple(
  'proxy_cookie_flags',
  'off | cookie [flag ...]',
  [matcher, rest(variableText)],
  null,
  'Sets or clears Secure, HttpOnly and SameSite of cookies in answers.',
  { isRepeatable: true, counts: [1, 2, 3, 4] },
);
export const proxyForceRanges = simple(
  'proxy_force_ranges',
  'on | off',
  [flag],
  'off',
  'Whether parts of answers may be asked for even if the upstream does not offer that.',
);
export const proxyPassTrailers = simple(
  'proxy_pass_trailers',
  'on | off',
  [flag],
  'off',
  'Whether fields behind the body of an answer are passed on.',
);
export const proxyStore = simple(
  'proxy_store',
  'on | off | path',
  [variableText],
  'off',
  'Saves answers with status 200 as files: where root or alias has the path that was asked for, or at a path.',
);
export const proxyStoreAccess = simple(
  'proxy_store_access',
  'users:permissions ...',
  [accessRights, optional(accessRights), optional(accessRights)],
  'user:rw',
  'Who may read and write files and folders that proxy_store makes.',
);

/** All of them. */
export const PROXY_DIRECTIVES = [
  proxyPass,
  proxyBind,
  proxySocketKeepalive,
  proxySocketRcvbuf,
  proxySocketSndbuf,
  proxySendLowat,
  proxyConnectTimeout,
  proxySendTimeout,
  proxyReadTimeout,
  proxyMethod,
  proxyHttpVersion,
  proxySetHeader,
  proxySetBody,
  proxyPassRequestHeaders,
  proxyPassRequestBody,
  proxyRequestBuffering,
  proxyHeadersHashMaxSize,
  proxyHeadersHashBucketSize,
  proxyNextUpstream,
  proxyNextUpstreamTries,
  proxyNextUpstreamTimeout,
  proxyBuffering,
  proxyBufferSize,
  proxyBuffers,
  proxyBusyBuffersSize,
  proxyTempPath,
  proxyMaxTempFileSize,
  proxyTempFileWriteSize,
  proxyLimitRate,
  proxyIgnoreClientAbort,
  proxyInterceptErrors,
  proxyPassHeader,
  proxyHideHeader,
  proxyIgnoreHeaders,
  proxyRedirect,
  proxyCookieDomain,
  proxyCookiePath,
  proxyCookieFlags,
  proxyForceRanges,
  proxyPassTrailers,
  proxyStore,
  proxyStoreAccess,
] as const;
