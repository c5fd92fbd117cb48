/*
 * The directives of the main part of the file and of `events {}`, which say how the process runs (nginx: ngx_core_module
 * and ngx_event_core_module).
 */
import { optional, rest } from '../../conf/schema/arguments.js';
import { type DirectiveDefinition, defineDirective, lineDirectives } from '../../conf/schema/definition.js';
import { flag } from '../../conf/values/flag.js';
import { keyword } from '../../conf/values/keyword.js';
import { number } from '../../conf/values/number.js';
import { oneOf } from '../../conf/values/one-of.js';
import { offset } from '../../conf/values/size.js';
import { text } from '../../conf/values/text.js';
import { timeMs } from '../../conf/values/time.js';
import { errorLog } from '../error-log.js';

const MAIN = ['main'] as const;
const EVENTS = ['events'] as const;

const ofMain = lineDirectives(MAIN, { inherit: 'none' });
const ofEvents = lineDirectives(EVENTS, { inherit: 'none' });

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

export const daemon = ofMain('daemon', 'on | off', [flag], 'on', 'Whether the process leaves the terminal.');
const masterProcess = ofMain(
  'master_process',
  'on | off',
  [flag],
  'on',
  'Whether nginx has worker processes; here one process does all.',
  { effect: 'none' },
);
export const pid = ofMain(
  'pid',
  'file',
  [text('file')],
  'logs/nginx.pid',
  'The file with the number of the process.',
);
export const user = ofMain(
  'user',
  'user [group]',
  [text('user'), optional(text('group'))],
  null,
  'Whose rights a process takes that was started by root.',
  {
    differs:
      'The one process takes them for good: ports and files of a later configuration are opened as that user, see docs/nginx-command-line.md.',
  },
);
export const workerProcesses = ofMain(
  'worker_processes',
  'number | auto',
  [oneOf(keyword('auto'), number({ min: 1 }))],
  '1',
  'How many threads serve, each on a core of its own; `auto` is one a core.',
  {
    differs:
      'Threads of one process. Where Node cannot share a port between them (before 22.12), one serves.',
  },
);
export const workerShutdownTimeout = ofMain(
  'worker_shutdown_timeout',
  'time',
  [timeMs],
  null,
  'How long requests may run on when a configuration or the process ends.',
);
const workerRlimitNofile = ofMain(
  'worker_rlimit_nofile',
  'number',
  [number({ min: 1 })],
  null,
  'How many files may be open; Node raises the limit as far as it may by itself.',
  { effect: 'none' },
);
export const env = ofMain(
  'env',
  'variable[=value]',
  [text('variable[=value]')],
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
  ofMain('lock_file', 'file', [text('file')], null, TUNING, none),
  ofMain('timer_resolution', 'time', [timeMs], null, TUNING, none),
  ofMain('worker_priority', 'number', [text('number')], null, TUNING, none),
  ofMain('worker_cpu_affinity', 'mask ... | auto', [rest(text('mask'), 1)], null, TUNING, none),
  ofMain('worker_rlimit_core', 'size', [offset], null, TUNING, none),
  ofMain('working_directory', 'folder', [text('folder')], null, TUNING, none),
  ofMain('debug_points', 'abort | stop', [keyword('abort', 'stop')], null, TUNING, none),
  ofMain('pcre_jit', 'on | off', [flag], null, TUNING, none),
  ofMain('thread_pool', 'name threads=number [max_queue=number]', [rest(text(), 1)], null, TUNING, {
    effect: 'none',
    isRepeatable: true,
  }),
  ofEvents('worker_connections', 'number', [number()], '512', TUNING, none),
  ofEvents('use', 'method', [text('method')], null, TUNING, none),
  ofEvents('multi_accept', 'on | off', [flag], 'off', TUNING, none),
  ofEvents('accept_mutex', 'on | off', [flag], 'off', TUNING, none),
  ofEvents('accept_mutex_delay', 'time', [timeMs], '500ms', TUNING, none),
  ofEvents('worker_aio_requests', 'number', [number()], '32', TUNING, none),
  ofEvents('debug_connection', 'address | CIDR | unix:', [text('address')], null, TUNING, {
    effect: 'none',
    isRepeatable: true,
  }),
];
