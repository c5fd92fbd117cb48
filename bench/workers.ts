// `npm run bench:workers`: what a second worker brings, to sluice and to nginx. One worker is alone on one core with
// its load and its origin, two have two cores with twice of both: so the share of load and origin is the same, and so is
// the load of a worker. No core idles, so requests per second and the processor time of a request say the same, the
// latter more steadily. Exits 1 when two of sluice's workers do less than 1.7 times what one does.

import { setTimeout as delay } from 'node:timers/promises';
import { installDebianPackages } from './install.js';
import { WrkLoad } from './load.js';
import { findFault } from './load-report.js';
import { prepareNginxProxy } from './peers/nginx.js';
import type { StartOptions } from './peers/proxy-under-test.js';
import { prepareWorkers } from './peers/sluice-conf.js';
import { processTree, readCpuTime } from './proc.js';
import { findFreePort } from './processes.js';
import { nodeToMeasure, type Run, run } from './run.js';
import { prepareStaticOrigin } from './static-origin.js';
import { workloads } from './workloads.js';

/** Short ones in turn, so that what else the machine does hits all alike. */
const rounds = 20;
const warmUpRounds = 3;
const seconds = 1;
const connectionsPerWorker = 64;
const bound = 1.7;

const small = workloads[0]!;

const proxies = { nginx: prepareNginxProxy, sluice: prepareWorkers };

/** One proxy with a number of workers, and what was measured. */
interface Scene {
  name: keyof typeof proxies;
  workers: number;
  /** What each worker gets. */
  load: WrkLoad;
  pid: number;
  port: number;
  /** Microseconds of processor time a request, by round. */
  us: number[];
  /** Requests per second, by round. */
  rates: number[];
}

async function start(
  { processes, folder }: Run,
  name: Scene['name'],
  workers: number,
  node: string,
): Promise<Scene> {
  const cores = Array.from({ length: workers }, (_, core) => core);
  const upstreamPort = await findFreePort();
  await processes.startServer(prepareStaticOrigin(upstreamPort, folder, workers), cores, upstreamPort);
  const port = await findFreePort();
  const options: StartOptions = { listenPort: port, upstreamPort, folder, node };
  const pid = await processes.startServer(proxies[name](options, workers), cores, port);
  const load = new WrkLoad(processes, small, folder, cores);
  return { name, workers, load, pid, port, us: [], rates: [] };
}

async function measureRound(
  { load, workers, pid, port, us, rates }: Scene,
  isCounted: boolean,
): Promise<void> {
  // What the round before left to do (closing its connections) is not this round's.
  await delay(100);
  const pids = processTree(pid);
  const before = readCpuTime(pids).totalNs;
  const loads = Array.from({ length: workers }, () => load.run(port, connectionsPerWorker, seconds));
  const reports = await Promise.all(loads);
  const spentUs = (readCpuTime(pids).totalNs - before) / 1000;
  for (const report of reports) {
    const fault = findFault(report, small);
    if (fault !== undefined) throw new Error(`Cannot measure: ${fault}`);
  }
  if (!isCounted) return;
  us.push(spentUs / sum(reports.map(({ requests }) => requests)));
  rates.push(sum(reports.map(({ requests, durationSeconds }) => requests / durationSeconds)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Between the best quarter and the rest: what others do on the machine makes rounds worse, never better. */
function bestQuarter(sorted: number[]): number {
  return sorted[Math.floor(sorted.length / 4)]!;
}

function usOf({ us }: Scene): number {
  return bestQuarter([...us].sort((a, b) => a - b));
}

function rateOf({ rates }: Scene): number {
  return bestQuarter([...rates].sort((a, b) => b - a));
}

function describe(scene: Scene): string {
  const which = `${scene.name}, ${scene.workers} worker${scene.workers > 1 ? 's' : ''}`;
  return `${which}: ${usOf(scene).toFixed(1)} us of CPU a request, ${Math.round(rateOf(scene))} requests/s`;
}

await run(async (context) => {
  installDebianPackages(['nginx', 'wrk'], context.log);
  const node = nodeToMeasure();
  const scenes: Scene[] = [];
  for (const name of ['nginx', 'sluice'] as const) {
    for (const workers of [1, 2]) scenes.push(await start(context, name, workers, node));
  }
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const scene of scenes) await measureRound(scene, round >= 0);
    if (round >= 0) context.log(`round ${round + 1} of ${rounds}`);
  }
  let isReached = true;
  for (const scene of scenes) process.stdout.write(`${describe(scene)}\n`);
  for (let i = 0; i < scenes.length; i += 2) {
    const [one, two] = [scenes[i]!, scenes[i + 1]!];
    const byCpu = (2 * usOf(one)) / usOf(two);
    const byRate = rateOf(two) / rateOf(one);
    const figures = `${byCpu.toFixed(2)} times one by CPU a request, ${byRate.toFixed(2)} by requests/s`;
    const isJudged = one.name === 'sluice';
    process.stdout.write(`${one.name}: two are ${figures}${isJudged ? `, bound ${bound}` : ''}\n`);
    if (isJudged) isReached = byCpu >= bound;
  }
  return isReached;
});
