/*
 * open_file_cache: what is at paths that were asked for lately, files kept open. What it knows counts for
 * open_file_cache_valid; then the path is looked at again. Bounded by `max` paths; unused ones go after `inactive`.
 */
import {
  type FileAccess,
  FileFailure,
  lookInto,
  OpenFile,
  openInto,
  type SymlinkGuard,
} from './file-access.js';

/** One cache; the locations that inherit it share it. */
export class OpenFileCache {
  private readonly max: number;
  private readonly inactiveMs: number;
  /** By path, those used longest ago first. */
  private readonly entries: Map<string, Entry>;

  constructor(max: number, inactiveMs: number) {
    this.max = max;
    this.inactiveMs = inactiveMs;
    this.entries = new Map();
  }

  get size(): number {
    return this.entries.size;
  }

  /** What is at `path`, to be released by the caller; as it was when it was looked at last. */
  open(path: string, guard: SymlinkGuard, rules: FileAccess, nowMs: number): OpenFile | FileFailure {
    this.dropInactive(nowMs);
    let entry = this.entries.get(path);
    if (entry === undefined) {
      if (this.entries.size >= this.max) this.drop(this.entries.keys().next().value!);
      entry = new Entry(guard);
    } else this.entries.delete(path);
    entry.uses++;
    entry.usedMs = nowMs;
    const found = entry.isValid(guard, rules, nowMs) ? entry.found! : entry.look(path, guard, nowMs);
    if (found instanceof FileFailure && !rules.cachesErrors) return found;
    this.entries.set(path, entry);
    if (found instanceof OpenFile) {
      found.users++;
      found.isDropped = entry.uses < rules.minUses;
    }
    return found;
  }

  /** Lets go of everything; what is being read is closed when it was read. */
  clear(): void {
    for (const path of [...this.entries.keys()]) this.drop(path);
  }

  /** Two at most, so that no request pays for many. */
  private dropInactive(nowMs: number): void {
    for (let i = 0; i < 2; i++) {
      const oldest = this.entries.entries().next().value;
      if (oldest === undefined || nowMs - oldest[1].usedMs <= this.inactiveMs) return;
      this.drop(oldest[0]);
    }
  }

  private drop(path: string): void {
    this.entries.get(path)!.letGo();
    this.entries.delete(path);
  }
}

/** What is known of one path. */
class Entry {
  found: OpenFile | FileFailure | null = null;
  uses = 0;
  usedMs = 0;
  checkedMs = 0;
  private guard: SymlinkGuard;

  constructor(guard: SymlinkGuard) {
    this.guard = guard;
  }

  /** Whether `found` may be used without a look at the path. */
  isValid({ rule, from }: SymlinkGuard, rules: FileAccess, nowMs: number): boolean {
    const { found, guard } = this;
    if (found === null || nowMs - this.checkedMs >= rules.validMs) return false;
    if (rule !== guard.rule || from !== guard.from) return false;
    // A file that was not used often enough to be kept open has to be opened again.
    return found instanceof FileFailure || found.isDirectory || found.descriptor >= 0;
  }

  /** What is at the path now; what is open already stays if the path still means that. */
  look(path: string, guard: SymlinkGuard, nowMs: number): OpenFile | FileFailure {
    const { found } = this;
    this.checkedMs = nowMs;
    const isSameGuard = guard.rule === 'off' && this.guard.rule === 'off';
    this.guard = guard;
    if (isSameGuard && found instanceof OpenFile && found.descriptor >= 0) {
      const now = new OpenFile();
      if (lookInto(now, path) === null && now.inode === found.inode && now.device === found.device) {
        found.size = now.size;
        found.modified = now.modified;
        return found;
      }
    }
    this.letGo();
    const file = new OpenFile();
    const result = openInto(file, path, guard) ?? file;
    this.found = result;
    return result;
  }

  letGo(): void {
    const { found } = this;
    if (!(found instanceof OpenFile)) return;
    found.isDropped = true;
    if (found.users === 0) found.close();
  }
}
