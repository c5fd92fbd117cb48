/*
 * Where a group's peers come from: each `server` of the configuration is a source of none, one or several peers, at
 * once or later. A group is set anew whenever one of its sources has something else.
 */
import { type Clock, eventClock } from '../core/clock.js';
import { Deadline, type DeadlineOwner, type TimerWheel } from '../core/timer-wheel.js';
import { lookUpHost, lookUpInHostsFile } from '../net/host-lookup.js';
import { describeResolveCode, type Resolver } from '../net/resolver/resolver.js';
import { Peer, type PeerOptions } from './peer.js';

/** What all peers of a source have in common. */
export type PeerTemplate = Omit<PeerOptions, 'address'>;

/** What sources need of their surroundings. */
export interface SourceContext {
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  /** Says what could not be looked up. */
  readonly onError: (text: string) => void;
}

/** Who makes the peers of a source, and lets go of them: with records that workers share, or each with its own. */
export interface PeerMaker {
  makePeer(options: PeerOptions): Peer;
  dropPeer(peer: Peer): void;
}

/** Records of this thread's own. */
export const OWN_PEERS: PeerMaker = {
  makePeer: (options) => new Peer(options),
  dropPeer: () => {},
};

/** Some peers of a group. */
export interface PeerSource {
  /** Those that there are now. */
  readonly peers: readonly Peer[];
  /** Whether it has yet to find out for the first time what peers there are. */
  readonly isLooking: boolean;
  /** The name whose addresses its peers are, whatever they are; null where each peer is a server of its own. */
  readonly followed: FollowedName | null;
  /** Begins to look for peers; calls `changed` when there are others than before, or it is no longer looking. */
  start(changed: () => void): void;
  /** Looks for no more. */
  stop(): void;
}

/** A server whose peers come and go with what DNS says of its name. */
export interface FollowedName {
  /** With its port, unless there is a service. */
  readonly server: string;
  /** '' for none. */
  readonly service: string;
  /** What is said of it, and so of peers to come. */
  template: PeerTemplate;
}

/** Peers that are known. */
export class FixedSource implements PeerSource {
  readonly peers: readonly Peer[];
  readonly isLooking = false;
  readonly followed = null;

  constructor(peers: readonly Peer[]) {
    this.peers = peers;
  }

  start(): void {}
  stop(): void {}
}

/** How long until a name that the system doesn't know is looked up again. */
const RETRY_MS = 5000;

/**
 * A name that is looked up once, by the system: in the hosts file at once, else in the background and again until it is
 * found. Until then there is no peer.
 * differs from nginx: it does not start when a name isn't found.
 */
export class SystemNameSource implements PeerSource, DeadlineOwner {
  peers: readonly Peer[];
  isLooking: boolean;
  readonly followed = null;
  private readonly name: string;
  private readonly port: number;
  private readonly template: PeerTemplate;
  private readonly context: SourceContext;
  private readonly known: KnownAddresses;
  private readonly maker: PeerMaker;
  private readonly deadline: Deadline;
  private changed: () => void;
  private isStopped: boolean;
  private hasFailed: boolean;

  /** `known` is what the configuration before knew. */
  constructor(
    name: string,
    port: number,
    template: PeerTemplate,
    context: SourceContext,
    known: KnownAddresses,
    maker: PeerMaker = OWN_PEERS,
  ) {
    this.maker = maker;
    this.name = name;
    this.port = port;
    this.template = template;
    this.context = context;
    this.known = known;
    this.deadline = new Deadline(context.wheel, this);
    this.changed = () => {};
    this.isStopped = false;
    this.hasFailed = false;
    const hosts = lookUpInHostsFile(name);
    if (hosts.length > 0) known.addresses = hosts.map((address) => ({ address, port: 0 }));
    this.peers = this.makePeers();
    this.isLooking = this.peers.length === 0;
  }

  start(changed: () => void): void {
    this.changed = changed;
    if (this.peers.length === 0) this.lookUp();
  }

  stop(): void {
    this.isStopped = true;
    this.deadline.cancel();
  }

  onDeadline(): void {
    this.lookUp();
  }

  private lookUp(): void {
    lookUpHost(this.name, (addresses, reason) => {
      if (this.isStopped) return;
      const wasLooking = this.isLooking;
      this.isLooking = false;
      if (addresses.length === 0) {
        const what = `host not found in upstream "${this.name}" (${reason}), its peer is down until it is found`;
        if (!this.hasFailed) this.context.onError(what);
        this.hasFailed = true;
        this.deadline.set(RETRY_MS);
        if (wasLooking) this.changed();
        return;
      }
      this.known.addresses = addresses.map((address) => ({ address, port: 0 }));
      this.peers = this.makePeers();
      this.changed();
    });
  }

  private makePeers(): Peer[] {
    return this.known.addresses.map(({ address }) =>
      this.maker.makePeer({ ...this.template, address: { host: address, port: this.port, path: null } }),
    );
  }
}

/** What a name stood for when that was last known; outlives a reload. */
export interface KnownAddresses {
  addresses: readonly KnownAddress[];
  /** Until when, by the event clock. */
  validUntilMs: number;
}

interface KnownAddress {
  readonly address: string;
  /** 0: the source's. */
  readonly port: number;
  /** Of a service; what the source says otherwise. */
  readonly host?: string;
  readonly weight?: number;
  readonly isBackup?: boolean;
}

export function noKnownAddresses(): KnownAddresses {
  return { addresses: [], validUntilMs: 0 };
}

