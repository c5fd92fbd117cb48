// The sum that ends a CI run, on made-up Vitest reports.
import { expect, test } from 'vitest';
import { countRun, sumRuns } from './sum-test-results.js';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((one) => ({ status: one })),
});

test('a run counts what passed and what failed, and leaves out what was skipped', () => {
  const testResults = [
    file('passed', 'passed', 'passed', 'skipped'),
    file('failed', 'passed', 'failed', 'failed'),
  ];
  expect(countRun({ success: false, testResults })).toEqual({ passed: 3, failed: 2 });
});

test('a file that broke before its first test counts as one failure', () => {
  const testResults = [file('passed', 'passed'), file('failed')];
  expect(countRun({ success: false, testResults })).toEqual({ passed: 1, failed: 1 });
});

test('a run that failed without naming a test counts as one failure', () => {
  expect(countRun({ success: false, testResults: [file('passed', 'passed')] })).toEqual({
    passed: 1,
    failed: 1,
  });
});

test('a run that left no result file counts as one failure', () => {
  expect(sumRuns(['/nonexistent/a.json', '/nonexistent/b.json'])).toEqual({ passed: 0, failed: 2 });
});
