/*
 * What a module is: directives and variables as data, and one function that puts what a location needs into it.
 * Modules never see each other; what they share is below them, or in the build.
 */
import type { Finding } from '../conf/diagnostics/catalogue.js';
import type { Regex } from '../conf/pcre/translate.js';
import type { CheckedDirective } from '../conf/schema/checked.js';
import type { DirectiveDefinition } from '../conf/schema/definition.js';
import type { Scope } from '../conf/schema/scope.js';
import type { Directive, Word } from '../conf/syntax/ast.js';
import type { Span } from '../conf/syntax/source.js';
import type { TextPart } from '../conf/values/variable-text.js';
import type { Clock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { ErrorLog } from '../log/error-log.js';
import type { LogSink, SinkOptions } from '../log/sink.js';
import type { DefectReporter } from '../net/connection.js';
import type { Connect } from '../net/connector.js';
import type { Resolver, ResolverOptions } from '../net/resolver/resolver.js';
import type { HttpRequest } from '../request/http-request.js';
import type { Location, LocationKind } from '../request/location.js';
import type { Phase, PhaseHandler } from '../request/phase.js';
import type { RequestRegex } from '../request/request-regex.js';
import type { ResponseFilter } from '../request/response-filter.js';
import type { VirtualServer } from '../request/virtual-server.js';
import type { BalancerFactory } from '../upstream/balancers/balancer.js';
import type { UpstreamPlan } from '../upstream/upstream-plan.js';
import type { UpstreamTarget } from '../upstream/upstream-target.js';
import type { Text } from '../variables/text.js';
import type { VariableTable } from '../variables/variable-table.js';
import type { WorkerPlace } from '../zones/worker-place.js';

/** A module of `http {}`. */
export interface HttpModule {
  /** nginx's, without ngx_http_ and _module: `gzip`, `limit_req`. Its folder has the same name. */
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: each has argument types of its own
  readonly directives: readonly DirectiveDefinition<any>[];
  /** Adds the variables that are always there. */
  variables?(table: VariableTable<HttpRequest>): void;
  /**
   * Called once, before any location is built, with all of the module's directives wherever they stand, in the
   * order of the file: for variables and zones that configurations name (set, map, limit_req_zone).
   */
  declare?(directives: readonly CheckedDirective[], build: HttpBuild): void;
  /** Called for each `upstream {}`, before any location: says what peers it has, how one is chosen and kept. */
  upstream?(scope: Scope, build: UpstreamBuild): void;
  /**
   * Called for every level from which requests may be served: each server's own, each location, `if` in a location,
   * limit_except. Adds what requests there need, and nothing where the configuration asks for nothing.
   */
  location?(scope: Scope, build: LocationBuild): void;
}

/** A name for something that is kept once per configuration. */
export class BuildKey<T> {
  /** For the debugger. */
  readonly name: string;
  readonly make: () => T;

  constructor(name: string, make: () => T) {
    this.name = name;
    this.make = make;
  }
}

/** Puts findings where they belong. */
export interface Reporter {
  /** An error at a directive, a word or another place: the configuration isn't used. nginx's wording is `finding.nginxText`. */
  report(at: Directive | Span, finding: Finding): void;
}

/** What modules use while `http {}` becomes objects. */
export interface HttpBuild extends Reporter {
  readonly variables: VariableTable<HttpRequest>;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  /** Of the main level, for what is not about a request. */
  readonly errorLog: ErrorLog;
  /** For connections that modules open. */
  readonly onDefect: DefectReporter;
  /** Opens connections to peers. */
  readonly connect: Connect;
  /** Makes one that asks name servers. */
  resolver(options: ResolverOptions): Resolver;
  /** `upstream {}` blocks by lower-case name, and groups made of addresses in proxy_pass. */
  readonly upstreams: Map<string, UpstreamTarget>;
  /** Kept once per configuration: made at the first call. */
  shared<T>(key: BuildKey<T>): T;
  /** As `shared`, but what the configuration before had of this name lives on: zones and their counters. */
  carried<T>(kind: string, name: string, make: () => T): T;
  /** Which worker this is built for. */
  readonly worker: WorkerPlace;
  /**
   * Memory that all workers share and that lives on after a reload, by what it is for; full of zeros when it is new.
   * Objects around it are each worker's own: see `carried`.
   */
  sharedMemory(kind: string, name: string, bytes: number): SharedArrayBuffer;
  /** The same for what begins anew with each configuration. */
  cycleMemory(kind: string, name: string, bytes: number): SharedArrayBuffer;
  /** A text with its variables bound. A name that nothing in the whole configuration defines is reported in the end. */
  text(parts: readonly TextPart[], at: Directive | Word): Text<HttpRequest>;
  /** A regular expression whose named groups become variables. A name that can't be one is reported. */
  regex(regex: Regex, at: Directive | Word): RequestRegex;
  /**
   * What a directive does to a request, as it is to be called: `run` itself, unless somebody is to be told of it each
   * time (explain/).
   */
  step<F extends (request: HttpRequest) => unknown>(at: Directive, run: F): F;
  /** Is told which line of its block gave a variable its value (map, geo ...); null unless somebody listens (explain/). */
  readonly onLineChosen: ((line: Directive) => void) | null;
  /**
   * A file that the configuration names, as bytes in latin1: all workers have the same of it, also one that is started when
   * the file is another or may not be read any more. Throws what the system does.
   */
  readFile(path: string): string;
  /** The folder a relative path starts from: the prefix (`-p`), or the configuration file's folder. */
  resolvePath(path: string, base: 'prefix' | 'conf'): string;
  /** A folder below the prefix that files are written to while requests are served: the user of the process has to own it. */
  writtenFolder(path: string): string;
  /**
   * A log by its target in nginx's notation, the same object for the same target; reopened and closed with the cycle.
   * Throws an Error that says why it can't be had.
   */
  openSink(target: string, options?: SinkOptions): LogSink;
  /** Called when the cycle serves no more, to let go of timers and the like. */
  onClose(close: () => void): void;
  /**
   * Called in the thread that watches over the workers when one is gone: what it counted in shared memory is no more. One
   * that was told to end has finished its requests.
   */
  onWorkerDeath(forget: (index: number, hasFinished: boolean) => void): void;
}

/** What modules use while an `upstream {}` becomes a group. */
export interface UpstreamBuild extends HttpBuild {
  /** What the block says; to be filled in. */
  readonly plan: UpstreamPlan;
  /** Chooses the balancer; a second one is reported as a warning, and wins. */
  setBalancer(at: Directive, balancer: BalancerFactory): void;
}

/** What modules use while a level of the configuration becomes a Location. */
export interface LocationBuild extends HttpBuild {
  readonly kind: LocationKind;
  /** As Location.path. */
  readonly path: string;
  readonly location: Location;
  readonly server: VirtualServer;
  /** Handlers of a phase run in the order of the catalog. */
  addHandler(phase: Phase, handler: PhaseHandler): void;
  /** This answers every request here. A second one replaces the first. */
  setContent(handler: PhaseHandler): void;
  addFilter(filter: ResponseFilter): void;
  /** The Location of the block that this directive opens (`if`, `limit_except`), inside of this one. */
  inner(directive: Pick<CheckedDirective, 'definition' | 'node' | 'block'>): Location;
}
