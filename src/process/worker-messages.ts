/*
 * What the thread that watches over the workers and the workers tell each other.
 */
import type { Address } from '../net/address.js';
import type { WorkerPlace } from '../zones/worker-place.js';
import type { NamedMemories } from '../zones/zone-memories.js';
import type { ConfFiles } from './conf-files.js';
import type { ConfSnapshot } from './conf-snapshot.js';

/** A configuration for a worker to serve. */
export interface Published {
  readonly snapshot: ConfSnapshot;
  readonly memories: NamedMemories;
  /** How many workers serve it. */
  readonly workerCount: number;
}

/** What a worker begins with. */
export interface WorkerStart {
  readonly index: number;
  readonly files: ConfFiles;
  readonly deadThreads: SharedArrayBuffer;
  /** What all workers have open: see socket-counts.ts. */
  readonly socketCounts: SharedArrayBuffer;
  /** Descriptors of listening sockets that are open already, by inheritanceKey. */
  readonly inherited: ReadonlyMap<string, number>;
  /** The keys of sockets that the first worker has alone. */
  readonly unshared: ReadonlySet<string>;
}

/** To a worker. A configuration that was prepared is committed or aborted before there is another. */
export type WorkerOrder =
  | { readonly kind: 'prepare'; readonly published: Published }
  | { readonly kind: 'commit' | 'abort' | 'rest' | 'reopenLogs' | 'leavePaths' | 'drain' | 'stop' };

/** From a worker: how it went with what was prepared. */
export type WorkerReport =
  | { readonly kind: 'prepared' }
  | { readonly kind: 'committed'; readonly descriptors: ReadonlyMap<string, number> }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Why a configuration can't be served. */
export interface Refusal {
  readonly message: string;
  /** What couldn't be listened on; null when it was something else. */
  readonly address: Address | null;
  readonly code: string;
  readonly errno: number;
}

/** A worker among those of a configuration. */
export function placeIn({ workerCount }: Published, index: number): WorkerPlace {
  return { index, count: workerCount };
}
