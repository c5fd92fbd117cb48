// Reloads under load: clients that keep their connections, tunnels and slow downloads go on while the configuration is
// replaced again and again. Used by reload-soak.test.ts, and for longer by `npm run soak:reload`.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RawClient } from '../src/testing/raw-client.js';
import { freePort } from './free-port.js';
import { Program } from './program.js';

const KEPT_CLIENTS = 64;
const TUNNELS = 200;
const DOWNLOADS = 8;
const DOWNLOAD_PARTS = 40;
const DOWNLOAD_PART_MS = 25;
const DOWNLOAD = randomBytes(DOWNLOAD_PARTS * 16_384);
const LOCATIONS = 50;
/** The longest rest of a client between two requests, and the time between two messages in a tunnel. */
const THINK_MS = 20;
const TUNNEL_PAUSE_MS = 250;
/** Reloads until memory is what a process that has reloaded has. */
const WARM_UP_RELOADS = 10;

/**
 * Says the bytes of all threads' heaps that are in use after a collection, without compiled code, whenever a signal asks.
 * Words: how many workers besides the main thread there are.
 */
const heapTeller = (workers: number) =>
  `data:text/javascript,${encodeURIComponent(`
  import { getHeapCodeStatistics } from 'node:v8';
  import { BroadcastChannel, isMainThread } from 'node:worker_threads';
  const channel = new BroadcastChannel('heaps');
  channel.unref();
  const used = () => {
    globalThis.gc();
    const { bytecode_and_metadata_size, code_and_metadata_size } = getHeapCodeStatistics();
    return process.memoryUsage().heapUsed - bytecode_and_metadata_size - code_and_metadata_size;
  };
  let count = 0;
  let heaps = [];
  const gather = (bytes) => {
    if (heaps.push(bytes) <= ${workers}) return;
    console.log('heap ' + ++count + ': ' + heaps.reduce((sum, each) => sum + each, 0));
    heaps = [];
  };
  channel.onmessage = ({ data }) => {
    if (isMainThread) gather(data);
    else if (data === 'tell') channel.postMessage(used());
  };
  if (isMainThread) process.on('SIGPWR', () => {
    channel.postMessage('tell');
    gather(used());
  });`)}`;

export interface SoakOptions {
  /** The built command. */
  readonly main: string;
  readonly reloads: number;
  /** All of them take at least this long, evenly spread; they are waited for one after the other. */
  readonly durationMs: number;
  /** More than one only where workers can share a port. */
  readonly workers: number;
  readonly onReload?: (count: number) => void;
}

/** What came of it. */
export interface SoakResult {
  /** Whatever a client noticed of the reloads; should be empty. */
  readonly failures: readonly string[];
  readonly requests: number;
  readonly tunnelMessages: number;
  readonly downloads: number;
  /** From the signal until the new configuration answers, whichever worker is asked, of each reload. */
  readonly reloadMs: readonly number[];
  /** In use after a collection in all threads, without compiled code, after the first reloads and after the last. */
  readonly heapBytes: { readonly before: number; readonly after: number };
  /** Lines of the error log from [warn] on. */
  readonly troubles: readonly string[];
}

/** Runs it. Needs dist/. */
export async function soakReloads(options: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-soak-'));
  const origin = startOrigin();
  await once(origin, 'listening');
  const load = new Load();
  let sluice: Program | null = null;
  try {
    const { workers } = options;
    const originPort = (origin.address() as AddressInfo).port;
    const conf = new ChangingConf({
      folder,
      workers,
      originPort,
      port: await freePort(),
      otherPort: await freePort(),
    });
    conf.write(0);
    const words = [
      '--expose-gc',
      '--import',
      heapTeller(workers === 1 ? 0 : workers),
      options.main,
      '-p',
      `${folder}/`,
      '-c',
      'nginx.conf',
    ];
    sluice = new Program(process.execPath, words, { env: { PATH: process.env.PATH } });
    await conf.waitFor(0);
    await load.start(conf.port);
    const heap = await reloadAgainAndAgain(sluice, conf, load, options);
    await load.end();
    const errors = readFileSync(join(folder, 'error.log'), 'latin1').split('\n');
    const troubles = errors.filter((line) => /\[(?:warn|error|crit|alert|emerg)\]/.test(line));
    return { ...load.counts, ...heap, troubles };
  } finally {
    await load.end();
    await sluice?.kill();
    origin.close();
    origin.closeAllConnections();
    rmSync(folder, { recursive: true });
  }
}

