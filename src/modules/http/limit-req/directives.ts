/*
 * The directives of limit_req as data.
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

/** Thousandths of a request a second. */
const rate: ValueType<number> = {
  label: 'rate',
  parse(value) {
    const [, digits, unit] = /^(\d+)(r\/s|r\/m)?$/.exec(value) ?? [];
    const count = Number(digits ?? 0);
    if (count > 0 && Number.isSafeInteger(count * 1000)) {
      return Math.floor((count * 1000) / (unit === 'r/m' ? 60 : 1));
    }
    const message = `Cannot parse rate "${value}": write it like 10r/s or 30r/m`;
    return new Refusal(message, () => `invalid rate "rate=${value}"`);
  },
};

/** A number of requests. */
function requests(name: string): ValueType<number> {
  return {
    label: 'number',
    parse(value) {
      const count = /^\d+$/.test(value) ? Number(value) : 0;
      if (count > 0 && Number.isSafeInteger(count * 1000)) return count;
      const message = `Cannot parse ${name} "${value}": write a number of requests, at least 1`;
      return new Refusal(message, () => `invalid ${name} value "${name}=${value}"`);
    },
  };
}

export const limitReqZone = defineDirective({
  name: 'limit_req_zone',
  syntax: 'limit_req_zone key zone=name:size rate=rate',
  contexts: ['http'],
  args: [variableText, parameters({ zone: zoneSize, rate })],
  counts: [3],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'A zone that keeps how fast requests with each value of the key come, and the rate they may have.',
  since: '0.2.0',
  effect: 'full',
});

export const limitReq = defineDirective({
  name: 'limit_req',
  syntax: 'limit_req zone=name [burst=number] [nodelay | delay=number]',
  contexts: LEVELS,
  args: [
    parameters({ zone: text('name'), burst: requests('burst'), delay: requests('delay'), nodelay: null }),
  ],
  counts: [1, 2, 3],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'Requests beyond the rate of the zone wait, and beyond the burst as well are refused.',
  since: '0.2.0',
  effect: 'full',
});

export const limitReqLogLevel = defineDirective({
  name: 'limit_req_log_level',
  syntax: 'limit_req_log_level info | notice | warn | error',
  contexts: LEVELS,
  args: [keyword('info', 'notice', 'warn', 'error')],
  block: null,
  default: 'error',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The level of the log line about a refused request; one about a delayed request is a level below.',
  since: '0.2.0',
  effect: 'full',
});

export const limitReqStatus = defineDirective({
  name: 'limit_req_status',
  syntax: 'limit_req_status code',
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

export const limitReqDryRun = defineDirective({
  name: 'limit_req_dry_run',
  syntax: 'limit_req_dry_run on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Requests are counted and logged, but none is refused or delayed.',
  since: '0.2.0',
  effect: 'full',
});
