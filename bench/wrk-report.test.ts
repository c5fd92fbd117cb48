import { describe, expect, it } from 'vitest';
import { workloads } from './workloads.js';
import { buildWrkScript, parseWrkOutput } from './wrk-report.js';

const small = workloads.find(({ name }) => name === 'small')!;
const upload = workloads.find(({ name }) => name === '1m-up')!;

describe('parseWrkOutput', () => {
  it("finds the script's line among wrk's own", () => {
    const output = `Running 2s test @ http://127.0.0.1:8080/small
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms  310.00us   8.01ms   80.12%
Requests/sec:  61423.94
sluice-bench {"requests":1000,"durationSeconds":1.500000,"receivedBytes":300000,"p50Us":210,"p99Us":1900,"badStatuses":0,"socketErrors":0}
`;
    expect(parseWrkOutput(output)).toMatchObject({
      requests: 1000,
      durationSeconds: 1.5,
      p50Us: 210,
      p99Us: 1900,
    });
    expect(parseWrkOutput(output)).toMatchObject({ receivedBytes: 300_000, badStatuses: 0, socketErrors: 0 });
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
