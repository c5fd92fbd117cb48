/*
 * The servers of a group that has a zone, by number: what they are, and what is changed about them at run time. Where a
 * change comes from, and how its words are read, is for others.
 */
import { formatAddress } from '../net/address.js';
import type { UpstreamGroup } from './group.js';
import { type Peer, type PeerChange, PeerFlag } from './peer.js';
import { FixedSource, type FollowedName, type PeerSource, type PeerTemplate } from './peer-source.js';
import { PeerStats } from './peer-stats.js';
import type { WaitingRoom } from './waiting-room.js';

/** What is said of a server that is to be added. */
export interface ServerSpec extends PeerTemplate {
  /** An address or a name, with its port or without. */
  readonly server: string;
  /** '' for none. */
  readonly service: string;
}

/** One server as it is. */
export interface ServerEntry extends Required<Omit<PeerTemplate, 'server' | 'route'>> {
  readonly id: number;
  /** Address and port; for a name that is followed the name. */
  readonly server: string;
  /** '' for none. */
  readonly route: string;
  /** Null unless it is a name that is followed; '' for one without a service. */
  readonly service: string | null;
  /** The number of the name that it is an address of; null for a server of its own. */
  readonly parent: number | null;
  /** The host whose address it is, if it has a parent. */
  readonly host: string;
}

/** Why a change can't be made. */
export type ServerTrouble =
  | 'bad-address'
  | 'bad-slow-start'
  | 'exists'
  | 'fixed-address'
  | 'fixed-weight'
  | 'no-backup'
  | 'no-resolver'
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
  /** Throws a ServerListError for what servers of this group can't have. */
  check(said: Pick<PeerTemplate, 'isBackup' | 'slowStartMs'>): void;
  /** The peers of a server. Throws a ServerListError when there can be none. */
  makeSource(spec: ServerSpec): PeerSource;
  /** Keeps the servers over a restart; those that follow a name stand for their peers. Throws an Error. */
  readonly save: ((servers: readonly ServerEntry[]) => void) | null;
}

