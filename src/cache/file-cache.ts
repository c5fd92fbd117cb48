/*
 * The answers kept below one path: which there are and how long ago each was used, so that the folder stays within its
 * bounds. What is in a file is cached-file.ts's.
 */

import { futimesSync, statfsSync, statSync, unlinkSync } from 'node:fs';
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { CacheCounters } from '../metrics/cache-counters.js';
import { type CachedFile, openCachedFile, sizeOfCachedFile } from './cached-file.js';

/** How nginx counts: a megabyte of keys_zone has room for some eight thousand. */
const BYTES_PER_KEY = 128;

const FILE_NAME = /^[0-9a-f]{32}$/;
/** Of the process, the thread and its count. */
const TEMPORARY_NAME = /^[0-9a-f]{32}\.[0-9]+-[0-9]+-[0-9]+\.tmp$/;

/** How often the keeper looks for what others have stored. */
const LOOK_MS = 30_000;

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
 * Whose the folder is: of this thread alone; or of several workers, of which one keeps the bounds and the others only use
 * it: their own index tells what they know, and never takes a file away.
 */
export type CacheShare = 'alone' | 'keeper' | 'user';

/** What is known of one key. */
export class CacheNode {
  readonly hash: string;
  /** Of its file; -1: there is none. */
  size: number;
  uses: number;
  usedMs: number;
  /** The use that others were told of last. */
  toldMs: number;
  /** Somebody fetches it. */
  isUpdating: boolean;
  updatingSinceMs: number;
  /** Those who wait until it has been fetched. */
  waiting: (() => void)[];
  /** What it was answered in place of an answer; 0 for nothing, and until when that holds, in Unix seconds. */
  errorStatus: number;
  errorUntil: number;

  constructor(hash: string) {
    this.hash = hash;
    this.size = -1;
    this.uses = 0;
    this.usedMs = 0;
    this.toldMs = 0;
    this.isUpdating = false;
    this.updatingSinceMs = 0;
    this.waiting = [];
    this.errorStatus = 0;
    this.errorUntil = 0;
  }
}

/** One cache. Lives on when the configuration is loaded again. */
export class FileCache {
  limits: CachePath;
  /** The longest unused first. */
  private readonly nodes: Map<string, CacheNode>;
  readonly counters: CacheCounters;
  private totalBytes: number;
  private loading: 'not yet' | 'running' | 'done';
  private readonly share: CacheShare;
  private lookedMs: number;

  constructor(limits: CachePath, share: CacheShare = 'alone', counters: CacheCounters = new CacheCounters()) {
    this.limits = limits;
    this.share = share;
    this.lookedMs = 0;
    this.counters = counters;
    this.nodes = new Map();
    this.totalBytes = 0;
    this.loading = 'not yet';
  }

  /** Whether it is seeing what is in the folder. */
  get isLooking(): boolean {
    return this.loading === 'running';
  }

  /** Of all files. */
  get sizeBytes(): number {
    return this.totalBytes;
  }

  get maxBytes(): number {
    return this.limits.maxBytes;
  }

  /** Whether it is still to be found out what an earlier run left. */
  get isCold(): boolean {
    return this.loading !== 'done';
  }

  /** The node of a key, as used now. */
  use(hash: string, nowMs: number): CacheNode {
    let node = this.nodes.get(hash);
    if (node === undefined) {
      node = new CacheNode(hash);
      this.makeRoom();
    } else this.nodes.delete(hash);
    this.nodes.set(hash, node);
    node.uses++;
    node.usedMs = nowMs;
    return node;
  }

  /** What is stored for a node; null for nothing. Throws what reading it throws. */
  open(node: CacheNode, key: string): CachedFile | null {
    // What an earlier run left, and what other workers store, only the folder tells.
    if (node.size < 0 && this.loading === 'done' && this.share === 'alone') return null;
    const file = openCachedFile(this.pathOf(node.hash));
    if (file === null) {
      this.setSize(node, -1);
      return null;
    }
    this.setSize(node, file.bodyStart + file.bodyBytes);
    if (file.about.key === key) {
      if (this.share === 'user') this.noteUse(node, file.descriptor);
      return file;
    }
    file.close();
    return null;
  }

