/*
 * What a request is sent to: a group of peers, and the connections to them.
 */
import type { UpstreamGroup } from './group.js';
import type { KeepalivePool } from './keepalive-pool.js';
import type { ServerList } from './server-list.js';

/** A group of peers with its connections. */
export interface UpstreamTarget {
  readonly group: UpstreamGroup;
  readonly pool: KeepalivePool;
  /** Its servers, to be told and changed at run time; null for a group without a zone. */
  readonly servers: ServerList | null;
}
