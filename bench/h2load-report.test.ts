import { describe, expect, it } from 'vitest';
import { parseH2loadOutput } from './h2load-report.js';

const output = `starting benchmark...
progress: 100% done

finished in 1.99s, 1004.19 req/s, 146.12KB/s
requests: 4 total, 4 started, 4 done, 4 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 4 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 291.02KB (298000) total, 210.94KB (216000) headers (space savings 0.00%), 3.91KB (4000) data
`;
const log =
  '1795714021751351\t200\t303\n1795714021751340\t200\t900\n1795714021751333\t200\t360\n5\t200\t100\n';

describe('parseH2loadOutput', () => {
  it('counts from the summary and takes times from the log', () => {
    expect(parseH2loadOutput(output, log)).toMatchObject({
      requests: 4,
      receivedBytes: 298_000,
      p50Us: 303,
      p99Us: 360,
      badStatuses: 0,
      socketErrors: 0,
    });
    expect(parseH2loadOutput(output, log).durationSeconds).toBeCloseTo(4 / 1004.19);
  });

  it('tells answers that are not 2xx from requests without one', () => {
    const bad = output
      .replace('4 done, 4 succeeded, 0 failed, 0 errored', '3 done, 1 succeeded, 3 failed, 1 errored')
      .replace('4 2xx, 0 3xx, 0 4xx, 0 5xx', '1 2xx, 0 3xx, 0 4xx, 2 5xx');
    expect(parseH2loadOutput(bad, log)).toMatchObject({ requests: 4, badStatuses: 2, socketErrors: 1 });
  });

  it('quotes what h2load said when there is no summary', () => {
    expect(() => parseH2loadOutput('unknown option --rps\n', '')).toThrow(/unknown option --rps/);
  });
});
