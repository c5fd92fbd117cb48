// `npm run soak`: 200,000 connections through a sluice with a configuration of many parts, left by client or origin in
// every state. Exits 1 when an answer that had to come did not, or when a socket, a timer or a buffer is left
// afterwards, or the heap has grown by more than a tenth. `-- --seed N` plays the same again.

import { repositoryRoot } from './paths.js';
import { run } from './run.js';
import { runSoak } from './soak/run-soak.js';

const warmUpCount = 20_000;
const connectionCount = 200_000;

function readOption(name: string, usual: string): string {
  const flag = process.argv.indexOf(name);
  return flag < 0 ? usual : (process.argv[flag + 1] ?? usual);
}

await run(async (context) => {
  const seed = Number(readOption('--seed', String(Math.floor(Math.random() * 2 ** 32))));
  const count = Number(readOption('--connections', String(connectionCount)));
  const node = readOption('--node', process.execPath);
  const startedAt = Date.now();
  const options = { root: repositoryRoot, node, warmUpCount, connectionCount: count, seed };
  const faults = await runSoak(context, options);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  const outcome = faults.length === 0 ? 'nothing is left' : `FAILED, seed ${seed}`;
  process.stdout.write(`${count.toLocaleString('en')} connections in ${seconds} s: ${outcome}\n`);
  return faults.length === 0;
});
