/*
 * The servers of a group that has a zone, by number: what they are, and what is changed about them at run time. Where a
 * change comes from, and how its words are read, is for others.
 */
import type { UpstreamGroup } from './group.js';
import type { Peer, PeerChange } from './peer.js';
import { FixedSource, type FollowedName, type PeerSource, type PeerTemplate } from './peer-source.js';
import { PeerStats } from './peer-stats.js';
import { nameEntry, peerEntry, type ServerEntry, type ServerSpec, specOf } from './server-entry.js';
import type { SharedServers } from './shared-servers.js';
import type { WaitingRoom } from './waiting-room.js';

/** Why a change can't be made. */
export type ServerTrouble =
  | 'bad-address'
  | 'bad-slow-start'
  | 'exists'
  | 'fixed-address'
  | 'fixed-weight'
  | 'no-backup'
  | 'no-resolver'
  | 'no-room'
  | 'not-removable'
  | 'not-saved'
  | 'unknown';

/** A change that can't be made; the message says why, to people. */
export class ServerListError extends Error {
  readonly trouble: ServerTrouble;

  constructor(trouble: ServerTrouble, message: string) {
    super(message);
    this.name = 'ServerListError';
    this.trouble = trouble;
  }
}

/** How servers of one group are added and kept; of the module that reads its block. */
export interface ServerListRules {
  /** The zone that the group is in. */
  readonly zone: string;
  /** Where workers tell each other of changes; null where one thread serves all. */
  readonly shared: SharedServers | null;
  /** Throws a ServerListError for what servers of this group can't have. */
  check(said: Pick<PeerTemplate, 'isBackup' | 'slowStartMs'>): void;
  /** The peers of a server that gets the number `id`. Throws a ServerListError when there can be none. */
  makeSource(spec: ServerSpec, id: number): PeerSource;
  /** A peer of such a source isn't used any more. */
  dropPeer(peer: Peer): void;
  /** Keeps the servers over a restart; those that follow a name stand for their peers. Throws an Error. */
  readonly save: ((servers: readonly ServerEntry[]) => void) | null;
}

/** What workers tell each other: all servers of their own, and below which number there are no others. */
interface Snapshot {
  readonly next: number;
  readonly servers: readonly ServerEntry[];
}

/** The servers of one group. A number is never given twice. */
export class ServerList {
  /** Where requests wait if the group has a queue; null without. */
  readonly queue: WaitingRoom | null;
  private readonly rules: ServerListRules;
  private readonly sources: PeerSource[];
  private readonly group: UpstreamGroup;
  /** Has the group take the peers that the sources have now. */
  private readonly gather: () => void;
  /** Of names that are followed. */
  private readonly numbers: Map<PeerSource, number>;
  /** Of servers with an address or to be followed, which all workers find in the configuration in the same order. */
  private writtenCount: number;
  private nextNumber: number;
  /** Whether the servers of the configuration have been counted. */
  private isAdmitted: boolean;
  /** The last change of another worker that was made here too. */
  private version: number;

  /** `sources` is the group's own list, in which servers come and go. */
  constructor(
    rules: ServerListRules,
    sources: PeerSource[],
    group: UpstreamGroup,
    queue: WaitingRoom | null,
    gather: () => void,
  ) {
    this.rules = rules;
    this.queue = queue;
    this.sources = sources;
    this.group = group;
    this.gather = gather;
    this.numbers = new Map();
    this.writtenCount = 0;
    this.nextNumber = 0;
    this.isAdmitted = false;
    this.version = 0;
  }

  get zone(): string {
    return this.rules.zone;
  }

  /** Gives a number and counters to each server that has none. Before the group takes the peers. */
  admit(): void {
    // Where another worker was first those of the configuration have their numbers already; they count all the same.
    const isFirst = !this.isAdmitted;
    this.isAdmitted = true;
    for (const source of this.sources) {
      if (source.followed !== null) {
        if (!this.numbers.has(source)) this.numbers.set(source, this.writtenCount++);
      } else if (source instanceof FixedSource)
        for (const peer of source.peers) if (isFirst || peer.number < 0) peer.number = this.writtenCount++;
    }
    for (const peer of this.sources.flatMap(({ peers }) => peers)) {
      if (peer.number < 0) peer.claimNumber(this.takeNumber());
      peer.stats ??= new PeerStats();
    }
  }

  /** The configuration was read: its servers are those of all workers from now on. */
  publish(): void {
    const { shared } = this.rules;
    if (this.writtenCount > 0) shared?.takeNumber(this.writtenCount - 1);
    this.transact(() => {});
  }

  /** Does what other workers have done to their servers, now and whenever there is something. */
  follow(): void {
    this.rules.shared?.watch(() => this.sync());
    this.sync();
  }

