// `npm run bench:conf`: how long sluice takes to serve a configuration of 1,000 servers and 10,000 locations, from
// the start of the process to the first answer. Exits 1 when the median is over the bound.

import { findNewestLts } from './install.js';
import { sluiceLargeConf } from './peers/sluice-conf.js';
import { findFreePort } from './processes.js';
import { run } from './run.js';

const boundSeconds = 2;
const rounds = 5;

await run(async ({ processes, folder, log }) => {
  const node = findNewestLts();
  const upstreamPort = await findFreePort();
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const listenPort = await findFreePort();
    const program = sluiceLargeConf.prepare({ listenPort, upstreamPort, folder, node });
    const startedAt = performance.now();
    await processes.startServer(program, 0, listenPort);
    const answer = await fetch(`http://127.0.0.1:${listenPort}/app-0/part-3/x`);
    seconds.push((performance.now() - startedAt) / 1000);
    if (answer.status !== 204) throw new Error(`Cannot measure: it answered ${answer.status}, not 204`);
    log(`round ${round + 1}: ${seconds.at(-1)!.toFixed(2)} s`);
    await processes.stopAll();
  }
  const median = seconds.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
  process.stdout.write(
    `1,000 servers and 10,000 locations: ${median.toFixed(2)} s to the first answer, bound ${boundSeconds} s\n`,
  );
  return median < boundSeconds;
});
