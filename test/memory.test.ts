// What the proxy's memory does: idle connections cost little, and large bodies pass through it without
// gathering there, however slowly they are read. The full sizes are `npm run bench:idle` and `bench:transfer`.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdleClient } from '../bench/idle-client.js';
import { readPeakResidentBytes, readResidentBytes, resetPeakResident } from '../bench/proc.js';
import { generatePattern, PatternCheck } from '../bench/transfer-pattern.js';
import { endPrograms } from './program.js';
import { type Sluice, startSluice } from './sluice-process.js';

const MB = 2 ** 20;
const BODY_BYTES = 200 * MB;

/** How a receiver reads that is slow at first. */
const SLOW_MS = 1000;
const SLOW_BYTES_PER_MS = 5000;

let origin: Server;

beforeAll(async () => {
  origin = createServer((incoming, answer) => void serve(incoming, answer)).listen(0, '127.0.0.1');
  await once(origin, 'listening');
});

afterAll(async () => {
  await endPrograms();
  origin.close();
  origin.closeAllConnections();
});

/** /length and /chunked send the body; what is posted to /quick and /slow is compared with it. */
async function serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  const word = incoming.url!.slice(1);
  if (word === 'length' || word === 'chunked') {
    if (word === 'length') answer.setHeader('Content-Length', BODY_BYTES);
    await send(answer);
  } else if (word === 'quick' || word === 'slow') {
    const outcome = await receive(incoming, word).catch(String);
    answer.end(outcome);
  } else answer.end('ok');
}

function send(stream: Writable): Promise<void> {
  return pipeline(Readable.from(generatePattern(BODY_BYTES)), stream);
}

async function receive(stream: Readable, pace: string): Promise<string> {
  const check = new PatternCheck();
  const startMs = performance.now();
  for await (const piece of stream) {
    check.add(piece as Buffer);
    const spentMs = performance.now() - startMs;
    const aheadMs = check.receivedBytes / SLOW_BYTES_PER_MS - spentMs;
    if (pace === 'slow' && spentMs < SLOW_MS && aheadMs > 0)
      await delay(Math.min(aheadMs, SLOW_MS - spentMs));
  }
  return `${check.receivedBytes} bytes as they were sent`;
}

function startBeforeOrigin(nodeArgs: string[] = []): Promise<Sluice> {
  return startSluice([(origin.address() as AddressInfo).port], [], { nodeArgs });
}

/** Has all of them ask, 32 at a time: more would measure the upstream connections they need. */
async function askAll(clients: readonly IdleClient[]): Promise<void> {
  for (let at = 0; at < clients.length; at += 32)
    await Promise.all(clients.slice(at, at + 32).map((client) => client.ask()));
}

describe.skipIf(process.platform !== 'linux')('memory', () => {
  it('of an idle kept connection is less than 8 kB', async () => {
    const count = 2000;
    const collect = 'data:text/javascript,process.on("SIGPWR",()=>{gc();gc()})';
    const { port, program } = await startBeforeOrigin(['--expose-gc', '--import', collect]);
    /** The least of several looks, each after a collection. */
    const settle = async () => {
      let least = Number.POSITIVE_INFINITY;
      for (let look = 0; look < 5; look++) {
        program.child.kill('SIGPWR');
        await delay(200);
        least = Math.min(least, readResidentBytes([program.pid]));
      }
      return least;
    };
    const warmUp = Array.from({ length: 32 }, () => new IdleClient(port));
    for (let round = 0; round < 100; round++) await askAll(warmUp);
    for (const client of warmUp) client.close();
    const before = await settle();
    const clients = Array.from({ length: count }, () => new IdleClient(port));
    await askAll(clients);
    const after = await settle();
    await askAll(clients); // none was lost
    for (const client of clients) client.close();
    expect((after - before) / count / 1024).toBeLessThan(8);
  });

  describe('grows by less than 64 MB when 200 MB go', () => {
    let sluice: Sluice;
    let beforeBytes: number;

    beforeAll(async () => {
      sluice = await startBeforeOrigin();
      const client = new IdleClient(sluice.port);
      for (let i = 0; i < 100; i++) await client.ask();
      client.close();
      beforeBytes = readResidentBytes([sluice.program.pid]);
    });

    const ways = ['down', 'up'].flatMap((direction) =>
      ['length', 'chunked'].flatMap((framing) =>
        ['quick', 'slow'].map((pace) => [direction, framing, pace] as const),
      ),
    );

    it.each(ways)('%s, %s, to a %s receiver', async (direction, framing, pace) => {
      resetPeakResident(sluice.program.pid);
      const isDown = direction === 'down';
      const outgoing = request({
        host: '127.0.0.1',
        port: sluice.port,
        method: isDown ? 'GET' : 'POST',
        path: isDown ? `/${framing}` : `/${pace}`,
        headers: !isDown && framing === 'length' ? { 'Content-Length': BODY_BYTES } : {},
        agent: false,
      });
      const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
      if (isDown) outgoing.end();
      else await send(outgoing);
      const [answer] = await answered;
      let outcome = '';
      if (isDown) outcome = await receive(answer, pace);
      else for await (const text of answer.setEncoding('utf8')) outcome += text;
      expect(outcome).toBe(`${BODY_BYTES} bytes as they were sent`);
      const grownMb = (readPeakResidentBytes(sluice.program.pid) - beforeBytes) / MB;
      expect(grownMb).toBeLessThan(64);
    });
  });
});
