import { describe, expect, it } from 'vitest';
import { workloads } from './workloads.js';
import { buildWrkScript, findFault, type LoadReport, parseWrkOutput } from './wrk-report.js';

const small = workloads.find(({ name }) => name === 'small')!;
const large = workloads.find(({ name }) => name === '64k')!;
const upload = workloads.find(({ name }) => name === '1m-up')!;
const good: LoadReport = {
  requests: 1000,
  durationSeconds: 1.5,
  receivedBytes: 300_000,
  p50Us: 210,
  p99Us: 1900,
  badStatuses: 0,
  socketErrors: 0,
};

describe('parseWrkOutput', () => {
  it("finds the script's line among wrk's own", () => {
    const output = `Running 2s test @ http://127.0.0.1:8080/small
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms  310.00us   8.01ms   80.12%
Requests/sec:  61423.94
sluice-bench {"requests":1000,"durationSeconds":1.500000,"receivedBytes":300000,"p50Us":210,"p99Us":1900,"badStatuses":0,"socketErrors":0}
`;
    expect(parseWrkOutput(output)).toEqual(good);
  });

  it('quotes what wrk said when it did not get to its script', () => {
    expect(() => parseWrkOutput('unable to connect to 127.0.0.1:1\n')).toThrow(/unable to connect/);
  });
});

describe('buildWrkScript', () => {
  it('posts a body of the size of the workload, and no body for a download', () => {
    expect(buildWrkScript(upload)).toContain('wrk.method = "POST"');
    expect(buildWrkScript(upload)).toContain('string.rep("x", 1048576)');
    expect(buildWrkScript(small)).not.toContain('wrk.body');
  });
});

describe('findFault', () => {
  it('finds none in a round where every answer came whole', () => {
    expect(findFault(good, small)).toBeUndefined();
  });

  it.each([
    ['an answer that is not 2xx', { badStatuses: 3 }, '3 of 1000 answers were not 2xx'],
    ['a broken connection', { socketErrors: 2 }, '2 connections broke or timed out'],
    ['a round without answers', { requests: 0 }, 'not one request was answered'],
  ])('names %s', (_what, change, fault) => {
    expect(findFault({ ...good, ...change }, small)).toBe(fault);
  });

  it('names answers that are shorter than the workload', () => {
    expect(findFault(good, large)).toBe('1000 answers of 65536 bytes came as 300000 bytes');
  });
});
