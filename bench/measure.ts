// Measures proxies side by side: short rounds, interleaved between the proxies, so that whatever else
// the machine does hits all alike. Numbers only; report.ts makes a table of them.

import { setTimeout as delay } from 'node:timers/promises';
import { type Load, loadCore, SteadyLoad, WrkLoad } from './load.js';
import { findFault } from './load-report.js';
import { repositoryRoot } from './paths.js';
import type { ProxyUnderTest } from './peers/proxy-under-test.js';
import { processTree, readCoreBusyNs, readCpuTime, readResidentBytes } from './proc.js';
import { findFreePort, type ProcessGroup } from './processes.js';
import { prepareStaticOrigin } from './static-origin.js';
import type { Workload } from './workloads.js';

const proxyCore = 0;
const warmUpConnections = 64;
/** Long enough for a compiler to be done with what the rounds will run. */
const warmUpSeconds = 3;

/** What is measured, how long, and with what. */
export interface MeasurePlan {
  proxies: readonly ProxyUnderTest[];
  workloads: readonly Workload[];
  /** Numbers of keepalive connections. */
  connections: readonly number[];
  /** Rounds of each process on each workload. */
  rounds: number;
  /** How often each proxy is started: what a compiler makes of the same code differs between processes. */
  processes: number;
  secondsPerRound: number;
  /** Requests a second that each proxy gets; undefined for as many as it takes. */
  rate: number | undefined;
  /** Node binary for the proxies written in JavaScript. */
  node: string;
}

/** One round of one proxy. */
export interface Round {
  requestsPerSecond: number;
  p50Us: number;
  p99Us: number;
  /** Processor time of the proxy in user and in kernel mode, microseconds per request. */
  cpuUserUs: number;
  cpuSystemUs: number;
  /** Resident memory of the proxy after the round. */
  residentBytes: number;
  /** Share of the proxy's core, 0 to 1, that others used during the round: how far to trust it. */
  othersOnCore: number;
}

/** All rounds of one proxy on one workload; `fault` says why they are not to be trusted. */
export interface Series {
  workload: Workload;
  connections: number;
  proxy: ProxyUnderTest;
  rounds: Round[];
  fault: string | undefined;
}

/** A proxy that runs in front of one origin. */
interface RunningProxy {
  proxy: ProxyUnderTest;
  port: number;
  pid: number;
}

/** Runs the plan; `folder` takes configuration and output, `log` a line of progress. */
export async function measure(
  plan: MeasurePlan,
  processes: ProcessGroup,
  folder: string,
  log: (line: string) => void,
): Promise<Series[]> {
  const all: Series[] = [];
  const runningByOrigin = new Map<string, RunningProxy[]>();
  for (const workload of plan.workloads) {
    const origin = workload.upBytes > 0 ? 'sink' : 'static';
    let running = runningByOrigin.get(origin);
    if (running === undefined) {
      running = await startProxies(plan, origin, processes, folder);
      runningByOrigin.set(origin, running);
    }
    const flood = new WrkLoad(processes, workload, folder);
    const { rate } = plan;
    const load = rate === undefined ? flood : new SteadyLoad(processes, workload, folder, rate);
    // What fails here fails in the rounds as well, and is told there.
    for (const { port } of running)
      await flood.run(port, warmUpConnections, warmUpSeconds).catch(() => undefined);
    for (const connections of plan.connections) {
      log(`${workload.title}, ${connections} connections`);
      all.push(...(await measureSideBySide(plan, running, load, connections)));
    }
  }
  return all;
}

/** A proxy serves one origin only, so each origin has processes of its own; those of one proxy start between the others'. */
async function startProxies(
  plan: MeasurePlan,
  origin: 'sink' | 'static',
  processes: ProcessGroup,
  folder: string,
): Promise<RunningProxy[]> {
  const upstreamPort = await findFreePort();
  const sink = `${repositoryRoot}.build/bench/upload-sink.js`;
  const program =
    origin === 'static'
      ? prepareStaticOrigin(upstreamPort, folder)
      : { name: 'upload-sink', command: plan.node, args: [sink, String(upstreamPort)] };
  await processes.startServer(program, loadCore, upstreamPort);
  const running: RunningProxy[] = [];
  for (const proxy of Array.from({ length: plan.processes }, () => plan.proxies).flat()) {
    const port = await findFreePort();
    const prepared = proxy.prepare({ listenPort: port, upstreamPort, folder, node: plan.node });
    running.push({ proxy, port, pid: await processes.startServer(prepared, proxyCore, port) });
  }
  return running;
}

async function measureSideBySide(
  plan: MeasurePlan,
  running: readonly RunningProxy[],
  load: Load,
  connections: number,
): Promise<Series[]> {
  const series = plan.proxies.map(
    (proxy): Series => ({ workload: load.workload, connections, proxy, rounds: [], fault: undefined }),
  );
  for (let round = 0; round < plan.rounds; round++) {
    for (const target of running) {
      const own = series.find(({ proxy }) => proxy === target.proxy)!;
      try {
        const { result, fault } = await measureRound(target, load, connections, plan.secondsPerRound);
        own.rounds.push(result);
        own.fault ??= fault;
      } catch (error) {
        own.fault ??= error instanceof Error ? error.message : String(error);
      }
    }
  }
  return series;
}

async function measureRound(
  { port, pid }: RunningProxy,
  load: Load,
  connections: number,
  seconds: number,
): Promise<{ result: Round; fault: string | undefined }> {
  // What the round before left to do (closing its connections) is not this round's.
  await delay(100);
  const pids = processTree(pid);
  if (pids.length === 0) throw new Error('its process has ended');
  const cpuBefore = readCpuTime(pids);
  const busyBefore = readCoreBusyNs(proxyCore);
  const startedAt = process.hrtime.bigint();
  const report = await load.run(port, connections, seconds);
  const elapsedNs = Number(process.hrtime.bigint() - startedAt);
  const busyNs = readCoreBusyNs(proxyCore) - busyBefore;
  const cpu = readCpuTime(pids);
  const totalNs = cpu.totalNs - cpuBefore.totalNs;
  const userNs = cpu.userNs - cpuBefore.userNs;
  const systemNs = cpu.systemNs - cpuBefore.systemNs;
  const totalUs = totalNs / 1000 / report.requests;
  const userShare = userNs / Math.max(1, userNs + systemNs);
  return {
    result: {
      requestsPerSecond: report.requests / report.durationSeconds,
      p50Us: report.p50Us,
      p99Us: report.p99Us,
      cpuUserUs: totalUs * userShare,
      cpuSystemUs: totalUs * (1 - userShare),
      residentBytes: readResidentBytes(pids),
      othersOnCore: Math.max(0, (busyNs - totalNs) / elapsedNs),
    },
    fault: findFault(report, load.workload),
  };
}
