/*
 * Programs that a test runs beside itself: started, read, waited for, and ended by their process id however
 * the test ends. What they are is said in the tests; sluice itself is in sluice-process.ts.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How a program ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Given on standard input; without it there is none. */
  readonly input?: string | Buffer;
}

/** What has been started and has not ended. */
const running = new Set<Program>();

process.on('exit', () => {
  for (const program of running) program.child.kill('SIGKILL');
});

/** A started program. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stderr: string;
  readonly #stdout: Buffer[];
  #onOutput: (() => void) | null;
  #hasEnded: boolean;

  constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
    this.stderr = '';
    this.#stdout = [];
    this.#onOutput = null;
    this.#hasEnded = false;
    const { input, ...rest } = options;
    this.child = spawn(command, args, {
      ...rest,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    running.add(this);
    this.child.stdout!.on('data', (bytes: Buffer) => {
      this.#stdout.push(bytes);
      this.#onOutput?.();
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onOutput?.();
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        running.delete(this);
        this.#hasEnded = true;
        resolve({ code, signal, stdout: Buffer.concat(this.#stdout), stderr: this.stderr });
        this.#onOutput?.();
      });
    });
    // A program that can't be started is reported to whoever waits for it.
    this.ended.catch(() => running.delete(this));
    if (input !== undefined) {
      this.child.stdin!.on('error', () => {});
      this.child.stdin!.end(input);
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  /** Waits until what it has said, on `where` or either output, matches; rejects when it ends without. */
  async said(pattern: RegExp, where?: 'stdout' | 'stderr'): Promise<RegExpExecArray> {
    for (;;) {
      const match =
        where === undefined
          ? (pattern.exec(this.stdout) ?? pattern.exec(this.stderr))
          : pattern.exec(this[where]);
      if (match !== null) return match;
      if (this.#hasEnded) throw new Error(`It ended without saying ${pattern}: ${this.stdout}${this.stderr}`);
      await Promise.race([
        this.ended,
        new Promise<void>((resolve) => {
          this.#onOutput = resolve;
        }),
      ]);
    }
  }

  /** Ends it at once and waits for that. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Ends all that runs: for `afterEach` and `afterAll`. */
export async function endPrograms(): Promise<void> {
  await Promise.allSettled([...running].map((program) => program.kill()));
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], options?: ProgramOptions): Promise<Ended> {
  return new Program(command, args, options).ended;
}

/** Runs a program to its end. Rejects with what it said when that was not a success. */
export async function runWell(
  command: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<Ended> {
  const ended = await run(command, args, options);
  if (ended.code === 0) return ended;
  throw new Error(
    `${command} ended with ${ended.signal ?? `code ${ended.code}`}: ${ended.stderr}${ended.stdout}`,
  );
}

/**
 * Runs JavaScript (an ES module) in a Node process of its own. It says `listening on PORT` when it serves.
 */
export async function startScript(
  code: string,
  args: readonly (string | number)[] = [],
): Promise<{ program: Program; port: number }> {
  const program = new Program(process.execPath, ['--input-type=module', '-e', code, ...args.map(String)]);
  const [, port] = await program.said(/listening on (\d+)/);
  return { program, port: Number(port) };
}

/**
 * Whether a tool is on this machine. Where it isn't, its tests skip and say so; in CI, which installs them
 * all, that is a failure.
 */
export function hasTool(name: string): boolean {
  const folders = name.includes('/') ? [''] : [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return mayTest(
    folders.some((folder) => isExecutable(join(folder, name))),
    name,
  );
}

/** As hasTool, for a module of PYTHON. */
export function hasPythonModule(name: string): boolean {
  const { status } = spawnSync(PYTHON, ['-c', `import ${name}`], { stdio: 'ignore' });
  return mayTest(status === 0, `Python's ${name}`);
}

function mayTest(isThere: boolean, name: string): boolean {
  if (isThere) return true;
  if (process.env.CI) throw new Error(`Cannot test with ${name}: it is not installed; see .ci/run`);
  process.stderr.write(`skipped: ${name} is not on this machine\n`);
  return false;
}

/** Debian's Python, which has the packages that .ci/run installs; another one may come first in the path. */
export const PYTHON = isExecutable('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
