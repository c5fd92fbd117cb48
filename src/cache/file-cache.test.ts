import { existsSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { folderOf } from '../../test/folder.js';
import { CachedFileWriter } from './cached-file.js';
import { FileCache } from './file-cache.js';

const MINUTE_MS = 60_000;

/** A cache over one folder as the worker has it that keeps its bounds, and as another one has it. */
async function twoWorkers(): Promise<{ keeper: FileCache; user: FileCache }> {
  const path = await folderOf();
  const limits = { path, levels: [], zoneBytes: 1e6, maxBytes: 1000, minFreeBytes: 0, inactiveMs: MINUTE_MS };
  return { keeper: new FileCache(limits, 'keeper'), user: new FileCache(limits, 'user') };
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

/** Sweeps, and waits until what is in the folder has been seen. */
async function sweep(cache: FileCache, nowMs: number): Promise<void> {
  cache.sweep(nowMs);
  await expect.poll(() => cache.isLooking).toBe(false);
}

it('finds what another worker has stored, after it has seen what is there', async () => {
  const { keeper, user } = await twoWorkers();
  await sweep(keeper, 0);
  store(user, hashOf('a'), 10, 1);
  const file = keeper.open(keeper.use(hashOf('a'), 2), hashOf('a'));
  expect(file?.bodyBytes).toBe(10);
  file?.close();
});

it('is kept in its bounds by one worker, also of what others store', async () => {
  const { keeper, user } = await twoWorkers();
  await sweep(keeper, 0);
  store(user, hashOf('a'), 600, 1);
  store(user, hashOf('b'), 600, 2);
  await sweep(user, 3);
  expect([hashOf('a'), hashOf('b')].map((hash) => existsSync(user.pathOf(hash)))).toEqual([true, true]);
  await sweep(keeper, MINUTE_MS);
  await sweep(keeper, MINUTE_MS + 1);
  expect([hashOf('a'), hashOf('b')].filter((hash) => existsSync(user.pathOf(hash))).length).toBe(1);
});

it('keeps what any worker uses, and lets go of what none does', async () => {
  const { keeper, user } = await twoWorkers();
  await sweep(keeper, 0);
  for (const digit of ['a', 'b']) {
    store(keeper, hashOf(digit), 10, 0);
    const longAgo = new Date(Date.now() - 3 * MINUTE_MS);
    utimesSync(keeper.pathOf(hashOf(digit)), longAgo, longAgo);
  }
  user.open(user.use(hashOf('a'), 2 * MINUTE_MS), hashOf('a'))?.close();
  expect(Date.now() - statSync(user.pathOf(hashOf('a'))).mtimeMs).toBeLessThan(MINUTE_MS);
  await sweep(keeper, MINUTE_MS - 1);
  await sweep(keeper, 2 * MINUTE_MS - 1);
  expect(['a', 'b'].map((digit) => existsSync(user.pathOf(hashOf(digit))))).toEqual([true, false]);
});

it('takes away what a process that was killed has left half written, whatever its number was', async () => {
  const { keeper } = await twoWorkers();
  store(keeper, hashOf('a'), 10, 1);
  const left = [process.pid, 1].map((pid) => `${keeper.pathOf(hashOf('a'))}.${pid}-0-0.tmp`);
  for (const path of left) {
    writeFileSync(path, 'half');
    utimesSync(path, 1_000_000_000, 1_000_000_000);
  }
  const own = keeper.temporaryPathOf(hashOf('a'));
  writeFileSync(own, 'begun');
  await sweep(keeper, 2);
  expect([...left, own].map(existsSync)).toEqual([false, false, true]);
});
