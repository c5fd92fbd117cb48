import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { confFilesOf } from './conf-files.js';
import { PidFile, readPid } from './pid-file.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-process-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const NONE = { prefix: null, confFile: null, globals: null, errorLog: null };

describe('files of the command line', () => {
  it('start from the prefix as in nginx', () => {
    expect(confFilesOf({ ...NONE, prefix: '/srv' })).toMatchObject({
      prefix: '/srv/',
      path: '/srv/conf/nginx.conf',
    });
    expect(confFilesOf({ ...NONE, prefix: '/srv/', confFile: 'a.conf' }).path).toBe('/srv/a.conf');
    expect(confFilesOf({ ...NONE, prefix: '/srv/', confFile: '/etc/a.conf' }).path).toBe('/etc/a.conf');
  });

  it('without a prefix start from the folder of the configuration', () => {
    expect(confFilesOf({ ...NONE, confFile: join(folder, 'a.conf') })).toMatchObject({
      prefix: `${folder}/`,
    });
    expect(confFilesOf(NONE)).toMatchObject({ prefix: '/etc/nginx/', path: '/etc/nginx/nginx.conf' });
  });

  it('log to logs/error.log where there is such a folder, else to the terminal, unless told', () => {
    expect(confFilesOf({ ...NONE, prefix: folder }).errorLog).toBe('stderr');
    mkdirSync(join(folder, 'logs'));
    expect(confFilesOf({ ...NONE, prefix: folder }).errorLog).toBe('logs/error.log');
    expect(confFilesOf({ ...NONE, prefix: folder, errorLog: 'e.log' }).errorLog).toBe('e.log');
  });
});

describe('a pid file', () => {
  it('is written, gives way, is taken back and removed', () => {
    const path = join(folder, 'a.pid');
    const file = new PidFile(path);
    file.write(42);
    expect(readFileSync(path, 'utf8')).toBe('42\n');
    file.giveWay();
    expect([existsSync(path), readPid(`${path}.oldbin`)]).toEqual([false, 42]);
    file.takeBack();
    expect(readPid(path)).toBe(42);
    file.giveWay();
    new PidFile(path).write(43);
    file.remove();
    expect([readPid(path), existsSync(`${path}.oldbin`)]).toEqual([43, false]);
  });

  it('that cannot be used is told in the words of nginx', () => {
    const path = join(folder, 'no', 'a.pid');
    expect(() => new PidFile(path).write(1)).toThrow(
      `open() "${path}" failed (2: No such file or directory)`,
    );
    expect(() => readPid(path)).toThrow('failed (2: No such file or directory)');
    writeFileSync(join(folder, 'b.pid'), 'x\n');
    expect(() => readPid(join(folder, 'b.pid'))).toThrow(
      `invalid PID number "x" in "${join(folder, 'b.pid')}"`,
    );
  });

  it('without a path is none', () => {
    const file = new PidFile('');
    file.write(1);
    file.giveWay();
    file.takeBack();
    file.remove();
  });
});
