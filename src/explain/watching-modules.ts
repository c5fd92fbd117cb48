/*
 * The modules of a configuration that is watched: each as it is, but that the trace is told when its handlers and
 * filters are called. What would have an effect beyond the request is left out.
 */

import type { Scope } from '../conf/schema/scope.js';
import { ErrorLog } from '../log/error-log.js';
import { NO_SINK } from '../log/sink.js';
import type { HttpModule, LocationBuild } from '../modules/module.js';
import { FileFailure, type OpenFile } from '../request/file-access.js';
import type { HttpRequest } from '../request/http-request.js';
import { OpenFileCache } from '../request/open-file-cache.js';
import { DECLINED, DONE, OK, type Outcome, type Phase, type PhaseHandler } from '../request/phase.js';
import type { ResponseFilter } from '../request/response-filter.js';
import { decidingRule } from './access-rule.js';
import { uriOf } from './directive-steps.js';
import type { Place } from './explanation.js';
import { makeStep, placeOf } from './trace.js';
import { NOWHERE, type Watched } from './watched.js';
import { WatchedTree } from './watched-tree.js';

/** Modules whose handlers change files or servers by methods of these. */
const CHANGING_METHODS: ReadonlySet<string> = new Set([
  'PUT',
  'DELETE',
  'MKCOL',
  'COPY',
  'MOVE',
  'POST',
  'PATCH',
]);
const CHANGERS: ReadonlySet<string> = new Set(['dav', 'api', 'dashboard']);

/** Those modules, and before them one that looks on. */
export function watchModules(modules: readonly HttpModule[], watched: Watched): HttpModule[] {
  watched.modules = modules;
  return [onlooker(modules, watched), ...modules.map((module) => watchModule(module, watched))];
}

/** Knows which blocks there are, sees requests come by, and replaces what would reach the disk or make one wait. */
function onlooker(modules: readonly HttpModule[], watched: Watched): HttpModule {
  const errorPage = modules
    .flatMap(({ directives }) => directives)
    .find(({ name }) => name === 'error_page')!;
  const seen = new WeakSet<HttpRequest>();
  const pagePlaces = (request: HttpRequest, scope: Scope | undefined): Place[] => {
    if (scope === undefined || !request.isErrorPage) return [];
    const pages = scope.all(errorPage).map(({ node }) => node);
    const own = pages.filter(({ args }) => args.some(({ text }) => text === String(request.errorStatus)));
    return (own.length > 0 ? own : pages).map(placeOf);
  };
  let lastScope: Scope | undefined;
  return {
    name: 'explain',
    directives: [],
    upstream(scope, build) {
      watched.own(scope);
      watched.upstreams.set(build.plan.name.toLowerCase(), { scope, plan: build.plan });
    },
    location(scope, build) {
      const { location, server, kind } = build;
      watched.own(scope);
      watched.scopes.set(location, scope);
      watched.locations.set(scope.opener!.node, location);
      location.settings = quietSettings(build, watched);
      if (kind === 'server') {
        watched.servers.set(server, scope);
        if (server.locations instanceof WatchedTree) server.locations.scope = scope;
        build.addHandler('serverRewrite', (request) => {
          enter(request, watched, seen, pagePlaces(request, lastScope));
          lastScope = scope;
          return DECLINED;
        });
        return;
      }
      build.addHandler('rewrite', (request) => {
        watched.trace.focus(request);
        if (kind === 'named') {
          const step = makeStep('redirect', `goes on in location ${location.path}${becauseOf(request)}`);
          step.places.push(placeOf(scope.opener!.node), ...pagePlaces(request, lastScope));
          watched.trace.note(step);
        } else if (kind === 'limit_except') {
          const text = `limits ${request.method}: what stands in it holds`;
          watched.trace.note({ ...makeStep('handler', text, [placeOf(scope.opener!.node)]), module: 'core' });
        }
        lastScope = scope;
        return DECLINED;
      });
    },
  };
}

