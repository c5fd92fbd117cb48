// Starting and stopping the programs of a run: every one is started here, pinned to a core, and
// stopped by its process id, also when the run fails or is interrupted. What the programs are is
// said elsewhere (peers/, origins/, load.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { processTree } from './proc.js';

const startDeadlineMs = 15_000;
const stopDeadlineMs = 2_000;

/** A program to run: its name in messages, and its command line. */
export interface Program {
  name: string;
  command: string;
  args: string[];
}

/** The programs that one run has started. The owner calls `stopAll` at the end. */
export class ProcessGroup {
  private readonly running = new Set<ChildProcess>();
  private readonly folder: string;

  /** `folder` is where each program's output goes, one file a program. */
  constructor(folder: string) {
    this.folder = folder;
    process.on('exit', () => this.killAll());
  }

  /**
   * Starts a server pinned to `core`, or to several, and waits until it accepts connections on 127.0.0.1:`port`.
   * Returns its process id. Throws with the end of its output when it exits or does not listen in time.
   */
  async startServer(program: Program, core: number | readonly number[], port: number): Promise<number> {
    const logFile = `${this.folder}${program.name}-${port}.log`;
    const log = openSync(logFile, 'w');
    const child = spawn('taskset', ['-c', [core].join(), program.command, ...program.args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.running.add(child);
    let failure: string | undefined;
    child.once('error', (error) => {
      failure = error.message;
    });
    child.once('exit', (code, signal) => {
      this.running.delete(child);
      failure = `it exited with ${signal ?? `code ${code}`}`;
    });
    const deadline = Date.now() + startDeadlineMs;
    while (!(await isListening(port))) {
      if (Date.now() > deadline) failure ??= `nothing listens after ${startDeadlineMs / 1000} s`;
      if (failure !== undefined) {
        const output = readFileSync(logFile, 'utf8').trim().split('\n').slice(-8).join('\n');
        throw new Error(`Cannot start ${program.name} on port ${port}: ${failure}\n${output}`);
      }
      await delay(20);
    }
    return child.pid!;
  }

  /** Runs a program pinned to `core` to its end and returns what it printed. Throws when it fails. */
  run(program: Program, core: number | readonly number[]): Promise<string> {
    const child = spawn('taskset', ['-c', [core].join(), program.command, ...program.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.running.add(child);
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.running.delete(child);
        if (code === 0) resolve(output);
        else reject(new Error(`${program.name} ended with ${signal ?? `code ${code}`}: ${errors || output}`));
      });
    });
  }

  /** Asks everything to end, waits for it, and kills what has not ended in time. */
  async stopAll(): Promise<void> {
    for (const child of this.running) child.kill('SIGTERM');
    const deadline = Date.now() + stopDeadlineMs;
    while (this.running.size > 0 && Date.now() < deadline) await delay(20);
    this.killAll();
  }

  /** Kills what still runs, with its children: a killed nginx master would leave its worker behind. */
  private killAll(): void {
    for (const child of this.running) {
      for (const pid of processTree(child.pid!)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself in the meantime.
        }
      }
    }
    this.running.clear();
  }
}

/** A TCP port on 127.0.0.1 that was free a moment ago, for a program that cannot be given port 0. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
