import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ErrorLog } from '../log/error-log.js';
import { MemorySink } from '../log/memory-sink.js';
import { PidFile } from './pid-file.js';
import { startNewProgram } from './upgrade.js';

it('a new program that can not be started is told of, and the pid file is there as before', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-upgrade-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pidFile = new PidFile(join(folder, 'pid'));
  pidFile.write(7);
  const sink = new MemorySink(10_000);
  const errorLog = new ErrorLog(sink, 'notice');
  const descriptors = new Map([['a socket that was closed', 65_000]]);
  const onReturn = () => expect.unreachable();
  expect(startNewProgram({ errorLog, pidFile, descriptors, onReturn })).toBe(false);
  expect(sink.lines.join()).toMatch(/\[alert\].* Cannot start the new program: spawn EBADF/);
  expect(readFileSync(pidFile.path, 'utf8')).toBe('7\n');
});
