/*
 * The directives of the main part of the file and of `events {}`, which say how the process runs (nginx: ngx_core_module
 * and ngx_event_core_module).
 */
import { type ArgumentSpec, optional, rest } from '../../conf/schema/arguments.js';
import type { Context } from '../../conf/schema/contexts.js';
import { type DirectiveDefinition, defineDirective } from '../../conf/schema/definition.js';
import { flag } from '../../conf/values/flag.js';
import { keyword } from '../../conf/values/keyword.js';
import { number } from '../../conf/values/number.js';
import { oneOf } from '../../conf/values/one-of.js';
import { offset } from '../../conf/values/size.js';
import { text } from '../../conf/values/text.js';
import { timeMs } from '../../conf/values/time.js';
import { errorLog } from '../error-log.js';

function simple<const Specs extends readonly ArgumentSpec[]>(
  name: string,
  contexts: readonly Context[],
  args: Specs,
  syntax: string,
  preset: string | null,
  summary: string,
  more: Partial<DirectiveDefinition<Specs>> = {},
): DirectiveDefinition<Specs> {
  return {
    name,
    syntax: `${name} ${syntax}`.trimEnd(),
    contexts,
    args,
    block: null,
    default: preset,
    inherit: 'none',
    isRepeatable: false,
    summary,
    since: '0.2.0',
    effect: 'full',
    ...more,
  };
}

const MAIN = ['main'] as const;
const EVENTS = ['events'] as const;

const events = defineDirective({
  name: 'events',
  syntax: 'events { ... }',
  contexts: MAIN,
  args: [],
  block: { opens: 'events' },
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Holds what is about connections as such.',
  since: '0.2.0',
  effect: 'full',
});

export const daemon = simple(
  'daemon',
  MAIN,
  [flag],
  'on | off',
  'on',
  'Whether the process leaves the terminal.',
);
const masterProcess = simple(
  'master_process',
  MAIN,
  [flag],
  'on | off',
  'on',
  'Whether nginx has worker processes; here one process does all.',
  { effect: 'none' },
);
export const pid = simple(
  'pid',
  MAIN,
  [text('file')],
  'file',
  'logs/nginx.pid',
  'The file with the number of the process.',
);
export const user = simple(
  'user',
  MAIN,
  [text('user'), optional(text('group'))],
  'user [group]',
  null,
  'Whose rights a process takes that was started by root.',
  {
    differs:
      'The one process takes them for good: ports and files of a later configuration are opened as that user, see docs/nginx-command-line.md.',
  },
);
export const workerProcesses = simple(
  'worker_processes',
  MAIN,
  [oneOf(keyword('auto'), number({ min: 1 }))],
  'number | auto',
  '1',
  'How many threads serve, each on a core of its own; `auto` is one a core.',
  {
    differs:
      'Threads of one process. Where Node cannot share a port between them (before 22.12), one serves.',
  },
);
export const workerShutdownTimeout = simple(
  'worker_shutdown_timeout',
  MAIN,
  [timeMs],
  'time',
  null,
  'How long requests may run on when a configuration or the process ends.',
);
const workerRlimitNofile = simple(
  'worker_rlimit_nofile',
  MAIN,
  [number({ min: 1 })],
  'number',
  null,
  'How many files may be open; Node raises the limit as far as it may by itself.',
  { effect: 'none' },
);
export const env = simple(
  'env',
  MAIN,
  [text('variable[=value]')],
  'variable[=value]',
  null,
  'An environment variable that is kept or set.',
  { isRepeatable: true, differs: 'Variables that are not named are kept too.' },
);

const TUNING = 'Tunes machinery of nginx that is not there.';
const none = { effect: 'none' } as const;

// biome-ignore lint/suspicious/noExplicitAny: each has argument types of its own
export const MAIN_DIRECTIVES: readonly DirectiveDefinition<any>[] = [
  events,
  errorLog,
  daemon,
  masterProcess,
  pid,
  user,
  workerProcesses,
  workerShutdownTimeout,
  workerRlimitNofile,
  env,
  simple('lock_file', MAIN, [text('file')], 'file', null, TUNING, none),
  simple('timer_resolution', MAIN, [timeMs], 'time', null, TUNING, none),
  simple('worker_priority', MAIN, [text('number')], 'number', null, TUNING, none),
  simple('worker_cpu_affinity', MAIN, [rest(text('mask'), 1)], 'mask ... | auto', null, TUNING, none),
  simple('worker_rlimit_core', MAIN, [offset], 'size', null, TUNING, none),
  simple('working_directory', MAIN, [text('folder')], 'folder', null, TUNING, none),
  simple('debug_points', MAIN, [keyword('abort', 'stop')], 'abort | stop', null, TUNING, none),
  simple('pcre_jit', MAIN, [flag], 'on | off', null, TUNING, none),
  simple('thread_pool', MAIN, [rest(text(), 1)], 'name threads=number [max_queue=number]', null, TUNING, {
    effect: 'none',
    isRepeatable: true,
  }),
  simple('worker_connections', EVENTS, [number()], 'number', '512', TUNING, none),
  simple('use', EVENTS, [text('method')], 'method', null, TUNING, none),
  simple('multi_accept', EVENTS, [flag], 'on | off', 'off', TUNING, none),
  simple('accept_mutex', EVENTS, [flag], 'on | off', 'off', TUNING, none),
  simple('accept_mutex_delay', EVENTS, [timeMs], 'time', '500ms', TUNING, none),
  simple('worker_aio_requests', EVENTS, [number()], 'number', '32', TUNING, none),
  simple('debug_connection', EVENTS, [text('address')], 'address | CIDR | unix:', null, TUNING, {
    effect: 'none',
    isRepeatable: true,
  }),
];
