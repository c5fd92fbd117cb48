// From measured rounds to the figures people read: medians, ratios, goals, a Markdown table and JSON.
// Pure; measure.ts measures.

import type { Round, Series } from './measure.js';

/** The medians of one proxy on one workload, and how they compare. */
export interface Row {
  workload: string;
  connections: number;
  proxy: string;
  requestsPerSecond: number;
  p50Us: number;
  p99Us: number;
  cpuUserUs: number;
  cpuSystemUs: number;
  /** Median of the rounds' user + system. */
  cpuUs: number;
  /** Half the distance between the cheapest and the dearest round, as a share of the median. */
  cpuSpread: number;
  residentBytes: number;
  othersOnCore: number;
  /** CPU per request as a multiple of nginx's and of the best Node peer's; undefined where that was not measured. */
  ofNginx: number | undefined;
  ofNodePeer: number | undefined;
  fault: string | undefined;
  rounds: Round[];
}

/** One of the project's goals, and what was measured for it. */
export interface Goal {
  text: string;
  measured: number;
  isReached: boolean;
}

/** One row a series, compared within the series of the same workload and connections. */
export function buildRows(all: readonly Series[]): Row[] {
  return all.map((series) => {
    const rivals = all.filter((s) => s.workload === series.workload && s.connections === series.connections);
    const cpuUs = cpuOf(series);
    const costs = series.rounds.map(roundCpu);
    return {
      workload: series.workload.name,
      connections: series.connections,
      proxy: series.proxy.name,
      requestsPerSecond: medianOf(series, (round) => round.requestsPerSecond),
      p50Us: medianOf(series, (round) => round.p50Us),
      p99Us: medianOf(series, (round) => round.p99Us),
      cpuUserUs: medianOf(series, (round) => round.cpuUserUs),
      cpuSystemUs: medianOf(series, (round) => round.cpuSystemUs),
      cpuUs,
      cpuSpread: (Math.max(...costs) - Math.min(...costs)) / 2 / cpuUs,
      residentBytes: series.rounds.at(-1)?.residentBytes ?? Number.NaN,
      othersOnCore: medianOf(series, (round) => round.othersOnCore),
      ofNginx: ratioTo(
        cpuUs,
        rivals.filter(({ proxy }) => proxy.name === 'nginx'),
      ),
      ofNodePeer: ratioTo(
        cpuUs,
        rivals.filter(({ proxy }) => proxy.isNodePeer),
      ),
      fault: series.fault,
      rounds: series.rounds,
    };
  });
}

/** The goals that the rows can answer: those of sluice on the largest number of connections measured. */
export function judgeGoals(all: readonly Series[], rows: readonly Row[]): Goal[] {
  const connections = Math.max(...rows.map((row) => row.connections));
  const goals: Goal[] = [];
  for (const [index, row] of rows.entries()) {
    const { goal, title } = all[index]!.workload;
    if (row.proxy !== 'sluice' || row.connections !== connections || goal === undefined) continue;
    const add = (measured: number | undefined, bound: number | undefined, rival: string) => {
      if (measured === undefined || bound === undefined) return;
      goals.push({
        text: `${title}, ${connections} connections: CPU per request at most ${bound.toFixed(2)} of ${rival}`,
        measured,
        isReached: row.fault === undefined && measured <= bound,
      });
    };
    add(row.ofNginx, goal.ofNginx, 'nginx');
    add(row.ofNodePeer, goal.ofNodePeer, 'the best Node peer');
  }
  return goals;
}

/** The rows as one Markdown table a workload, with the goals behind them. */
export function renderMarkdown(all: readonly Series[], rows: readonly Row[], goals: readonly Goal[]): string {
  const lines: string[] = [];
  let title = '';
  for (const [index, row] of rows.entries()) {
    const { workload, connections } = all[index]!;
    const next = `${workload.title}, ${connections} connection${connections === 1 ? '' : 's'}`;
    if (next !== title) {
      title = next;
      lines.push('', `### ${title}`, '', ...tableHead);
    }
    lines.push(renderRow(row));
  }
  if (goals.length > 0) lines.push('', '### Goals', '');
  for (const goal of goals) {
    lines.push(
      `- ${goal.isReached ? 'reached' : 'NOT REACHED'}: ${goal.text}; measured ${goal.measured.toFixed(2)}`,
    );
  }
  return lines.join('\n').trimStart() + '\n';
}

const columns = [
  'proxy',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'CPU us/request',
  'user + system',
  'spread',
  'of nginx',
  'of best Node peer',
  'RSS MB',
  'others on core',
];
const tableHead = [`| ${columns.join(' | ')} |`, `|---|${'---:|'.repeat(columns.length - 1)}`];

function renderRow(row: Row): string {
  if (row.fault !== undefined)
    return `| ${row.proxy} | **FAILED: ${row.fault}** |${' |'.repeat(columns.length - 2)}`;
  const cells = [
    row.proxy,
    row.requestsPerSecond.toFixed(0),
    (row.p50Us / 1000).toFixed(2),
    (row.p99Us / 1000).toFixed(2),
    `**${toShort(row.cpuUs)}**`,
    `${toShort(row.cpuUserUs)} + ${toShort(row.cpuSystemUs)}`,
    `${(row.cpuSpread * 100).toFixed(0)} %`,
    row.ofNginx?.toFixed(2) ?? '-',
    row.ofNodePeer?.toFixed(2) ?? '-',
    (row.residentBytes / 2 ** 20).toFixed(0),
    `${(row.othersOnCore * 100).toFixed(0)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The middle value, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function medianOf(series: Series, figure: (round: Round) => number): number {
  return median(series.rounds.map(figure));
}

function roundCpu(round: Round): number {
  return round.cpuUserUs + round.cpuSystemUs;
}

function cpuOf(series: Series): number {
  return medianOf(series, roundCpu);
}

/** A rival that failed is no yardstick. */
function ratioTo(cpuUs: number, rivals: readonly Series[]): number | undefined {
  const costs = rivals.filter((rival) => rival.fault === undefined && rival.rounds.length > 0).map(cpuOf);
  return costs.length === 0 ? undefined : cpuUs / Math.min(...costs);
}

function toShort(microseconds: number): string {
  return microseconds.toFixed(microseconds < 100 ? 1 : 0);
}
