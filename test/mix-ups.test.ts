// Whoever breaks off when and however requests are spread over connections: a client that gets a whole response
// gets its own, and an origin that gets a whole request gets one that was sent.
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ConnectionGone, type RawClient } from '../src/testing/index.js';
import { connect, startOrigin, startProxy } from './scene.js';

const CLIENTS = 30;
const CONNECTIONS_EACH = 30;

/** A body that only `id` has, every 64 bytes of it. */
function bodyOf(id: string, bytes: number): string {
  return createHash('sha256')
    .update(id)
    .digest('hex')
    .repeat(Math.ceil(bytes / 64))
    .slice(0, bytes);
}

function pick<T>(choices: readonly T[]): T {
  return choices[Math.floor(Math.random() * choices.length)]!;
}

function chance(part: number): boolean {
  return Math.random() < part;
}

const SIZES = [0, 10, 5_000, 20_000, 70_000, 300_000];

test.each([
  { reading: 'onread', isOnReadDisabled: false },
  { reading: "'data' events", isOnReadDisabled: true },
])(
  'no bytes of one exchange get into another ($reading)',
  async ({ isOnReadDisabled }) => {
    const mixUps: string[] = [];
    const origin = await startOrigin(async (connection) => {
      for (;;) {
        const request = await connection.readRequest();
        const [, id, up, down] = request.startLine.split(/[ /]+/) as [string, string, string, string];
        if (request.text !== bodyOf(id, Number(up))) mixUps.push(`request ${request.startLine}`);
        const body = bodyOf(id, Number(down));
        const answer = chance(0.5)
          ? `HTTP/1.1 200 OK\r\nX-Id: ${id}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
          : `HTTP/1.1 200 OK\r\nX-Id: ${id}\r\nTransfer-Encoding: chunked\r\n\r\n` +
            `${body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`;
        if (chance(0.05)) {
          connection.send(answer.slice(0, Math.floor(Math.random() * answer.length)));
          if (chance(0.5)) connection.close();
          else connection.reset();
          return;
        }
        if (chance(0.2)) {
          const cut = Math.floor(Math.random() * answer.length);
          await connection.send(answer.slice(0, cut));
          await delay(1);
          await connection.send(answer.slice(cut));
        } else await connection.send(answer);
      }
    });
    const proxy = await startProxy([], {
      isOnReadDisabled,
      keepaliveConnections: 4,
      peers: [{ address: origin.address, maxFails: 0 }],
    });
    let whole = 0;

    async function play(client: RawClient, name: string): Promise<void> {
      const asked: { id: string; down: number }[] = [];
      const isSlow = chance(0.3);
      for (let i = 0; i < 6; i++) {
        const id = `${name}r${i}`;
        const [up, down] = [pick(SIZES), pick(SIZES)];
        asked.push({ id, down });
        const body = bodyOf(id, up);
        const framed = chance(0.5)
          ? `Content-Length: ${up}\r\n\r\n${body}`
          : `Transfer-Encoding: chunked\r\n\r\n${body === '' ? '' : `${up.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`;
        const request = `${pick(['PUT', 'POST'])} /${id}/${up}/${down} HTTP/1.1\r\nHost: a\r\n${framed}`;
        if (chance(0.05)) {
          client.send(request.slice(0, Math.floor(Math.random() * request.length)));
          if (chance(0.5)) await delay(2);
          client.reset();
          return;
        }
        client.send(request);
        if (chance(0.05)) {
          client.reset();
          return;
        }
      }
      if (isSlow) {
        client.pause();
        await delay(20);
        client.resume();
      }
      for (const { id, down } of asked) {
        const response = await client.readResponse();
        if (response.status === 502) continue;
        if (response.field('x-id') !== id || response.text !== bodyOf(id, down))
          mixUps.push(`response ${id}`);
        whole++;
      }
    }

    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, c) => {
        for (let n = 0; n < CONNECTIONS_EACH; n++) {
          const client = await connect(proxy);
          await play(client, `c${c}n${n}`).catch((error: unknown) => {
            if (!(error instanceof ConnectionGone)) throw error;
          });
          client.close();
        }
      }),
    );
    expect(mixUps).toEqual([]);
    expect(whole).toBeGreaterThan(500);
  },
  60_000,
);
