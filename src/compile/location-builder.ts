/*
 * One level of the configuration as requests see it: asks every module what it adds there.
 */
import { contextWithin } from '../conf/schema/definition.js';
import { Scope, type ScopeOpener } from '../conf/schema/scope.js';
import { locationSettings } from '../modules/http/core/settings.js';
import type { HttpModule, LocationBuild } from '../modules/module.js';
import { Location, type LocationKind } from '../request/location.js';
import type { Phase, PhaseHandler } from '../request/phase.js';
import type { ResponseFilter } from '../request/response-filter.js';
import type { VirtualServer } from '../request/virtual-server.js';
import type { HttpBuilder } from './http-builder.js';

/** What the levels of one server have in common. */
export interface LevelContext {
  readonly builder: HttpBuilder;
  readonly modules: readonly HttpModule[];
  readonly server: VirtualServer;
}

/** Builds the Location of a level. `outer` is the one around it; null for a server's own level. */
export function buildLocation(
  context: LevelContext,
  scope: Scope,
  kind: LocationKind,
  path: string,
  outer: Location | null,
): Location {
  const location = new Location(
    kind,
    path,
    locationSettings(scope, context.builder, outer?.settings ?? null),
  );
  fillLocation(context, scope, location);
  return location;
}

/** Asks the modules what they add to a level whose settings are there. */
export function fillLocation(context: LevelContext, scope: Scope, location: Location): void {
  const build = makeLocationBuild(context, scope, location);
  for (const module of context.modules) module.location?.(scope, build);
  location.filters.sort((a, b) => a.order - b.order);
}

function makeLocationBuild(context: LevelContext, scope: Scope, location: Location): LocationBuild {
  return Object.assign(Object.create(context.builder) as HttpBuilder, {
    kind: location.kind,
    path: location.path,
    location,
    server: context.server,
    addHandler: (phase: Phase, handler: PhaseHandler) => void handlersOf(location, phase).push(handler),
    setContent: (handler: PhaseHandler) => {
      location.content = handler;
    },
    addFilter: (filter: ResponseFilter) => {
      location.filters.push(filter);
      if (filter.skipsUpstreams !== true) location.isTransparent = false;
      if (filter.makesSubrequests === true) location.makesSubrequests = true;
    },
    inner: (directive: ScopeOpener) => {
      const within = contextWithin(directive.definition, scope.context)!;
      const innerScope = new Scope(within, scope, directive, directive.block);
      const kind = within === 'limit_except' ? 'limit_except' : 'if';
      return buildLocation(context, innerScope, kind, location.path, location);
    },
  });
}

function handlersOf(location: Location, phase: Phase): PhaseHandler[] {
  return phase === 'content' ? location.contentPhase : location[phase];
}
