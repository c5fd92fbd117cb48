/*
 * Errors that reach the top of the process. They are planted from outside, by a module that Node
 * loads before the command: there is no known way to cause one with bytes.
 */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endPrograms } from './program.js';
import { SluiceProcess } from './sluice-process.js';

let folder: string;
let upstream: Server;
let sluice: SluiceProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-stray-'));
  upstream = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => upstream.once('listening', resolve));
});
afterEach(async () => {
  await endPrograms();
  upstream.close();
  upstream.closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** Starts a proxy in which SIGUSR2 runs the code. */
async function startWith(code: string, ...args: string[]): Promise<string> {
  const planted = join(folder, 'planted.mjs');
  writeFileSync(planted, `process.on('SIGUSR2', () => { ${code} });`);
  const { port } = upstream.address() as AddressInfo;
  sluice = new SluiceProcess(['--listen', '127.0.0.1:0', '--to', `127.0.0.1:${port}`, ...args], {
    NODE_OPTIONS: `--import=${pathToFileURL(planted)}`,
  });
  return await sluice.origin();
}

it('a socket error that nobody caught is logged with its stack, and serving goes on', async () => {
  upstream.on('request', (_request, response) => response.end('ok'));
  const origin = await startWith(
    `throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });`,
  );
  sluice.child.kill('SIGUSR2');
  await sluice.said(/\[alert\] .* Uncaught: Error: read ECONNRESET \| at .*planted\.mjs.*\n/, 'stderr');
  expect(await (await fetch(origin)).text()).toBe('ok');
});

it('an error that nobody caught is logged where the log is after it was renamed', async () => {
  const log = join(folder, 'error.log');
  await startWith(`throw Object.assign(new Error('planted'), { syscall: 'read' });`, '--error-log', log);
  renameSync(log, `${log}.1`);
  sluice.child.kill('SIGUSR1');
  await expect.poll(() => existsSync(log)).toBe(true);
  sluice.child.kill('SIGUSR2');
  await expect.poll(() => readFileSync(log, 'utf8')).toMatch(/\[alert\] .* Uncaught: Error: planted/);
});

it.each([
  ['an exception', `throw new Error('planted');`],
  ['a rejected promise', `Promise.reject(new Error('planted'));`],
])(
  '%s that no socket caused is logged, running requests finish, and the exit code is 70',
  async (_, code) => {
    const arrived = new Promise<() => void>((resolve) => {
      upstream.on('request', (_request, response) => {
        response.write('first');
        resolve(() => response.end('second'));
      });
    });
    const origin = await startWith(code);
    const body = text((await fetch(origin)).body!);
    const finish = await arrived;
    sluice.child.kill('SIGUSR2');
    await sluice.said(/\[alert\] .* Uncaught: Error: planted \| at .*\n/, 'stderr');
    await expect(fetch(origin)).rejects.toThrow();
    finish();
    expect(await body).toBe('firstsecond');
    expect((await sluice.ended).code).toBe(70);
  },
);
