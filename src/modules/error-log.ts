/*
 * `error_log`, at every level that may have one: which logs are in force, opened. Below the modules' folders, since
 * both http and stream ask for it.
 */
import { type Finding, finding } from '../conf/diagnostics/catalogue.js';
import { rest } from '../conf/schema/arguments.js';
import { defineDirective } from '../conf/schema/definition.js';
import type { Placed, Scope } from '../conf/schema/scope.js';
import { logTarget } from '../conf/values/log-target.js';
import { Refusal, type ValueType } from '../conf/values/value-type.js';
import { nearestWord } from '../core/nearest-word.js';
import { ErrorLog, type ErrorLogOutput } from '../log/error-log.js';
import { LOG_LEVELS, type LogLevel } from '../log/level.js';
import { BuildKey, type HttpBuild } from './module.js';

/** What nginx calls parts of its debugging; each of them is `debug` here. */
const DEBUG_PARTS = ['core', 'alloc', 'mutex', 'event', 'http', 'mail', 'stream'].map(
  (part) => `debug_${part}`,
);

const logLevel: ValueType<LogLevel> = {
  label: LOG_LEVELS.join(' | '),
  parse(text) {
    const level = LOG_LEVELS.find((one) => one === text);
    if (level !== undefined) return level;
    if (DEBUG_PARTS.includes(text)) return 'debug';
    const meant = nearestWord(text, LOG_LEVELS);
    const advice = meant === null ? `use one of ${LOG_LEVELS.join(', ')}` : `did you mean "${meant}"?`;
    return new Refusal(`Cannot take level "${text}": ${advice}`, () => `invalid log level "${text}"`);
  },
};

/** Where errors are logged, and from which level on. */
export const errorLog = defineDirective({
  name: 'error_log',
  syntax: 'error_log file | stderr | syslog:server=address[,parameter=value] | memory:size [level]',
  contexts: ['main', 'http', 'server', 'location'],
  args: [logTarget, rest(logLevel)],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary:
    'Writes errors to a file, stderr, a syslog server or memory, from a level on (error); may be repeated.',
  since: '0.2.0',
  effect: 'full',
});

/** The logs of one configuration by the first directive that makes them, so that levels with the same share one. */
const OPENED = new BuildKey<Map<object, ErrorLog>>('error logs', () => new Map());

/** The error log that is in force at a level: its own, or that of a level around it. */
export function openErrorLog(scope: Scope, build: HttpBuild): ErrorLog {
  const directives = scope.all(errorLog);
  if (directives.length === 0) return build.errorLog;
  const opened = build.shared(OPENED);
  let log = opened.get(directives[0]!);
  if (log === undefined) {
    const outputs = openOutputs(directives, build);
    log = outputs.length === 0 ? build.errorLog : new ErrorLog(outputs);
    opened.set(directives[0]!, log);
  }
  return log;
}

/**
 * The error log of the main level. As in nginx there is a file among its targets, `defaultTarget` if the
 * configuration names none.
 */
export function openMainErrorLog(main: Scope, build: HttpBuild, defaultTarget: string): ErrorLog {
  const directives = main.own(errorLog);
  const outputs = openOutputs(directives, build);
  const hasFile = directives.some((directive) => directive.values[0].kind === 'file');
  if (!hasFile) outputs.push({ sink: build.openSink(defaultTarget, { isPrompt: true }), level: 'error' });
  const log = new ErrorLog(outputs);
  if (directives.length > 0) build.shared(OPENED).set(directives[0]!, log);
  return log;
}

type ErrorLogDirectives = readonly Placed<(typeof errorLog)['args']>[];

function openOutputs(directives: ErrorLogDirectives, build: HttpBuild): ErrorLogOutput[] {
  const outputs: ErrorLogOutput[] = [];
  for (const directive of directives) {
    const [, first, second] = directive.values;
    const level: LogLevel = first ?? 'error';
    if (second !== undefined && (level !== 'debug' || second !== 'debug')) {
      const text = directive.node.args[2]!.text;
      const message = `Cannot take level "${text}" too: an error_log has one; write another error_log`;
      build.report(
        directive.node.args[2]!,
        finding('bad-value', message, null, `duplicate log level "${text}"`),
      );
    }
    try {
      const sink = build.openSink(directive.node.args[0]!.text, { isPrompt: true });
      outputs.push({ sink, level });
    } catch (error) {
      build.report(directive.node.args[0]!, cannotOpenLog(error as Error));
    }
  }
  return outputs;
}

/** A log that cannot be opened. */
export function cannotOpenLog(error: Error & { readonly nginxText?: string }): Finding {
  return finding('cannot-open-log', error.message, null, error.nginxText ?? error.message);
}
