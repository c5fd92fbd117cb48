/*
 * `error_log`, which may stand at any level: who writes, where to and from which level on.
 */
import { optional, rest } from '../conf/schema/arguments.js';
import { defineDirective } from '../conf/schema/definition.js';
import type { Scope } from '../conf/schema/scope.js';
import { keyword } from '../conf/values/keyword.js';
import { text } from '../conf/values/text.js';
import { ErrorLog } from '../log/error-log.js';
import type { HttpBuild } from './module.js';

export const errorLog = defineDirective({
  name: 'error_log',
  syntax: 'error_log file [debug | info | notice | warn | error | crit | alert | emerg]',
  contexts: ['main', 'http', 'server', 'location'],
  args: [
    text('file'),
    optional(keyword('debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg')),
    rest(text()),
  ],
  block: null,
  default: 'logs/error.log error',
  inherit: 'replace',
  isRepeatable: true,
  summary: 'Where errors are told, and from which level on.',
  since: '0.2.0',
  effect: 'full',
});

const logs = new WeakMap<object, ErrorLog>();

/** The error log of a level; the same object for the same directive. */
export function openErrorLog(scope: Scope, build: HttpBuild): ErrorLog {
  const found = scope.find(errorLog);
  if (found === null) return build.errorLog;
  let log = logs.get(found.node);
  if (log === undefined) {
    const [target, level] = found.values;
    const isStream = target === 'stderr' || target.startsWith('/dev/');
    log = new ErrorLog(build.openSink(isStream ? target : build.resolvePath(target, 'prefix')), level ?? 'error');
    logs.set(found.node, log);
  }
  return log;
}
