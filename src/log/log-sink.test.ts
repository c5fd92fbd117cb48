import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** src/log and what it needs as JavaScript, for processes whose standard output a test can spoil. */
const folder = mkdtempSync(join(tmpdir(), 'sluice-log-sink-'));

beforeAll(() => {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const room of ['core', 'log']) {
    mkdirSync(join(folder, room));
    const source = join(import.meta.dirname, '..', room);
    for (const file of readdirSync(source)) {
      if (!/^(?!contract)[\w-]+\.ts$/.test(file)) continue;
      const { outputText } = ts.transpileModule(readFileSync(join(source, file), 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      });
      writeFileSync(join(folder, room, file.replace('.ts', '.js')), outputText);
    }
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a process that opens a sink on the target and runs the code with it. */
function start(target: string, code: string, stdout: 'pipe' | number = 'pipe'): ChildProcess {
  const script = `import { openLogSink } from './log/log-sink.js'; const sink = openLogSink('${target}'); ${code}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    stdio: ['ignore', stdout, 'pipe'],
  });
}

/** The process's exit code and what it wrote to standard error; both only when it has ended. */
async function endOf(child: ChildProcess) {
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await Promise.all([once(child, 'exit'), once(child.stderr!, 'close')]);
  clearTimeout(deadline);
  return { code: child.exitCode, stderr: text };
}

describe('the sink of standard output', () => {
  it.each(['stdout', '/dev/stdout'])('opened as %s writes to a pipe', async (target) => {
    const child = start(target, "sink.write('a'); sink.write('b'); await sink.close();");
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
    });
    await Promise.all([endOf(child), once(child.stdout!, 'close')]);
    expect(text).toBe('a\nb\n');
  });

  it('writes to a file', async () => {
    const path = join(folder, 'stdout.log');
    await endOf(
      start('stdout', "sink.write('a'); sink.write('b'); await sink.close();", openSync(path, 'w')),
    );
    expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
  });

  it('does not keep a process from exiting when nobody reads the pipe', async () => {
    const code =
      "for (let i = 0; i < 100_000; i++) sink.write('x'.repeat(50)); await sink.close(); process.exit(0);";
    expect(await endOf(start('stdout', code))).toEqual({ code: 0, stderr: '' });
  });

  it('lets a process run on when the reader of the pipe has gone', async () => {
    const child = start(
      'stdout',
      `let writes = 0;
       const timer = setInterval(() => {
         sink.write('x'.repeat(10_000));
         if (++writes === 50) { clearInterval(timer); console.error('alive'); }
       }, 2);`,
    );
    child.stdout!.destroy();
    expect(await endOf(child)).toEqual({ code: 0, stderr: 'alive\n' });
  });
});

describe('a process that ends without closing its log', () => {
  it.each([
    ['by process.exit()', "sink.write('b'); process.exit(3);", 3],
    ['by having nothing to do', "sink.write('b');", 0],
    ['by an uncaught error', "sink.write('b'); throw new Error('a bug');", 1],
  ])('%s has written every line', async (_, code, exitCode) => {
    const path = join(folder, `${exitCode}.log`);
    const { code: actual } = await endOf(start(path, `sink.write('a'); await sink.flush(); ${code}`));
    expect(actual).toBe(exitCode);
    expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
  });
});

describe('a process whose log is on a full disk', () => {
  it('ends when it has nothing to do', async () => {
    expect(await endOf(start('/dev/full', "sink.write('a'); await sink.flush();"))).toEqual({
      code: 0,
      stderr: '',
    });
  });
});

describe('the sink of standard error', () => {
  it('writes to standard error', async () => {
    expect(await endOf(start('stderr', "sink.write('a'); await sink.close();"))).toEqual({
      code: 0,
      stderr: 'a\n',
    });
  });
});
