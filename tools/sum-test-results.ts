// Adds up Vitest's JSON result files, given as arguments, into one line: "N passed, N failed".
// A file that is missing or unreadable is a run that never finished, and counts as one failure.
import { readFileSync } from 'node:fs';

/** The part of Vitest's JSON report that is counted. */
interface RunReport {
  success: boolean;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

/** How many tests passed and how many did not. */
export interface TestCount {
  passed: number;
  failed: number;
}

/**
 * Counts one run. A file that failed before its first test (a broken import), and a run that failed without
 * naming a test (an error outside of any), count as one failure each: a run that failed never sums to zero.
 */
export function countRun(report: RunReport): TestCount {
  const count: TestCount = { passed: 0, failed: 0 };
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter((test) => test.status === 'failed').length;
    count.passed += file.assertionResults.filter((test) => test.status === 'passed').length;
    count.failed += failed === 0 && file.status === 'failed' ? 1 : failed;
  }
  if (!report.success && count.failed === 0) count.failed = 1;
  return count;
}

/** Sums the runs of several result files. */
export function sumRuns(resultFiles: string[]): TestCount {
  const sum: TestCount = { passed: 0, failed: 0 };
  for (const resultFile of resultFiles) {
    const count = countFile(resultFile);
    sum.passed += count.passed;
    sum.failed += count.failed;
  }
  return sum;
}

function countFile(resultFile: string): TestCount {
  let text: string;
  try {
    text = readFileSync(resultFile, 'utf8');
  } catch {
    return { passed: 0, failed: 1 };
  }
  try {
    return countRun(JSON.parse(text) as RunReport);
  } catch {
    return { passed: 0, failed: 1 };
  }
}

if (process.argv[1] === import.meta.filename) {
  const sum = sumRuns(process.argv.slice(2));
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  if (sum.failed > 0 || sum.passed === 0) process.exitCode = 1;
}
