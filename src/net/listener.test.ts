import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection, ConnectionHandler } from './connection.js';
import { Listener } from './listener.js';
import { SOCKETS } from './socket-budget.js';

let listener: Listener;
let accepted: Connection[];
let clients: Socket[];
let shortages: boolean[];

beforeEach(() => {
  accepted = [];
  clients = [];
  shortages = [];
});

afterEach(async () => {
  const closed = listener.close();
  for (const socket of clients) socket.destroy();
  await closed;
  await expect.poll(() => SOCKETS.openCount).toBe(0);
});

/** Listens with room for two clients and one more socket; the real limit is read again after a second. */
async function listenForTwo(isPauseDisabled: boolean): Promise<void> {
  const handler: Omit<ConnectionHandler, 'served'> = {
    onBytes() {},
    onEnd() {},
    onDrain() {},
    onClose() {},
  };
  listener = await Listener.open({
    address: { host: '127.0.0.1', port: 0, path: null },
    backlog: 10,
    accept(connection) {
      accepted.push(connection);
      return { ...handler, served: connection, onEnd: () => connection.end() };
    },
    onError() {},
    onDefect() {},
    onShortage: (isShort) => void shortages.push(isShort),
    reclaim() {},
    isPauseDisabled,
  });
  SOCKETS.limit = 2;
}

async function connectClient(): Promise<Socket> {
  const client = connect(listener.address.port, '127.0.0.1');
  client.on('error', () => {});
  clients.push(client);
  await once(client, 'connect');
  return client;
}

describe('Listener without a free descriptor', () => {
  it('lets a client wait and accepts it when another has gone', async () => {
    await listenForTwo(false);
    for (let i = 0; i < 3; i++) await connectClient();
    await expect.poll(() => accepted.length).toBe(2);
    expect(shortages).toEqual([true]);
    clients[0]!.destroy();
    await expect.poll(() => accepted.length).toBe(3);
    expect(clients[2]!.destroyed).toBe(false);
    expect(shortages).toEqual([true]);
  });

  it('turns a client away where Node cannot be kept from accepting it', async () => {
    await listenForTwo(true);
    for (let i = 0; i < 2; i++) await connectClient();
    await expect.poll(() => accepted.length).toBe(2);
    const third = await connectClient();
    if (!third.destroyed) await once(third.resume(), 'close');
    expect(accepted).toHaveLength(2);
    expect(shortages).toEqual([true]);
    clients[0]!.destroy();
    await expect.poll(() => SOCKETS.openCount).toBe(1);
    await connectClient();
    await expect.poll(() => accepted.length).toBe(3);
  });
});
