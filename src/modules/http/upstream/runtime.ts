/*
 * How the servers of a group with a zone are changed at run time: what they may be, and where they are kept.
 */
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import { peerAddress } from '../../../conf/values/address.js';
import { Refusal } from '../../../conf/values/value-type.js';
import type { PeerSource } from '../../../upstream/peer-source.js';
import { RUNTIME_SOURCES } from '../../../upstream/peer-table.js';
import type { ServerSpec } from '../../../upstream/server-entry.js';
import { ServerListError, type ServerListRules } from '../../../upstream/server-list.js';
import { SHARED_SERVERS_BYTES, SharedServers } from '../../../upstream/shared-servers.js';
import type { UpstreamBuild } from '../../module.js';
import { resolverOf } from '../../resolver.js';
import type { state } from './directives.js';
import { FIXED_METHODS, type Following, placeSource, serviceTrouble } from './place-source.js';
import { writeState } from './state-file.js';

/** The rules of a group; `kept` is its `state` directive. */
export function makeRuntime(
  scope: Scope,
  build: UpstreamBuild,
  kept: Placed<typeof state.args> | null,
): ServerListRules {
  const { plan } = build;
  const resolver = resolverOf(scope, build);
  const follow = (service: string): Following => {
    if (resolver !== null) return { resolver, service };
    const message = `no resolver defined to resolve names at run time in upstream "${plan.name}"; add resolver ADDRESS;`;
    throw new ServerListError('no-resolver', message);
  };
  const makeSource = (spec: ServerSpec, id: number): PeerSource => {
    const { server, service, named = server } = spec;
    const address = peerAddress.parse(server);
    if (address instanceof Refusal) throw new ServerListError('bad-address', address.message);
    const trouble = service === '' ? null : serviceTrouble(address, true);
    if (trouble !== null) throw new ServerListError('bad-address', `service upstream "${server}" ${trouble}`);
    const following = address.kind === 'name' ? follow(service) : null;
    const maker = plan.makerOf(RUNTIME_SOURCES + id);
    return placeSource(address, { ...spec, server: named }, following, maker, scope, build);
  };
  const path = kept === null ? null : build.resolvePath(kept.values[0], 'prefix');
  return {
    zone: plan.zone,
    shared: share(build),
    check: ({ isBackup, slowStartMs = 0 }) => {
      if (!FIXED_METHODS.has(plan.balancerName)) return;
      const what = `upstream "${plan.name}" has no`;
      const why = `: "${plan.balancerName}" knows none`;
      if (isBackup) throw new ServerListError('no-backup', `${what} backup${why}`);
      if (slowStartMs > 0) throw new ServerListError('bad-slow-start', `${what} slow_start${why}`);
    },
    makeSource,
    dropPeer: (peer) => plan.table?.dropPeer(peer),
    save: path === null ? null : (servers) => writeState(path, servers),
  };
}

function share(build: UpstreamBuild): SharedServers | null {
  const { plan, worker } = build;
  if (worker.count === 1) return null;
  const shared = new SharedServers(build.cycleMemory('servers', plan.name, SHARED_SERVERS_BYTES), plan.name);
  build.onClose(() => shared.close());
  return shared;
}
