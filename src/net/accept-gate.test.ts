import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcceptGate } from './accept-gate.js';

let folder: string;
let server: Server;
let gate: AcceptGate;
let accepted: Socket[];
let clients: Socket[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-gate-'));
  accepted = [];
  clients = [];
});

afterEach(() => {
  for (const socket of [...accepted, ...clients]) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

async function listen(options: ListenOptions, isPauseDisabled = false): Promise<void> {
  server = createServer((socket) => {
    if (gate.mustShed) socket.destroy();
    else accepted.push(socket);
  });
  gate = new AcceptGate(server, { onShortage() {}, reclaim() {}, isPauseDisabled });
  server.listen(options);
  await once(server, 'listening');
  gate.prepare();
}

/** A client that the kernel has accepted, whether or not the server has. */
async function connectClient(): Promise<Socket> {
  const bound = server.address()!;
  const client = connect(
    typeof bound === 'string' ? { path: bound } : { host: bound.address, port: bound.port },
  );
  client.on('error', () => {});
  clients.push(client);
  await once(client, 'connect');
  return client;
}

/** Several turns of the event loop, each with its poll of the sockets. */
async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe.each([
  ['an IPv4 socket', () => ({ host: '127.0.0.1', port: 0 })],
  ['an IPv6 socket', () => ({ host: '::1', port: 0 })],
  ['a unix socket', () => ({ path: join(folder, 'socket') })],
])('AcceptGate on %s', (_kind, options) => {
  it('lets clients wait while paused, loses none, and lets them in when resumed', async () => {
    await listen(options());
    await connectClient();
    await expect.poll(() => accepted.length).toBe(1);
    gate.pause();
    for (let i = 0; i < 10; i++) await connectClient();
    await turn();
    expect(accepted).toHaveLength(1);
    gate.resume();
    await expect.poll(() => accepted.length).toBe(11);
    expect(clients.every((client) => !client.destroyed)).toBe(true);
  });

  it('lets in nobody more when it is paused by a client that was let in', async () => {
    await listen(options());
    server.on('connection', () => {
      if (accepted.length === 3) gate.pause();
    });
    for (let i = 0; i < 10; i++) await connectClient();
    await turn();
    expect(accepted).toHaveLength(3);
  });

  it('leaves the server to be closed while paused', async () => {
    await listen(options());
    gate.pause();
    server.close();
    await once(server, 'close');
    gate.resume();
    expect(server.listening).toBe(false);
  });

  it('turns clients away while paused where the handle cannot be', async () => {
    await listen(options(), true);
    gate.pause();
    const client = await connectClient();
    if (!client.destroyed) await once(client.resume(), 'close');
    expect(accepted).toHaveLength(0);
    gate.resume();
    await connectClient();
    await expect.poll(() => accepted.length).toBe(1);
  });
});