/** A request begins, or is served again under another path. */
function enter(
  request: HttpRequest,
  { trace }: Watched,
  seen: WeakSet<HttpRequest>,
  places: readonly Place[],
): void {
  const isFirst = !seen.has(request);
  seen.add(request);
  if (isFirst && request.parent !== null) {
    trace.beginSubrequest(request, makeStep('subrequest', `asks itself for "${uriOf(request)}"`));
  }
  trace.focus(request);
  if (!isFirst) {
    trace.note(makeStep('redirect', `is served again as "${uriOf(request)}"${becauseOf(request)}`, places));
  }
}

function becauseOf({ isErrorPage, errorStatus }: HttpRequest): string {
  if (!isErrorPage) return '';
  return errorStatus === 0 ? ', the page of an error' : `, the page of error ${errorStatus}`;
}

/** Settings under which the same happens, but for waiting, and for files of bodies. */
function quietSettings({ location }: LocationBuild, watched: Watched): LocationBuild['location']['settings'] {
  const { settings } = location;
  return {
    ...settings,
    authDelayMs: 0,
    clientBodyBufferSize: Number.POSITIVE_INFINITY,
    clientBodyInFileOnly: 'off',
    files: { ...settings.files, cache: new WatchedFiles(watched) },
    errorLog: new ErrorLog(logInto(watched), 'info'),
  };
}

function logInto({ trace }: Watched) {
  return {
    ...NO_SINK,
    write(line: string) {
      const [, level, message] = /\[(\w+)\] \d+#\d+: (?:\*\d+ )?(.*)$/s.exec(line) ?? [];
      if (message === undefined || message.includes(NOWHERE)) return;
      trace.note(makeStep('log', `[${level}] ${message.replace(/, client: .*$/s, '')}`));
    },
  };
}

/** Looks at files anew each time, and tells what is there. */
class WatchedFiles extends OpenFileCache {
  private readonly watched: Watched;

  constructor(watched: Watched) {
    super(1, 0);
    this.watched = watched;
  }

  override open(...args: Parameters<OpenFileCache['open']>): ReturnType<OpenFileCache['open']> {
    const [path, guard, rules, nowMs] = args;
    const found = super.open(
      path,
      guard,
      { ...rules, validMs: 0, cachesErrors: false, minUses: 1000 },
      nowMs,
    );
    this.watched.trace.note(makeStep('file', `${path}: ${describeFile(found)}`));
    return found;
  }
}

function describeFile(found: OpenFile | FileFailure): string {
  if (found instanceof FileFailure) return found.isNotFound ? 'not there' : found.cause.slice(1, -1);
  return found.isDirectory ? 'a folder' : found.isFile ? `a file of ${found.size} bytes` : 'no regular file';
}

function watchModule(module: HttpModule, watched: Watched): HttpModule {
  const { name } = module;
  return {
    ...module,
    declare(directives, build) {
      watched.declaring = directives;
      try {
        // Who finds the operator's tracer would have spans sent.
        if (name !== 'otel') module.declare?.(directives, build);
      } finally {
        watched.declaring = [];
      }
    },
    upstream(scope, build) {
      // Health checks would ask the peers.
      if (name !== 'upstream_hc') module.upstream?.(scope, build);
    },
    location(scope, build) {
      if (name !== 'log') module.location?.(scope, watchBuild(module, scope, build, watched));
    },
  };
}

function watchBuild(module: HttpModule, scope: Scope, build: LocationBuild, watched: Watched): LocationBuild {
  const watchHandler = (phase: Phase, handler: PhaseHandler): PhaseHandler =>
    module.name === 'rewrite' ? handler : watchedHandler(module, scope, phase, handler, watched);
  return Object.assign(Object.create(build) as LocationBuild, {
    addHandler: (phase: Phase, handler: PhaseHandler) =>
      build.addHandler(phase, watchHandler(phase, handler)),
    setContent: (handler: PhaseHandler) => build.setContent(watchHandler('content', handler)),
    addFilter: (filter: ResponseFilter) => {
      const { location } = build;
      const modules = watched.filters.get(location) ?? new Set();
      watched.filters.set(location, modules.add(module));
      build.addFilter(watchedFilter(module, scope, filter, watched));
    },
  });
}

