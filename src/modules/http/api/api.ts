/*
 * nginx Plus's api module: a REST API that tells what the server does, and changes the servers of groups.
 */
import { parameters } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import type { PhaseHandler } from '../../../request/phase.js';
import { API, type ApiPlace } from '../../api-calls.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import type { ServedGroup } from './route.js';
import { serveApi } from './serve-api.js';

const api = defineDirective({
  name: 'api',
  syntax: 'api [write=on|off]',
  contexts: ['location'],
  args: [parameters({ write: flag })],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: "Answers by the shape of NGINX Plus's REST API; with write=on it changes upstream servers too.",
  since: '0.2.0',
  effect: 'full',
});

export const apiModule: HttpModule = {
  name: 'api',
  directives: [api],
  declare(_, build) {
    build.shared(API).make = makeApi;
  },
  location(scope, build) {
    const [directive] = scope.own(api);
    if (directive === undefined) return;
    const [{ write = false }] = directive.values;
    const pathLength = build.kind === 'prefix' || build.kind === 'exact' ? build.path.length : -1;
    build.setContent(build.step(directive.node, makeApi(build, { mayWrite: write, pathLength })));
  },
};

function makeApi(build: LocationBuild, place: ApiPlace): PhaseHandler {
  const settings = { ...place, groups: groupsOf(build), requestId: build.variables.use('request_id') };
  return (request) => serveApi(request, settings);
}

/** Groups with a zone: known when the first call comes, since all blocks have been read by then. */
function groupsOf({ upstreams }: LocationBuild): () => ReadonlyMap<string, ServedGroup> {
  let groups: ReadonlyMap<string, ServedGroup> | null = null;
  return () => {
    groups ??= new Map(
      [...upstreams.values()].flatMap((target) =>
        target.servers === null ? [] : [[target.group.name, target as ServedGroup] as const],
      ),
    );
    return groups;
  };
}
