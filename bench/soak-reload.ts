// `npm run soak:reload -- --workers 2`: 200 reloads within a minute under load. Exits 1 when a client noticed, or memory
// grew. Without the flag two workers serve where threads can share a port, else one.
import { canSharePorts } from '../src/process/settings.js';
import { soakReloads } from '../test/reload-soak.js';
import { repositoryRoot } from './paths.js';

const RELOADS = 200;
const DURATION_MS = 60_000;
/** How much more of the heap may be in use in the end than after the first reloads. */
const GROWTH_BOUND = 0.1;

const flag = process.argv.indexOf('--workers');
const workers = flag > 0 ? Number(process.argv[flag + 1]) : canSharePorts() ? 2 : 1;
const most = canSharePorts() ? 64 : 1;
if (!Number.isInteger(workers) || workers < 1 || workers > most) {
  const given = process.argv[flag + 1] ?? '';
  process.stderr.write(
    `Cannot use --workers "${given}": use a number from 1 to ${most} with Node ${process.version}\n`,
  );
  process.exit(2);
}

const result = await soakReloads({
  main: `${repositoryRoot}dist/cli/main.js`,
  reloads: RELOADS,
  durationMs: DURATION_MS,
  workers,
  onReload: (count) => {
    if (count % 20 === 0) process.stderr.write(`${count} reloads\n`);
  },
});
const { failures, troubles, reloadMs, heapBytes } = result;
const sorted = [...reloadMs].sort((a, b) => a - b);
const toMb = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
const growth = heapBytes.after / heapBytes.before - 1;
process.stdout.write(
  [
    `${reloadMs.length} reloads of ${workers === 1 ? 'one worker' : `${workers} workers`}: until the new configuration answers ${sorted[sorted.length >> 1]!.toFixed(0)} ms in the middle, ${sorted.at(-1)!.toFixed(0)} ms at most`,
    `${result.requests} requests, ${result.tunnelMessages} messages in tunnels, ${result.downloads} downloads; failed: ${failures.length}`,
    `heap after a collection, without compiled code: ${toMb(heapBytes.before)} MB after the first reloads, ${toMb(heapBytes.after)} MB after the last (${(growth * 100).toFixed(1)} %)`,
    ...failures.slice(0, 10),
    ...troubles.slice(0, 10),
    '',
  ].join('\n'),
);
process.exitCode = failures.length === 0 && troubles.length === 0 && growth <= GROWTH_BOUND ? 0 : 1;
