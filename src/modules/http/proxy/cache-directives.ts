/*
 * The directives of the proxy module's cache, as data.
 */
import { parameters, rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { offset } from '../../../conf/values/size.js';
import { text } from '../../../conf/values/text.js';
import { timeMs, wholeSecondsMs } from '../../../conf/values/time.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { zoneSize } from '../../../conf/values/zone.js';

/** What all of them but the first have in common. */
const COMMON = {
  contexts: ['http', 'server', 'location'],
  block: null,
  inherit: 'replace',
  isRepeatable: false,
  since: '0.2.0',
  effect: 'full',
} as const;

export const proxyCachePath = defineDirective({
  name: 'proxy_cache_path',
  syntax:
    'proxy_cache_path path [levels=levels] [use_temp_path=on|off] keys_zone=name:size [inactive=time] [max_size=size] [min_free=size] [manager_files=number] [manager_sleep=time] [manager_threshold=time] [loader_files=number] [loader_sleep=time] [loader_threshold=time]',
  contexts: ['http'],
  args: [
    text('path'),
    parameters({
      levels: text('levels'),
      use_temp_path: flag,
      keys_zone: zoneSize,
      inactive: wholeSecondsMs,
      max_size: offset,
      min_free: offset,
      manager_files: number(),
      manager_sleep: timeMs,
      manager_threshold: timeMs,
      loader_files: number(),
      loader_sleep: timeMs,
      loader_threshold: timeMs,
    }),
  ],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary:
    'A folder for stored answers and its bounds. Unfinished files are kept beside the others, and manager_* and loader_* change nothing.',
  since: '0.2.0',
  effect: 'full',
});

export const proxyCache = defineDirective({
  ...COMMON,
  name: 'proxy_cache',
  syntax: 'proxy_cache zone | off',
  args: [variableText],
  default: 'off',
  summary: 'The cache that answers are stored in and served from; the name may have variables.',
});

export const proxyCacheKey = defineDirective({
  ...COMMON,
  name: 'proxy_cache_key',
  syntax: 'proxy_cache_key string',
  args: [variableText],
  default: null,
  summary: 'What answers are found by; without it, where the upstream is and what it is asked for.',
});

export const proxyCacheValid = defineDirective({
  ...COMMON,
  name: 'proxy_cache_valid',
  syntax: 'proxy_cache_valid [code ...] time',
  args: [rest(text('[code ...] time'), 1)],
  default: null,
  isRepeatable: true,
  summary: 'How long answers with such a status are fresh if they do not say so themselves.',
});

export const proxyCacheMethods = defineDirective({
  ...COMMON,
  name: 'proxy_cache_methods',
  syntax: 'proxy_cache_methods GET | HEAD | POST ...',
  args: [rest(keyword('GET', 'HEAD', 'POST'), 1)],
  default: 'GET HEAD',
  summary: 'Requests whose answers are stored; GET and HEAD always are.',
});

export const proxyCacheMinUses = defineDirective({
  ...COMMON,
  name: 'proxy_cache_min_uses',
  syntax: 'proxy_cache_min_uses number',
  args: [number()],
  default: '1',
  summary: 'From how many requests on an answer is stored.',
});

export const proxyCacheBypass = defineDirective({
  ...COMMON,
  name: 'proxy_cache_bypass',
  syntax: 'proxy_cache_bypass string ...',
  args: [rest(variableText, 1)],
  default: null,
  summary: 'If one of these is neither empty nor 0, the upstream is asked whatever is stored.',
});

export const proxyNoCache = defineDirective({
  ...COMMON,
  name: 'proxy_no_cache',
  syntax: 'proxy_no_cache string ...',
  args: [rest(variableText, 1)],
  default: null,
  summary: 'If one of these is neither empty nor 0, the answer is not stored.',
});

export const proxyCacheUseStale = defineDirective({
  ...COMMON,
  name: 'proxy_cache_use_stale',
  syntax:
    'proxy_cache_use_stale error | timeout | invalid_header | updating | http_500 | http_502 | http_503 | http_504 | http_403 | http_404 | http_429 | off ...',
  args: [
    rest(
      keyword(
        'error',
        'timeout',
        'invalid_header',
        'updating',
        'http_500',
        'http_502',
        'http_503',
        'http_504',
        'http_403',
        'http_404',
        'http_429',
        'off',
      ),
      1,
    ),
  ],
  default: 'off',
  summary: 'When an answer is served that is not fresh any more.',
});

export const proxyCacheRevalidate = defineDirective({
  ...COMMON,
  name: 'proxy_cache_revalidate',
  syntax: 'proxy_cache_revalidate on | off',
  args: [flag],
  default: 'off',
  summary: 'Whether the upstream is asked if a stored answer that is not fresh any more is still right.',
});

export const proxyCacheBackgroundUpdate = defineDirective({
  ...COMMON,
  name: 'proxy_cache_background_update',
  syntax: 'proxy_cache_background_update on | off',
  args: [flag],
  default: 'off',
  summary: 'Whether what may be served while it is updated is served at once, and fetched anew behind that.',
});

export const proxyCacheConvertHead = defineDirective({
  ...COMMON,
  name: 'proxy_cache_convert_head',
  syntax: 'proxy_cache_convert_head on | off',
  args: [flag],
  default: 'on',
  summary:
    'Whether upstreams are asked by GET for what clients ask by HEAD; without, the key should have $request_method.',
});

export const proxyCacheMaxRangeOffset = defineDirective({
  ...COMMON,
  name: 'proxy_cache_max_range_offset',
  syntax: 'proxy_cache_max_range_offset number',
  args: [offset],
  default: null,
  summary:
    'A range that begins there or behind, in bytes, is asked for as it is if nothing is stored, and not stored.',
});

export const proxyCacheLock = defineDirective({
  ...COMMON,
  name: 'proxy_cache_lock',
  syntax: 'proxy_cache_lock on | off',
  args: [flag],
  default: 'off',
  summary: 'Whether of several requests for what is not stored one goes to the upstream and the others wait.',
});

export const proxyCacheLockTimeout = defineDirective({
  ...COMMON,
  name: 'proxy_cache_lock_timeout',
  syntax: 'proxy_cache_lock_timeout time',
  args: [timeMs],
  default: '5s',
  summary: 'How long a request waits; then it goes to the upstream, and its answer is not stored.',
});

export const proxyCacheLockAge = defineDirective({
  ...COMMON,
  name: 'proxy_cache_lock_age',
  syntax: 'proxy_cache_lock_age time',
  args: [timeMs],
  default: '5s',
  summary: 'After how long another request goes to the upstream beside the first.',
});

/** All of them. */
export const PROXY_CACHE_DIRECTIVES = [
  proxyCachePath,
  proxyCache,
  proxyCacheKey,
  proxyCacheValid,
  proxyCacheMethods,
  proxyCacheMinUses,
  proxyCacheBypass,
  proxyNoCache,
  proxyCacheUseStale,
  proxyCacheRevalidate,
  proxyCacheBackgroundUpdate,
  proxyCacheConvertHead,
  proxyCacheMaxRangeOffset,
  proxyCacheLock,
  proxyCacheLockTimeout,
  proxyCacheLockAge,
] as const;
