#!/usr/bin/env node
/*
 * The executable: hands the process's arguments and environment to run.ts, and its code back.
 */
import { setFlagsFromString } from 'node:v8';
import { runCommand } from './run.js';

// perf: a request passes through many small functions, more than V8 inlines unasked: 3 % of its CPU time.
setFlagsFromString('--max-inlined-bytecode-size=1000');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=3000');

// A reader that went away (`sluice --help | head -1`) is no reason to end with a stack.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const exitCode = await runCommand(process.argv.slice(2), process.env);
// Not process.exit(): it would cut off what a pipe has not taken yet.
if (exitCode !== null) process.exitCode = exitCode;
