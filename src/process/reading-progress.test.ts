import { expect, it } from 'vitest';
import { ReadingProgress } from './reading-progress.js';

/** Files that take a while each. */
function readSlowly(count: number, fileMs: number): string {
  let nowMs = 0;
  let written = '';
  const terminal = {
    write: (text: string) => {
      written += text;
    },
    nowMs: () => nowMs,
  };
  const reader = {
    readFile: () => {
      nowMs += fileMs;
      return 'events {}';
    },
    listFolder: () => [],
  };
  const progress = new ReadingProgress(reader, terminal);
  for (let i = 1; i <= count; i++) expect(progress.readFile(`/etc/${i}.conf`)).toBe('events {}');
  progress.check();
  progress.end();
  return written;
}

it('a configuration that takes more than a second shows which file is read, ten times a second, then that they are checked, and wipes it', () => {
  expect(readSlowly(24, 50).replaceAll('\r\x1b[K', '|')).toBe(
    '|sluice: reading file 21, /etc/21.conf|sluice: reading file 23, /etc/23.conf|sluice: checking 24 files|',
  );
});

it('one that is there sooner shows nothing', () => {
  expect(readSlowly(20, 50)).toBe('');
});
