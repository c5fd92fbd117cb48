// What h2load says of a round: its summary for counts, its log of all requests for how long they took. Pure.

import type { LoadReport } from './load-report.js';

/** Reads both. Throws when the summary lacks something. */
export function parseH2loadOutput(output: string, log: string): LoadReport {
  const count = (pattern: RegExp): number => {
    const match = pattern.exec(output);
    if (match === null) throw new Error(`Cannot read the result of h2load: no ${pattern} in "${output}"`);
    return Number(match[1]);
  };
  const durationsUs = log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number(line.split('\t')[2]))
    .sort((a, b) => a - b);
  const quantile = (share: number) => durationsUs[Math.floor((durationsUs.length - 1) * share)] ?? Number.NaN;
  const total = count(/^requests: (\d+) total/m);
  return {
    requests: total,
    durationSeconds: total / count(/, ([\d.]+) req\/s/),
    receivedBytes: count(/^traffic: \S+ \((\d+)\) total/m),
    p50Us: quantile(0.5),
    p99Us: quantile(0.99),
    badStatuses: count(/ (\d+) 4xx,/) + count(/ (\d+) 5xx$/m),
    socketErrors: total - count(/ (\d+) done,/),
  };
}
