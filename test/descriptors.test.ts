// The proxy where file descriptors run out: clients wait instead of being turned away, upstream connections
// get their share, one line says so, and all of it passes. The proxy is a process with a low limit of its own.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canSharePorts } from '../src/process/settings.js';
import { RawClient } from '../src/testing/index.js';
import { endPrograms, runWell } from './program.js';
import { ServedFolder } from './served-folder.js';
import { WORKER_COUNTS } from './worker-counts.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const GET_AND_CLOSE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

let origin: Server;
let clients: RawClient[];
/** Answers that the origin owes; null when it answers at once. */
let owed: ServerResponse[] | null;

beforeEach(async () => {
  clients = [];
  owed = null;
  origin = createServer((_request, response) => {
    if (owed === null) response.end('ok');
    else owed.push(response);
  }).listen(0, '127.0.0.1');
  await once(origin, 'listening');
});

afterEach(async () => {
  for (const client of clients) client.close();
  await endPrograms();
  origin.close();
  origin.closeAllConnections();
});

/** Before the origin, with at most so many descriptors. */
function startLimited(
  workers: number,
  descriptors: number,
  { keepalive = 32, listen = '' } = {},
): Promise<ServedFolder> {
  const { port: originPort } = origin.address() as AddressInfo;
  const text = `worker_processes ${workers}; error_log error.log notice; events {}
    http {
      access_log off;
      upstream app { server 127.0.0.1:${originPort}; keepalive ${keepalive}; }
      server {
        listen 127.0.0.1:%PORT%; ${listen}
        location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }
    }`;
  const prefix = ['/bin/sh', '-c', `ulimit -n ${descriptors} && exec "$0" "$@"`];
  return ServedFolder.start(text, { prefix });
}

async function connect({ port }: ServedFolder, count: number): Promise<RawClient[]> {
  const address = { host: '127.0.0.1', port, path: null };
  const connected = await Promise.all(Array.from({ length: count }, () => RawClient.connect(address)));
  clients.push(...connected);
  return connected;
}

/** Milliseconds of processor time that a process has used. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

/** Lines about clients that wait. */
function pauseLines(sluice: ServedFolder): string[] {
  return sluice
    .read('error.log')
    .split('\n')
    .filter((line) => line.includes('pauses'));
}

