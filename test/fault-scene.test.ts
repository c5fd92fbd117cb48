// Everything goes wrong at once: of a group's servers one dies, one hangs and one is slow, while clients keep asking.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { RawOrigin } from '../src/testing/index.js';
import { answer } from './answering-origins.js';
import { serveConf } from './conf-scene.js';
import { DnsServer } from './dns-server.js';
import { SteadyLoad } from './steady-load.js';

const CLIENTS = 32;
const INTERVAL_MS = 2000;

/** A server that says its name, and can be killed, made to hang, and brought back. */
class Server {
  readonly name: string;
  readonly host: string;
  port: number;
  /** How long it takes to answer. */
  answerMs: number;
  /** Accepts, reads and never answers. */
  isHung: boolean;
  /** Called when it has answered a health check. */
  onChecked: () => void;
  private origin: RawOrigin | null;

  constructor(name: string, host = '127.0.0.1', port = 0) {
    this.name = name;
    this.host = host;
    this.port = port;
    this.answerMs = 0;
    this.isHung = false;
    this.onChecked = () => {};
    this.origin = null;
  }

  static async start(name: string, host?: string, port?: number): Promise<Server> {
    const server = new Server(name, host, port);
    await server.begin();
    onTestFinished(() => server.kill());
    return server;
  }

  async begin(): Promise<void> {
    this.origin = await RawOrigin.start(
      async (connection) => {
        for (;;) {
          const { head } = await connection.readRequest();
          if (this.answerMs > 0) await delay(this.answerMs);
          if (this.isHung) return;
          await connection.send(answer(this.name));
          if (head.startsWith('GET /health ')) this.onChecked();
        }
      },
      this.port,
      this.host,
    );
    this.port = this.origin.address.port;
  }

  async kill(): Promise<void> {
    await this.origin?.stop();
    this.origin = null;
  }
}

const REQUEST = () => 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

it('no GET fails while one server is killed, one hangs and one is slow, and the one that hangs is out in two checks', async () => {
  const [dying, hanging, slow] = await Promise.all(
    ['dying', 'hanging', 'slow'].map((name) => Server.start(name)),
  );
  slow!.answerMs = 20;
  const conf = await serveConf(`
    upstream app { zone app 64k;
      server 127.0.0.1:${dying!.port} fail_timeout=500ms; server 127.0.0.1:${hanging!.port} fail_timeout=500ms;
      server 127.0.0.1:${slow!.port} fail_timeout=500ms; }
    server { listen 127.0.0.1:%PORT%; keepalive_requests 100;
      location / { proxy_pass http://app; proxy_next_upstream error timeout; proxy_read_timeout 300ms;
        health_check interval=${INTERVAL_MS}ms uri=/health; } }`);
  const load = new SteadyLoad(conf.address, CLIENTS, REQUEST);
  onTestFinished(() => load.stop());
  const errors = conf.log('error.log');
  await Promise.all([dying, hanging, slow].map((each) => load.waitFor(each!.name, 100)));

  // The worst moment to hang is right behind a check that was passed.
  await new Promise<void>((resolve) => {
    hanging!.onChecked = resolve;
  });
  hanging!.isHung = true;
  const hungAtMs = performance.now();
  await dying!.kill();
  await errors.waitFor(new RegExp(`peer 127.0.0.1:${hanging!.port} of upstream "app" is unhealthy`));
  expect(performance.now() - hungAtMs).toBeLessThan(2 * INTERVAL_MS);
  await load.waitFor('slow', 300);

  hanging!.isHung = false;
  await dying!.begin();
  await Promise.all([load.waitFor('dying', 100), load.waitFor('hanging', 100)]);
  await load.stop();
  expect(load.failures).toEqual([]);
}, 30_000);

it('no GET fails while the addresses of a name change every second among servers of which some are dead or hang', async () => {
  const quick = await Server.start('quick', '127.0.0.1');
  const { port } = quick;
  const [hanging, slow, dying] = await Promise.all([
    Server.start('hanging', '127.0.0.2', port),
    Server.start('slow', '127.0.0.3', port),
    Server.start('dying', '127.0.0.4', port),
  ]);
  slow.answerMs = 20;
  const all = [quick, hanging, slow, dying];
  // Some that is well is always among them.
  const turns = [
    [quick, hanging],
    [slow, dying],
    [hanging, slow],
    [dying, hanging, quick],
    [slow],
    [quick, dying],
  ];
  const addresses = (servers: Server[]) => servers.map(({ host }) => `A ${host}`);
  const dns = await DnsServer.start({ 'app.test': addresses(all) });
  dns.ttl = 1;
  const conf = await serveConf(`
    resolver ${dns.name} ipv6=off;
    upstream app { zone app 64k; server app.test:${port} resolve fail_timeout=500ms; }
    server { listen 127.0.0.1:%PORT%; keepalive_requests 100;
      location / { proxy_pass http://app; proxy_next_upstream error timeout; proxy_read_timeout 300ms;
        health_check interval=500ms uri=/health; } }`);
  const load = new SteadyLoad(conf.address, CLIENTS, REQUEST);
  onTestFinished(() => load.stop());
  await Promise.all(all.map((each) => load.waitFor(each.name, 50)));

  for (const [turn, servers] of turns.entries()) {
    dns.records.set('app.test', addresses(servers));
    if (turn === 1) await dying.kill();
    if (turn === 2) hanging.isHung = true;
    await delay(1000);
  }
  hanging.isHung = false;
  await dying.begin();
  dns.records.set('app.test', addresses([hanging, dying]));
  await Promise.all([load.waitFor('dying', 100), load.waitFor('hanging', 100)]);
  await load.stop();
  expect(load.failures).toEqual([]);
}, 30_000);
