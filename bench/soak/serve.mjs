// Sluice from its single modules, whose classes leftovers.mjs finds: the command itself is a bundle of them.

import { runCommand } from '../../dist/cli/run.js';

const exitCode = await runCommand(process.argv.slice(2), process.env);
if (exitCode !== null) process.exitCode = exitCode;
