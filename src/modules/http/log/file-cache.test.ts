import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineBuffer } from '../../../log/line-buffer.js';
import { FakeClock } from '../../../testing/fake-clock.js';
import { LogFileCache } from './file-cache.js';

let folder: string;
let clock: FakeClock;
let cache: LogFileCache;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cache-'));
  clock = new FakeClock();
  cache = new LogFileCache({ max: 2, inactiveMs: 1000, validMs: 5000, minUses: 2 }, clock);
});
afterEach(() => {
  cache.close();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(at(name), 'latin1');
const lineOf = (text: string) => {
  const line = new LineBuffer();
  line.text(text);
  return line;
};
const use = (name: string, times = 1) => {
  for (let i = 0; i < times; i++) cache.append(at(name), lineOf(name));
};

describe('open_log_file_cache', () => {
  it('keeps a file open under its old name once it was used often enough', () => {
    use('often', 2);
    use('seldom');
    renameSync(at('often'), at('often.1'));
    renameSync(at('seldom'), at('seldom.1'));
    use('often');
    use('seldom');
    expect([read('often.1'), read('seldom.1'), read('seldom')]).toEqual([
      'often\noften\noften\n',
      'seldom\n',
      'seldom\n',
    ]);
  });

  it('lets go of the name that was not used for longest', () => {
    use('a', 2);
    use('b', 2);
    use('a');
    use('c', 2);
    for (const name of ['a', 'b']) renameSync(at(name), at(`${name}.1`));
    use('a');
    use('b');
    expect([read('a.1'), read('b.1')]).toEqual(['a\na\na\na\n', 'b\nb\n']);
  });

  it('lets go of what was not used for the time of inactivity', () => {
    use('a', 2);
    clock.advance(1000);
    renameSync(at('a'), at('a.1'));
    use('a');
    expect([read('a.1'), read('a')]).toEqual(['a\na\n', 'a\n']);
  });

  it('looks from time to time whether the file still has its name', () => {
    const patient = new LogFileCache({ max: 2, inactiveMs: 60_000, validMs: 5000, minUses: 1 }, clock);
    patient.append(at('a'), lineOf('1'));
    renameSync(at('a'), at('a.1'));
    clock.advance(4999);
    patient.append(at('a'), lineOf('2'));
    clock.advance(1);
    patient.append(at('a'), lineOf('3'));
    patient.close();
    expect([read('a.1'), read('a')]).toEqual(['1\n2\n', '3\n']);
  });

  it('throws what cannot be opened, and lets go of nothing for it', () => {
    use('a', 2);
    use('b', 2);
    expect(() => cache.append(join(folder, 'no', 'such'), lineOf('x'))).toThrow('ENOENT');
    renameSync(at('a'), at('a.1'));
    use('a');
    expect(read('a.1')).toBe('a\na\na\n');
  });
});
