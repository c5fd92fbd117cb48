// A client, a proxy and origins on one stage: what each test starts ends with it, and a bug that the proxy
// caught and logged ([alert]) fails the test that caused it.
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as netConnect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, onTestFinished } from 'vitest';
import {
  type OriginScript,
  type RawClient,
  RawOrigin,
  startTestProxy,
  type TestProxy,
  type TestProxyOptions,
} from '../src/testing/index.js';

/** How proxies read from clients where a test doesn't say. */
let isOnReadDisabled = false;

/** Describes the same for both ways of reading from clients. */
export function describeReading(name: string, tests: () => void): void {
  describe.each([
    { reading: 'onread', isDisabled: false },
    { reading: "'data' events", isDisabled: true },
  ])(`${name} (by $reading)`, ({ isDisabled }) => {
    beforeEach(() => {
      isOnReadDisabled = isDisabled;
      return () => {
        isOnReadDisabled = false;
      };
    });
    tests();
  });
}

/** An origin that is stopped when the test ends. */
export async function startOrigin(
  script: OriginScript | null = null,
  where: number | string = 0,
): Promise<RawOrigin> {
  const origin = await RawOrigin.start(script, where);
  onTestFinished(() => origin.stop());
  return origin;
}

/** A proxy before `origins` that is stopped when the test ends. */
export async function startProxy(
  origins: readonly { readonly address: RawOrigin['address'] }[],
  options: TestProxyOptions = {},
): Promise<TestProxy> {
  const proxy = await startTestProxy(origins, { isOnReadDisabled, ...options });
  const { connect: open } = proxy;
  proxy.connect = async () => leaveOutOwnFields(await open());
  onTestFinished(async () => {
    await proxy.stop();
    expect(proxy.errorLog.matching(/\[alert\]/)).toEqual([]);
  });
  return proxy;
}

/**
 * Leaves out of what a client reads the fields that the proxy adds to every answer (Server, Date and, for HTTP/1.1, a
 * Connection that says nothing new), so that tests compare with what the origin sent.
 */
function leaveOutOwnFields(client: RawClient): RawClient {
  const { readUntil, readToEnd, send } = client;
  let isHttp10 = false;
  const strip = (text: string) => {
    const without = text.replace(/^(?:Server: sluice\/\S+|Date: [^\r]+ GMT)\r\n/gm, '');
    return isHttp10 ? without : without.replace(/^Connection: keep-alive\r\n/gm, '');
  };
  return Object.assign(client, {
    send: (data: string | Uint8Array) => {
      if (typeof data === 'string' && / HTTP\/1\.\d\r/.test(data)) isHttp10 = data.includes(' HTTP/1.0\r');
      return send.call(client, data);
    },
    readUntil: async (delimiter: string) => strip(await readUntil.call(client, delimiter)),
    readToEnd: async () => strip(await readToEnd.call(client)),
  });
}

/** A client of the proxy that is closed when the test ends. */
export async function connect(proxy: TestProxy): Promise<RawClient> {
  const client = await proxy.connect();
  onTestFinished(() => client.close());
  return client;
}

/** An address on which nobody listens. */
export async function unusedAddress(): Promise<RawOrigin['address']> {
  const origin = await RawOrigin.start();
  await origin.stop();
  return origin.address;
}

/** An address that takes no connection and refuses none: its queue is full and nobody accepts. */
export async function silentAddress(): Promise<RawOrigin['address']> {
  const code = `
    const { createServer } = require('node:net');
    const { parentPort } = require('node:worker_threads');
    const server = createServer().listen(0, '127.0.0.1', 1, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers: Socket[] = [];
  onTestFinished(async () => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  });
  // Connections wait for accept until the queue is full; the first that does not stand shows that it is.
  for (let isFull = false; !isFull; ) {
    const filler = netConnect(port, '127.0.0.1');
    filler.on('error', () => {});
    fillers.push(filler);
    isFull = await Promise.race([
      new Promise<boolean>((resolve) => filler.once('connect', () => resolve(false))),
      delay(200, true),
    ]);
  }
  return { host: '127.0.0.1', port, path: null };
}

/** A folder for unix sockets that is removed when the test ends. */
export async function socketFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Waits until `read` has given the same value for a while: there is no event for what doesn't happen. */
export async function waitForStall(read: () => number): Promise<void> {
  for (let last = -1, quiet = 0; quiet < 8; ) {
    await delay(50);
    quiet = read() === last ? quiet + 1 : 0;
    last = read();
  }
}
