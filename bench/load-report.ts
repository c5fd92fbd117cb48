// What one round of load came to, whatever made the load, and what may be wrong with it. Pure.

import type { Workload } from './workloads.js';

/** What was counted in one round. */
export interface LoadReport {
  requests: number;
  durationSeconds: number;
  receivedBytes: number;
  p50Us: number;
  p99Us: number;
  /** Answers other than 2xx and 3xx. */
  badStatuses: number;
  /** Connections that could not be made or broke, and requests without an answer in time. */
  socketErrors: number;
}

/** Says what is wrong with a round, or undefined when every request was answered well and in full. */
export function findFault(report: LoadReport, { downBytes }: Workload): string | undefined {
  if (report.badStatuses > 0) return `${report.badStatuses} of ${report.requests} answers were not 2xx`;
  if (report.socketErrors > 0) return `${report.socketErrors} connections broke or timed out`;
  if (report.requests === 0) return 'not one request was answered';
  if (report.receivedBytes < report.requests * downBytes) {
    return `${report.requests} answers of ${downBytes} bytes came as ${report.receivedBytes} bytes`;
  }
  return undefined;
}
