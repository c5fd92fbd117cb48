import { afterEach, beforeEach, expect, it } from 'vitest';
import { RawOrigin } from '../testing/index.js';
import type { Connection } from './connection.js';
import { type ConnectHandler, connect } from './connector.js';
import { SOCKETS } from './socket-budget.js';

let origin: RawOrigin;
let connections: Connection[];

beforeEach(async () => {
  origin = await RawOrigin.start();
  connections = [];
});

afterEach(async () => {
  SOCKETS.limit = Number.POSITIVE_INFINITY;
  for (const connection of connections) connection.destroy();
  await expect.poll(() => SOCKETS.openCount).toBe(0);
  await origin.stop();
});

/** Begins to connect; `events` gets what the handler is told. */
function begin(events: string[], address = origin.address): Connection {
  const handler: ConnectHandler = {
    get served() {
      return connection;
    },
    onConnect: () => void events.push('connect'),
    onBytes: (bytes, end) => void events.push(bytes.toString('latin1', 0, end)),
    onEnd: () => void events.push('end'),
    onDrain: () => void events.push('drain'),
    onClose: (error) => void events.push(`close ${error?.code}`),
  };
  const connection: Connection = connect(address, handler, (defect) => void events.push(String(defect)));
  connections.push(connection);
  return connection;
}

it('connects, reads into a buffer of the connection, and tells of the end', async () => {
  const events: string[] = [];
  const connection = begin(events);
  expect(events).toEqual([]);
  const accepted = await origin.accept();
  await expect.poll(() => events).toEqual(['connect']);
  await accepted.send('hello');
  await expect.poll(() => events).toEqual(['connect', 'hello']);
  expect(connection.ownsBytes(connection.readBuffer)).toBe(true);
  accepted.end();
  await expect.poll(() => events).toEqual(['connect', 'hello', 'end']);
  connection.destroy();
  await expect.poll(() => events.at(-1)).toBe('close undefined');
});

it('tells by the error of its close that it could not connect', async () => {
  await origin.stop();
  const events: string[] = [];
  begin(events);
  await expect.poll(() => events).toEqual(['close ECONNREFUSED']);
});

it('waits for a socket to be closed when there may be no more', async () => {
  const events: string[] = [];
  const first = begin([]);
  await origin.accept();
  SOCKETS.limit = 1;
  begin(events);
  expect(SOCKETS.isAwaited).toBe(true);
  expect(SOCKETS.openCount).toBe(1);
  first.destroy();
  await origin.accept();
  await expect.poll(() => events).toEqual(['connect']);
});

it('opens nothing for a connection that was destroyed while it waited', async () => {
  const events: string[] = [];
  const first = begin([]);
  await origin.accept();
  SOCKETS.limit = 1;
  begin(events).destroy();
  await expect.poll(() => events).toEqual(['close undefined']);
  first.destroy();
  await expect.poll(() => SOCKETS.openCount).toBe(0);
  expect(SOCKETS.isAwaited).toBe(false);
  begin([]);
  await origin.accept();
  expect(origin.connections.length).toBe(2);
  expect(events).toEqual(['close undefined']);
});

it('closes the connection that is served when its handler throws, and says why', async () => {
  const events: string[] = [];
  const served = begin(events);
  const handler: ConnectHandler = {
    served,
    onConnect: () => {
      throw new Error('planted');
    },
    onBytes() {},
    onEnd() {},
    onDrain() {},
    onClose() {},
  };
  connections.push(connect(origin.address, handler, () => {}));
  await expect.poll(() => events.at(-1)).toBe('close undefined');
  expect(events).toContain('Error: planted');
});
