import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { testSinkContract } from './contract.js';
import { openLogSink } from './log-sink.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
let fileCount = 0;

function newPath(): string {
  return join(folder, `${++fileCount}.log`);
}

afterAll(() => rmSync(folder, { recursive: true }));

describe('a log file', () => {
  testSinkContract(() => {
    const path = newPath();
    return { sink: openLogSink(path), readAll: () => readFileSync(path, 'utf8') };
  });

  it('is made with mode 644 at most and appended to when it is there', async () => {
    const path = newPath();
    for (const line of ['first', 'second']) {
      const sink = openLogSink(path);
      sink.write(line);
      await sink.close();
    }
    expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n');
    expect(statSync(path).mode & 0o133).toBe(0);
  });

  it('that cannot be opened is refused with the reason and with what would work', () => {
    const what = 'use a file that can be written, stdout, stderr or off';
    expect(() => openLogSink('/no/such/folder/access.log')).toThrow(
      `Cannot open log "/no/such/folder/access.log": No such file or directory; ${what}`,
    );
    expect(() => openLogSink(folder)).toThrow(`Cannot open log "${folder}": Is a directory; ${what}`);
  });

  it('renamed gets the lines until reopen(), a new one of its name those after', async () => {
    const path = newPath();
    const sink = openLogSink(path);
    sink.write('first');
    await sink.flush();
    renameSync(path, `${path}.1`);
    sink.write('second');
    await sink.flush();
    sink.reopen();
    sink.write('third');
    await sink.close();
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('first\nsecond\n');
    expect(readFileSync(path, 'utf8')).toBe('third\n');
  });

  it('lets go of the renamed file at reopen()', async () => {
    const sink = openLogSink(newPath());
    const countBefore = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 50; i++) sink.reopen();
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(countBefore + 10);
    await sink.close();
  });

  it('that cannot be reopened is written on, and says so', async () => {
    const path = newPath();
    const sink = openLogSink(path);
    renameSync(path, `${path}.1`);
    symlinkSync('/no/such/folder/x', path);
    sink.reopen();
    sink.write('after');
    await sink.close();
    expect(readFileSync(`${path}.1`, 'utf8')).toMatch(
      /^# sluice: Cannot open log ".*": No such file or directory; .*; still writing to the old file\nafter\n$/,
    );
  });

  it('on a full disk throws nothing, and its lines are written when reopen() finds room', async () => {
    const path = newPath();
    symlinkSync('/dev/full', path);
    const sink = openLogSink(path);
    sink.write('first');
    await sink.flush();
    sink.write('second');
    await sink.flush();
    unlinkSync(path);
    sink.reopen();
    await sink.close();
    expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n');
  });
});

describe('a named pipe as a log', () => {
  it('without a reader is refused instead of waited for', () => {
    const path = newPath();
    makeNamedPipe(path);
    expect(() => openLogSink(path)).toThrow(`Cannot open log "${path}"`);
  });

  it('with a slow reader gets every line, whole and in order', async () => {
    const path = newPath();
    makeNamedPipe(path);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const sink = openLogSink(path);
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i} ${'x'.repeat(i % 60)}`);
    for (const line of lines) sink.write(line);
    const flushed = sink.flush().then(() => true);
    let text = '';
    while (!(await Promise.race([flushed, turn()]))) text += readSome(reader);
    text += readSome(reader);
    await sink.close();
    closeSync(reader);
    expect(text === `${lines.join('\n')}\n`).toBe(true);
  });
});

describe('the sink "off"', () => {
  it('takes everything and writes nothing', async () => {
    const sink = openLogSink('off');
    sink.write('line');
    await sink.flush();
    sink.reopen();
    await sink.close();
  });
});

function makeNamedPipe(path: string): void {
  execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
}

/** False after a turn of the event loop. */
function turn(): Promise<false> {
  return new Promise((resolve) => setImmediate(() => resolve(false)));
}

function readSome(fd: number): string {
  const chunk = Buffer.alloc(65_536);
  try {
    return chunk.toString('utf8', 0, readSync(fd, chunk));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
    return '';
  }
}
