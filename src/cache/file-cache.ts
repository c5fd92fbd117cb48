/*
 * The answers kept below one path, and within its bounds. What is known of them is cache-index.ts's, what is in a file
 * cached-file.ts's.
 */

import { statfsSync, unlinkSync } from 'node:fs';
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { CacheCounters } from '../metrics/cache-counters.js';
import { CacheIndex, type CacheNode } from './cache-index.js';
import { type CachedFile, openCachedFile, sizeOfCachedFile } from './cached-file.js';

const FILE_NAME = /^[0-9a-f]{32}$/;
/** Of the process, the thread and its count. */
const TEMPORARY_NAME = /^[0-9a-f]{32}\.[0-9]+-[0-9]+-[0-9]+\.tmp$/;

/** How many files are removed before something else has its turn. */
const DROPS_AT_ONCE = 100;

/** Not from 0: a process before may have had the same number, as in containers, and left its files. */
let writerCount = Date.now();

/** In Unix milliseconds. */
const PROCESS_START_MS = Date.now() - process.uptime() * 1000;

/** What cache path a configuration declares. */
export interface CachePath {
  readonly path: string;
  /** How many characters of a file's name name each folder above it. */
  readonly levels: readonly number[];
  readonly zoneBytes: number;
  /** Infinity: no limit. */
  maxBytes: number;
  /** How much of its file system it leaves to others. */
  minFreeBytes: number;
  inactiveMs: number;
}

/**
 * One cache, as one thread has it. Lives on when the configuration is loaded again. Times are milliseconds that all
 * threads agree on.
 */
export class FileCache {
  limits: CachePath;
  /** What is known of its keys. */
  readonly index: CacheIndex;
  readonly counters: CacheCounters;
  private isLoading: boolean;

  /** @param memory what all workers know of it, `limits.zoneBytes` of them */
  constructor(
    limits: CachePath,
    memory: SharedArrayBuffer = new SharedArrayBuffer(limits.zoneBytes),
    counters: CacheCounters = new CacheCounters(),
  ) {
    this.limits = limits;
    this.counters = counters;
    this.isLoading = false;
    this.index = new CacheIndex(memory, (hash) => this.unlink(hash));
  }

  /** Of all files. */
  get sizeBytes(): number {
    return this.index.totalBytes;
  }

  get maxBytes(): number {
    return this.limits.maxBytes;
  }

  /** Whether it is still to be found out what an earlier run left. */
  get isCold(): boolean {
    return !this.index.isLoaded;
  }

  /** The node of a key, as used now; `isAgain` by a request that has used it before. */
  use(hash: string, nowMs: number, isAgain = false): CacheNode {
    return this.index.use(hash, nowMs, isAgain);
  }

  /** What is stored for a node; null for nothing. Throws what reading it throws. */
  open(node: CacheNode, key: string): CachedFile | null {
    // What an earlier run left only the folder tells at first.
    if (node.size < 0 && !this.isCold) return null;
    const file = openCachedFile(this.pathOf(node.hash));
    this.index.noteSize(node, file === null ? -1 : file.bodyStart + file.bodyBytes);
    if (file === null || file.about.key === key) return file;
    file.close();
    return null;
  }

  /** A name for a file that is to become that of `hash`. */
  temporaryPathOf(hash: string): string {
    return `${this.pathOf(hash)}.${process.pid}-${threadId}-${writerCount++}.tmp`;
  }

  pathOf(hash: string): string {
    let end = hash.length;
    const folders = this.limits.levels.map((length) => {
      end -= length;
      return hash.slice(end, end + length);
    });
    return join(this.limits.path, ...folders, hash);
  }

  /** A file of `size` bytes has been put in the node's place. */
  noteStored(hash: string, size: number, nowMs: number): void {
    this.index.noteStored(hash, size, nowMs);
    this.trim(nowMs);
  }

  /** Lets go of what nobody has asked for in a long time. To be called now and then, by one thread of all. */
  sweep(nowMs: number): void {
    if (this.isCold && !this.isLoading) void this.load(nowMs);
    const { minFreeBytes, path } = this.limits;
    this.dropUnused(nowMs);
    this.trim(nowMs);
    if (minFreeBytes > 0) while (freeBytesAt(path) < minFreeBytes && this.index.dropOldest(nowMs, 0));
  }

  /** Not all at once, so that requests come in between. */
  private dropUnused(nowMs: number): void {
    for (let i = 0; i < DROPS_AT_ONCE; i++) if (!this.index.dropOldest(nowMs, this.limits.inactiveMs)) return;
    setImmediate(() => this.dropUnused(nowMs));
  }

  private trim(nowMs: number): void {
    while (this.sizeBytes > this.limits.maxBytes && this.index.dropOldest(nowMs, 0));
  }

  private unlink(hash: string): void {
    try {
      unlinkSync(this.pathOf(hash));
    } catch {
      // Whatever is wrong there, it is no part of this cache any more.
    }
  }

  /** Takes in what an earlier run left. A folder that isn't there has nothing in it. */
  private async load(nowMs: number): Promise<void> {
    this.isLoading = true;
    try {
      await this.loadFolder(this.limits.path, this.limits.levels.length, nowMs);
    } catch {
      // What can't be read can't be used; storing there tells what is wrong.
    }
    this.isLoading = false;
    this.index.noteLoaded();
  }

  private async loadFolder(path: string, depth: number, nowMs: number): Promise<void> {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const inner = join(path, entry.name);
      if (entry.isDirectory() && depth > 0) await this.loadFolder(inner, depth - 1, nowMs);
      else if (entry.isFile() && depth === 0) await this.loadFile(inner, entry.name, nowMs);
    }
  }

  private async loadFile(path: string, name: string, nowMs: number): Promise<void> {
    if (TEMPORARY_NAME.test(name)) {
      if ((await stat(path)).mtimeMs < PROCESS_START_MS) await unlink(path);
      return;
    }
    if (!FILE_NAME.test(name)) return;
    const size = sizeOfCachedFile(path);
    if (size >= 0) this.index.noteFound(name, size, nowMs);
  }
}

/** What anybody may still write to the file system there; Infinity if that can't be known. */
function freeBytesAt(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
