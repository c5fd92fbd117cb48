/*
 * The directives of the log module (nginx: ngx_http_log_module), as data.
 */
import { optional, parameters, rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { logTarget } from '../../../conf/values/log-target.js';
import { number } from '../../../conf/values/number.js';
import { text } from '../../../conf/values/text.js';
import { wholeSecondsMs } from '../../../conf/values/time.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';
import { type TextPart, variableText } from '../../../conf/values/variable-text.js';
import { parseDurationMs } from '../../../core/duration.js';
import { parseSizeBytes } from '../../../core/size.js';

/** Where an access log goes. */
export type AccessTarget =
  | { readonly kind: 'off' | 'syslog' }
  /** A file or a stream; its name may have variables. */
  | { readonly kind: 'file'; readonly parts: readonly TextPart[] };

const accessTarget: ValueType<AccessTarget> = {
  label: 'file',
  parse(value) {
    if (value === 'off') return { kind: 'off' };
    if (value.startsWith('syslog:')) {
      const target = logTarget.parse(value);
      return target instanceof Refusal ? target : { kind: 'syslog' };
    }
    const parts = variableText.parse(value);
    return parts instanceof Refusal ? parts : { kind: 'file', parts };
  },
};

/** One parameter of access_log. */
export type AccessParameter =
  | { readonly kind: 'buffer'; readonly bytes: number }
  | { readonly kind: 'flush'; readonly ms: number }
  | { readonly kind: 'gzip'; readonly level: number }
  | { readonly kind: 'if'; readonly parts: readonly TextPart[] };

const accessParameter: ValueType<AccessParameter> = {
  label: 'parameter',
  parse(value) {
    const equals = value.indexOf('=');
    const given = equals < 0 ? '' : value.slice(equals + 1);
    switch (equals < 0 ? value : value.slice(0, equals + 1)) {
      case 'buffer=':
        return positive(given, 'buffer size', parseSize, (bytes) => ({ kind: 'buffer', bytes }));
      case 'flush=':
        return positive(given, 'flush time', parseTime, (ms) => ({ kind: 'flush', ms }));
      case 'gzip':
        return { kind: 'gzip', level: 1 };
      case 'gzip=':
        if (/^[1-9]$/.test(given)) return { kind: 'gzip', level: Number(given) };
        return new Refusal(
          `Cannot take level "${given}": use 1 to 9`,
          () => `invalid compression level "${given}"`,
        );
      case 'if=': {
        const parts = variableText.parse(given);
        return parts instanceof Refusal ? parts : { kind: 'if', parts };
      }
    }
    const message = `Cannot take parameter "${value}": use buffer=, flush=, gzip, gzip= or if=`;
    return new Refusal(message, () => `invalid parameter "${value}"`);
  },
};

const parseSize = (given: string) => parseSizeBytes(given, 'm');
const parseTime = (given: string) => parseDurationMs(given, 'to-weeks');

function positive(
  given: string,
  what: string,
  parse: (text: string) => number,
  wrap: (value: number) => AccessParameter,
): AccessParameter | Refusal {
  const nginxText = () => `invalid ${what} "${given}"`;
  try {
    const value = parse(given);
    return value > 0
      ? wrap(value)
      : new Refusal(`Cannot use ${what} "${given}": it must be more than 0`, nginxText);
  } catch (error) {
    return new Refusal((error as Error).message, nginxText);
  }
}

export const accessLog = defineDirective({
  name: 'access_log',
  syntax:
    'access_log file | stdout | stderr | syslog:server=address[,parameter=value] [format [buffer=size] ' +
    '[gzip[=level]] [flush=time] [if=condition]] | off',
  contexts: ['http', 'server', 'location', 'location if', 'limit_except'],
  args: [accessTarget, optional(text('format')), rest(accessParameter)],
  block: null,
  default: 'logs/access.log combined',
  inherit: 'replace',
  isRepeatable: true,
  summary:
    'Writes a line for each request to a file, a stream or a syslog server, by a format; may be repeated.',
  since: '0.2.0',
  effect: 'full',
});

export const logFormat = defineDirective({
  name: 'log_format',
  syntax: 'log_format name [escape=default | json | none] text ...',
  contexts: ['http'],
  args: [text('name'), rest(text(), 1)],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Names a form of log lines; combined, json and sluice are there already.',
  since: '0.2.0',
  effect: 'full',
});

export const openLogFileCache = defineDirective({
  name: 'open_log_file_cache',
  syntax: 'open_log_file_cache max=number [inactive=time] [min_uses=number] [valid=time] | off',
  contexts: ['http', 'server', 'location'],
  args: [
    parameters({
      max: number(),
      inactive: wholeSecondsMs,
      min_uses: number(),
      valid: wholeSecondsMs,
      off: null,
    }),
  ],
  counts: [1, 2, 3, 4],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Keeps log files open whose names have variables.',
  since: '0.2.0',
  effect: 'full',
});
