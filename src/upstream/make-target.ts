/*
 * Groups with their connections: of an `upstream {}` block, and of an address alone.
 */
import type { Clock } from '../core/clock.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { DEFAULT_HEAD_LIMITS } from '../http/h1/malformed.js';
import type { ErrorLog } from '../log/error-log.js';
import type { Address } from '../net/address.js';
import type { DefectReporter } from '../net/connection.js';
import type { Connect } from '../net/connector.js';
import type { WorkerPlace } from '../zones/worker-place.js';
import { UpstreamGroup } from './group.js';
import { DEFAULT_KEEPALIVE, KeepalivePool, type KeepaliveRules } from './keepalive-pool.js';
import { Peer } from './peer.js';
import { FixedSource, type KnownAddresses, type PeerSource, SystemNameSource } from './peer-source.js';
import { commonClock } from './peer-table.js';
import { ServerList } from './server-list.js';
import type { UpstreamPlan } from './upstream-plan.js';
import type { UpstreamTarget } from './upstream-target.js';
import { WaitingRoom, type WaitingRules } from './waiting-room.js';

/** What groups need of the configuration around them. */
export interface TargetContext {
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly errorLog: ErrorLog;
  readonly onDefect: DefectReporter;
  readonly worker: WorkerPlace;
  readonly connect: Connect;
  onClose(close: () => void): void;
}

/** The group that a block describes, looking for its peers from now on. */
export function makeTarget(plan: UpstreamPlan, context: TargetContext): UpstreamTarget {
  const { group, servers } = makeGroup(plan.name, plan.sources, context, plan);
  group.affinity = plan.affinity;
  return { group, servers, pool: makePool(plan.name, plan.keepalive, context) };
}

/** nginx keeps no connections to what has no `upstream {}`. */
const NO_KEEPALIVE: KeepaliveRules = { ...DEFAULT_KEEPALIVE, connections: 0 };

/** Where an address leads that isn't the name of an upstream. */
export interface ImplicitAddress {
  /** As it is written, for logs and $upstream_addr: `localhost:8080`. */
  readonly name: string;
  /** The host is an IP address, or a name if `isName`. */
  readonly address: Address;
  readonly isName: boolean;
  /** What the configuration before knew of the name. */
  readonly known: KnownAddresses;
}

/** The group of an address in proxy_pass and the like; a name has all its addresses as peers. */
export function makeImplicitTarget(implicit: ImplicitAddress, context: TargetContext): UpstreamTarget {
  const { name, address, isName, known } = implicit;
  const template = { server: name };
  const source = isName
    ? new SystemNameSource(address.host, address.port, template, sourceContext(context), known)
    : new FixedSource([new Peer({ ...template, address })]);
  const { group } = makeGroup(name, [source], context);
  return { group, servers: null, pool: makePool(name, NO_KEEPALIVE, context) };
}

/** A group of addresses that were resolved for one request; it lives as long as that. Its pool is the caller's. */
export function makeResolvedGroup(name: string, addresses: readonly Address[]): UpstreamGroup {
  return new UpstreamGroup(
    name,
    addresses.map((address) => ({ address })),
  );
}

/** The connections of such groups: none is kept. */
export function makeUnkeptPool(context: TargetContext): KeepalivePool {
  return makePool('', NO_KEEPALIVE, context);
}

/** What a source of this configuration needs. */
export function sourceContext({ wheel, clock, errorLog }: TargetContext) {
  return { wheel, clock, onError: (text: string) => errorLog.log('error', text) };
}

function makeGroup(
  name: string,
  sources: readonly PeerSource[],
  context: TargetContext,
  plan: UpstreamPlan | null = null,
): Pick<UpstreamTarget, 'group' | 'servers'> {
  const { clock, errorLog } = context;
  const table = plan?.table ?? null;
  const group = new UpstreamGroup(name, [], {
    balancer: plan?.balancer,
    mayBeEmpty: true,
    ...(table === null ? { clock } : { clock: commonClock(clock), lock: table.lock }),
  });
  const waiting = plan?.waiting ?? null;
  group.waitingRoom = makeWaitingRoom(waiting, sources, context);
  const gather = () => {
    servers?.admit();
    group.setPeers(sources.flatMap((source) => source.peers));
    if (waiting !== null || sources.some((source) => source.isLooking)) return;
    // What there is to find has been found: whoever waits gets it now, or never.
    const room = group.waitingRoom;
    group.waitingRoom = null;
    room?.settle();
  };
  const runtime = plan?.runtime ?? null;
  const queue = waiting === null ? null : group.waitingRoom;
  const servers = runtime === null ? null : new ServerList(runtime, plan!.sources, group, queue, gather);
  gather();
  if (context.worker.index >= 0) servers?.follow();
  else if (runtime?.save) servers?.publish();
  group.onPeerDown = (peer) => errorLog.log('warn', describeOutage(name, peer));
  group.onPeerUp = (peer) => errorLog.log('notice', `upstream "${name}" ${peer.name} answers again`);
  // A thread that serves nobody needs no addresses.
  if (context.worker.index >= 0) for (const source of sources) source.start(gather);
  context.onClose(() => {
    for (const source of sources) source.stop();
  });
  return { group, servers };
}

/** Requests that come before a name is looked up for the first time wait for that. */
const LOOKING: WaitingRules = { limit: 10_000, timeoutMs: 3000 };

function makeWaitingRoom(
  waiting: WaitingRules | null,
  sources: readonly PeerSource[],
  { wheel, clock, onDefect }: TargetContext,
): WaitingRoom | null {
  const rules = waiting ?? (sources.some((source) => source.isLooking) ? LOOKING : null);
  return rules === null ? null : new WaitingRoom(rules, wheel, clock, onDefect);
}

function makePool(name: string, rules: KeepaliveRules, context: TargetContext): KeepalivePool {
  const { connect, errorLog, onDefect, wheel } = context;
  return new KeepalivePool(
    {
      ...rules,
      limits: DEFAULT_HEAD_LIMITS,
      onUnaskedBytes: (peer, bytes) =>
        errorLog.log(
          'warn',
          `upstream "${name}" ${peer.name} sent ${bytes} bytes unasked on an idle connection`,
        ),
      onDefect,
      connect,
    },
    wheel,
  );
}

function describeOutage(name: string, peer: Peer): string {
  const failures = `${peer.fails} failed ${peer.fails === 1 ? 'try' : 'tries'}`;
  return `upstream "${name}" ${peer.name} is out for ${peer.failTimeoutMs / 1000} s after ${failures}`;
}
