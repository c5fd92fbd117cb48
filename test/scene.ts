// A client, a proxy and origins on one stage: what each test starts ends with it, and a bug that the proxy
// caught and logged ([alert]) fails the test that caused it.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import {
  type OriginScript,
  type RawClient,
  RawOrigin,
  startTestProxy,
  type TestProxy,
  type TestProxyOptions,
} from '../src/testing/index.js';

/** An origin that is stopped when the test ends. */
export async function startOrigin(script: OriginScript | null = null, port = 0): Promise<RawOrigin> {
  const origin = await RawOrigin.start(script, port);
  onTestFinished(() => origin.stop());
  return origin;
}

/** A proxy before `origins` that is stopped when the test ends. */
export async function startProxy(
  origins: readonly { readonly address: RawOrigin['address'] }[],
  options: TestProxyOptions = {},
): Promise<TestProxy> {
  const proxy = await startTestProxy(origins, options);
  onTestFinished(async () => {
    await proxy.stop();
    expect(proxy.errorLog.matching(/\[alert\]/)).toEqual([]);
  });
  return proxy;
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

/** Waits until `read` has given the same value for a while: there is no event for what doesn't happen. */
export async function waitForStall(read: () => number): Promise<void> {
  for (let last = -1, quiet = 0; quiet < 8; ) {
    await delay(50);
    quiet = read() === last ? quiet + 1 : 0;
    last = read();
  }
}
