/*
 * The access log (nginx: ngx_http_log_module): which lines a request leaves, and where.
 */
import { existsSync, statSync } from 'node:fs';
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import type { Directive, Word } from '../../../conf/syntax/ast.js';
import { eventClock } from '../../../core/clock.js';
import { describeErrno } from '../../../core/errno.js';
import { type LogFormat, makeLine } from '../../../log/line-buffer.js';
import type { SinkOptions } from '../../../log/sink.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DECLINED, type PhaseHandler } from '../../../request/phase.js';
import type { Text } from '../../../variables/text.js';
import { cannotOpenLog } from '../../error-log.js';
import { BuildKey, type HttpBuild, type HttpModule } from '../../module.js';
import { type AccessParameter, accessLog, logFormat, openLogFileCache } from './directives.js';
import { appendLine, LogFileCache } from './file-cache.js';
import { LOG_FORMATS } from './formats.js';

/** nginx's buffer for a compressed log that names none. */
const GZIP_BUFFER_BYTES = 64 * 1024;

type AccessLogDirective = Placed<(typeof accessLog)['args']>;
type WriteLine = (request: HttpRequest) => void;

/** What locations with the same directives share. */
class SharedLogs {
  /** By the first directive that is in force; null: nothing is logged. */
  readonly handlers: Map<object, PhaseHandler | null> = new Map();
  /** How files are buffered, by their path. */
  readonly buffers: Map<string, string> = new Map();
  readonly caches: Map<object, LogFileCache> = new Map();
}

const SHARED = new BuildKey<SharedLogs>('access logs', () => new SharedLogs());
/** Stands for the directive where there is none. */
const NO_DIRECTIVE = {};

export const logModule: HttpModule = {
  name: 'log',
  directives: [logFormat, accessLog, openLogFileCache],
  declare(directives, build) {
    build.shared(LOG_FORMATS).declare(directives, build);
  },
  location(scope, build) {
    const directives = scope.all(accessLog);
    const { handlers } = build.shared(SHARED);
    const key = directives[0] ?? NO_DIRECTIVE;
    let handler = handlers.get(key);
    if (handler === undefined) {
      handler = directives.length === 0 ? defaultLog(build) : compileLogs(directives, scope, build);
      handlers.set(key, handler);
    }
    if (handler !== null) build.addHandler('log', handler);
  },
};

/** differs from nginx: without a folder for it the log goes to standard output instead of failing. */
function defaultLog(build: HttpBuild): PhaseHandler {
  const hasFolder = existsSync(build.resolvePath('logs', 'prefix'));
  const sink = build.openSink(hasFolder ? 'logs/access.log' : 'stdout', { isPrompt: hasFolder });
  const format = build.shared(LOG_FORMATS).find('combined', NOWHERE, build)!;
  return (request) => {
    sink.writeFormatted(format, request);
    return DECLINED;
  };
}

/** `combined` is always there, so nothing is ever reported here. */
const NOWHERE = {} as Word;

function compileLogs(
  directives: readonly AccessLogDirective[],
  scope: Scope,
  build: HttpBuild,
): PhaseHandler | null {
  const off = directives.find((directive) => directive.values[0].kind === 'off');
  if (off !== undefined) {
    const [, extra] = off.node.args;
    if (extra !== undefined)
      report(build, extra, 'access_log off takes nothing more', `invalid parameter "${extra.text}"`);
    return null;
  }
  const writers = directives.flatMap((directive) => compileLog(directive, scope, build) ?? []);
  const [first] = writers;
  if (first === undefined) return null;
  if (writers.length === 1) {
    return (request) => {
      first(request);
      return DECLINED;
    };
  }
  return (request) => {
    for (const write of writers) write(request);
    return DECLINED;
  };
}

/** One access_log; null when something is wrong with it, which is reported. */
function compileLog(directive: AccessLogDirective, scope: Scope, build: HttpBuild): WriteLine | null {
  const [target, formatName = 'combined', ...parameters] = directive.values;
  const { node } = directive;
  const format = build.shared(LOG_FORMATS).find(formatName, node.args[1] ?? node, build);
  if (format === null) return null;
  const options = sinkOptions(parameters);
  const condition = conditionOf(parameters, node, build);
  const hasVariables = target.kind === 'file' && target.parts.some((part) => part.kind !== 'literal');
  const problem = judgeBuffer(options, parameters, target.kind, hasVariables, node);
  if (problem !== null) {
    report(build, node, ...problem);
    return null;
  }
  if (target.kind === 'file' && hasVariables) {
    const path = build.text(target.parts, node.args[0]!);
    return whenTrue(condition, writeToNamed(path, format, cacheOf(scope, build), build));
  }
  return whenTrue(condition, writeToSink(node, format, options, build));
}