/** How a name is resolved at run time. */
export interface ResolveRules {
  readonly name: string;
  readonly port: number;
  /** Its SRV records name hosts and ports; '' asks for the name's own addresses. */
  readonly service: string;
  readonly resolver: Resolver;
  readonly timeoutMs: number;
}

/** The least time between two look-ups, however short an answer holds. */
const LEAST_RETRY_MS = 1000;

/**
 * A name whose addresses are followed as they change (nginx: resolve, service=). What could not be resolved leaves the
 * peers as they are; a name that is no more takes them away.
 */
export class ResolvedSource implements PeerSource, DeadlineOwner, FollowedName {
  peers: readonly Peer[];
  isLooking: boolean;
  template: PeerTemplate;
  private readonly rules: ResolveRules;
  private readonly context: SourceContext;
  private readonly known: KnownAddresses;
  private readonly maker: PeerMaker;
  private readonly deadline: Deadline;
  private changed: () => void;
  private cancel: () => void;
  private isStopped: boolean;

  constructor(
    rules: ResolveRules,
    template: PeerTemplate,
    context: SourceContext,
    known: KnownAddresses,
    maker: PeerMaker = OWN_PEERS,
  ) {
    this.maker = maker;
    this.rules = rules;
    this.template = template;
    this.context = context;
    this.known = known;
    this.deadline = new Deadline(context.wheel, this);
    this.changed = () => {};
    this.cancel = () => {};
    this.isStopped = false;
    this.peers = [];
    this.take(known.addresses);
    this.isLooking = this.peers.length === 0;
  }

  start(changed: () => void): void {
    this.changed = changed;
    const leftMs = this.known.validUntilMs - eventClock.nowMs();
    if (leftMs > 0) this.deadline.set(leftMs);
    else this.resolve();
  }

  stop(): void {
    this.isStopped = true;
    this.deadline.cancel();
    this.cancel();
  }

  get followed(): FollowedName {
    return this;
  }

  get server(): string {
    const { name, port, service } = this.rules;
    return service === '' ? `${name}:${port}` : name;
  }

  get service(): string {
    return this.rules.service;
  }

  onDeadline(): void {
    this.resolve();
  }

  private resolve(): void {
    const { name, service, resolver, timeoutMs } = this.rules;
    if (service === '') {
      this.cancel = resolver.resolve(name, timeoutMs, ({ code, addresses, validUntilMs }) => {
        const known = addresses.map((address) => ({ address, port: 0 }));
        this.accept(`${name} could not be resolved`, code, known, validUntilMs);
      });
      return;
    }
    this.cancel = resolver.resolveService(name, service, timeoutMs, (resolution) => {
      for (const { host, code } of resolution.failures) {
        const why = `${host} could not be resolved (${code}: ${describeResolveCode(code)})`;
        this.context.onError(`${why} while resolving service ${service} of ${name}`);
      }
      const { addresses, code, validUntilMs } = resolution;
      const first = Math.min(...addresses.map(({ priority }) => priority));
      const known = addresses.map(({ address, port, host, weight, priority }) => {
        return { address, port, host, weight, isBackup: priority !== first };
      });
      this.accept(`service ${service} of ${name} could not be resolved`, code, known, validUntilMs);
    });
  }

  private accept(failure: string, code: number, known: readonly KnownAddress[], validUntilMs: number): void {
    if (this.isStopped) return;
    const wasLooking = this.isLooking;
    this.isLooking = false;
    if (code !== 0) {
      this.context.onError(`${failure} (${code}: ${describeResolveCode(code)})`);
      if (code !== HOST_NOT_FOUND) {
        this.deadline.set(Math.max(this.rules.timeoutMs, LEAST_RETRY_MS));
        if (wasLooking) this.changed();
        return;
      }
    }
    this.known.addresses = known;
    this.known.validUntilMs = validUntilMs;
    this.take(known);
    this.deadline.set(Math.max(validUntilMs - this.context.clock.nowMs(), LEAST_RETRY_MS));
    this.changed();
  }

  /** Peers of addresses that stay are the same ones, with all they have shown. */
  private take(known: readonly KnownAddress[]): void {
    const left = [...this.peers];
    this.peers = known.map((each) => {
      const options = this.optionsOf(each);
      const index = left.findIndex((peer) => isSamePeer(peer, options));
      return index < 0 ? this.maker.makePeer(options) : left.splice(index, 1)[0]!;
    });
    for (const peer of left) this.maker.dropPeer(peer);
  }

  private optionsOf({ address, port, host, weight, isBackup }: KnownAddress): PeerOptions {
    const { template, rules } = this;
    const own = { ...template, address: { host: address, port: port === 0 ? rules.port : port, path: null } };
    if (host === undefined) return own;
    const isTemplateWeight = template.weight !== undefined && template.weight !== 1;
    return {
      ...own,
      server: host,
      weight: isTemplateWeight ? template.weight! : weight!,
      isBackup: template.isBackup === true || isBackup === true,
    };
  }
}

/** The code of a name that doesn't exist. */
const HOST_NOT_FOUND = 3;

function isSamePeer(peer: Peer, options: PeerOptions): boolean {
  return (
    peer.address.host === options.address.host &&
    peer.address.port === options.address.port &&
    peer.server === options.server &&
    peer.configuredWeight === (options.weight ?? 1) &&
    peer.isBackup === (options.isBackup ?? false)
  );
}
