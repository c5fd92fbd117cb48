/*
 * Passwords hashed with bcrypt. A check takes a tenth of a second and more, so all are made one after the other on a
 * thread of their own, which begins with the first of them.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

const require = createRequire(import.meta.url);

/** More than that wait for nobody: somebody is guessing passwords. */
const MAX_WAITING = 1000;

/** Run as CommonJS, which is where a path of a module may be required. */
const WORKER_CODE = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { compareSync } = require(workerData);
  parentPort.on('message', ({ password, stored }) => {
    let isRight = false;
    try {
      isRight = compareSync(password, stored);
    } catch {}
    parentPort.postMessage(isRight);
  });`;

let worker: Worker | null = null;
/** Who waits for an answer, in the order they asked. */
const waiting: ((isRight: boolean | null) => void)[] = [];

/** Whether it is the password. Null when that can't be said: too many ask. @param password bytes in latin1 */
export function checkBcrypt(password: string, stored: string): Promise<boolean | null> {
  if (waiting.length >= MAX_WAITING) return Promise.resolve(null);
  worker ??= startWorker();
  worker.postMessage({ password: Buffer.from(password, 'latin1').toString(), stored });
  return new Promise((resolve) => waiting.push(resolve));
}

function startWorker(): Worker {
  const library = require.resolve('bcryptjs');
  const started = new Worker(WORKER_CODE, { eval: true, workerData: library });
  started.on('message', (isRight: boolean) => waiting.shift()?.(isRight));
  started.on('error', () => {});
  started.on('exit', () => {
    worker = null;
    for (const resolve of waiting.splice(0)) resolve(null);
  });
  // It must not keep the process alive.
  started.unref();
  return started;
}
