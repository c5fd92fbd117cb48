/*
 * The built command as a process, for black-box tests: started, read line by line, ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The file behind the `sluice` of a package; `npm test` builds it first. */
export const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** How a process ended and what it said. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A started `sluice`. */
export class SluiceProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  #onOutput: (() => void) | null = null;

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onOutput?.();
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onOutput?.();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
        this.#onOutput?.();
      });
    });
  }

  /** Waits until what it has said on one of its outputs matches; rejects when it ends without. */
  async said(where: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[where]);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        await this.ended;
        const late = pattern.exec(this[where]);
        if (late !== null) return late;
        throw new Error(`it ended without saying ${pattern}; stderr: ${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#onOutput = resolve;
      });
    }
  }

  /** Where it listens, once it does. */
  async origin(): Promise<string> {
    const [, address] = await this.said('stderr', /listen(?:ing|s) on +(?:http:\/\/)?(127\.0\.0\.1:\d+)/);
    return `http://${address}`;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Runs `sluice` to its end. */
export function runSluice(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Ended> {
  return new SluiceProcess(args, environment).ended;
}
