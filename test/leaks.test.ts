// What is left of connections when they are gone: nothing, whatever state they were left in. Which states, is
// drawn from a seed that a failure names.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ConnectionGone, type RawClient, type RawSocket } from '../src/testing/index.js';
import { connect, startOrigin, startProxy, unusedAddress } from './scene.js';

/** Sockets and listeners that keep this process alive. */
function countHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
}

const CONNECTIONS = 2000;
const AT_ONCE = 40;
const KEPT_CONNECTIONS = 8;

/** A small generator of numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test.each([
  { reading: 'onread', isOnReadDisabled: false },
  { reading: "'data' events", isOnReadDisabled: true },
])(
  '2000 connections, left by either side anywhere, leave nothing behind ($reading)',
  async ({ isOnReadDisabled }) => {
    const handlesBefore = countHandles();
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = randomFrom(seed);
    const chance = (part: number) => random() < part;
    const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;

    /** Goes away, or not. */
    const maybeLeave = (socket: RawSocket, part: number): boolean => {
      if (!chance(part)) return false;
      pick([() => socket.close(), () => socket.reset(), () => socket.end()])();
      return true;
    };

    const body = 'x'.repeat(70_000);
    const answers = [
      'HTTP/1.1 204 No Content\r\n\r\n',
      `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more',
      'nonsense\r\n\r\n',
    ];

    const origin = await startOrigin(async (connection) => {
      for (;;) {
        const head = await connection.readHead();
        if (maybeLeave(connection, 0.05)) return;
        if (/^connection: upgrade/im.test(head)) {
          await connection.send(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhi',
          );
          connection.divert((bytes) => void connection.send(bytes));
          if (maybeLeave(connection, 0.3)) return;
          await connection.waitForEnd();
          connection.close();
          return;
        }
        const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
        if (chance(0.8)) await connection.readBytes(length);
        const answer = pick(answers);
        if (chance(0.1)) {
          await connection.send(answer.slice(0, Math.floor(random() * answer.length)));
          if (maybeLeave(connection, 0.8)) return;
        }
        await connection.send(answer);
        if (maybeLeave(connection, 0.05)) return;
      }
    });
    const proxy = await startProxy([], {
      isOnReadDisabled,
      keepaliveConnections: KEPT_CONNECTIONS,
      timeouts: {
        clientHeaderMs: 300,
        clientBodyMs: 300,
        keepaliveMs: 300,
        upstreamReadMs: 300,
        sendMs: 300,
      },
      upstreamKeepaliveMs: 60_000,
      // Never out, so that its breaking off doesn't leave the proxy with nobody to ask.
      peers: [
        { address: origin.address, maxFails: 0 },
        { address: await unusedAddress(), failTimeoutMs: 100 },
      ],
    });
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') console.error(`The seed was ${seed}`);
    });

    const requests = [
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n${body}`,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello',
      'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
    ];

    async function playClient(client: RawClient): Promise<void> {
      for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
        if (maybeLeave(client, 0.05)) return;
        const request = pick(requests);
        if (chance(0.1)) client.pause();
        if (chance(0.2)) {
          await client.send(request.slice(0, Math.floor(random() * request.length)));
          if (chance(0.3)) await delay(5);
          if (maybeLeave(client, 0.7)) return;
        } else await client.send(request);
        if (chance(0.6)) await delay(pick([1, 5, 20]));
      }
      maybeLeave(client, 1);
    }

    let begun = 0;
    const left: RawClient[] = [];
    const players = Array.from({ length: AT_ONCE }, async () => {
      while (begun++ < CONNECTIONS) {
        const client = await connect(proxy);
        await playClient(client).catch((error: unknown) => {
          if (!(error instanceof ConnectionGone)) throw error;
        });
        // Half-closed and paused ones stay a while; the proxy's timeouts end them.
        if (chance(0.9)) client.close();
        else left.push(client);
      }
    });
    await Promise.all(players);

    expect(proxy.accessLog.matching(/ 200 .* ustatus=200 /).length).toBeGreaterThan(300);
    // Until all of it holds at once: the last clients may be gone before they are accepted.
    const readLeft = () => ({
      connections: proxy.server.connectionCount,
      tries: proxy.activeRequests,
      // Each connection in the pool has one deadline; nothing else may have any.
      deadlines: proxy.deadlineCount - proxy.idleCount,
      originConnections: origin.openCount - proxy.idleCount,
    });
    const nothing = { connections: 0, tries: 0, deadlines: 0, originConnections: 0 };
    await expect.poll(readLeft, { timeout: 15_000 }).toEqual(nothing);
    expect(proxy.idleCount).toBeLessThanOrEqual(KEPT_CONNECTIONS);
    await proxy.stop();
    expect(proxy.deadlineCount).toBe(0);
    await expect.poll(() => origin.openCount).toBe(0);
    await origin.stop();
    for (const client of left) client.close();
    await expect.poll(countHandles).toBe(handlesBefore);
  },
  60_000,
);