  /** All of them: names that are followed, each with its peers behind it. */
  list(): ServerEntry[] {
    this.sync();
    return this.sources.flatMap((source) => {
      const { followed } = source;
      if (followed === null) return source.peers.map((peer) => peerEntry(peer, null));
      const id = this.numbers.get(source)!;
      return [nameEntry(id, followed), ...source.peers.map((peer) => peerEntry(peer, id))];
    });
  }

  /** Throws a ServerListError if there is none of that number. */
  find(id: number): ServerEntry {
    this.sync();
    return this.entryAt(id);
  }

  /** Adds a server; as it is now. */
  add(spec: ServerSpec): ServerEntry {
    return this.transact(() => {
      this.rules.check(spec);
      const id = this.takeNumber();
      const source = this.make(spec, id);
      const added = source.followed?.server ?? source.peers[0]!.name;
      const service = source.followed?.service ?? null;
      for (const { server, service: its } of this.own()) {
        if (server !== added || its !== service) continue;
        this.letGo(source);
        throw new ServerListError('exists', `server "${added}" is in upstream "${this.group.name}" already`);
      }
      this.exchange([...this.sources, source]);
      return this.entryAt(id);
    });
  }

  /** Changes a server. With `server` it gets another address: another peer takes the place of the one it had. */
  change(id: number, { server, ...change }: PeerChange & { readonly server?: string }): ServerEntry {
    return this.transact(() => {
      const { source, peer } = this.place(id);
      const { followed } = source;
      const entry = this.entryAt(id);
      this.rules.check(change);
      const isMoved = server !== undefined && server !== entry.server && server !== entry.named;
      if (followed !== null && isMoved) {
        const message = `the address of server "${entry.server}" is immutable; add "${server}" and remove this one`;
        throw new ServerListError('fixed-address', message);
      }
      if (isMoved) this.move(source, peer!, { ...specOf(entry), ...change, server, named: server });
      else if (peer === null) this.changeFollowed(source, followed!, change);
      else {
        if (followed !== null && change.weight !== undefined && change.weight !== peer.configuredWeight) {
          const message = `the weight of server "${entry.server}" is immutable: it is that of "${followed.server}"`;
          throw new ServerListError('fixed-weight', message);
        }
        this.group.change(peer, change);
        this.saveOr(() => this.group.change(peer, entry));
      }
      return this.entryAt(id);
    });
  }

  /** Takes a server away. Requests that it has go on to their end. */
  remove(id: number): void {
    this.transact(() => {
      const { source, peer } = this.place(id);
      if (peer !== null && source.followed !== null) {
        const what = `server "${id}" is an address of "${source.followed.server}"`;
        throw new ServerListError('not-removable', `${what}, not removable by itself`);
      }
      const others = source.peers.filter((each) => peer !== null && each !== peer);
      this.replace(source, others);
    });
  }

  /** Begins to count anew. */
  resetStats(): void {
    for (const { stats } of this.group.peers) stats?.reset(this.group.nowMs);
    this.queue?.clearOverflows();
  }

  /** Those that others aren't the addresses of. */
  private own(): ServerEntry[] {
    return this.sources.flatMap((source) => {
      const { followed } = source;
      if (followed !== null) return [nameEntry(this.numbers.get(source)!, followed)];
      return source.peers.map((peer) => peerEntry(peer, null));
    });
  }

  private place(id: number): { readonly source: PeerSource; readonly peer: Peer | null } {
    for (const source of this.sources) {
      if (this.numbers.get(source) === id) return { source, peer: null };
      const peer = source.peers.find(({ number }) => number === id);
      if (peer !== undefined) return { source, peer };
    }
    throw new ServerListError('unknown', `server with ID "${id}" does not exist`);
  }

  private entryAt(id: number): ServerEntry {
    const { source, peer } = this.place(id);
    const number = this.numbers.get(source) ?? null;
    return peer === null ? nameEntry(id, source.followed!) : peerEntry(peer, number);
  }

  private takeNumber(): number {
    const { shared } = this.rules;
    if (shared !== null) return shared.takeNumber(this.writtenCount);
    this.nextNumber = Math.max(this.nextNumber, this.writtenCount) + 1;
    return this.nextNumber - 1;
  }

  /** The peers of a server of that number. */
  private make(spec: ServerSpec, id: number): PeerSource {
    const source = this.rules.makeSource(spec, id);
    if (source.followed !== null) this.numbers.set(source, id);
    else source.peers[0]!.number = id;
    return source;
  }

  private letGo(source: PeerSource): void {
    source.stop();
    this.numbers.delete(source);
    for (const peer of source.peers) this.rules.dropPeer(peer);
  }

  /** A name, and with it all its peers. */
  private changeFollowed(source: PeerSource, followed: FollowedName, change: PeerChange): void {
    const { template } = followed;
    followed.template = { ...template, ...change };
    this.saveOr(() => {
      followed.template = template;
    });
    for (const peer of source.peers) this.group.change(peer, change);
  }

