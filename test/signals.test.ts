/*
 * What signals do to the running command: drain, end at once, reopen logs.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endPrograms } from './program.js';
import { SluiceProcess } from './sluice-process.js';

let upstream: Server;
let sluice: SluiceProcess;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-signals-'));
  upstream = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => upstream.once('listening', resolve));
});
afterEach(async () => {
  await endPrograms();
  upstream.close();
  upstream.closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** Starts the proxy before the upstream of this test. */
async function startBefore(...args: string[]): Promise<string> {
  const { port } = upstream.address() as AddressInfo;
  sluice = new SluiceProcess(['--listen', '127.0.0.1:0', '--to', `127.0.0.1:${port}`, ...args]);
  return await sluice.origin();
}

/** Begins a GET; resolves when the client has the head and the first half of the body. */
async function beginRequest(origin: string): Promise<{ body: Promise<string>; atUpstream: ServerResponse }> {
  const arrived = new Promise<ServerResponse>((resolve) => {
    upstream.once('request', (_request, response) => {
      response.setHeader('Content-Length', 10);
      response.write('first');
      resolve(response);
    });
  });
  const response = await fetch(origin);
  return { body: text(response.body!), atUpstream: await arrived };
}

async function isRefused(origin: string): Promise<boolean> {
  const { hostname, port } = new URL(origin);
  return await new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('error', () => resolve(true));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

describe.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('%s', (signal) => {
  it('ends an idle proxy at once with exit code 0, kept connections notwithstanding', async () => {
    upstream.on('request', (_request, response) => response.end('ok'));
    const origin = await startBefore();
    await (await fetch(origin)).text();
    sluice.child.kill(signal);
    const { code, stderr } = await sluice.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(new RegExp(`sluice: ${signal}: no new connections\\nsluice: stopped\\n$`));
  });

  it('lets a running request finish, refuses new connections, and exits 0', async () => {
    const origin = await startBefore();
    const { body, atUpstream } = await beginRequest(origin);
    sluice.child.kill(signal);
    await sluice.said(/waiting for 1 connection to finish; a second signal ends everything now\n/);
    expect(await isRefused(origin)).toBe(true);
    expect(sluice.child.exitCode).toBeNull();
    atUpstream.end('other');
    expect(await body).toBe('firstother');
    expect((await sluice.ended).code).toBe(0);
  });
});

it.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('a second signal, %s, ends it at once with exit code %i', async (signal, code) => {
  const { body } = await beginRequest(await startBefore());
  const outcome = expect(body).rejects.toThrow();
  sluice.child.kill('SIGTERM');
  await sluice.said(/waiting for 1 connection/);
  sluice.child.kill(signal);
  expect((await sluice.ended).code).toBe(code);
  await outcome;
});

it('--shutdown-timeout ends what still runs, visibly broken, and exits 0', async () => {
  const { body } = await beginRequest(await startBefore('--shutdown-timeout', '50ms'));
  const outcome = expect(body).rejects.toThrow();
  sluice.child.kill('SIGTERM');
  expect((await sluice.ended).code).toBe(0);
  await outcome;
});

it('--shutdown-timeout may be longer than a timer of Node can be', async () => {
  const { body, atUpstream } = await beginRequest(await startBefore('--shutdown-timeout', '30d'));
  sluice.child.kill('SIGTERM');
  await sluice.said(/waiting for 1 connection/);
  atUpstream.end('other');
  expect(await body).toBe('firstother');
  expect(await sluice.ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Warning') });
});

it('SIGUSR1 goes on in a new log file after the old one was renamed', async () => {
  upstream.on('request', (_request, response) => response.end('ok'));
  const log = join(folder, 'access.log');
  const origin = await startBefore('--access-log', log);
  await fetch(`${origin}/before`);
  // Logs are written a moment later: the rename must not overtake the first line.
  await expect.poll(() => readFileSync(log, 'utf8')).toContain('/before');
  renameSync(log, `${log}.1`);
  sluice.child.kill('SIGUSR1');
  // A signal has no answer: until it took effect, lines still go to the old file.
  await expect
    .poll(async () => {
      await fetch(`${origin}/after`);
      return readFileSync(log, 'utf8');
    })
    .toContain('/after');
  sluice.child.kill('SIGTERM');
  expect(await sluice.ended).toMatchObject({ code: 0 });
  expect(readFileSync(`${log}.1`, 'utf8')).toContain('/before');
});
