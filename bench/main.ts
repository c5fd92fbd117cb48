// `npm run bench`: installs what is missing, measures, prints a Markdown table and writes it with the
// JSON of every round to bench/results/. Exits 1 when a proxy failed at its work.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { findNewestLts, installDebianPackages, installNodePeers } from './install.js';
import { measure } from './measure.js';
import { type BenchOptions, help, parseOptions } from './options.js';
import { resultsFolder } from './paths.js';
import { buildRows, judgeGoals, renderMarkdown } from './report.js';
import { type Run, run } from './run.js';

async function bench(options: BenchOptions, { processes, folder, log }: Run): Promise<boolean> {
  if (cpus().length < 2)
    throw new Error('Cannot measure on one core: the proxy needs one and the load another');
  const { proxies } = options;
  // nginx is needed in any case: it is the upstream.
  const loads = options.rate === undefined ? ['wrk'] : ['wrk', 'nghttp2-client'];
  installDebianPackages(['nginx', ...loads, ...proxies.flatMap((proxy) => proxy.debianPackage ?? [])], log);
  if (proxies.some((proxy) => proxy.isNodePeer)) installNodePeers(log);
  const node = options.node ?? findNewestLts();
  const series = await measure({ ...options, node }, processes, folder, log);
  const rows = buildRows(series);
  const goals = judgeGoals(series, rows);
  const conditions = describeConditions(options, node);
  const markdown = `${conditions.map((line) => `- ${line}\n`).join('')}\n${renderMarkdown(series, rows, goals)}`;
  process.stdout.write(markdown);
  save(markdown, { conditions, goals, rows });
  log(`written to ${resultsFolder}latest.md and latest.json`);
  return rows.every((row) => row.fault === undefined);
}

/** Under what the figures were measured, a line each. */
function describeConditions(options: BenchOptions, node: string): string[] {
  const nodeVersion = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const versions = options.proxies.map((proxy) => `${proxy.name} ${proxy.readVersion()}`);
  return [
    new Date().toISOString(),
    `${versions.join(', ')}; Node ${nodeVersion}`,
    `${cpus().length} cores of ${cpus()[0]!.model}, Linux ${release()}; the proxy alone on one, load and upstream on another`,
    `medians of ${options.rounds} rounds of ${options.secondsPerRound} s of ${options.processes} process${options.processes > 1 ? 'es' : ''} each, interleaved`,
    options.rate === undefined
      ? 'as many requests as each takes'
      : `${options.rate} requests a second to each`,
  ];
}

/** Writes both forms under the time of the run and, for those who look for the newest, as latest.*. */
function save(markdown: string, results: object): void {
  mkdirSync(resultsFolder, { recursive: true });
  const json = JSON.stringify(results, null, 2);
  for (const name of [new Date().toISOString().replace(/[:.]/g, '-'), 'latest']) {
    writeFileSync(`${resultsFolder}${name}.md`, markdown);
    writeFileSync(`${resultsFolder}${name}.json`, json);
  }
}

await run(async (context) => {
  const options = parseOptions(process.argv.slice(2));
  if (!options.isHelp) return bench(options, context);
  process.stdout.write(help);
  return true;
});
