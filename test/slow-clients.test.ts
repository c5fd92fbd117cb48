// A thousand clients that send a byte a second, as an attack on a server's patience does: each is let go when
// its time is over, and meanwhile nobody else waits for them.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../src/testing/index.js';
import { endPrograms } from './program.js';
import { type Sluice, startSluice } from './sluice-process.js';

const COUNT = 1000;
const TIMEOUT_MS = 3000;

let origin: Server;
let sluice: Sluice;

beforeAll(async () => {
  origin = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  sluice = await startSluice([port], ['--client-header-timeout', `${TIMEOUT_MS}ms`]);
});

afterAll(async () => {
  await endPrograms();
  origin.close();
  origin.closeAllConnections();
});

/** A client that begins a head and goes on with it byte by byte, once a second. */
class SlowClient {
  readonly ended: Promise<void>;
  /** From the first byte to the end. */
  lastedMs: number;
  answer: string;
  readonly #socket: Socket;
  #startMs: number;

  constructor(port: number) {
    this.lastedMs = 0;
    this.answer = '';
    this.#startMs = 0;
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('error', () => {});
    this.#socket.on('data', (bytes) => {
      this.answer += bytes;
    });
    this.ended = once(this.#socket, 'close').then(() => {
      this.lastedMs = performance.now() - this.#startMs;
    });
    this.#socket.once('connect', () => this.sendByte());
  }

  sendByte(): void {
    if (this.#startMs === 0) this.#startMs = performance.now();
    if (this.#socket.writable) this.#socket.write('G');
  }

  get hasEnded(): boolean {
    return this.lastedMs > 0;
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe(`${COUNT} clients that send a byte of their head a second`, () => {
  it('are told 408 and closed when the time for a head is over, and others are served meanwhile', async () => {
    const slow = Array.from({ length: COUNT }, () => new SlowClient(sluice.port));
    const bytes = setInterval(() => {
      for (const client of slow) client.sendByte();
    }, 1000);
    try {
      const latencies: number[] = [];
      while (slow.some((client) => !client.hasEnded)) {
        const startMs = performance.now();
        const client = await RawClient.connect({ host: '127.0.0.1', port: sluice.port, path: null });
        await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        expect(await client.readToEnd()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
        client.close();
        latencies.push(performance.now() - startMs);
        await delay(10);
        expect(latencies.length * 10).toBeLessThan(15_000);
      }
      await Promise.all(slow.map((client) => client.ended));
      latencies.sort((a, b) => a - b);
      expect(latencies.length).toBeGreaterThan(50);
      expect(latencies[latencies.length >> 1]).toBeLessThan(200);
      expect(latencies.at(-1)).toBeLessThan(2500);
    } finally {
      clearInterval(bytes);
      for (const client of slow) client.close();
    }
    const times = slow.map((client) => client.lastedMs).sort((a, b) => a - b);
    expect(times[0]).toBeGreaterThan(TIMEOUT_MS - 100);
    expect(times.at(-1)).toBeLessThan(TIMEOUT_MS + 3000);
    const untold = slow.filter((client) => !client.answer.startsWith('HTTP/1.1 408 Request Time-out\r\n'));
    expect(untold).toEqual([]);
  });
});

describe('clients that connect and send nothing', () => {
  it('are closed without a word when the time for a head is over', async () => {
    const clients = await Promise.all(
      Array.from({ length: 100 }, () =>
        RawClient.connect({ host: '127.0.0.1', port: sluice.port, path: null }),
      ),
    );
    const startMs = performance.now();
    expect(await Promise.all(clients.map((client) => client.readToEnd()))).toEqual(clients.map(() => ''));
    expect(performance.now() - startMs).toBeGreaterThan(TIMEOUT_MS - 500);
    for (const client of clients) client.close();
  });
});
