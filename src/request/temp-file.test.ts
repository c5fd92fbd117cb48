import { closeSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { folderOf } from '../../test/folder.js';
import { openTempFile } from './temp-file.js';

it('goes on to the next name where somebody else has one', async () => {
  const path = await folderOf();
  const where = { path, levels: [1] };
  const first = openTempFile(where, 'wx');
  closeSync(first.descriptor);
  const number = Number(basename(first.path));
  for (const taken of [number + 1, number + 2]) {
    const name = String(taken).padStart(10, '0');
    mkdirSync(join(path, name.slice(-1)), { recursive: true });
    writeFileSync(join(path, name.slice(-1), name), "another worker's");
  }
  const next = openTempFile(where, 'wx+');
  closeSync(next.descriptor);
  expect(Number(basename(next.path))).toBe(number + 3);
  expect(basename(dirname(next.path))).toBe(String((number + 3) % 10));
  expect(existsSync(next.path)).toBe(true);
});
