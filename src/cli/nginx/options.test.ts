import { describe, expect, it } from 'vitest';
import { isNginxCommand, parseNginxOptions } from './options.js';

describe('parseNginxOptions', () => {
  it('takes letters together and values in the same word or the next one', () => {
    expect(parseNginxOptions(['-tqp/srv', '-c', 'a.conf', '-gpid a;', '-e', 'stderr', '-s', 'quit'])).toEqual(
      {
        showHelp: false,
        showVersion: false,
        showConfigure: false,
        test: true,
        dump: false,
        quiet: true,
        signal: 'quit',
        prefix: '/srv',
        confFile: 'a.conf',
        globals: 'pid a;',
        errorLog: 'stderr',
      },
    );
  });

  it('tests what it dumps, and shows the version with help and modules', () => {
    expect(parseNginxOptions(['-T'])).toMatchObject({ test: true, dump: true });
    expect(parseNginxOptions(['-h'])).toMatchObject({ showHelp: true, showVersion: true });
    expect(parseNginxOptions(['-V'])).toMatchObject({ showConfigure: true, showVersion: true });
  });

  it.each([
    [['x'], 'invalid option: "x"'],
    [['-tx'], 'invalid option: "x"'],
    [['-p'], 'option "-p" requires directory name'],
    [['-e'], 'option "-e" requires file name'],
    [['-g'], 'option "-g" requires parameter'],
    [['-s', 'x'], 'invalid option: "-s x"'],
  ])('refuses %j', (words, message) => {
    expect(() => parseNginxOptions(words)).toThrow(message);
  });
});

describe('isNginxCommand', () => {
  it.each([
    [['-c', 'nginx.conf'], true],
    [['-t'], true],
    [['-vt'], true],
    [['-V'], true],
    [['-?'], true],
    [['-s', 'quit'], true],
    [[], false],
    [['-v'], false],
    [['-h'], false],
    [['--to', '127.0.0.1:1'], false],
    [['0.0.0.0', '8081'], false],
    [['doctor', '-p', '/srv'], false],
  ])('%j: %s', (words, isOne) => {
    expect(isNginxCommand(words)).toBe(isOne);
  });
});
