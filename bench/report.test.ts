import { describe, expect, it } from 'vitest';
import type { Round, Series } from './measure.js';
import { buildRows, judgeGoals, median, renderMarkdown } from './report.js';
import { workloads } from './workloads.js';

const small = workloads.find(({ name }) => name === 'small')!;
const nodePeers = ['http-proxy-3', 'fastify-http-proxy'];

function round(cpuUserUs: number, cpuSystemUs: number): Round {
  return {
    requestsPerSecond: 40_000,
    p50Us: 1500,
    p99Us: 3000,
    cpuUserUs,
    cpuSystemUs,
    residentBytes: 80 * 2 ** 20,
    othersOnCore: 0.02,
  };
}

function series(name: string, rounds: Round[], change: Partial<Series> = {}): Series {
  const proxy = {
    name,
    isNodePeer: nodePeers.includes(name),
    debianPackage: undefined,
    prepare: () => ({ name, command: name, args: [] }),
    readVersion: () => '1',
  };
  return { workload: small, connections: 64, proxy, rounds, fault: undefined, ...change };
}

describe('median', () => {
  it('is the middle one of an odd count, the mean of the middle two of an even one', () => {
    expect(median([30, 10, 20])).toBe(20);
    expect(median([40, 10, 20, 30])).toBe(25);
  });
});

describe('buildRows', () => {
  const all = [
    series('sluice', [round(10, 14), round(8, 14), round(50, 50)]),
    series('nginx', [round(5, 15), round(5, 15), round(5, 15)]),
    series('http-proxy-3', [round(100, 60)]),
    series('fastify-http-proxy', [round(80, 40)]),
  ];

  it('takes the median of user + system and compares it with nginx and with the cheapest Node peer', () => {
    const row = buildRows(all)[0]!;
    expect(row.cpuUs).toBe(24);
    expect(row.ofNginx).toBeCloseTo(1.2);
    expect(row.ofNodePeer).toBeCloseTo(0.2);
  });

  it('gives the spread of the rounds as a share of the median', () => {
    expect(buildRows(all)[0]!.cpuSpread).toBeCloseTo((100 - 22) / 2 / 24);
  });

  it('compares within the same workload and number of connections only', () => {
    const rows = buildRows([
      series('sluice', [round(10, 10)]),
      series('nginx', [round(5, 5)], { connections: 1 }),
    ]);
    expect(rows[0]!.ofNginx).toBeUndefined();
  });

  it('does not take a peer that failed as a yardstick', () => {
    const rows = buildRows([
      all[0]!,
      series('nginx', [round(1, 1)], { fault: '9 of 10 answers were not 2xx' }),
    ]);
    expect(rows[0]!.ofNginx).toBeUndefined();
  });
});

describe('judgeGoals', () => {
  it('holds sluice against both bounds of the workload', () => {
    const all = [
      series('sluice', [round(10, 20)]),
      series('nginx', [round(5, 15)]),
      series('http-proxy-3', [round(100, 60)]),
    ];
    const goals = judgeGoals(all, buildRows(all));
    expect(goals.map(({ measured, isReached }) => [measured, isReached])).toEqual([
      [1.5, false],
      [0.1875, true],
    ]);
  });

  it('does not count a goal as reached by rounds that failed', () => {
    const all = [
      series('sluice', [round(1, 1)], { fault: 'its process has ended' }),
      series('nginx', [round(5, 15)]),
    ];
    expect(judgeGoals(all, buildRows(all)).map(({ isReached }) => isReached)).toEqual([false]);
  });
});

describe('renderMarkdown', () => {
  it('shows figures in a row for each proxy and a failure in place of its figures', () => {
    const all = [
      series('sluice', [round(10, 14)]),
      series('nginx', [round(5, 15)], { fault: '2 connections broke or timed out' }),
    ];
    const text = renderMarkdown(all, buildRows(all), []);
    expect(text).toContain('### small GET (135 bytes), 64 connections');
    expect(text).toContain(
      '| sluice | 40000 | 1.50 | 3.00 | **24.0** | 10.0 + 14.0 | 0 % | - | - | 80 | 2 % |',
    );
    expect(text).toContain('| nginx | **FAILED: 2 connections broke or timed out** |');
  });
});
