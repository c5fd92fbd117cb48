/*
 * The directives of nginx's http upstream module, as data.
 */
import { parameters } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { peerAddress } from '../../../conf/values/address.js';
import { number } from '../../../conf/values/number.js';
import { text } from '../../../conf/values/text.js';
import { timeMs } from '../../../conf/values/time.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';

const MAX_ROUTE = 32;

const route: ValueType<string> = {
  label: 'string',
  parse(value) {
    if (value === '') return new Refusal('Cannot take an empty route: name one', () => 'route is empty');
    if (value.length <= MAX_ROUTE) return value;
    const message = `Cannot take route "${value}": it is longer than ${MAX_ROUTE} characters`;
    return new Refusal(message, () => `route is longer than ${MAX_ROUTE}`);
  },
};

const service: ValueType<string> = {
  label: 'name',
  parse: (value) =>
    value === '' ? new Refusal('Cannot take an empty service: name one', () => 'service is empty') : value,
};

export const upstream = defineDirective({
  name: 'upstream',
  syntax: 'upstream name { ... }',
  contexts: ['http'],
  args: [text('name')],
  block: { opens: 'upstream' },
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'A group of servers under one name, which proxy_pass and the like can send requests to.',
  since: '0.2.0',
  effect: 'full',
});

export const server = defineDirective({
  name: 'server',
  syntax: 'server address [parameters]',
  contexts: ['upstream'],
  args: [
    peerAddress,
    parameters({
      weight: number({ min: 1, max: 65_535 }),
      max_conns: number(),
      max_fails: number(),
      // differs from nginx: milliseconds too, as in every other timeout of a proxy.
      fail_timeout: timeMs,
      slow_start: timeMs,
      backup: null,
      down: null,
      drain: null,
      route,
      resolve: null,
      service,
    }),
  ],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'One server of the group, by address or name, and what may be sent to it.',
  since: '0.2.0',
  effect: 'full',
});

export const state = defineDirective({
  name: 'state',
  syntax: 'state file',
  contexts: ['upstream'],
  args: [text('file')],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary:
    'Keeps the servers of a group that are changed at run time in a file, in the place of server directives.',
  since: '0.2.0',
  effect: 'full',
});

export const queue = defineDirective({
  name: 'queue',
  syntax: 'queue number [timeout=time]',
  contexts: ['upstream'],
  args: [number({ min: 1 }), parameters({ timeout: timeMs })],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Lets so many requests wait for a server when none can take them at once.',
  since: '0.2.0',
  effect: 'full',
});
