/*
 * What modules are given while `http {}` becomes objects: variables, texts, expressions, logs, what is shared and what
 * lives on from the configuration before. Keeps what they report.
 */
import { readFileSync } from 'node:fs';
import { type Finding, finding } from '../conf/diagnostics/catalogue.js';
import { type Diagnostic, diagnose } from '../conf/diagnostics/diagnostic.js';
import type { Regex } from '../conf/pcre/translate.js';
import type { Directive, Word } from '../conf/syntax/ast.js';
import type { Span } from '../conf/syntax/source.js';
import { toByteString } from '../conf/syntax/source-text.js';
import type { TextPart } from '../conf/values/variable-text.js';
import type { Clock } from '../core/clock.js';
import { nearestWord } from '../core/nearest-word.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { ErrorLog } from '../log/error-log.js';
import type { LogSink, SinkOptions } from '../log/sink.js';
import { absoluteLogTarget } from '../modules/log-sinks.js';
import type { BuildKey, HttpBuild } from '../modules/module.js';
import { fixedVariable } from '../modules/variable-name.js';
import type { DefectReporter } from '../net/connection.js';
import { type Connect, connect } from '../net/connector.js';
import { Resolver, type ResolverOptions } from '../net/resolver/resolver.js';
import type { HttpRequest } from '../request/http-request.js';
import type { Location } from '../request/location.js';
import { LocationTree } from '../request/location-tree.js';
import { type NamedGroup, RequestRegex } from '../request/request-regex.js';
import type { UpstreamTarget } from '../upstream/upstream-target.js';
import { compileText, type Text } from '../variables/text.js';
import { VariableTable } from '../variables/variable-table.js';
import type { WorkerPlace } from '../zones/worker-place.js';
import { ZoneMemories } from '../zones/zone-memories.js';
import type { PlacedEnvironment } from './environment.js';

/** One `http {}` while it is built. What looks on or reaches out is made by methods, so that explain/ can put in its own. */
export class HttpBuilder implements HttpBuild {
  readonly variables: VariableTable<HttpRequest> = new VariableTable();
  readonly upstreams: Map<string, UpstreamTarget> = new Map();
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly onDefect: DefectReporter;
  readonly worker: WorkerPlace;
  readonly connect: Connect = connect;
  readonly diagnostics: Diagnostic[] = [];
  readonly sinks: LogSink[] = [];
  /** What `writtenFolder` was asked for. */
  readonly folders: Set<string> = new Set();
  /** To be called when the cycle serves no more. */
  readonly closers: (() => void)[] = [];
  /** To be called when a worker has died. */
  readonly mourners: ((index: number, hasFinished: boolean) => void)[] = [];
  /** What `carried` was asked for: the next configuration may find it here. */
  readonly carriedNow: Map<string, unknown> = new Map();
  errorLog: ErrorLog;
  private readonly environment: PlacedEnvironment;
  private readonly memories: ZoneMemories;
  /** Names in texts that nothing had defined by then; it may be defined further down. */
  private readonly notYetKnown: { readonly name: string; readonly at: Directive | Word }[] = [];
  private readonly sharedByKey = new Map<BuildKey<unknown>, unknown>();
  private readonly sinkByTarget = new Map<string, LogSink>();

  constructor(environment: PlacedEnvironment, errorLog: ErrorLog) {
    this.environment = environment;
    this.wheel = environment.wheel;
    this.clock = environment.clock;
    this.onDefect = environment.onDefect;
    this.worker = environment.worker;
    this.memories = environment.memories ?? new ZoneMemories();
    this.errorLog = errorLog;
  }

  report(at: Directive | Span, found: Finding): void {
    const isDirective = 'word' in at;
    const span = isDirective ? at.word : at;
    this.diagnostics.push(diagnose(found, span, isDirective ? at.headEnd : span.end));
  }

  shared<T>(key: BuildKey<T>): T {
    if (!this.sharedByKey.has(key)) this.sharedByKey.set(key, key.make());
    return this.sharedByKey.get(key) as T;
  }

