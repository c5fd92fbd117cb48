/*
 * One server of a group as it is told, kept and added anew.
 */
import { type Peer, PeerFlag } from './peer.js';
import type { FollowedName, PeerTemplate } from './peer-source.js';

/** What is said of a server that is to be added. */
export interface ServerSpec extends PeerTemplate {
  /** An address or a name, with its port or without. */
  readonly server: string;
  /** What it is called, where that isn't its address. */
  readonly named?: string;
  /** '' for none. */
  readonly service: string;
}

/** One server as it is. */
export interface ServerEntry extends Required<Omit<PeerTemplate, 'server'>> {
  readonly id: number;
  /** Address and port; for a name that is followed the name. */
  readonly server: string;
  /** As it was written. */
  readonly named: string;
  /** Null unless it is a name that is followed; '' for one without a service. */
  readonly service: string | null;
  /** The number of the name that it is an address of; null for a server of its own. */
  readonly parent: number | null;
}

/** A server of its own, or one of the addresses of `parent`. */
export function peerEntry(peer: Peer, parent: number | null): ServerEntry {
  return {
    id: peer.number,
    server: peer.name,
    named: peer.server,
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
  };
}

/** A name that is followed. */
export function nameEntry(id: number, { server, service, template }: FollowedName): ServerEntry {
  const { weight = 1, maxConns = 0, maxFails = 1, failTimeoutMs = 10_000, slowStartMs = 0 } = template;
  const { route = '', isBackup = false, isDown = false, isDraining = false } = template;
  const named = template.server ?? server;
  const said = {
    weight,
    maxConns,
    maxFails,
    failTimeoutMs,
    slowStartMs,
    route,
    isBackup,
    isDown,
    isDraining,
  };
  return { id, server, named, service, parent: null, ...said };
}

/** What would add such a server. */
export function specOf({ id, parent, service, ...said }: ServerEntry): ServerSpec {
  return { ...said, service: service ?? '' };
}
