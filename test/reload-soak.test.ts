// Twenty reloads while clients work: none of them notices, and nothing is left of the configurations before.
import { expect, it } from 'vitest';
import { soakReloads } from './reload-soak.js';
import { MAIN } from './sluice-process.js';
import { WORKER_COUNTS } from './worker-counts.js';

/** What more than the first reloads the last may leave: code that was compiled meanwhile. */
const SPREAD_BYTES = 1024 * 1024;

it.each(WORKER_COUNTS)(
  '20 reloads, with workers: %d, cost 64 kept connections, 200 tunnels and 8 downloads nothing, and keep no memory',
  async (workers) => {
    const result = await soakReloads({ main: MAIN, reloads: 20, durationMs: 5000, workers });
    const { failures, troubles, heapBytes, reloadMs } = result;
    expect({ failures, troubles }).toEqual({ failures: [], troubles: [] });
    expect(result.requests).toBeGreaterThan(1000);
    expect(result.tunnelMessages).toBeGreaterThan(1000);
    expect(result.downloads).toBeGreaterThan(8);
    expect(Math.max(...reloadMs)).toBeLessThan(5000);
    expect(heapBytes.after).toBeLessThan(heapBytes.before * 1.1 + SPREAD_BYTES);
  },
  60_000,
);
