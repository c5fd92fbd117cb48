/*
 * gzip_vary, gzip_http_version, gzip_proxied and gzip_disable: directives of nginx's core module that all modules
 * obey which send compressed answers.
 */
import type { Regex } from '../conf/pcre/translate.js';
import { rest } from '../conf/schema/arguments.js';
import { defineDirective } from '../conf/schema/definition.js';
import type { Scope } from '../conf/schema/scope.js';
import { flag } from '../conf/values/flag.js';
import { keyword } from '../conf/values/keyword.js';
import { oneOf } from '../conf/values/one-of.js';
import { regex } from '../conf/values/regex.js';
import type { CompressionRules, ProxiedCondition } from '../request/accepts-encoding.js';

const LEVELS = ['http', 'server', 'location'] as const;

const gzipVary = defineDirective({
  name: 'gzip_vary',
  syntax: 'gzip_vary on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Adds "Vary: Accept-Encoding" to answers that may be sent compressed or not.',
  since: '0.2.0',
  effect: 'full',
});

const gzipHttpVersion = defineDirective({
  name: 'gzip_http_version',
  syntax: 'gzip_http_version 1.0 | 1.1',
  contexts: LEVELS,
  args: [keyword('1.0', '1.1')],
  block: null,
  default: '1.1',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The oldest version of HTTP whose requests may get compressed answers.',
  since: '0.2.0',
  effect: 'full',
});

const gzipProxied = defineDirective({
  name: 'gzip_proxied',
  syntax:
    'gzip_proxied off | expired | no-cache | no-store | private | no_last_modified | no_etag | auth | any ...',
  contexts: LEVELS,
  args: [
    rest(
      keyword(
        'off',
        'expired',
        'no-cache',
        'no-store',
        'private',
        'no_last_modified',
        'no_etag',
        'auth',
        'any',
      ),
      1,
    ),
  ],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: true,
  summary: 'Which answers to requests that came through a proxy (with a Via field) may be compressed.',
  since: '0.2.0',
  effect: 'full',
});

const gzipDisable = defineDirective({
  name: 'gzip_disable',
  syntax: 'gzip_disable regex ... | msie6',
  contexts: LEVELS,
  args: [rest(oneOf(keyword('msie6', 'degradation'), regex({ isCaseless: true })), 1)],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'User agents that get nothing compressed.',
  since: '0.2.0',
  effect: 'full',
});

/** The directives; the gzip module brings them in. */
export const COMPRESSION_RULE_DIRECTIVES = [gzipVary, gzipHttpVersion, gzipProxied, gzipDisable];

/** What they say at a level. */
export function compressionRules(scope: Scope): CompressionRules {
  const disabled = scope.all(gzipDisable).flatMap(({ values }) => values);
  const isRegex = (agent: Regex | 'msie6' | 'degradation'): agent is Regex => typeof agent === 'object';
  return {
    addsVary: scope.value(gzipVary)[0],
    leastMinorVersion: scope.value(gzipHttpVersion)[0] === '1.0' ? 0 : 1,
    proxied: proxiedConditions(scope),
    disabledAgents: disabled.filter(isRegex).map(({ regexp }) => regexp),
    isDisabledForMsie6: disabled.includes('msie6'),
  };
}

function proxiedConditions(scope: Scope): CompressionRules['proxied'] {
  const words = scope.all(gzipProxied).flatMap(({ values }) => values);
  if (words.includes('off')) return new Set();
  if (words.includes('any')) return 'any';
  return new Set(words as ProxiedCondition[]);
}
