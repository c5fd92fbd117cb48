// The built program in the process of a test, with workers that die when they are told to.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BroadcastChannel } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

const dist = new URL('../dist/', import.meta.url);
const CHANNEL = 'sluice-mortal-workers';

const WORKER = `
import { BroadcastChannel, parentPort, threadId, workerData } from 'node:worker_threads';
if (workerData.index === STILLBORN) process.exit(5);
let memories = [];
parentPort.on('message', ({ published }) => {
  if (published) memories = [...published.memories];
});
new BroadcastChannel('${CHANNEL}').onmessage = ({ data: { index, locked } }) => {
  if (index !== workerData.index) return;
  for (const [name, memory] of memories) {
    if (locked?.test(name)) Atomics.store(new Int32Array(memory), 0, threadId + 1);
  }
  process.exit(9);
};
await import(${JSON.stringify(new URL('cli/worker.js', dist).href)});
`;

/** What a test asks of a proxy that runs in its own process. */
export interface MortalProxy {
  reload(): Promise<void>;
}

/**
 * Serves `nginx.conf` of the folder until the test is over, and logs to `error.log` in it. The worker with the index
 * `stillborn` ends with code 5 whenever it is started.
 */
export async function startMortal(folder: string, stillborn?: number): Promise<MortalProxy> {
  const entry = join(folder, 'mortal.mjs');
  writeFileSync(entry, WORKER.replace('STILLBORN', String(stillborn)));
  const { ConfProcess } = await import(new URL('process/conf-process.js', dist).href);
  const { BootLog } = await import(new URL('process/boot-log.js', dist).href);
  const files = {
    path: join(folder, 'nginx.conf'),
    prefix: `${folder}/`,
    commandLine: '',
    errorLog: join(folder, 'error.log'),
  };
  const proxy = new ConfProcess(files, new BootLog(files), pathToFileURL(entry));
  await proxy.start(proxy.compile(), new Map());
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** Tells a worker to die, with the locks of the zones in its hands whose names fit, such as "peers app". */
export function endWorker(index: number, locked?: RegExp): void {
  const channel = new BroadcastChannel(CHANNEL);
  onTestFinished(() => channel.close());
  channel.postMessage({ index, locked });
}
