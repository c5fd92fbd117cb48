/*
 * The log formats of a configuration: those it defines, and those that are there already.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import type { Directive, Word } from '../../../conf/syntax/ast.js';
import type { LogFormat } from '../../../log/line-buffer.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { readVariable } from '../../../variables/variable-table.js';
import {
  compileLogFormat,
  type LogEscape,
  type LogFormatText,
  type LogVariable,
  parseLogFormat,
} from '../../log-format.js';
import { BuildKey, type HttpBuild } from '../../module.js';
import { logFormat } from './directives.js';
import { LOG_VALUES, READ_ANEW } from './values.js';

const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

/** What the proxy of the command line writes: combined, and behind it what the upstream did. */
const SLUICE =
  `${COMBINED} upstream=$upstream_addr ustatus=$upstream_status rt=$request_time uct=$upstream_connect_time ` +
  'uht=$upstream_header_time urt=$upstream_response_time';

const JSON_FORMAT =
  '{"time":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user","request":"$request",' +
  '"method":"$request_method","uri":"$request_uri","host":"$host","status":$status,' +
  '"body_bytes_sent":$body_bytes_sent,"request_length":$request_length,"request_time":$request_time,' +
  '"referer":"$http_referer","user_agent":"$http_user_agent","request_id":"$request_id",' +
  '"trace_id":"$otel_trace_id",' +
  '"upstream_addr":"$upstream_addr","upstream_status":"$upstream_status",' +
  '"upstream_connect_time":"$upstream_connect_time","upstream_header_time":"$upstream_header_time",' +
  '"upstream_response_time":"$upstream_response_time"}';

const READY: readonly (readonly [name: string, escaping: LogEscape, text: string])[] = [
  ['combined', 'default', COMBINED],
  ['sluice', 'default', SLUICE],
  ['json', 'json', JSON_FORMAT],
];

/** A format, and where it was defined; null for one that was there already. */
interface Format {
  readonly text: LogFormatText;
  readonly at: Directive | null;
  compiled: LogFormat<HttpRequest> | null;
}

/** The formats of a configuration. */
export class LogFormats {
  readonly #formats: Map<string, Format>;

  constructor() {
    this.#formats = new Map();
    for (const [name, escaping, text] of READY) {
      this.#formats.set(name, {
        text: parseLogFormat(escaping, [text]) as LogFormatText,
        at: null,
        compiled: null,
      });
    }
  }

  /** Takes in what a configuration defines; names of ours may be taken, `combined` may not. */
  declare(directives: readonly CheckedDirective[], build: HttpBuild): void {
    for (const directive of directives) {
      const values = valuesOf(logFormat, directive);
      if (values === null) continue;
      const [name, ...texts] = values;
      const { node } = directive;
      if (name === 'combined' || (this.#formats.get(name)?.at ?? null) !== null) {
        const message = `log_format "${name}" is there already`;
        const nginxText = `duplicate "log_format" name "${name}"`;
        build.report(node, finding('duplicate-log-format', message, 'give it another name', nginxText));
      } else this.#define(name, texts, node, build);
    }
    for (const format of this.#formats.values())
      if (format.at !== null) this.#compile(format, format.at, build);
  }

  /** The format of that name, in whatever case; null for none, which is reported. */
  find(name: string, at: Directive | Word, build: HttpBuild): LogFormat<HttpRequest> | null {
    const lower = name.toLowerCase();
    let format = this.#formats.get(name);
    for (const [known, one] of this.#formats)
      if (format === undefined && known.toLowerCase() === lower) format = one;
    if (format !== undefined) return format.compiled ?? this.#compile(format, at, build);
    const known = [...this.#formats.keys()].join(', ');
    build.report(
      at,
      finding(
        'unknown-log-format',
        `unknown log format "${name}"`,
        `there are ${known}`,
        `unknown log format "${name}"`,
      ),
    );
    return null;
  }

  #define(name: string, texts: readonly string[], node: Directive, build: HttpBuild): void {
    const [, first] = node.args;
    let escaping: LogEscape = 'default';
    let skipped = 0;
    if (first?.text.startsWith('escape=') === true) {
      const word = first.text.slice('escape='.length);
      skipped = 1;
      if (word === 'json' || word === 'none' || word === 'default') escaping = word;
      else {
        const message = `Cannot escape as "${word}": use default, json or none`;
        build.report(first, finding('bad-value', message, null, `unknown log format escaping "${word}"`));
        return;
      }
    }
    const parsed = parseLogFormat(escaping, texts.slice(skipped));
    if ('pieces' in parsed) {
      this.#formats.set(name, { text: parsed, at: node, compiled: null });
      return;
    }
    const { refusal, index } = parsed;
    const word = node.args[1 + skipped + index]!;
    build.report(word, finding('bad-value', refusal.message, null, refusal.nginxText('log_format')));
  }

  #compile(format: Format, at: Directive | Word, build: HttpBuild): LogFormat<HttpRequest> {
    format.compiled = compileLogFormat(format.text, (name) => findVariable(name, at, build));
    return format.compiled;
  }
}

function findVariable(name: string, at: Directive | Word, build: HttpBuild): LogVariable<HttpRequest> {
  const append = LOG_VALUES.get(name);
  if (append !== undefined) return { append };
  // Notes the name, so that one nothing defines is reported.
  build.text([{ kind: 'variable', name }], at);
  const variable = build.variables.use(name);
  if (READ_ANEW.has(name)) return { read: variable.get };
  return { read: (request) => readVariable(variable, request) };
}

/** The formats of the configuration that is built. */
export const LOG_FORMATS = new BuildKey<LogFormats>('log formats', () => new LogFormats());