  /** Another peer in the place of one. */
  private move(source: PeerSource, peer: Peer, spec: ServerSpec): void {
    const moved = this.make(spec, peer.number);
    if (moved.followed !== null) {
      this.letGo(moved);
      const message = `the address of server "${peer.name}" can't become the name "${spec.server}"; add a server`;
      throw new ServerListError('bad-address', message);
    }
    this.replace(
      source,
      source.peers.map((each) => (each === peer ? moved.peers[0]! : each)),
    );
  }

  /** Known peers in the place of a source; none at all takes it away. */
  private replace(source: PeerSource, peers: readonly Peer[]): void {
    const fresh = peers.length === 0 ? [] : [new FixedSource(peers)];
    this.exchange(this.sources.flatMap((each) => (each === source ? fresh : [each])));
  }

  /** Saves first, so that what can't be kept isn't done. */
  private exchange(sources: readonly PeerSource[]): void {
    const before = this.sources.splice(0, this.sources.length, ...sources);
    this.saveOr(() => this.sources.splice(0, this.sources.length, ...before));
    this.settle(before);
  }

  /** The sources are others than before: has the group take their peers. */
  private settle(before: readonly PeerSource[]): void {
    const peers = new Set(this.sources.flatMap((source) => source.peers));
    for (const source of before) {
      if (this.sources.includes(source)) continue;
      source.stop();
      this.numbers.delete(source);
      for (const peer of source.peers) if (!peers.has(peer)) this.rules.dropPeer(peer);
    }
    for (const source of this.sources) if (!before.includes(source)) source.start(this.gather);
    this.gather();
  }

  private saveOr(undo: () => void): void {
    try {
      this.rules.save?.(this.own());
    } catch (error) {
      undo();
      throw new ServerListError('not-saved', (error as Error).message);
    }
  }

  /** Makes a change here that the other workers then make too. */
  private transact<T>(act: () => T): T {
    const { shared } = this.rules;
    if (shared === null) return act();
    shared.lock.acquire();
    try {
      this.pull(shared);
      const before = JSON.stringify(this.snapshot(shared));
      if (!shared.hasRoomFor(before)) {
        throw new ServerListError('no-room', `no room is left for more in upstream "${this.group.name}"`);
      }
      const result = act();
      shared.write(JSON.stringify(this.snapshot(shared)));
      this.version = shared.version;
      return result;
    } finally {
      shared.lock.release();
    }
  }

  private snapshot(shared: SharedServers): Snapshot {
    return { next: Math.max(shared.nextNumber, this.writtenCount), servers: this.own() };
  }

  private sync(): void {
    const { shared } = this.rules;
    if (shared === null || shared.version === this.version) return;
    shared.lock.acquire();
    try {
      this.pull(shared);
    } finally {
      shared.lock.release();
    }
  }

  /** With the lock held. */
  private pull(shared: SharedServers): void {
    const { version } = shared;
    if (version === this.version) return;
    this.version = version;
    this.take(JSON.parse(shared.read()) as Snapshot);
  }

  /** Makes the servers here what they are elsewhere. */
  private take({ next, servers }: Snapshot): void {
    const wanted = new Map(servers.map((entry) => [entry.id, entry]));
    const before = [...this.sources];
    const known = new Set<number>();
    const kept = before.flatMap((source) => {
      const { followed } = source;
      if (followed === null) return this.takePeers(source, wanted, known, next);
      const id = this.numbers.get(source)!;
      const entry = wanted.get(id);
      if (entry === undefined) return [];
      known.add(id);
      followed.template = { ...followed.template, ...templateOf(entry) };
      for (const peer of source.peers) this.group.change(peer, entry);
      return [source];
    });
    const added = servers
      .filter(({ id }) => !known.has(id))
      .map((entry) => this.make(specOf(entry), entry.id));
    this.sources.splice(0, this.sources.length, ...kept, ...added);
    this.settle(before);
  }

  /** Of a source whose peers are servers of their own: what is left of it. */
  private takePeers(
    source: PeerSource,
    wanted: ReadonlyMap<number, ServerEntry>,
    known: Set<number>,
    next: number,
  ): PeerSource[] {
    const peers = source.peers.flatMap((peer) => {
      const entry = wanted.get(peer.number);
      // One that was found since is none that was removed.
      if (entry === undefined) return peer.number < next ? [] : [peer];
      known.add(entry.id);
      if (entry.server !== peer.name) return this.make(specOf(entry), entry.id).peers;
      this.group.change(peer, entry);
      return [peer];
    });
    if (peers.length === source.peers.length && peers.every((peer, i) => peer === source.peers[i]))
      return [source];
    return peers.length === 0 ? [] : [new FixedSource(peers)];
  }
}

/** What is said of peers to come. */
function templateOf({ id, server, named, service, parent, ...said }: ServerEntry): PeerTemplate {
  return said;
}
