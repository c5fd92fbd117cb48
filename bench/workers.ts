// `npm run bench:workers`: what a second worker brings, to sluice and to nginx. One worker with its load and its origin,
// and two with twice of both, each on both cores of the machine, where the kernel puts them. As load and origin take
// their share of the cores, requests per second can't show what the workers could do: the processor time of a request
// does. One second of one worker and one of two follow each other and are compared with each other alone, as the speed of
// a shared machine changes from minute to minute; processes of the same code differ too, so all are started several
// times. Exits 1 when two of sluice's workers do less than 1.7 times what one does, by the median of the rounds.

import { setTimeout as delay } from 'node:timers/promises';
import { installDebianPackages } from './install.js';
import { WrkLoad } from './load.js';
import { findFault } from './load-report.js';
import { prepareNginxProxy } from './peers/nginx.js';
import type { StartOptions } from './peers/proxy-under-test.js';
import { prepareWorkers } from './peers/sluice-conf.js';
import { processTree, readCpuTime } from './proc.js';
import { findFreePort, type Program } from './processes.js';
import { nodeToMeasure, type Run, run } from './run.js';
import { prepareStaticOrigin } from './static-origin.js';
import { workloads } from './workloads.js';

/** How often everything is started anew. */
const starts = 4;
/** Rounds of each start. */
const rounds = 10;
/** Until compilers are done; each worker compiles for itself. */
const warmUpRounds = 5;
const seconds = 1;
const cores = [0, 1];
const connectionsPerWorker = 64;
const bound = 1.7;

const small = workloads[0]!;

const proxies = { nginx: prepareNginxProxy, sluice: prepareWorkers };
const names = ['nginx', 'sluice'] as const;
type Name = (typeof names)[number];
type Prepare = (options: StartOptions, workers: number) => Program;

/** A proxy with a number of workers, and what each of them gets. */
interface Scene {
  workers: number;
  load: WrkLoad;
  pid: number;
  port: number;
}

/** What a scene did in a second. */
interface Measured {
  /** Microseconds of processor time a request. */
  us: number;
  requestsPerSecond: number;
}

/** What was measured of a proxy, by round. */
interface Series {
  one: Measured[];
  two: Measured[];
}

async function start(
  { processes, folder }: Run,
  prepare: Prepare,
  workers: number,
  node: string,
): Promise<Scene> {
  const upstreamPort = await findFreePort();
  await processes.startServer(prepareStaticOrigin(upstreamPort, folder, workers), cores, upstreamPort);
  const port = await findFreePort();
  const program = prepare({ listenPort: port, upstreamPort, folder, node }, workers);
  const pid = await processes.startServer(program, cores, port);
  return { workers, load: new WrkLoad(processes, small, folder, cores), pid, port };
}

async function measure({ workers, load, pid, port }: Scene): Promise<Measured> {
  // What the one before left to do (closing its connections) is not part of this.
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
  return {
    us: spentUs / sum(reports.map(({ requests }) => requests)),
    requestsPerSecond: sum(reports.map(({ requests, durationSeconds }) => requests / durationSeconds)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function describe(name: string, workers: string, measured: readonly Measured[]): string {
  const us = median(measured.map((each) => each.us)).toFixed(1);
  const rate = Math.round(median(measured.map((each) => each.requestsPerSecond)));
  return `${name}, ${workers}: ${us} us of CPU a request, ${rate} requests/s`;
}

/** How many times what one does two do: each of two cores gives its time, which lasts for so many requests. */
function compare(name: string, { one, two }: Series): number {
  const byRound = one.map((measured, round) => (2 * measured.us) / two[round]!.us).sort((a, b) => a - b);
  const quarter = byRound.length >> 2;
  const [low, middle, high] = [byRound[quarter]!, median(byRound), byRound.at(-1 - quarter)!];
  process.stdout.write(`${describe(name, 'one worker', one)}\n${describe(name, 'two workers', two)}\n`);
  const spread = `half of the rounds ${low.toFixed(2)} to ${high.toFixed(2)}`;
  process.stdout.write(`${name}: two do ${middle.toFixed(2)} times what one does (${spread})\n`);
  return middle;
}

await run(async (context) => {
  installDebianPackages(['nginx', 'wrk'], context.log);
  const node = nodeToMeasure();
  const series: Record<Name, Series> = { nginx: { one: [], two: [] }, sluice: { one: [], two: [] } };
  for (let started = 1; started <= starts; started++) {
    const scenes: { name: Name; one: Scene; two: Scene }[] = [];
    for (const name of names) {
      const one = await start(context, proxies[name], 1, node);
      scenes.push({ name, one, two: await start(context, proxies[name], 2, node) });
    }
    for (let round = 1 - warmUpRounds; round <= rounds; round++) {
      for (const { name, one, two } of scenes) {
        const oneDid = await measure(one);
        const twoDid = await measure(two);
        if (round < 1) continue;
        series[name].one.push(oneDid);
        series[name].two.push(twoDid);
      }
    }
    await context.processes.stopAll();
    context.log(`start ${started} of ${starts}`);
  }
  compare('nginx', series.nginx);
  const reached = compare('sluice', series.sluice);
  process.stdout.write(`bound ${bound}\n`);
  return reached >= bound;
});
