// Whoever breaks off when and however requests are spread over connections: a client that gets a whole response
// gets its own, and an origin that gets a whole request gets one that was sent.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ConnectionGone, type RawClient, type RawSocket } from '../src/testing/index.js';
import { connect, socketFolder, startOrigin, startProxy } from './scene.js';

const CLIENTS = 30;
const CONNECTIONS_EACH = 20;
const REQUESTS_EACH = 6;
const SIZES = [0, 10, 5_000, 20_000, 70_000, 300_000];

/** A body that only `id` has, every 64 bytes of it. */
function bodyOf(id: string, bytes: number): string {
  return createHash('sha256')
    .update(id)
    .digest('hex')
    .repeat(Math.ceil(bytes / 64))
    .slice(0, bytes);
}

/** Framing fields and body, by length or in one chunk. */
function framed(body: string): string {
  if (chance(0.5)) return `Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
}

function pick<T>(choices: readonly T[]): T {
  return choices[Math.floor(Math.random() * choices.length)]!;
}

function chance(part: number): boolean {
  return Math.random() < part;
}

/** A part of the text, from nothing to almost all. */
function partOf(text: string): string {
  return text.slice(0, Math.floor(Math.random() * text.length));
}

async function pauseAWhile(socket: RawSocket, ms: number): Promise<void> {
  socket.pause();
  await delay(ms);
  socket.resume();
}

test.each([
  { over: 'TCP', reading: 'onread', isOnReadDisabled: false },
  { over: 'TCP', reading: "'data' events", isOnReadDisabled: true },
  // Their buffers are small: writes wait that TCP on loopback takes at once.
  { over: 'unix sockets', reading: 'onread', isOnReadDisabled: false },
  { over: 'unix sockets', reading: "'data' events", isOnReadDisabled: true },
])(
  'no bytes of one exchange get into another (over $over, by $reading)',
  async ({ over, isOnReadDisabled }) => {
    const folder = over === 'TCP' ? null : await socketFolder();
    const mixUps: string[] = [];
    let whole = 0;

    /** Checks each request, and answers it whole but for now and then. */
    async function playOrigin(connection: RawSocket): Promise<void> {
      for (;;) {
        // Slow to take its next request.
        if (chance(0.3)) void pauseAWhile(connection, pick([1, 4]));
        const request = await connection.readRequest();
        const [, id, up, down] = request.startLine.split(/[ /]+/) as [string, string, string, string];
        if (request.text !== bodyOf(id, Number(up))) mixUps.push(`request ${request.startLine}`);
        const close = chance(0.1) ? 'Connection: close\r\n' : '';
        const answer = `HTTP/1.1 200 OK\r\nX-Id: ${id}\r\n${close}${framed(bodyOf(id, Number(down)))}`;
        if (chance(0.05)) {
          connection.send(partOf(answer));
          if (chance(0.5)) connection.close();
          else connection.reset();
          return;
        }
        const start = partOf(answer);
        await connection.send(start);
        if (chance(0.2)) await delay(1);
        await connection.send(answer.slice(start.length));
      }
    }

    /** Pipelines requests, and checks the answers unless it breaks off before. */
    async function playClient(client: RawClient, name: string): Promise<void> {
      const asked: { id: string; down: number }[] = [];
      // What comes for it waits in the proxy while it sends on.
      if (chance(0.5)) void pauseAWhile(client, pick([5, 20]));
      for (let i = 0; i < REQUESTS_EACH; i++) {
        const id = `${name}r${i}`;
        const [up, down] = [pick(SIZES), pick(SIZES)];
        const method = pick(['PUT', 'POST']);
        const request = `${method} /${id}/${up}/${down} HTTP/1.1\r\nHost: a\r\n${framed(bodyOf(id, up))}`;
        if (chance(0.03)) {
          client.send(partOf(request));
          break;
        }
        client.send(request);
        asked.push({ id, down });
        if (chance(0.2)) await delay(pick([0, 1, 3]));
        if (chance(0.03)) {
          client.reset();
          return;
        }
      }
      for (const { id, down } of asked) {
        const response = await client.readResponse();
        if (response.status !== 200) continue;
        if (response.field('x-id') !== id || response.text !== bodyOf(id, down))
          mixUps.push(`response ${id}`);
        whole++;
      }
    }

    const origin = await startOrigin(playOrigin, folder === null ? 0 : join(folder, 'origin'));
    const proxy = await startProxy([], {
      isOnReadDisabled,
      listen: [{ host: '127.0.0.1', port: 0, path: folder === null ? null : join(folder, 'proxy') }],
      keepaliveConnections: 4,
      timeouts: { clientBodyMs: 300 },
      peers: [{ address: origin.address, maxFails: 0 }],
    });
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, c) => {
        for (let n = 0; n < CONNECTIONS_EACH; n++) {
          const client = await connect(proxy);
          await playClient(client, `c${c}n${n}`).catch((error: unknown) => {
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
