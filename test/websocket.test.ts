// WebSockets behind a configuration: quiet ones live on, also through a reload, and end with what they hang on.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { TestConf } from '../src/testing/index.js';
import { get, serveConf } from './conf-scene.js';

/** A server of WebSockets that echoes; its port. */
async function startEcho(): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on('connection', (peer) => {
    peer.on('error', () => {});
    peer.on('message', (data) => peer.send(String(data)));
  });
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

/** As people write it, with `name` for an answer; all other times are short. */
function confOf(port: number, readTimeout: string, main = '', name = 'a'): string {
  return `${main} events { } http {
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    keepalive_timeout 100ms; client_header_timeout 100ms; client_body_timeout 100ms; send_timeout 100ms;
    upstream app { server 127.0.0.1:${port}; keepalive 8; keepalive_timeout 100ms; }
    server { listen 127.0.0.1:%PORT%;
      location / { return 200 ${name}; }
      location /chat { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
        proxy_read_timeout ${readTimeout}; proxy_send_timeout 100ms; } } }`;
}

async function open(conf: TestConf): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${conf.address.port}/chat`);
  socket.on('error', () => {});
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

async function echo(socket: WebSocket, text: string): Promise<string> {
  socket.send(text);
  const [data] = await once(socket, 'message');
  return String(data);
}

it('a quiet WebSocket lives as long as proxy_read_timeout, whatever else is short, and ends then', async () => {
  const port = await startEcho();
  const lasting = await open(await serveConf(confOf(port, '1h')));
  const passing = await open(await serveConf(confOf(port, '500ms')));
  expect(await echo(lasting, 'one')).toBe('one');
  expect(await echo(passing, 'one')).toBe('one');
  const echoedMs = performance.now();
  await once(passing, 'close');
  expect(performance.now() - echoedMs).toBeGreaterThanOrEqual(450);
  await delay(1000);
  expect(await echo(lasting, 'two')).toBe('two');
});

it('a WebSocket goes on through reloads beside clients of the new configuration', async () => {
  const port = await startEcho();
  const conf = await serveConf(confOf(port, '1h'));
  const socket = await open(conf);
  for (const name of ['b', 'c']) {
    await conf.reload(confOf(port, '1h', '', name));
    expect((await get(conf, '/')).body).toBe(name);
    expect(await echo(socket, name)).toBe(name);
  }
  expect(conf.server.connectionCount).toBe(1);
});

it('a WebSocket of a configuration before ends worker_shutdown_timeout after the reload', async () => {
  const port = await startEcho();
  const conf = await serveConf(confOf(port, '1h', 'worker_shutdown_timeout 300ms;'));
  const socket = await open(conf);
  const reloadedMs = performance.now();
  await conf.reload(confOf(port, '1h', 'worker_shutdown_timeout 300ms;', 'b'));
  const next = await open(conf);
  await once(socket, 'close');
  expect(performance.now() - reloadedMs).toBeGreaterThanOrEqual(290);
  expect(await echo(next, 'still')).toBe('still');
});

it.each([
  ['until its client has ended', '', (socket: WebSocket) => socket.close()],
  ['for worker_shutdown_timeout at most', 'worker_shutdown_timeout 300ms;', () => {}],
])('a WebSocket holds up the end of a server %s', async (_, main, end) => {
  const conf = await serveConf(confOf(await startEcho(), '1h', main));
  const socket = await open(conf);
  const closed = once(socket, 'close');
  const drained = conf.server.drain();
  expect(await echo(socket, 'still')).toBe('still');
  end(socket);
  await Promise.all([drained, closed]);
  expect(conf.server.connectionCount).toBe(0);
});