async function reloadAgainAndAgain(
  sluice: Program,
  conf: ChangingConf,
  load: Load,
  { reloads, durationMs, onReload }: SoakOptions,
): Promise<Pick<SoakResult, 'reloadMs' | 'heapBytes'>> {
  const reloadMs: number[] = [];
  const startMs = performance.now();
  let before = 0;
  for (let count = 1; count <= reloads; count++) {
    conf.write(count);
    const signalMs = performance.now();
    sluice.child.kill('SIGHUP');
    await conf.waitFor(count);
    reloadMs.push(performance.now() - signalMs);
    if (count === Math.min(WARM_UP_RELOADS, reloads >> 1)) before = await readHeap(sluice, 1);
    onReload?.(count);
    await delay(Math.max(0, startMs + (durationMs * count) / reloads - performance.now()));
    if (load.counts.failures.length > 0) break;
  }
  // Until what the downloads hold of earlier configurations is gone, as it was at the first reading.
  await delay(DOWNLOAD_PARTS * DOWNLOAD_PART_MS);
  return { reloadMs, heapBytes: { before, after: await readHeap(sluice, 2) } };
}

/** Of two collections in a row the second finds what the first has let go. */
async function readHeap(sluice: Program, reading: number): Promise<number> {
  let bytes = 0;
  for (const count of [reading * 2 - 1, reading * 2]) {
    sluice.child.kill('SIGPWR');
    const [, text] = await sluice.said(new RegExp(`heap ${count}: (\\d+)\\n`), 'stdout');
    bytes = Number(text);
  }
  return bytes;
}

/** Answers with the path, in parts with a rest between for /slow, and echoes what tunnels say. */
function startOrigin(): Server {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/slow') {
      response.setHeader('Content-Length', DOWNLOAD.length);
      void sendSlowly((part) => response.write(part)).then(() => response.end());
    } else request.on('end', () => response.end(request.url));
  });
  server.keepAliveTimeout = 0;
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  return server.listen(0, '127.0.0.1');
}

async function sendSlowly(send: (part: Buffer) => void): Promise<void> {
  const partBytes = DOWNLOAD.length / DOWNLOAD_PARTS;
  for (let i = 0; i < DOWNLOAD_PARTS; i++) {
    send(DOWNLOAD.subarray(i * partBytes, (i + 1) * partBytes));
    await delay(DOWNLOAD_PART_MS);
  }
}

interface ConfPlace {
  readonly folder: string;
  readonly workers: number;
  readonly originPort: number;
  readonly port: number;
  readonly otherPort: number;
}

/** A configuration whose upstream group, locations and second port change each time. */
class ChangingConf {
  readonly port: number;
  readonly #place: ConfPlace;

  constructor(place: ConfPlace) {
    this.#place = place;
    this.port = place.port;
  }

