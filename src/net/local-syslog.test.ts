import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LocalSyslogSender } from './local-syslog.js';

let folder: string;
let server: Server;
let received: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-syslog-'));
  received = '';
  server = createServer((socket) => socket.setEncoding('latin1').on('data', (text) => (received += text)));
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

it('sends a line for each message over a stream', async () => {
  const path = join(folder, 'log');
  server.listen(path);
  await once(server, 'listening');
  const sender = new LocalSyslogSender(path, 'nginx', () => {});
  sender.send(190, 'Nov  3 07:02:12 nginx: ', 'a');
  sender.send(187, 'Nov  3 07:02:12 nginx: ', 'b');
  await expect.poll(() => received).toBe('<190>Nov  3 07:02:12 nginx: a\n<187>Nov  3 07:02:12 nginx: b\n');
  sender.close();
});

it('says why messages get lost when nobody listens', async () => {
  const reasons: string[] = [];
  const sender = new LocalSyslogSender(join(folder, 'nobody'), 'nginx', (reason) => reasons.push(reason));
  sender.send(190, '', 'a');
  await expect.poll(() => reasons).toEqual([expect.stringContaining('ENOENT')]);
  sender.send(190, '', 'b');
  expect(reasons).toHaveLength(1);
  sender.close();
});
