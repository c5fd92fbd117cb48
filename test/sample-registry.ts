// A few dozen of nginx's directives as data, for tests of the configuration language: each with the places,
// arguments and rules it has in nginx. The product's own declarations are in modules/.
import { finding } from '../src/conf/diagnostics/catalogue.js';
import { type ArgumentSpec, optional, parameters, rest } from '../src/conf/schema/arguments.js';
import type { Context } from '../src/conf/schema/contexts.js';
import { type DirectiveDefinition, defineDirective } from '../src/conf/schema/definition.js';
import { Registry } from '../src/conf/schema/registry.js';
import { listenAddress, peerAddress } from '../src/conf/values/address.js';
import { flag } from '../src/conf/values/flag.js';
import { keyword } from '../src/conf/values/keyword.js';
import { number } from '../src/conf/values/number.js';
import { regex } from '../src/conf/values/regex.js';
import { offset, size } from '../src/conf/values/size.js';
import { existingFile, text } from '../src/conf/values/text.js';
import { timeMs } from '../src/conf/values/time.js';
import { variableText } from '../src/conf/values/variable-text.js';

const HTTP = ['http', 'server', 'location'] as const;
const HTTP_AND_IF = [...HTTP, 'location if'] as const;
const HTTP_AND_SERVER = ['http', 'server'] as const;

function simple<const Specs extends readonly ArgumentSpec[]>(
  name: string,
  contexts: readonly Context[],
  args: Specs,
  more: Partial<DirectiveDefinition<Specs>> = {},
): DirectiveDefinition<Specs> {
  return defineDirective({
    name,
    syntax: name,
    contexts,
    args,
    block: null,
    default: null,
    inherit: 'replace',
    isRepeatable: false,
    summary: `What ${name} does.`,
    since: '0.2.0',
    effect: 'full',
    ...more,
  }) as DirectiveDefinition<Specs>;
}

const many = { isRepeatable: true } as const;

const types = simple('types', HTTP, [], {
  ...many,
  block: { checkEntry: () => null },
});

const map = simple('map', ['http'], [variableText, text()], {
  ...many,
  block: {
    checkEntry: ({ name, args }) =>
      args.length === 1 || name === 'hostnames'
        ? null
        : finding(
            'map-entry',
            'a line of "map" has two values',
            null,
            'invalid number of the map parameters',
          ),
  },
});

/** Directives whose checks in nginx are the schema's alone, and so can be compared with a real nginx. */
export const PLAIN_DIRECTIVES: readonly DirectiveDefinition[] = [
  simple('daemon', ['main'], [flag]),
  simple('master_process', ['main'], [flag]),
  simple('worker_rlimit_nofile', ['main'], [number()]),
  simple('events', ['main'], [], { block: { opens: 'events' } }),
  simple('worker_connections', ['events'], [number()]),
  simple('multi_accept', ['events'], [flag]),
  simple('accept_mutex_delay', ['events'], [timeMs]),
  simple('http', ['main'], [], { block: { opens: 'http' } }),
  simple('server', ['http'], [], { ...many, block: { opens: 'server' } }),
  simple('location', ['server', 'location'], [text(), optional(text())], {
    ...many,
    block: { opens: 'location' },
  }),
  simple('limit_except', ['location'], [rest(text(), 1)], { block: { opens: 'limit_except' } }),
  simple('sendfile', HTTP_AND_IF, [flag], { effect: 'none' }),
  simple('tcp_nopush', HTTP, [flag], { effect: 'none' }),
  simple('gzip', HTTP_AND_IF, [flag]),
  simple('gzip_comp_level', HTTP, [number({ min: 1, max: 9 })]),
  simple('gzip_min_length', HTTP, [size]),
  simple('etag', HTTP, [flag]),
  simple('satisfy', HTTP, [keyword('all', 'any')]),
  simple('lingering_close', HTTP, [keyword('off', 'on', 'always')]),
  simple('lingering_time', HTTP, [timeMs]),
  simple('send_timeout', HTTP, [timeMs]),
  simple('client_body_timeout', HTTP, [timeMs]),
  simple('client_max_body_size', HTTP, [offset]),
  simple('client_body_buffer_size', HTTP, [size]),
  simple('keepalive_requests', HTTP, [number()]),
  simple('underscores_in_headers', HTTP_AND_SERVER, [flag]),
  simple('merge_slashes', HTTP_AND_SERVER, [flag]),
  simple('internal', ['location'], []),
  types,
];

const OTHERS: readonly DirectiveDefinition[] = [
  simple('user', ['main'], [text(), optional(text())]),
  simple('worker_processes', ['main'], [text()]),
  simple('pid', ['main'], [text()]),
  simple(
    'listen',
    ['server'],
    [listenAddress, parameters({ default_server: null, backlog: number() })],
    many,
  ),
  simple('server_name', ['server'], [rest(text(), 1)], many),
  simple('root', HTTP_AND_IF, [variableText], { conflicts: ['alias'] }),
  simple('alias', ['location'], [variableText], { conflicts: ['root'] }),
  simple('index', HTTP, [rest(text(), 1)], many),
  simple('if', ['server', 'location'], [rest(text(), 1)], {
    ...many,
    block: { opens: { server: 'server if', location: 'location if' } },
  }),
  simple(
    'return',
    ['server', 'location', 'server if', 'location if'],
    [text(), optional(variableText)],
    many,
  ),
  simple(
    'rewrite',
    ['server', 'location', 'server if', 'location if'],
    [regex(), variableText, optional(text())],
    many,
  ),
  simple('set', ['server', 'location', 'server if', 'location if'], [text(), variableText], many),
  simple('proxy_pass', ['location', 'location if', 'limit_except'], [variableText]),
  simple('proxy_set_header', HTTP, [text(), variableText], many),
  simple('proxy_connect_timeout', HTTP, [timeMs]),
  simple('add_header', HTTP_AND_IF, [text(), variableText, optional(text())], many),
  simple('deny', [...HTTP, 'limit_except'], [text()], many),
  simple('log_format', ['http'], [text(), rest(text(), 1)], many),
  simple('access_log', [...HTTP_AND_IF, 'limit_except'], [text(), rest(text())], many),
  simple('error_page', HTTP_AND_IF, [rest(text(), 2)], many),
  simple('try_files', ['server', 'location'], [rest(text(), 2)]),
  simple('ssl_certificate', HTTP_AND_SERVER, [existingFile], many),
  simple('upstream', ['http'], [text()], { ...many, block: { opens: 'upstream' } }),
  simple(
    'server',
    ['upstream', 'stream upstream'],
    [peerAddress, parameters({ weight: number({ min: 1 }), backup: null, fail_timeout: timeMs })],
    many,
  ),
  simple('stream', ['main'], [], { block: { opens: 'stream' } }),
  simple('server', ['stream'], [], { ...many, block: { opens: 'stream server' } }),
  simple('upstream', ['stream'], [text()], { ...many, block: { opens: 'stream upstream' } }),
  simple('listen', ['stream server'], [listenAddress, parameters({ udp: null })], many),
  simple('proxy_pass', ['stream server'], [text()]),
  map,
];

export const sampleRegistry = new Registry([...PLAIN_DIRECTIVES, ...OTHERS]);
