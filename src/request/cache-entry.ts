/*
 * Where in a cache the answer of a request is, or is to be: by its key, and by those fields of the request that answers
 * under this key depend on (Vary).
 */
import { createHash } from 'node:crypto';
import type { CacheNode } from '../cache/cache-index.js';
import type { CachedFile } from '../cache/cached-file.js';
import type { FileCache } from '../cache/file-cache.js';
import { logErrorOf } from './error-line.js';
import { describeFailure } from './file-access.js';
import type { HttpRequest } from './http-request.js';

/** One request's. Who has it closes its file. */
export class CacheEntry {
  readonly cache: FileCache;
  readonly key: string;
  /** Null before it was looked for. */
  node: CacheNode | null;
  /** What is stored there, fresh or not; null for nothing. */
  file: CachedFile | null;
  private readonly request: HttpRequest;
  private readonly mainHash: string;
  /** Of the node. */
  private hash: string;
  /** The fields by which it was looked for; '' for none. */
  private vary: string;

  constructor(request: HttpRequest, cache: FileCache, key: string) {
    this.cache = cache;
    this.key = key;
    this.node = null;
    this.file = null;
    this.request = request;
    this.mainHash = hashOf(key);
    this.hash = this.mainHash;
    this.vary = '';
  }

  /** Looks for it anew: its node, with the file that is there now. Times are the cache's. */
  find(nowMs: number): CacheNode {
    const isAgain = this.node !== null;
    const node = this.cache.use(this.mainHash, nowMs, isAgain);
    this.node = node;
    this.hash = this.mainHash;
    this.vary = '';
    this.file = this.open(node);
    const about = this.file?.about;
    if (about === undefined || about.vary === '') return node;
    const variant = this.variantBy(about.vary);
    if (variant === about.variant) return node;
    this.closeFile();
    this.vary = about.vary;
    this.hash = hashOf(`${this.key}\n${variant}`);
    const other = this.cache.use(this.hash, nowMs, isAgain);
    this.node = other;
    this.file = this.open(other);
    if (this.file !== null && this.file.about.variant !== variant) this.closeFile();
    return other;
  }

  /** Under which hash an answer is stored that depends on these fields. */
  hashFor(vary: string): string {
    return vary === this.vary ? this.hash : this.mainHash;
  }

  /** What tells this request from others whose answers depend on these of its fields; '' for none. */
  variantBy(vary: string): string {
    if (vary === '') return '';
    let text = '';
    for (const name of vary.split(',')) {
      const value = this.request.fieldLines(name).join(',');
      text += `${name}:${value.replace(/[\s,]*,[\s,]*/g, ',').replace(/^[\s,]+|[\s,]+$/g, '')}\n`;
    }
    return hashOf(text);
  }

  /** Gives the file away: who calls closes it. */
  takeFile(): CachedFile {
    const file = this.file!;
    this.file = null;
    return file;
  }

  closeFile(): void {
    this.file?.close();
    this.file = null;
  }

  private open(node: CacheNode): CachedFile | null {
    try {
      return this.cache.open(node, this.key);
    } catch (error) {
      const path = this.cache.pathOf(node.hash);
      logErrorOf(this.request, 'crit', describeFailure('open()', path, error as NodeJS.ErrnoException));
      return null;
    }
  }
}

function hashOf(text: string): string {
  return createHash('md5').update(text, 'latin1').digest('hex');
}
