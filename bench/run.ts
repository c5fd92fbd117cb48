// The frame around every program of the benchmark: a folder for its files, the processes it starts, and
// the promise that both are gone afterwards, also on Ctrl-C and on failure.

import { mkdtempSync, rmSync } from 'node:fs';
import { findNewestLts } from './install.js';
import { prepareSluice } from './peers/sluice.js';
import { findFreePort, ProcessGroup } from './processes.js';

/** What a program of the benchmark works with. */
export interface Run {
  processes: ProcessGroup;
  /** A folder in memory, so that no disk has a part in the figures; ends in a slash. */
  folder: string;
  /** Says on standard error what goes on; standard output is for figures. */
  log: (line: string) => void;
}

/** Runs `work`; false from it, or an error, becomes exit code 1. */
export async function run(work: (run: Run) => Promise<boolean>): Promise<void> {
  const folder = `${mkdtempSync('/dev/shm/sluice-bench-')}/`;
  const processes = new ProcessGroup(folder);
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const stop = () => process.exit(130);
  process.once('SIGINT', stop).once('SIGTERM', stop);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  try {
    if (!(await work({ processes, folder, log }))) process.exitCode = 1;
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  } finally {
    await processes.stopAll();
  }
}

/** The binary after `--node`, or the newest LTS. Throws when nothing is behind it. */
export function nodeToMeasure(): string {
  const flag = process.argv.indexOf('--node');
  if (flag < 0) return findNewestLts();
  const node = process.argv[flag + 1];
  if (node === undefined) throw new Error('Cannot read "--node": it needs the path of a Node binary');
  return node;
}

/**
 * Starts sluice in front of 127.0.0.1:`upstreamPort` for the programs that measure it alone, on the newest
 * LTS or on the binary after `--node`. `nodeArgs` are for Node.
 */
export async function startSluiceAlone(
  { processes }: Run,
  upstreamPort: number,
  nodeArgs: readonly string[] = [],
): Promise<{ pid: number; port: number }> {
  const port = await findFreePort();
  const program = prepareSluice({ listenPort: port, upstreamPort, node: nodeToMeasure() }, nodeArgs);
  return { port, pid: await processes.startServer(program, 0, port) };
}
