// `npm run bench:idle`: what an idle keepalive connection costs. 10,000 clients connect, send one request
// each and stay; the proxy's resident memory before and after, garbage collected both times, gives
// kB per connection. Exits 1 when that is over the bound or when a connection was lost.

import { setTimeout as delay } from 'node:timers/promises';
import { IdleClient } from './idle-client.js';
import { repositoryRoot } from './paths.js';
import { readResidentBytes } from './proc.js';
import { findFreePort } from './processes.js';
import { type Run, run, startSluiceAlone } from './run.js';

const connectionCount = 10_000;
const boundKb = 8;
const warmUpRequests = 5_000;
// As many requests at a time: more would measure the upstream connections they need.
const concurrency = 64;
const tools = `${repositoryRoot}.build/bench/`;

await run(async (context) => {
  const { port, pid } = await startProxy(context);
  await warmUp(port);
  const before = await settle(pid);
  const clients = await openIdle(port);
  const after = await settle(pid);
  await inBatches(clients, async (client) => client.ask());
  for (const client of clients) client.close();
  const kbEach = (after - before) / 1024 / connectionCount;
  const total = `${toMb(before)} MB before, ${toMb(after)} MB with ${connectionCount} connections`;
  process.stdout.write(
    `idle keepalive connection: ${kbEach.toFixed(2)} kB each, bound ${boundKb} kB (${total})\n`,
  );
  return kbEach < boundKb;
});

async function startProxy(context: Run): Promise<{ port: number; pid: number }> {
  const upstreamPort = await findFreePort();
  const args = [`${tools}upload-sink.js`, String(upstreamPort)];
  const origin = { name: 'upload-sink', command: process.execPath, args };
  await context.processes.startServer(origin, 1, upstreamPort);
  return startSluiceAlone(context, upstreamPort, ['--expose-gc', '--import', `${tools}settle-on-signal.js`]);
}

/** Compiles what is hot and fills the pools, so that neither is counted as the connections' cost. */
async function warmUp(port: number): Promise<void> {
  const clients = Array.from({ length: concurrency }, () => new IdleClient(port));
  for (let done = 0; done < warmUpRequests; done += concurrency)
    await inBatches(clients, (client) => client.ask());
  for (const client of clients) client.close();
}

async function openIdle(port: number): Promise<IdleClient[]> {
  const clients = Array.from({ length: connectionCount }, () => new IdleClient(port));
  await inBatches(clients, (client) => client.ask());
  return clients;
}

/** Has the proxy collect its garbage a few times; the least resident memory seen, in bytes. */
async function settle(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < 6; pass++) {
    process.kill(pid, 'SIGPWR');
    await delay(400);
    least = Math.min(least, readResidentBytes([pid]));
  }
  return least;
}

async function inBatches(
  clients: readonly IdleClient[],
  act: (client: IdleClient) => Promise<void>,
): Promise<void> {
  for (let first = 0; first < clients.length; first += concurrency) {
    await Promise.all(clients.slice(first, first + concurrency).map(act));
  }
}

function toMb(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
