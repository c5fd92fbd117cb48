import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Listener } from './listener.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-socket-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const listenOn = (path: string) =>
  Listener.open({
    address: { host: '', port: 0, path },
    backlog: 10,
    accept: (connection) => ({
      served: connection,
      onBytes() {},
      onEnd: () => connection.end(),
      onDrain() {},
      onClose() {},
    }),
    onError() {},
    onDefect() {},
    onShortage() {},
    reclaim() {},
  });

it('a unix socket that a killed process has left is listened on anew, one that somebody listens on is not', async () => {
  const path = join(folder, 'left');
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', code]);
  expect(existsSync(path)).toBe(true);
  const listener = await listenOn(path);
  const client = connect(path);
  await once(client, 'connect');
  await expect(listenOn(path)).rejects.toThrow('EADDRINUSE');
  expect(existsSync(path)).toBe(true);
  client.end();
  await listener.close();
});

it('a file that is no socket is left alone', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'mine');
  await expect(listenOn(path)).rejects.toThrow('EADDRINUSE');
  expect(readFileSync(path, 'utf8')).toBe('mine');
});