describe.skipIf(process.platform !== 'linux').each(WORKER_COUNTS)(
  'a proxy that may have 512 descriptors, with workers: %d,',
  (workers) => {
    it('lets more clients than that wait, idles meanwhile, and serves them all', async () => {
      const sluice = await startLimited(workers, 512);
      owed = [];
      const all = await connect(sluice, 800);
      for (const client of all) void client.send(GET_AND_CLOSE);
      await sluice.logged(/\[crit\].* accept on 127\.0\.0\.1:\d+ pauses: \d+ of \d+ sockets .*ulimit -n/);
      await expect.poll(() => owed!.length).toBeGreaterThan(4);
      const before = cpuMs(sluice.program.pid);
      await delay(500);
      expect(cpuMs(sluice.program.pid) - before).toBeLessThan(200);
      expect(readdirSync(`/proc/${sluice.program.pid}/fd`).length).toBeLessThan(512);

      const waiting = owed;
      owed = null;
      for (const response of waiting) response.end('ok');
      const answers = await Promise.all(
        all.map(async (client) => {
          const answer = await client.readToEnd();
          client.close();
          return answer;
        }),
      );
      const isGood = (answer: string) => answer.startsWith('HTTP/1.1 200 ') && answer.endsWith('\r\n\r\nok');
      expect(answers.filter((answer) => !isGood(answer))).toEqual([]);
      expect(pauseLines(sluice)).toHaveLength(1);
    });

    it('has 450 clients that ask on and on take turns, and breaks none of their connections', async () => {
      const sluice = await startLimited(workers, 512);
      let waitingForThird = 450;
      const askOnAndOn = async () => {
        let client: RawClient | null = null;
        for (let count = 1; waitingForThird > 0; count++) {
          client ??= (await connect(sluice, 1))[0]!;
          await client.send(GET);
          const { head, body } = await client.readResponse();
          expect(body.toString()).toBe('ok');
          if (count === 3) waitingForThird--;
          if (!/^connection: close\r$/im.test(head)) continue;
          client.close();
          client = null;
        }
        client?.close();
      };
      await Promise.all(Array.from({ length: 450 }, askOnAndOn));
      expect(pauseLines(sluice)).toHaveLength(1);
    });

    it('closes idle connections for clients that have something to ask', async () => {
      const sluice = await startLimited(workers, 512);
      for (let round = 0; round < 4; round++) {
        const batch = await connect(sluice, 160);
        for (const client of batch) {
          await client.send(GET);
          expect((await client.readResponse()).body.toString()).toBe('ok');
        }
        // Only who has rested for half a second is idle.
        await delay(600);
      }
      expect(clients[0]!.isEnded || clients[0]!.isClosed).toBe(true);
      expect(clients.at(-1)!.isEnded).toBe(false);
      await sluice.logged(/pauses/);
      expect(pauseLines(sluice)).toHaveLength(1);
    });

    it('answers 503 without blaming the peer when the limit falls below what is open, and recovers', async () => {
      const sluice = await startLimited(workers, 512, { keepalive: 0 });
      const [client] = await connect(sluice, 1);
      const ask = async () => {
        await client!.send(GET);
        return (await client!.readResponse()).head;
      };
      expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
      await runWell('prlimit', ['--pid', String(sluice.program.pid), '--nofile=8:512']);
      expect(await ask()).toMatch(/^HTTP\/1\.1 503 /);
      await sluice.logged(
        /\[crit\].* connect\(\) failed \(24: Too many open files\) while connecting to upstream/,
      );
      await runWell('prlimit', ['--pid', String(sluice.program.pid), '--nofile=512:512']);
      await expect.poll(ask, { timeout: 5000, interval: 100 }).toMatch(/^HTTP\/1\.1 200 /);
      const [next] = await connect(sluice, 1);
      await next!.send(GET_AND_CLOSE);
      expect(await next!.readToEnd()).toMatch(/^HTTP\/1\.1 200 /);
    });
  },
);

describe.skipIf(!canSharePorts())('two workers that may have 512 descriptors', () => {
  it('leave each other some, though all clients of one come first and stay', async () => {
    const sluice = await startLimited(2, 512, { listen: 'listen unix:%FOLDER%/sock;' });
    const path = sluice.at('sock');
    owed = [];
    // A path is the first worker's alone, and its queue holds 511: more come when it has taken what it may.
    const greedy: RawClient[] = [];
    const connectGreedy = async () => {
      const connecting = Array.from({ length: 300 }, () => RawClient.connect({ host: '', port: 0, path }));
      const connected = await Promise.all(connecting);
      clients.push(...connected);
      greedy.push(...connected);
      for (const client of connected) void client.send(GET_AND_CLOSE);
    };
    await connectGreedy();
    await sluice.logged(/\[crit\].* pauses/);
    await connectGreedy();
    // The limit is measured again each second meanwhile.
    await delay(3000);
    const waiting = owed;
    owed = null;
    const late = await connect(sluice, 200);
    const isServed = async (client: RawClient) => {
      await client.send(GET_AND_CLOSE);
      expect(await client.readToEnd()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nok$/s);
      client.close();
    };
    // Those of the first worker wait with its others; which are whose the kernel says.
    const served = late.map(isServed);
    let count = 0;
    for (const one of served) void one.then(() => count++);
    await expect.poll(() => count, { timeout: 10_000 }).toBeGreaterThan(60);
    expect(readdirSync(`/proc/${sluice.program.pid}/fd`).length).toBeLessThan(512);
    for (const response of waiting) response.end('ok');
    await Promise.all(served);
    for (const client of greedy) expect(await client.readToEnd()).toMatch(/^HTTP\/1\.1 200 /);
    // One for each address.
    expect(pauseLines(sluice)).toHaveLength(2);
    expect(sluice.read('error.log')).not.toContain('Too many open files');
  });
});
