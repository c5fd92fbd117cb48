#!/usr/bin/env node
/*
 * The executable: hands the process's arguments and environment to run.ts, and its code back.
 */
import { runCommand } from './run.js';

// A reader that went away (`sluice --help | head -1`) is no reason to end with a stack.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const exitCode = await runCommand(process.argv.slice(2), process.env);
// Not process.exit(): it would cut off what a pipe has not taken yet.
if (exitCode !== null) process.exitCode = exitCode;