  carried<T>(kind: string, name: string, make: () => T): T {
    const key = `${kind} ${name}`;
    if (!this.carriedNow.has(key)) {
      const { carried } = this.environment;
      this.carriedNow.set(key, carried.has(key) ? carried.get(key) : make());
    }
    return this.carriedNow.get(key) as T;
  }

  sharedMemory(kind: string, name: string, bytes: number): SharedArrayBuffer {
    return this.memories.get(`${kind} ${name}`, bytes, true);
  }

  cycleMemory(kind: string, name: string, bytes: number): SharedArrayBuffer {
    return this.memories.get(`${kind} ${name}`, bytes, false);
  }

  text(parts: readonly TextPart[], at: Directive | Word): Text<HttpRequest> {
    const { text, unknownVariables } = compileText(
      parts.map((part) => {
        if (part.kind === 'literal') return { literal: toByteString(part.text) };
        return { variable: part.kind === 'variable' ? part.name : String(part.group) };
      }),
      this.variables,
    );
    for (const name of unknownVariables) this.notYetKnown.push({ name, at });
    return text;
  }

  /** Everything was built: a name that still means nothing is an error. */
  reportUnknownVariables(): void {
    for (const { name, at } of this.notYetKnown) {
      if (!this.variables.isKnown(name)) this.report(at, this.unknownVariable(name));
    }
  }

  private unknownVariable(name: string): Finding {
    const near = nearestWord(name, this.variables.names);
    const hint = near === null ? null : `did you mean "$${near}"?`;
    return finding('unknown-variable', `unknown variable "$${name}"`, hint, `unknown "${name}" variable`);
  }

  regex(regex: Regex, at: Directive | Word): RequestRegex {
    const named: NamedGroup[] = [];
    for (const [name, group] of regex.names) {
      if (this.variables.isFixed(name)) this.report(at, fixedVariable(name));
      else named.push({ group, variable: this.variables.assignable(name) });
    }
    return new RequestRegex(regex.regexp, regex.pattern, regex.groupIndexes, named);
  }

  resolver(options: ResolverOptions): Resolver {
    return new Resolver(options);
  }

  /** The locations of one level, to be filled. */
  locationTree(): LocationTree<Location> {
    return new LocationTree();
  }

  step<F extends (request: HttpRequest) => unknown>(_at: Directive, run: F): F {
    return run;
  }

  get onLineChosen(): ((line: Directive) => void) | null {
    return null;
  }

  resolvePath(path: string, base: 'prefix' | 'conf'): string {
    if (path.startsWith('/')) return path;
    const { prefix, confPrefix } = this.environment;
    return (base === 'prefix' ? prefix : confPrefix) + path;
  }

  readFile(path: string): string {
    const { readFile } = this.environment;
    return readFile === undefined ? readFileSync(path, 'latin1') : readFile(path);
  }

  writtenFolder(path: string): string {
    const folder = this.resolvePath(path, 'prefix').replace(/(.)\/+$/, '$1');
    this.folders.add(folder);
    return folder;
  }

  /** Targets of the logs that are files or may be, absolute. */
  get logTargets(): Iterable<string> {
    return this.sinkByTarget.keys();
  }

  openSink(target: string, options: SinkOptions = {}): LogSink {
    const absolute = absoluteLogTarget(target, (path) => this.resolvePath(path, 'prefix'));
    let sink = this.sinkByTarget.get(absolute);
    if (sink === undefined) {
      const onTrouble = (message: string) => this.errorLog.log('alert', message);
      sink = this.environment.openSink(absolute, options, onTrouble);
      this.sinkByTarget.set(absolute, sink);
      this.sinks.push(sink);
    }
    return sink;
  }

  onClose(close: () => void): void {
    this.closers.push(close);
  }

  onWorkerDeath(forget: (index: number, hasFinished: boolean) => void): void {
    this.mourners.push(forget);
  }
}
