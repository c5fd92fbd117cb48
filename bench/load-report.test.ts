import { describe, expect, it } from 'vitest';
import { findFault, type LoadReport } from './load-report.js';
import { workloads } from './workloads.js';

const small = workloads.find(({ name }) => name === 'small')!;
const large = workloads.find(({ name }) => name === '64k')!;
const good: LoadReport = {
  requests: 1000,
  durationSeconds: 1.5,
  receivedBytes: 300_000,
  p50Us: 210,
  p99Us: 1900,
  badStatuses: 0,
  socketErrors: 0,
};

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
