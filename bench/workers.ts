// `npm run bench:workers`: what a second worker brings. Load and origin need cores too, so requests per second say
// little on a small machine; the steady figure is the processor time of a request. Two workers on two cores can do
// twice what one can, less what a request costs more where they share: exits 1 below 1.7 times.

import { findNewestLts } from './install.js';
import { prepareWorkers } from './peers/sluice-conf.js';
import { readCpuTime } from './proc.js';
import { findFreePort, type Program } from './processes.js';
import { median } from './report.js';
import { run } from './run.js';
import { prepareStaticOrigin } from './static-origin.js';
import { workloads } from './workloads.js';

const rounds = 7;
const seconds = 2;
const connectionsPerWorker = 64;
const bound = 1.7;

await run(async ({ processes, folder, log }) => {
  const flag = process.argv.indexOf('--node');
  const node = flag > 0 ? process.argv[flag + 1]! : findNewestLts();
  const upstreamPort = await findFreePort();
  await processes.startServer(prepareStaticOrigin(upstreamPort, folder), [0, 1], upstreamPort);
  const { path } = workloads[0]!;
  const servers = [];
  for (const count of [1, 2]) {
    const listenPort = await findFreePort();
    const program = prepareWorkers({ listenPort, upstreamPort, folder, node }, count);
    const pid = await processes.startServer(program, [0, 1], listenPort);
    servers.push({
      count,
      pid,
      url: `http://127.0.0.1:${listenPort}${path}`,
      us: [] as number[],
      rates: [] as number[],
    });
  }
  for (let round = -1; round < rounds; round++) {
    for (const { count, pid, url, us, rates } of servers) {
      const load = loadOf(url, count * connectionsPerWorker);
      const before = readCpuTime([pid]).totalNs;
      const requests = requestsIn(await processes.run(load, [0, 1]));
      const spentUs = (readCpuTime([pid]).totalNs - before) / 1000;
      // The first round warms up.
      if (round < 0) continue;
      us.push(spentUs / requests);
      rates.push(requests / seconds);
      log(`round ${round + 1}, ${count} of them: ${us.at(-1)!.toFixed(1)} us a request`);
    }
  }
  const [one, two] = servers.map(({ us }) => median(us));
  for (const { count, us, rates } of servers)
    process.stdout.write(
      `${count} worker${count > 1 ? 's' : ''}: ${median(us).toFixed(1)} us of CPU a request, ${Math.round(median(rates))} requests/s beside load and origin\n`,
    );
  const factor = (2 * one!) / two!;
  process.stdout.write(`two workers on two cores: ${factor.toFixed(2)} times one, bound ${bound}\n`);
  return factor >= bound;
});

function loadOf(url: string, connections: number): Program {
  return { name: 'wrk', command: 'wrk', args: ['-t1', `-c${connections}`, `-d${seconds}s`, url] };
}

/** Throws when an answer was wrong or none. */
function requestsIn(output: string): number {
  const fault = /(Socket errors|Non-2xx).*/.exec(output)?.[0];
  if (fault !== undefined) throw new Error(`Cannot measure: ${fault}`);
  return Number(/(\d+) requests in/.exec(output)?.[1]);
}
