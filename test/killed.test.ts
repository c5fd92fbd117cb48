// `kill -9` of the whole process: what was answered is logged and stored, what runs breaks off, and the next start needs
// no help.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { RawClient } from '../src/testing/index.js';
import { endPrograms } from './program.js';
import { ServedFolder } from './served-folder.js';
import { WORKER_COUNTS } from './worker-counts.js';

const CLIENTS = 24;
const DOCUMENTS = 32;
const BUFFER_BYTES = 16_384;

afterEach(endPrograms);

/** What /cached/N is, long enough that a kill finds some half written. */
const documentOf = (target: string) => `${target}\n`.repeat(3000);

async function startOrigin(): Promise<{ server: Server; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const target = request.url!;
    asked.push(target);
    request.resume();
    if (target === '/endless') response.write('begun');
    else if (target.startsWith('/cached/')) {
      const body = documentOf(target);
      response.setHeader('Content-Length', body.length);
      response.write(body.slice(0, body.length / 2));
      setTimeout(() => response.end(body.slice(body.length / 2)), 5);
    } else if (request.method === 'GET') response.end(target);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, asked };
}

const confOf = (workers: number, originPort: number) => `
worker_processes ${workers};
error_log error.log notice;
events {}
http {
  log_format target '$request_uri';
  access_log access.log target;
  access_log buffered.log target buffer=${BUFFER_BYTES};
  client_body_buffer_size 1k;
  client_body_temp_path bodies;
  proxy_cache_path cache levels=1:2 keys_zone=answers:1m;
  keepalive_requests 1000000;
  upstream app { zone app 64k; state app.servers; }
  upstream origin { zone origin 64k; server 127.0.0.1:${originPort}; keepalive 32; }
  server {
    listen 127.0.0.1:%PORT%;
    listen unix:%FOLDER%/sock;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location / { proxy_pass http://origin; }
    location /cached/ { proxy_pass http://origin; proxy_cache answers; proxy_cache_valid 200 1h; }
    location /api { access_log off; api write=on; }
  }
}`;

/** A client that asks for one target after the other until it is cut off; what was answered. */
async function askOnAndOn(client: RawClient, number: number): Promise<string[]> {
  const answered: string[] = [];
  try {
    for (let i = 0; ; i++) {
      const target = i % 4 === 0 ? `/cached/${(i * CLIENTS + number) % DOCUMENTS}` : `/${number}-${i}`;
      await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const { text } = await client.readResponse();
      if (text !== (i % 4 === 0 ? documentOf(target) : target)) return [`wrong answer to ${target}`];
      answered.push(target);
    }
  } catch {
    return answered;
  }
}

it.each(WORKER_COUNTS)(
  'a killed process, with workers: %d, has logged and stored what it answered, and starts again without help',
  async (workers) => {
    const { server, asked } = await startOrigin();
    const { port: originPort } = server.address() as AddressInfo;
    const served = await ServedFolder.start(confOf(workers, originPort));
    const tcp = { host: '127.0.0.1', port: served.port, path: null };
    const unix = { host: '', port: 0, path: served.at('sock') };
    const connect = async (address: typeof tcp | typeof unix) => {
      const client = await RawClient.connect(address);
      onTestFinished(() => client.close());
      return client;
    };
    const api = (method: string, target = '', body?: unknown) =>
      fetch(`http://127.0.0.1:${served.port}/api/9/http/upstreams/app/servers${target}`, {
        method,
        headers: { connection: 'close', 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });

    expect((await api('POST', '', { server: '127.0.0.1:1', weight: 1 })).status).toBe(201);
    const running = await Promise.all(
      Array.from({ length: CLIENTS }, (_, i) => connect(i % 4 === 0 ? unix : tcp)),
    );
    const answering = running.map(askOnAndOn);
    const download = await connect(tcp);
    await download.send('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
    await download.readUntil('begun');
    const upload = await connect(tcp);
    await upload.send(`POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n${'x'.repeat(4000)}`);
    await served.logged(/is buffered to a temporary file/);
    const idle = await connect(tcp);
    let isChanging = true;
    const changing = (async () => {
      for (let weight = 2; isChanging; weight++) await api('PATCH', '/0', { weight }).catch(() => null);
    })();
    const askedBefore = asked.length;
    await expect.poll(() => asked.length, { timeout: 15_000 }).toBeGreaterThan(askedBefore + 600);

    await served.program.kill();
    isChanging = false;
    const ends = Promise.all([download, upload, idle].map((client) => client.waitForEnd()));
    expect(await Promise.race([ends, delay(2000)])).toBeDefined();
    const answered = await Promise.all(answering);
    await changing;
    const left = readdirSync(served.at('.'));
    expect(left).toEqual(expect.arrayContaining(['pid', 'sock', 'app.servers', 'bodies']));

    const logged = new Map<string, number>();
    for (const line of readFileSync(served.at('access.log'), 'latin1').split('\n'))
      logged.set(line, (logged.get(line) ?? 0) + 1);
    const own = answered.map((targets) => targets.filter((target) => !target.startsWith('/cached/')));
    expect(own.flat().filter((target) => target.startsWith('wrong'))).toEqual([]);
    // The last answer of each client may have left just before its line.
    const missing = answered.flatMap((targets) =>
      targets.slice(0, -1).filter((target) => !target.startsWith('/cached/') && !logged.has(target)),
    );
    expect(missing).toEqual([]);
    const buffered = new Set(readFileSync(served.at('buffered.log'), 'latin1').split('\n'));
    const held = own.flat().filter((target) => !buffered.has(target));
    expect(held.join('\n').length).toBeLessThan(BUFFER_BYTES * workers + CLIENTS * 20);

    await served.startAgain();
    for (const address of [tcp, unix]) {
      const client = await connect(address);
      await client.send('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.readResponse()).text).toBe('/again');
    }
    const [state] = (await (await api('GET')).json()) as { server: string; weight: number }[];
    expect(state).toMatchObject({ server: '127.0.0.1:1', weight: expect.any(Number) });
    const askedByNow = asked.length;
    for (let i = 0; i < DOCUMENTS; i++)
      expect(await served.get(`/cached/${i}`)).toBe(`200 ${documentOf(`/cached/${i}`)}`);
    // Most of what was stored is still there.
    expect(asked.length - askedByNow).toBeLessThan(DOCUMENTS / 2);
    // An answer is stored a moment after its client has it, and what was half stored goes a moment after the start.
    const cached = () => readdirSync(served.at('cache'), { recursive: true }).map(String);
    await expect
      .poll(() => cached().filter((name) => /\/[0-9a-f]{32}$/.test(name)).length, { timeout: 5000 })
      .toBe(DOCUMENTS);
    await expect.poll(() => cached().filter((name) => name.endsWith('.tmp')), { timeout: 5000 }).toEqual([]);
    const upAgain = await connect(tcp);
    await upAgain.send(`POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(4000)}`);
    await served.logged(/is buffered to a temporary file/, 2);
    expect(served.read('error.log')).not.toMatch(/\[(?:emerg|alert|crit)\]/);
    served.signal('SIGQUIT');
    upAgain.close();
    expect((await served.program.ended).code).toBe(0);
    expect(readdirSync(served.at('.'))).not.toContain('pid');
  },
  60_000,
);
