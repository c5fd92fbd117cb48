#!/usr/bin/env node
/*
 * The executable: hands the process's arguments and environment to run.ts, and its code back.
 */
import { setFlagsFromString } from 'node:v8';
import { describeErrno } from '../core/errno.js';
import { runCommand } from './run.js';

// perf: a request passes through many small functions, more than V8 inlines unasked: 3 % of its CPU time.
setFlagsFromString('--max-inlined-bytecode-size=1000');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=3000');

let isOutputLost = false;

process.stderr.on('error', () => {});
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // A reader that went away (`sluice --help | head -1`) has all it wanted.
  if (code === 'EPIPE' || isOutputLost) return;
  isOutputLost = true;
  process.stderr.write(`Cannot write to standard output: ${describeErrno(code ?? message)}\n`);
  if (process.exitCode === 0) process.exitCode = 1;
});

const exitCode = await runCommand(process.argv.slice(2), process.env);
// Not process.exit(): it would cut off what a pipe has not taken yet.
if (exitCode !== null) process.exitCode = exitCode === 0 && isOutputLost ? 1 : exitCode;
