import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ProcessGroup } from '../processes.js';
import { runSoak } from './run-soak.js';

it.skipIf(process.platform !== 'linux')(
  '5000 connections through a configuration of many parts, left in every state, leave nothing behind',
  async () => {
    const folder = `${mkdtempSync(join(tmpdir(), 'sluice-soak-'))}/`;
    const processes = new ProcessGroup(folder);
    onTestFinished(async () => {
      await processes.stopAll();
      rmSync(folder, { recursive: true });
    });
    const said: string[] = [];
    const seed = Math.floor(Math.random() * 2 ** 32);
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const options = { root, node: process.execPath, warmUpCount: 2500, connectionCount: 2500, seed };
    const faults = await runSoak({ processes, folder, log: (line) => said.push(line) }, options);
    expect(faults, `seed ${seed}: ${said.join('\n')}`).toEqual([]);
  },
  120_000,
);
