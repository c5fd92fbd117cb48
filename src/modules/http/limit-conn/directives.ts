/*
 * The directives of limit_conn as data.
 */
import { parameters } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { text } from '../../../conf/values/text.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { zoneSize } from '../../../conf/values/zone.js';

const LEVELS = ['http', 'server', 'location'] as const;

const connections: ValueType<number> = {
  label: 'number',
  parse(value) {
    const count = /^\d+$/.test(value) ? Number(value) : 0;
    if (count > 65_535) {
      const message = `Cannot take number of connections "${value}": use at most 65535`;
      return new Refusal(message, () => 'connection limit must be less 65536');
    }
    if (count > 0) return count;
    const message = `Cannot parse number of connections "${value}": write a whole number, at least 1`;
    return new Refusal(message, () => `invalid number of connections "${value}"`);
  },
};

export const limitConnZone = defineDirective({
  name: 'limit_conn_zone',
  syntax: 'limit_conn_zone key zone=name:size',
  contexts: ['http'],
  args: [variableText, parameters({ zone: zoneSize })],
  counts: [2],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'A zone that keeps how many requests with each value of the key are under way.',
  since: '0.2.0',
  effect: 'full',
});

export const limitConn = defineDirective({
  name: 'limit_conn',
  syntax: 'limit_conn zone number',
  contexts: LEVELS,
  args: [text('zone'), connections],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'How many requests with the same key of the zone may be under way; more are refused.',
  since: '0.2.0',
  effect: 'full',
});

export const limitConnLogLevel = defineDirective({
  name: 'limit_conn_log_level',
  syntax: 'limit_conn_log_level info | notice | warn | error',
  contexts: LEVELS,
  args: [keyword('info', 'notice', 'warn', 'error')],
  block: null,
  default: 'error',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The level of the log line about a refused request.',
  since: '0.2.0',
  effect: 'full',
});

export const limitConnStatus = defineDirective({
  name: 'limit_conn_status',
  syntax: 'limit_conn_status code',
  contexts: LEVELS,
  args: [number({ min: 400, max: 599 })],
  block: null,
  default: '503',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'What refused requests are answered.',
  since: '0.2.0',
  effect: 'full',
});

export const limitConnDryRun = defineDirective({
  name: 'limit_conn_dry_run',
  syntax: 'limit_conn_dry_run on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Requests are counted and logged, but none is refused.',
  since: '0.2.0',
  effect: 'full',
});
