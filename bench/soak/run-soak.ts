// The soak: warms sluice up, looks what is there, plays many connections that are left in every state, and looks again.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../processes.js';
import type { Run } from '../run.js';
import { playClients } from './clients.js';
import { soakConf } from './conf.js';
import { SoakOrigin } from './origin.js';
import { Random } from './random.js';

const originCount = 3;
const quietDeadlineMs = 30_000;
const reportDeadlineMs = 30_000;

/** How much more the heap may hold at the end than after the warm-up. */
const heapPart = 0.1;

/** As many read buffers are kept for the next connections. */
const spareBufferBytes = 64 * 262_144;

/** What is kept for later requests, and how many of them there may be. */
const kept: Record<string, number> = { HttpRequest: 1024 };

/** What leftovers.mjs finds in the process. */
interface Leftovers {
  /** Without compiled code. */
  heapBytes: number;
  /** Of buffers, which lie outside the heap. */
  bufferBytes: number;
  /** How many there are of each kind of handle and request that keeps the process alive. */
  handles: Record<string, number>;
  /** How many objects there are by the name of their class. */
  objects: Record<string, number>;
}

export interface SoakOptions {
  /** The repository's root, ending in a slash; dist/ is built there. */
  root: string;
  node: string;
  warmUpCount: number;
  connectionCount: number;
  seed: number;
}

/** Runs it and says its figures; resolves to what was wrong. */
export async function runSoak({ processes, folder, log }: Run, options: SoakOptions): Promise<string[]> {
  const { root, node, warmUpCount, connectionCount, seed } = options;
  const random = new Random(seed);
  const listen = await findFreePort();
  const status = await findFreePort();
  const origins: SoakOrigin[] = [];
  try {
    while (origins.length < originCount) origins.push(await SoakOrigin.start());
    const report = `${folder}leftovers.json`;
    const path = `${folder}soak.conf`;
    writeFileSync(path, soakConf({ listen, status, origins: origins.map(({ port }) => port) }, folder));
    const probe = ['--expose-gc', '--import', `${root}bench/soak/leftovers.mjs`];
    const command = [node, ...probe, `${root}bench/soak/serve.mjs`, '-p', folder, '-c', path, '-e', 'stderr'];
    const program = { name: 'soak', command: 'env', args: [`SOAK_REPORT=${report}`, ...command] };
    const pid = await processes.startServer(program, 0, listen);

    const sluice = { pid, status, report, origins };
    const warmUp = await playClients(listen, warmUpCount, random);
    const before = await look(sluice);
    if (before.objects.HttpRequest === 0)
      throw new Error('Cannot look what is left: no request is found at all');
    log(`after ${warmUp.connections} connections: ${describe(before)}`);
    const played = await playClients(listen, connectionCount, random);
    const after = await look(sluice);
    log(`after ${played.connections} more, ${played.answers} whole answers: ${describe(after)}`);
    const faults = [...warmUp.faults, ...played.faults, ...compare(before, after)];
    return faults;
  } finally {
    await Promise.all(origins.map((origin) => origin.close()));
  }
}

interface Soaked {
  pid: number;
  /** Port of stub_status. */
  status: number;
  /** Where it writes what is left. */
  report: string;
  origins: readonly SoakOrigin[];
}

interface Look extends Leftovers {
  descriptors: number;
  /** As stub_status has it, without the connection that asks. */
  connections: string;
  toOrigins: number;
}

/** Waits until nothing goes on any more, or too long, and looks what is left. */
async function look({ pid, status, report, origins }: Soaked): Promise<Look> {
  const until = Date.now() + quietDeadlineMs;
  const countToOrigins = () => origins.reduce((sum, { sockets }) => sum + sockets.size, 0);
  let connections = await readStatus(status);
  while ((connections !== quiet || countToOrigins() > 0) && Date.now() < until) {
    await delay(250);
    connections = await readStatus(status);
  }
  rmSync(report, { force: true });
  process.kill(pid, 'SIGPWR');
  const reportUntil = Date.now() + reportDeadlineMs;
  while (!existsSync(report)) {
    if (Date.now() > reportUntil) throw new Error('Cannot look what is left: sluice does not say in time');
    await delay(50);
  }
  const leftovers: Leftovers = JSON.parse(readFileSync(report, 'utf8'));
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  return { ...leftovers, descriptors, connections, toOrigins: countToOrigins() };
}

const quiet = '1 active, 0 reading, 1 writing, 0 waiting';

async function readStatus(port: number): Promise<string> {
  const page = await new Promise<string>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, agent: false };
    get(options, (response) => void text(response).then(resolve, reject)).once('error', reject);
  });
  const [, active] = /Active connections: (\d+)/.exec(page)!;
  const [, reading, writing, waiting] = /Reading: (\d+) Writing: (\d+) Waiting: (\d+)/.exec(page)!;
  return `${active} active, ${reading} reading, ${writing} writing, ${waiting} waiting`;
}

/** What is wrong with what is left. */
function compare(before: Look, after: Look): string[] {
  const faults: string[] = [];
  if (after.connections !== quiet) faults.push(`stub_status still counts ${after.connections}`);
  if (after.toOrigins > 0) faults.push(`${after.toOrigins} connections to origins are open`);
  const check = (what: string, was: number, is: number, most: number) => {
    if (is > most) faults.push(`${what}: ${is} are left, ${was} were there before`);
  };
  check('descriptors', before.descriptors, after.descriptors, before.descriptors);
  for (const kind of ['handles', 'objects'] as const) {
    for (const [name, count] of Object.entries(after[kind])) {
      const was = before[kind][name] ?? 0;
      check(name, was, count, kept[name] ?? was);
    }
  }
  check('bytes of the heap', before.heapBytes, after.heapBytes, before.heapBytes * (1 + heapPart));
  check('bytes of buffers', before.bufferBytes, after.bufferBytes, before.bufferBytes + spareBufferBytes);
  return faults;
}

function describe({ heapBytes, bufferBytes, descriptors, handles, objects }: Look): string {
  const counts = Object.entries({ ...handles, ...objects }).map(([name, count]) => `${count} ${name}`);
  const memory = `heap ${toMb(heapBytes)} MB, buffers ${toMb(bufferBytes)} MB`;
  return `${memory}, ${descriptors} descriptors, ${counts.join(', ')}`;
}

function toMb(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
