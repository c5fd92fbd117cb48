// `npm run bench:transfer`: 1 GiB up and 1 GiB down through the proxy, by length and chunked, with a
// receiver that is quick or one that reads 1 MB/s for the first 20 s. Every byte is compared with what
// was sent, and the proxy's memory must not grow past the bound. Exits 1 when either does not hold.

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { readPeakResidentBytes, readResidentBytes, resetPeakResident } from './proc.js';
import { run, startSluiceAlone } from './run.js';
import { generatePattern, PatternCheck } from './transfer-pattern.js';

const totalBytes = 2 ** 30;
const boundMb = 64;
const slowMs = 20_000;
const slowBytesPerMs = 1_000;
const transferDeadlineMs = 120_000;
const warmUpRequests = 200;

/** One way through the proxy; it is also the path that tells the origin what to do. */
interface Transfer {
  direction: 'down' | 'up';
  framing: 'length' | 'chunked';
  pace: 'quick' | 'slow';
}

const transfers: Transfer[] = (['quick', 'slow'] as const).flatMap((pace) =>
  (['down', 'up'] as const).flatMap((direction) =>
    (['length', 'chunked'] as const).map((framing) => ({ direction, framing, pace })),
  ),
);

await run(async (context) => {
  const origin = createServer(serve).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  try {
    const { pid, port } = await startSluiceAlone(context, (origin.address() as AddressInfo).port);
    for (let done = 0; done < warmUpRequests; done++) await ask(port, 'GET', '/');
    const before = readResidentBytes([pid]);
    let isGood = true;
    for (const transfer of transfers) isGood = (await measure(transfer, port, pid, before)) && isGood;
    return isGood;
  } finally {
    origin.close();
    origin.closeAllConnections();
  }
});

/** Runs one transfer, prints its line, and says whether it kept both promises. */
async function measure(transfer: Transfer, port: number, pid: number, beforeBytes: number): Promise<boolean> {
  const { direction, framing, pace } = transfer;
  resetPeakResident(pid);
  const startedAt = Date.now();
  let fault: string | undefined;
  try {
    await (direction === 'down' ? download(transfer, port) : upload(transfer, port));
  } catch (error) {
    fault = error instanceof Error ? error.message : String(error);
  }
  const seconds = (Date.now() - startedAt) / 1000;
  const grownMb = (readPeakResidentBytes(pid) - beforeBytes) / 2 ** 20;
  const outcome = fault === undefined ? 'byte-identical' : `FAILED: ${fault}`;
  const growth = `memory grew by ${grownMb.toFixed(1)} MB, bound ${boundMb} MB`;
  process.stdout.write(
    `1 GiB ${direction}, ${framing}, ${pace} receiver: ${outcome}, ${seconds.toFixed(1)} s, ${growth}\n`,
  );
  return fault === undefined && grownMb < boundMb;
}

async function download({ framing, pace }: Transfer, port: number): Promise<void> {
  await receive(await open(port, 'GET', `/down/${framing}/${pace}`), pace);
}

async function upload({ framing, pace }: Transfer, port: number): Promise<void> {
  const answer = await ask(port, 'POST', `/up/${framing}/${pace}`, framing);
  if (answer !== 'received') throw new Error(answer);
}

/** The origin: sends the pattern, or compares what it gets with it and answers with the outcome. */
async function serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  const [, direction, framing, pace] = incoming.url!.split('/');
  try {
    if (direction === 'down') {
      if (framing === 'length') answer.setHeader('Content-Length', totalBytes);
      await send(answer);
    } else if (direction === 'up') {
      await receive(incoming, pace!);
      answer.end('received');
    } else {
      answer.end('ready');
    }
  } catch (error) {
    if (answer.headersSent) answer.destroy();
    else answer.end(error instanceof Error ? error.message : String(error));
  }
}

async function send(stream: Writable): Promise<void> {
  const signal = AbortSignal.timeout(transferDeadlineMs);
  for (const piece of generatePattern(totalBytes)) {
    if (!stream.write(piece)) await once(stream, 'drain', { signal });
  }
  stream.end();
}

/** Reads to the end, slowly at first if so told. Throws when it is not the whole pattern. */
async function receive(stream: Readable, pace: string): Promise<void> {
  const check = new PatternCheck();
  const startedAt = Date.now();
  for await (const piece of stream) {
    check.add(piece);
    const elapsedMs = Date.now() - startedAt;
    const aheadMs = check.receivedBytes / slowBytesPerMs - elapsedMs;
    if (pace === 'slow' && elapsedMs < slowMs && aheadMs > 0)
      await delay(Math.min(aheadMs, slowMs - elapsedMs));
  }
  if (check.receivedBytes !== totalBytes) throw new Error(`only ${check.receivedBytes} bytes came`);
}

/** Sends a request, with the pattern as its body if `framing` says how, and returns the answer's head. */
async function open(port: number, method: string, path: string, framing?: string): Promise<IncomingMessage> {
  const headers = framing === 'length' ? { 'Content-Length': totalBytes } : {};
  const signal = AbortSignal.timeout(transferDeadlineMs);
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false, signal });
  const answered = once(outgoing, 'response');
  if (framing === undefined) outgoing.end();
  else await Promise.race([send(outgoing), answered]);
  const [answer]: IncomingMessage[] = await answered;
  if (answer!.statusCode === 200) return answer!;
  throw new Error(`status ${answer!.statusCode}`);
}

/** Sends a request and returns the whole answer. */
async function ask(port: number, method: string, path: string, framing?: string): Promise<string> {
  const answer = await open(port, method, path, framing);
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) text += piece;
  return text;
}
