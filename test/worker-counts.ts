// The numbers of workers that a test of what all of them have to stand is run with.
import { canSharePorts } from '../src/process/settings.js';

if (!canSharePorts())
  process.stderr.write(`skipped: several workers, since Node ${process.versions.node} can't share a port\n`);

export const WORKER_COUNTS: readonly number[] = canSharePorts() ? [1, 2] : [1];
