// What wrk is told and what it answers. Its script makes it print one line of JSON beside its usual
// words, so that nothing is lost in rounded numbers with units. Pure: load.ts runs wrk.

import type { LoadReport } from './load-report.js';
import type { Workload } from './workloads.js';

const marker = 'sluice-bench ';

/** The Lua script for wrk. What is static in it costs wrk nothing per request. */
export function buildWrkScript({ upBytes }: Workload): string {
  const request =
    upBytes === 0
      ? ''
      : `wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("x", ${upBytes})
`;
  return `${request}done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '${marker}{"requests":%d,"durationSeconds":%.6f,"receivedBytes":%d,"p50Us":%d,"p99Us":%d,"badStatuses":%d,"socketErrors":%d}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
`;
}

/** Finds the script's line in what wrk printed. Throws when there is none. */
export function parseWrkOutput(output: string): LoadReport {
  const line = output.split('\n').find((text) => text.startsWith(marker));
  if (line === undefined)
    throw new Error(`Cannot read the result of wrk: no "${marker}" line in "${output}"`);
  return JSON.parse(line.slice(marker.length));
}
