import { existsSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { folderOf } from '../../test/folder.js';
import { CachedFileWriter } from './cached-file.js';
import { FileCache } from './file-cache.js';

const MINUTE_MS = 60_000;

/** One cache, as two threads have it. */
async function twoThreads(maxBytes = 1000): Promise<[FileCache, FileCache]> {
  const path = await folderOf();
  const limits = { path, levels: [], zoneBytes: 65_536, maxBytes, minFreeBytes: 0, inactiveMs: MINUTE_MS };
  const memory = new SharedArrayBuffer(limits.zoneBytes);
  return [new FileCache(limits, memory), new FileCache(limits, memory)];
}

const hashOf = (digit: string) => digit.repeat(32);

function store(cache: FileCache, hash: string, bytes: number, nowMs: number): void {
  const about = {
    key: hash,
    head: '',
    lastModified: '',
    etag: '',
    vary: '',
    variant: '',
    staleWhileUpdating: 0,
    staleIfError: 0,
  };
  const writer = new CachedFileWriter(cache.temporaryPathOf(hash), about, Date.now() / 1000 + 3600);
  writer.write(Buffer.alloc(bytes));
  cache.noteStored(hash, writer.commit(cache.pathOf(hash)), nowMs);
}

/** Sweeps, and waits until what is in the folder is known. */
async function sweep(cache: FileCache, nowMs: number): Promise<void> {
  cache.sweep(nowMs);
  await expect.poll(() => cache.isCold).toBe(false);
}

const storedOf = (cache: FileCache, digits: string) =>
  [...digits].filter((digit) => existsSync(cache.pathOf(hashOf(digit)))).join('');

it('has at once for all threads what one of them stores', async () => {
  const [a, b] = await twoThreads();
  await sweep(a, 0);
  store(b, hashOf('a'), 10, 1);
  const file = a.open(a.use(hashOf('a'), 2), hashOf('a'));
  expect(file?.bodyBytes).toBe(10);
  file?.close();
  expect(a.sizeBytes).toBe(b.sizeBytes);
  expect(a.sizeBytes).toBeGreaterThan(10);
});

it('is within its bounds whoever stores', async () => {
  const [a, b] = await twoThreads();
  await sweep(a, 0);
  store(a, hashOf('a'), 600, 1);
  store(b, hashOf('b'), 600, 2);
  expect(storedOf(a, 'ab')).toBe('b');
  expect(a.sizeBytes).toBeLessThan(1000);
});

it('keeps what any thread uses, and lets go of what none does', async () => {
  const [a, b] = await twoThreads();
  await sweep(a, 0);
  for (const digit of ['a', 'b']) store(a, hashOf(digit), 10, 0);
  b.use(hashOf('a'), 2 * MINUTE_MS - 1);
  await sweep(a, 2 * MINUTE_MS);
  expect(storedOf(a, 'ab')).toBe('a');
});

it('finds out what an earlier run left, once for all threads', async () => {
  const [a, b] = await twoThreads();
  store(a, hashOf('a'), 10, 0);
  const later = new FileCache(a.limits);
  expect(later.isCold).toBe(true);
  await sweep(later, 0);
  expect(later.sizeBytes).toBe(b.sizeBytes);
});

it('knows again what is there when what was known of it is lost', async () => {
  const [a, b] = await twoThreads();
  await sweep(a, 0);
  store(a, hashOf('a'), 10, 0);
  const { sizeBytes } = a;
  a.index.clear();
  expect([b.isCold, b.sizeBytes]).toEqual([true, 0]);
  await sweep(a, 1);
  expect([b.isCold, b.sizeBytes]).toEqual([false, sizeBytes]);
});

it('counts no file that somebody else has removed', async () => {
  const [a, b] = await twoThreads();
  await sweep(a, 0);
  store(a, hashOf('a'), 10, 0);
  unlinkSync(a.pathOf(hashOf('a')));
  expect(b.open(b.use(hashOf('a'), 1), hashOf('a'))).toBe(null);
  expect(a.sizeBytes).toBe(0);
});

it('takes away what a process that was killed has left half written, whatever its number was', async () => {
  const [a] = await twoThreads();
  store(a, hashOf('a'), 10, 1);
  const left = [process.pid, 1].map((pid) => `${a.pathOf(hashOf('a'))}.${pid}-0-0.tmp`);
  for (const path of left) {
    writeFileSync(path, 'half');
    utimesSync(path, 1_000_000_000, 1_000_000_000);
  }
  const own = a.temporaryPathOf(hashOf('a'));
  writeFileSync(own, 'begun');
  await sweep(a, 2);
  expect([...left, own].map(existsSync)).toEqual([false, false, true]);
});