function writeToSink(
  node: Directive,
  format: LogFormat<HttpRequest>,
  options: SinkOptions,
  build: HttpBuild,
): WriteLine {
  const target = node.args[0]!.text;
  if (options.bufferBytes !== undefined) {
    const { buffers } = build.shared(SHARED);
    const path = build.resolvePath(target, 'prefix');
    const buffer = JSON.stringify([options.bufferBytes, options.flushMs, options.gzipLevel]);
    if ((buffers.get(path) ?? buffer) !== buffer) {
      const message = `access_log "${target}" has another buffer above; use the same parameters`;
      report(build, node, message, `access_log "${target}" already defined with conflicting parameters`);
    }
    buffers.set(path, buffer);
  }
  try {
    // Who has seen the answer finds its line, as with nginx.
    const isPrompt = options.bufferBytes === undefined;
    const sink = build.openSink(target, { ...options, isPrompt });
    return (request) => sink.writeFormatted(format, request);
  } catch (error) {
    build.report(node.args[0]!, cannotOpenLog(error as Error));
    return () => {};
  }
}

/** Appends to a file whose name each request decides. */
function writeToNamed(
  path: Text<HttpRequest>,
  format: LogFormat<HttpRequest>,
  cache: LogFileCache | null,
  build: HttpBuild,
): WriteLine {
  return (request) => {
    if (!hasRoot(request)) return;
    const name = build.resolvePath(Buffer.from(path.evaluate(request), 'latin1').toString(), 'prefix');
    try {
      const line = makeLine(format, request);
      if (cache === null) appendLine(name, line);
      else cache.append(name, line);
    } catch (error) {
      logErrorOf(request, 'crit', `open() "${name}" failed (${wordsOf(error)})`);
    }
  };
}

/**
 * security: whether the folder that the request is served from exists, as nginx asks. Else whoever sends a Host that
 * nobody has could make a file of any name.
 */
function hasRoot(request: HttpRequest): boolean {
  const root = request.location.settings.root.evaluate(request);
  try {
    if (statSync(Buffer.from(root, 'latin1')).isDirectory()) return true;
    logErrorOf(request, 'error', `testing "${root}" existence failed (20: Not a directory)`);
  } catch (error) {
    logErrorOf(request, 'error', `testing "${root}" existence failed (${wordsOf(error)})`);
  }
  return false;
}

function wordsOf(error: unknown): string {
  const { code = '', errno = 0 } = error as NodeJS.ErrnoException;
  return `${-errno}: ${describeErrno(code)}`;
}

function cacheOf(scope: Scope, build: HttpBuild): LogFileCache | null {
  const directive = scope.find(openLogFileCache);
  if (directive === null) return null;
  const [{ max, inactive = 10_000, min_uses: minUses = 1, valid = 60_000, off }] = directive.values;
  if (off === true) return null;
  if (max === undefined || max === 0) {
    const message = 'open_log_file_cache needs max=, the number of names that are remembered';
    report(build, directive.node, message, '"open_log_file_cache" must have "max" parameter');
    return null;
  }
  const { caches } = build.shared(SHARED);
  let cache = caches.get(directive);
  if (cache === undefined) {
    cache = new LogFileCache({ max, inactiveMs: inactive, validMs: valid, minUses }, eventClock);
    caches.set(directive, cache);
    const made = cache;
    build.onClose(() => made.close());
  }
  return cache;
}

function conditionOf(
  parameters: readonly AccessParameter[],
  node: Directive,
  build: HttpBuild,
): Text<HttpRequest> | null {
  let condition: Text<HttpRequest> | null = null;
  for (const parameter of parameters)
    if (parameter.kind === 'if') condition = build.text(parameter.parts, node);
  return condition;
}

function whenTrue(condition: Text<HttpRequest> | null, write: WriteLine): WriteLine {
  if (condition === null) return write;
  return (request) => {
    const value = condition.evaluate(request);
    if (value !== '' && value !== '0') write(request);
  };
}

function sinkOptions(parameters: readonly AccessParameter[]): SinkOptions {
  let options: SinkOptions = {};
  for (const parameter of parameters) {
    if (parameter.kind === 'buffer') options = { ...options, bufferBytes: parameter.bytes };
    else if (parameter.kind === 'flush') options = { ...options, flushMs: parameter.ms };
    else if (parameter.kind === 'gzip')
      options = { bufferBytes: GZIP_BUFFER_BYTES, ...options, gzipLevel: parameter.level };
  }
  return options;
}

/** What is wrong with a buffer here, for people and in nginx's words. */
function judgeBuffer(
  options: SinkOptions,
  parameters: readonly AccessParameter[],
  kind: string,
  hasVariables: boolean,
  node: Directive,
): readonly [message: string, nginxText: string] | null {
  const target = node.args[0]!.text;
  const isBuffered = options.bufferBytes !== undefined;
  if (parameters.some((parameter) => parameter.kind === 'flush') && !isBuffered) {
    const nginxText = `no buffer is defined for access_log "${target}"`;
    return [`access_log "${target}" has flush= without a buffer; add buffer=64k`, nginxText];
  }
  if (!isBuffered) return null;
  if (hasVariables) {
    const nginxText = 'buffered logs cannot have variables in name';
    return ['a log whose name has variables cannot be buffered; leave buffer= out', nginxText];
  }
  if (kind !== 'syslog') return null;
  return ['lines to syslog cannot be buffered; leave buffer= out', 'logs to syslog cannot be buffered'];
}

function report(build: HttpBuild, at: Directive | Word, message: string, nginxText: string): void {
  build.report(at, finding('access-log', message, null, nginxText));
}