  /** Tells the worker that keeps the bounds, by the file's time, but not at every use. */
  private noteUse(node: CacheNode, descriptor: number): void {
    if (node.usedMs - node.toldMs < this.limits.inactiveMs / 4) return;
    node.toldMs = node.usedMs;
    const now = new Date();
    futimesSync(descriptor, now, now);
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
    const node = this.nodes.get(hash) ?? this.use(hash, nowMs);
    node.errorStatus = 0;
    this.setSize(node, size);
    this.trim();
  }

  /** Nobody fetches it any more: those who waited for that go on. */
  endUpdate(node: CacheNode): void {
    node.isUpdating = false;
    const { waiting } = node;
    if (waiting.length === 0) return;
    node.waiting = [];
    for (const wake of waiting) setImmediate(wake);
  }

  /** Lets go of what nobody has asked for in a long time. To be called now and then. */
  sweep(nowMs: number): void {
    if (this.isToLook(nowMs)) {
      this.loading = 'running';
      this.lookedMs = nowMs;
      this.load(nowMs).finally(() => {
        this.loading = 'done';
      });
    }
    for (const node of this.nodes.values()) {
      if (nowMs - node.usedMs < this.limits.inactiveMs) break;
      if (!node.isUpdating && !this.isUsedByOthers(node, nowMs)) this.remove(node);
    }
    this.trim();
    if (this.limits.minFreeBytes > 0) this.leaveFree();
  }

  /** Takes those away that were not used for longest until enough is free, or none is left. */
  private leaveFree(): void {
    if (this.share === 'user') return;
    for (const node of this.nodes.values()) {
      if (freeBytesAt(this.limits.path) >= this.limits.minFreeBytes) return;
      if (node.size >= 0 && !node.isUpdating) this.remove(node);
    }
  }

  /** Whether another worker has used it meanwhile; it counts as used then. */
  private isUsedByOthers(node: CacheNode, nowMs: number): boolean {
    if (this.share !== 'keeper' || node.size < 0) return false;
    try {
      const unusedMs = Math.max(0, Date.now() - statSync(this.pathOf(node.hash)).mtimeMs);
      if (unusedMs >= this.limits.inactiveMs) return false;
      this.nodes.delete(node.hash);
      this.nodes.set(node.hash, node);
      node.usedMs = nowMs - unusedMs;
      return true;
    } catch {
      return false;
    }
  }

  /** Whether it is time to see what is in the folder: once, and again and again for what others put there. */
  private isToLook(nowMs: number): boolean {
    if (this.loading === 'not yet') return this.share !== 'user';
    return this.share === 'keeper' && this.loading === 'done' && nowMs - this.lookedMs >= LOOK_MS;
  }

  private trim(): void {
    if (this.share === 'user' || this.totalBytes <= this.limits.maxBytes) return;
    for (const node of this.nodes.values()) {
      if (node.size >= 0 && !node.isUpdating) this.remove(node);
      if (this.totalBytes <= this.limits.maxBytes) return;
    }
  }

  private makeRoom(): void {
    if (this.nodes.size < this.limits.zoneBytes / BYTES_PER_KEY) return;
    for (const node of this.nodes.values()) {
      if (node.isUpdating) continue;
      this.remove(node);
      return;
    }
  }

  private remove(node: CacheNode): void {
    const isStored = node.size >= 0;
    this.setSize(node, -1);
    this.nodes.delete(node.hash);
    if (!isStored || this.share === 'user') return;
    try {
      unlinkSync(this.pathOf(node.hash));
    } catch {
      // Whatever is wrong there, it is no part of this cache any more.
    }
  }

  private setSize(node: CacheNode, size: number): void {
    if (this.nodes.get(node.hash) === node) this.totalBytes += Math.max(0, size) - Math.max(0, node.size);
    node.size = size;
  }

  /** Takes in what an earlier run left. A folder that isn't there has nothing in it. */
  private async load(nowMs: number): Promise<void> {
    try {
      await this.loadFolder(this.limits.path, this.limits.levels.length, nowMs);
    } catch {
      // What can't be read can't be used; storing there tells what is wrong.
    }
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
    if (!FILE_NAME.test(name) || this.nodes.has(name)) return;
    const size = sizeOfCachedFile(path);
    if (size < 0) return;
    const node = this.use(name, nowMs);
    node.uses = 0;
    this.setSize(node, size);
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
