import { fstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileAccess, FileFailure, type OpenFile } from './file-access.js';
import { OpenFileCache } from './open-file-cache.js';

const UNGUARDED = { rule: 'off', from: 0 } as const;

let folder: string;
let cache: OpenFileCache;
let rules: FileAccess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cache-'));
  cache = new OpenFileCache(3, 10_000);
  rules = { cache, validMs: 1000, minUses: 1, cachesErrors: true, symlinks: 'off', symlinksFrom: null };
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(`${folder}/${name}`, name);
});

afterEach(() => {
  cache.clear();
  rmSync(folder, { recursive: true });
});

function open(name: string, nowMs: number): OpenFile {
  return cache.open(`${folder}/${name}`, UNGUARDED, rules, nowMs) as OpenFile;
}

/** Opens and lets go. */
function use(name: string, nowMs: number): OpenFile {
  const file = open(name, nowMs);
  file.release();
  return file;
}

function isOpen({ descriptor }: OpenFile): boolean {
  return descriptor >= 0 && fstatSync(descriptor).isFile();
}

describe('OpenFileCache', () => {
  it('keeps a file open between uses, and counts on what it knows while that is valid', () => {
    const first = use('a', 0);
    writeFileSync(`${folder}/a`, 'longer');
    expect([use('a', 999) === first, first.size, isOpen(first)]).toEqual([true, 1, true]);
    expect([use('a', 1000) === first, first.size]).toEqual([true, 6]);
  });

  it('opens anew what was replaced, and closes the old one when its last reader is done', () => {
    const old = open('a', 0);
    renameSync(`${folder}/b`, `${folder}/a`);
    const now = use('a', 1000);
    expect([now === old, isOpen(old), isOpen(now)]).toEqual([false, true, true]);
    old.release();
    expect([old.descriptor, isOpen(now)]).toEqual([-1, true]);
  });

  it('remembers what is not there, if it may, until it looks again', () => {
    expect(open('none', 0)).toBeInstanceOf(FileFailure);
    writeFileSync(`${folder}/none`, '');
    expect(open('none', 999)).toBeInstanceOf(FileFailure);
    expect(use('none', 1000).isFile).toBe(true);
    rules = { ...rules, cachesErrors: false };
    expect(open('never', 0)).toBeInstanceOf(FileFailure);
    writeFileSync(`${folder}/never`, '');
    expect(use('never', 1).isFile).toBe(true);
  });

  it('knows folders without keeping them open', () => {
    mkdirSync(`${folder}/f`);
    const file = use('f', 0);
    expect([file.isDirectory, file.descriptor, use('f', 1) === file]).toEqual([true, -1, true]);
  });

  it('keeps no file open that was not used min_uses times', () => {
    rules = { ...rules, minUses: 3 };
    expect([use('a', 0).descriptor, use('a', 1).descriptor]).toEqual([-1, -1]);
    expect(isOpen(use('a', 2))).toBe(true);
  });

  it('drops what was used longest ago when it is full, and what nobody has used for long', () => {
    const files = ['a', 'b', 'c'].map((name, i) => use(name, i));
    use('a', 5);
    use('d', 6);
    expect([cache.size, files.map(isOpenNow)]).toEqual([3, [true, false, true]]);
    use('d', 10_010);
    expect([cache.size, files.map(isOpenNow)]).toEqual([1, [false, false, false]]);
  });

  it('closes nothing that is being read', () => {
    const read = open('a', 0);
    cache.clear();
    expect([cache.size, isOpen(read)]).toEqual([0, true]);
    read.release();
    expect(read.descriptor).toBe(-1);
  });

  it('reads on in a file that has grown shorter as it finds it', () => {
    const file = open('a', 0);
    truncateSync(`${folder}/a`, 0);
    expect([open('a', 1000) === file, file.size]).toEqual([true, 0]);
    file.release();
    file.release();
  });
});

function isOpenNow(file: OpenFile): boolean {
  return file.descriptor >= 0;
}