/** The servers of one group. Numbers are given in the order servers come, and never again. */
export class ServerList {
  /** Where requests wait if the group has a queue; null without. */
  readonly queue: WaitingRoom | null;
  private readonly rules: ServerListRules;
  private readonly sources: PeerSource[];
  private readonly group: UpstreamGroup;
  /** Has the group take the peers that the sources have now. */
  private readonly gather: () => void;
  private readonly numbers: Map<PeerSource, number>;
  private nextNumber: number;

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
    this.nextNumber = 0;
  }

  get zone(): string {
    return this.rules.zone;
  }

  /** Gives a number and counters to each server that has none. Before the group takes the peers. */
  admit(): void {
    for (const source of this.sources) {
      if (source.followed !== null && !this.numbers.has(source)) this.numbers.set(source, this.nextNumber++);
      for (const peer of source.peers) {
        if (peer.number >= 0) continue;
        peer.number = this.nextNumber++;
        peer.stats = new PeerStats();
      }
    }
  }

  /** All of them: names that are followed, each with its peers behind it. */
  list(): ServerEntry[] {
    return this.sources.flatMap((source) => {
      const { followed } = source;
      if (followed === null) return source.peers.map((peer) => entryOf(peer, null));
      const id = this.numbers.get(source)!;
      return [nameEntry(id, followed), ...source.peers.map((peer) => entryOf(peer, id))];
    });
  }

  /** Throws a ServerListError if there is none of that number. */
  find(id: number): ServerEntry {
    const { source, peer } = this.place(id);
    return peer === null ? nameEntry(id, source.followed!) : entryOf(peer, this.numbers.get(source) ?? null);
  }

  /** Adds a server; the number it has got. */
  add(spec: ServerSpec): ServerEntry {
    this.rules.check(spec);
    const source = this.rules.makeSource(spec);
    const added = source.followed?.server ?? source.peers[0]!.name;
    const service = source.followed?.service ?? null;
    for (const { server, service: its, parent } of this.list()) {
      if (parent !== null || server !== added || its !== service) continue;
      throw new ServerListError('exists', `server "${added}" is in upstream "${this.group.name}" already`);
    }
    const id = this.nextNumber;
    this.replace(this.sources.length, 0, [source]);
    return this.find(id);
  }

  /** Changes a server. With `server` it gets another address: another peer takes the place of the one it had. */
  change(id: number, { server, ...change }: PeerChange & { readonly server?: string }): ServerEntry {
    const { source, peer } = this.place(id);
    const { followed } = source;
    this.rules.check(change);
    const entry = this.find(id);
    const isMoved = server !== undefined && server !== entry.server && !isNamed(server, peer, followed);
    if (followed !== null && isMoved) {
      const message = `the address of server "${entry.server}" is immutable; add "${server}" and remove this one`;
      throw new ServerListError('fixed-address', message);
    }
    if (isMoved) this.move(source, peer!, server, change);
    else if (peer === null) this.changeFollowed(source, followed!, change);
    else {
      if (followed !== null && change.weight !== undefined && change.weight !== peer.configuredWeight) {
        const message = `the weight of server "${entry.server}" is immutable: it is that of "${followed.server}"`;
        throw new ServerListError('fixed-weight', message);
      }
      this.group.change(peer, change);
      this.saveOr(() => this.group.change(peer, entry));
    }
    return this.find(id);
  }

  /** Takes a server away. Requests that it has go on to their end. */
  remove(id: number): void {
    const { source, peer } = this.place(id);
    if (peer !== null && source.followed !== null) {
      const what = `server "${id}" is an address of "${source.followed.server}"`;
      throw new ServerListError('not-removable', `${what}, not removable by itself`);
    }
    const others = source.peers.filter((each) => peer !== null && each !== peer);
    this.replace(this.sources.indexOf(source), 1, others.length === 0 ? [] : [new FixedSource(others)]);
  }

  /** Begins to count anew. */
  resetStats(nowMs: number): void {
    for (const { stats } of this.group.peers) stats?.reset(nowMs);
    if (this.queue !== null) this.queue.overflows = 0;
  }

  private place(id: number): { readonly source: PeerSource; readonly peer: Peer | null } {
    for (const source of this.sources) {
      if (this.numbers.get(source) === id) return { source, peer: null };
      const peer = source.peers.find(({ number }) => number === id);
      if (peer !== undefined) return { source, peer };
    }
    throw new ServerListError('unknown', `server with ID "${id}" does not exist`);
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
  private move(source: PeerSource, peer: Peer, server: string, change: PeerChange): void {
    const { isBackup, ...said } = entryOf(peer, null);
    const moved = this.rules.makeSource({ ...said, ...change, isBackup, server, service: '' });
    if (moved.followed !== null) {
      const message = `the address of server "${peer.name}" can't become the name "${server}"; add a server`;
      throw new ServerListError('bad-address', message);
    }
    const fresh = moved.peers[0]!;
    fresh.number = peer.number;
    fresh.stats = new PeerStats();
    const peers = source.peers.map((each) => (each === peer ? fresh : each));
    this.replace(this.sources.indexOf(source), 1, [new FixedSource(peers)]);
  }

  /** Sources in the place of others; saved first, so that what can't be kept isn't done. */
  private replace(index: number, count: number, fresh: readonly PeerSource[]): void {
    const old = this.sources.splice(index, count, ...fresh);
    this.admit();
    this.saveOr(() => this.sources.splice(index, fresh.length, ...old));
    for (const source of old) {
      source.stop();
      this.numbers.delete(source);
    }
    for (const source of fresh) source.start(this.gather);
    this.gather();
  }

  private saveOr(undo: () => void): void {
    try {
      this.rules.save?.(this.list());
    } catch (error) {
      undo();
      throw new ServerListError('not-saved', (error as Error).message);
    }
  }
}

function entryOf(peer: Peer, parent: number | null): ServerEntry {
  return {
    id: peer.number,
    server: formatAddress(peer.address),
    weight: peer.configuredWeight,
    maxConns: peer.maxConns,
    maxFails: peer.maxFails,
    failTimeoutMs: peer.failTimeoutMs,
    slowStartMs: peer.slowStartMs,
    route: peer.route,
    isBackup: peer.isBackup,
    isDown: (peer.flags & PeerFlag.down) !== 0,
    isDraining: (peer.flags & PeerFlag.draining) !== 0,
    service: null,
    parent,
    host: parent === null ? '' : hostOf(peer.server),
  };
}

/** What peers have of which nothing is said. */
const UNSAID = {
  weight: 1,
  maxConns: 0,
  maxFails: 1,
  failTimeoutMs: 10_000,
  slowStartMs: 0,
  route: '',
  isBackup: false,
  isDown: false,
  isDraining: false,
} as const;

function nameEntry(id: number, { server, service, template }: FollowedName): ServerEntry {
  const said = Object.entries(template).filter(([, value]) => value !== undefined);
  return {
    ...UNSAID,
    ...(Object.fromEntries(said) as PeerTemplate),
    id,
    server,
    service,
    parent: null,
    host: '',
  };
}

/** Whether a text is another word for where a server is. */
function isNamed(text: string, peer: Peer | null, followed: FollowedName | null): boolean {
  return text === (followed === null ? peer!.server : followed.template.server);
}

function hostOf(server: string): string {
  return server.replace(/:\d+$/, '');
}