function watchedHandler(
  module: HttpModule,
  scope: Scope,
  phase: Phase,
  handler: PhaseHandler,
  watched: Watched,
): PhaseHandler {
  const { trace } = watched;
  let places: Place[] | null = null;
  return (request) => {
    places ??= placesOf(module, scope, phase, watched);
    const step = { ...makeStep('handler', '', places), module: module.name };
    const isLeftOut = CHANGERS.has(module.name) && CHANGING_METHODS.has(request.method);
    const { path } = request;
    const wordsFor = (outcome: Outcome | Promise<Outcome>) => {
      if (isLeftOut) return 'would change something, so it is left out';
      if (module.name === 'realip') return `the client is ${request.remoteAddress}`;
      return outcome === DONE && request.path !== path
        ? 'goes elsewhere'
        : describeOutcome(module, phase, outcome);
    };
    const amend = (outcome: Outcome) => {
      step.text = wordsFor(outcome);
    };
    return trace.frame<Outcome | Promise<Outcome>>(
      step,
      request,
      () => (isLeftOut ? 204 : handler(request)),
      (result) => {
        step.text = wordsFor(result);
        if (typeof result === 'object') void result.then(amend);
        const decider = module.name === 'access' ? decidingRule(module, scope, request, result) : null;
        if (decider !== null) step.places.splice(0, step.places.length, placeOf(decider));
        return result !== DECLINED || step.details.length > 0 || phase !== 'content';
      },
    );
  };
}

/** What a handler rests on: for those that answer, what makes them do so. */
function placesOf(module: HttpModule, scope: Scope, phase: Phase, watched: Watched): Place[] {
  if (phase !== 'content') return watched.inForce(module, scope);
  if (module.name === 'static') {
    const named = [scope, scope.parent, scope.parent?.parent ?? null].flatMap((level) =>
      level === null
        ? []
        : level.directives.filter(({ definition }) => /^(root|alias)$/.test(definition.name)),
    );
    return named.slice(0, 1).map(({ node }) => placeOf(node));
  }
  const own = watched.inForce(module, scope, ({ inherit }) => inherit === 'none');
  if (own.length > 0) return own;
  const isInner = scope.context === 'location if' || scope.context === 'limit_except';
  if (isInner) return watched.inForce(module, scope.parent!, ({ inherit }) => inherit === 'none');
  return watched.inForce(module, scope);
}

function describeOutcome({ name }: HttpModule, phase: Phase, outcome: Outcome | Promise<Outcome>): string {
  if (typeof outcome === 'object') return 'waits for what follows';
  const isLimit = name === 'limit_req' || name === 'limit_conn';
  if (isLimit && (outcome === DECLINED || outcome === OK))
    return 'would check; with no other requests it lets pass';
  if (outcome === OK) return phase === 'access' ? 'lets pass' : 'is content';
  if (outcome === DONE) return phase === 'content' ? 'answers' : 'goes elsewhere';
  if (outcome === 401 || outcome === 407) return `asks for credentials with ${outcome}`;
  if (outcome !== DECLINED) return phase === 'access' ? `refuses with ${outcome}` : `answers ${outcome}`;
  return phase === 'access' ? 'says nothing of this client' : 'goes on';
}

function watchedFilter(
  module: HttpModule,
  scope: Scope,
  filter: ResponseFilter,
  watched: Watched,
): ResponseFilter {
  const { trace } = watched;
  return Object.assign(Object.create(filter) as ResponseFilter, {
    begin(request: HttpRequest, response: HttpRequest['response']) {
      const step = { ...makeStep('filter', '', watched.inForce(module, scope)), module: module.name };
      return trace.frame(
        step,
        request,
        () => filter.begin(request, response),
        (stage) => {
          step.text = typeof stage === 'number' ? `answers ${stage} instead` : 'changes the answer';
          return typeof stage === 'number' || step.details.length > 0;
        },
      );
    },
  });
}
