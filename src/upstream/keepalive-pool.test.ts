import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TimerWheel } from '../core/timer-wheel.js';
import { DEFAULT_HEAD_LIMITS } from '../http/h1/malformed.js';
import { connect } from '../net/connector.js';
import { SOCKETS } from '../net/socket-budget.js';
import { RawOrigin } from '../testing/index.js';
import { DEFAULT_KEEPALIVE, type KeepaliveOptions, KeepalivePool } from './keepalive-pool.js';
import { Peer } from './peer.js';
import type { UpstreamConnection, UpstreamUser } from './upstream-connection.js';

// What the pool keeps under traffic is tested in test/keepalive.test.ts; here, when it keeps nothing.

let origin: RawOrigin;
let peer: Peer;
let pool: KeepalivePool;
let wheel: TimerWheel;

/** A user that is told nothing of interest. */
const user = {
  onUpstreamConnect() {},
  onUpstreamBytes() {},
  onUpstreamEnd() {},
  onUpstreamDrain() {},
  onUpstreamClose() {},
  onUpstreamDeadline() {},
} as unknown as UpstreamUser;

const options: KeepaliveOptions = {
  ...DEFAULT_KEEPALIVE,
  connections: 2,
  limits: DEFAULT_HEAD_LIMITS,
  onUnaskedBytes() {},
  onDefect(defect) {
    throw defect;
  },
  connect,
};

beforeEach(async () => {
  origin = await RawOrigin.start();
  peer = new Peer({ address: origin.address });
  wheel = new TimerWheel();
  pool = new KeepalivePool(options, wheel);
});

afterEach(async () => {
  SOCKETS.limit = Number.POSITIVE_INFINITY;
  pool.close();
  await origin.stop();
  await expect.poll(() => SOCKETS.openCount).toBe(0);
  wheel.close();
});

/** A connection that stands, in use. */
async function openConnection(): Promise<UpstreamConnection> {
  const connection = pool.open(peer, user);
  await origin.accept();
  await expect.poll(() => connection.isConnected).toBe(true);
  return connection;
}

it('has the next connection read into the buffer of one that is worn out', async () => {
  pool = new KeepalivePool({ ...options, requests: 1 }, wheel);
  const worn = await openConnection();
  const { readBuffer } = worn.connection;
  pool.put(worn);
  const next = await openConnection();
  expect(next.connection.readBuffer).toBe(readBuffer);
  next.destroy();
});

describe('KeepalivePool', () => {
  it('gives back what was put, and nothing twice', async () => {
    const connection = await openConnection();
    pool.put(connection);
    expect(pool.idleCount).toBe(1);
    expect(pool.take(peer, user)).toBe(connection);
    expect(pool.take(peer, user)).toBeNull();
    expect(connection.isReused).toBe(true);
    connection.destroy();
  });

  it('gives none that is being closed', async () => {
    const connections = [await openConnection(), await openConnection()];
    for (const connection of connections) pool.put(connection);
    connections[1]!.connection.destroy();
    expect(pool.take(peer, user)).toBe(connections[0]);
    expect(pool.take(peer, user)).toBeNull();
    connections[0]!.destroy();
  });

  it('keeps none once it was closed', async () => {
    const [idle, used] = [await openConnection(), await openConnection()];
    pool.put(idle);
    pool.close();
    pool.put(used);
    expect(pool.idleCount).toBe(0);
    for (const connection of origin.connections) expect(await connection.waitForEnd()).toBe('fin');
  });

  it('gives up the one idle longest when there may be no more sockets', async () => {
    const [eldest, other] = [await openConnection(), await openConnection()];
    pool.put(eldest);
    pool.put(other);
    SOCKETS.limit = 2;
    const third = await openConnection();
    expect(pool.idleCount).toBe(1);
    expect(pool.take(peer, user)).toBe(other);
    for (const connection of [other, third]) connection.destroy();
  });

  it('keeps none while somebody waits for a socket', async () => {
    const used = await openConnection();
    SOCKETS.limit = 1;
    const waiting = pool.open(peer, user);
    pool.put(used);
    await origin.accept();
    await expect.poll(() => waiting.isConnected).toBe(true);
    expect(pool.idleCount).toBe(0);
    waiting.destroy();
  });
});