  write(count: number): void {
    const { folder, workers, originPort, port, otherPort } = this.#place;
    const name = `app_${count}`;
    const locations = Array.from(
      { length: LOCATIONS },
      (_, i) => `location /${name}/${i}/ { proxy_pass http://${name}/; proxy_set_header X-Count ${count}; }`,
    );
    const second = count % 2 === 0 ? '' : `listen 127.0.0.1:${otherPort};`;
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; worker_processes ${workers}; error_log error.log notice; events {}
http {
  access_log off; keepalive_requests 1000000;
  upstream ${name} { server 127.0.0.1:${originPort}; keepalive ${8 + (count % 8)}; }
  server {
    listen 127.0.0.1:${port}; ${second}
    proxy_http_version 1.1;
    proxy_set_header Connection $http_connection;
    proxy_set_header Upgrade $http_upgrade;
    location = /count { return 200 ${count}; }
    location / { proxy_pass http://${name}; }
    ${locations.join('\n    ')}
  }
}
`,
    );
  }

  /** Waits until that one answers all of several clients at once, so that each worker is asked. */
  async waitFor(count: number): Promise<void> {
    const ask = async () => {
      const url = `http://127.0.0.1:${this.port}/count`;
      const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => null);
      return answer?.text();
    };
    const { workers } = this.#place;
    for (const endMs = performance.now() + 10_000; performance.now() < endMs; await delay(2)) {
      const answers = await Promise.all(Array.from({ length: workers === 1 ? 1 : workers * 4 }, ask));
      if (answers.every((answer) => answer === String(count))) return;
    }
    throw new Error(`configuration ${count} does not answer after 10 s`);
  }
}

/** The clients. */
class Load {
  readonly counts = { failures: [] as string[], requests: 0, tunnelMessages: 0, downloads: 0 };
  readonly #running: Promise<void>[] = [];
  readonly #clients = new Set<RawClient>();
  #isEnding = false;

  /** Resolves when all tunnels stand. */
  async start(port: number): Promise<void> {
    const address = { host: '127.0.0.1', port, path: null };
    const connect = async () => {
      const client = await RawClient.connect(address);
      this.#clients.add(client);
      return client;
    };
    for (let i = 0; i < TUNNELS; i++) {
      const client = await connect();
      await client.send('GET /t HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
      await client.readUntil('\r\n\r\n');
      this.#run(`tunnel ${i}`, () => this.#talk(client));
    }
    for (let i = 0; i < KEPT_CLIENTS; i++)
      this.#run(`client ${i}`, async () => this.#askOnAndOn(await connect()));
    for (let i = 0; i < DOWNLOADS; i++)
      this.#run(`download ${i}`, async () => this.#download(await connect()));
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#running);
    for (const client of this.#clients) client.close();
  }

  #run(who: string, act: () => Promise<void>): void {
    const run = act().catch((error: Error) => void this.counts.failures.push(`${who}: ${error.message}`));
    this.#running.push(run);
  }

  /** Every third request is a POST, which no client may send again. The connection has to last. */
  async #askOnAndOn(client: RawClient): Promise<void> {
    for (let i = 0; !this.#isEnding; i++) {
      const path = `/ask/${i}`;
      const head = `${i % 3 === 0 ? 'POST' : 'GET'} ${path} HTTP/1.1\r\nHost: a\r\n`;
      await client.send(i % 3 === 0 ? `${head}Content-Length: 4\r\n\r\nbody` : `${head}\r\n`);
      const answer = await client.readResponse();
      if (answer.text !== path || answer.field('connection') !== 'keep-alive')
        throw new Error(`${path} was answered with ${JSON.stringify(answer)}`);
      this.counts.requests++;
      await delay(Math.random() * THINK_MS);
    }
  }

  async #talk(client: RawClient): Promise<void> {
    await delay(Math.random() * TUNNEL_PAUSE_MS);
    for (let i = 0; !this.#isEnding; i++) {
      await client.send(`message ${i}\n`);
      await client.readUntil(`message ${i}\n`);
      this.counts.tunnelMessages++;
      await delay(TUNNEL_PAUSE_MS);
    }
  }

  async #download(client: RawClient): Promise<void> {
    while (!this.#isEnding) {
      await client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.readUntil('\r\n\r\n');
      const body = await client.readBytes(DOWNLOAD.length);
      if (!body.equals(DOWNLOAD)) throw new Error('other bytes came than were sent');
      this.counts.downloads++;
    }
  }
}
