// Peers that die, hang and come back while clients keep asking: no GET fails, no POST is sent twice, and a
// peer that is well again gets its share. The peers are processes, so that they can be killed as a crash would.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../src/testing/index.js';
import { endPrograms, type Program, startScript } from './program.js';
import { type Sluice, startSluice } from './sluice-process.js';
import { SteadyLoad } from './steady-load.js';

/** Says its name to a GET; says which POST it got, on standard output at once and in its answer. */
const ORIGIN = `
  import { createServer } from 'node:http';
  import { writeSync } from 'node:fs';
  const [name, port] = process.argv.slice(1);
  const server = createServer((request, response) => {
    if (request.method === 'POST') writeSync(1, 'got ' + request.url + '\\n');
    request.resume();
    response.end(name);
  });
  server.listen(Number(port), '127.0.0.1', () => console.log('listening on ' + server.address().port));
`;

/** Windows short enough for a test; a peer that failed is tried again after half a second. */
const PARAMETERS = 'fail_timeout=500ms';

class Peer {
  readonly name: string;
  port: number;
  program: Program | null;
  /** What all processes of this peer said. */
  readonly outputs: Program[];

  constructor(name: string) {
    this.name = name;
    this.port = 0;
    this.program = null;
    this.outputs = [];
  }

  async start(): Promise<void> {
    const { program, port } = await startScript(ORIGIN, [this.name, this.port]);
    this.program = program;
    this.port = port;
    this.outputs.push(program);
  }

  async kill(): Promise<void> {
    await this.program!.kill();
  }

  get posts(): string[] {
    return this.outputs.flatMap((program) => program.stdout.match(/\/post-\d+/g) ?? []);
  }
}

let a: Peer;
let b: Peer;
let load: SteadyLoad | null;

beforeEach(async () => {
  load = null;
  a = new Peer('a');
  b = new Peer('b');
  await Promise.all([a.start(), b.start()]);
});

afterEach(async () => {
  await load?.stop();
  await endPrograms();
});

function startBeforeBoth(...flags: string[]): Promise<Sluice> {
  return startSluice([`127.0.0.1:${a.port},${PARAMETERS}`, `127.0.0.1:${b.port},${PARAMETERS}`], flags);
}

const get = () => 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a proxy before two peers, asked by 16 clients', () => {
  it('fails no GET when one is killed, then the other, and both get requests again', async () => {
    load = new SteadyLoad(await startBeforeBoth(), 16, get);
    for (const [dying, living] of [
      [a, b],
      [b, a],
      [a, b],
    ] as const) {
      await Promise.all([load.waitFor(dying.name, 100), load.waitFor(living.name, 100)]);
      await dying.kill();
      await load.waitFor(living.name, 500);
      await dying.start();
    }
    await Promise.all([load.waitFor('a', 100), load.waitFor('b', 100)]);
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  it('fails no GET while one accepts connections and never answers', async () => {
    load = new SteadyLoad(await startBeforeBoth('--read-timeout', '300ms'), 16, get);
    await Promise.all([load.waitFor('a', 100), load.waitFor('b', 100)]);
    process.kill(a.program!.pid, 'SIGSTOP');
    await load.waitFor('b', 1000);
    process.kill(a.program!.pid, 'SIGCONT');
    await Promise.all([load.waitFor('a', 100), load.waitFor('b', 100)]);
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  it('sends no POST twice, whoever is killed', async () => {
    let sent = 0;
    const post = () => {
      sent++;
      return `POST /post-${sent} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`;
    };
    load = new SteadyLoad(await startBeforeBoth(), 16, post);
    for (const [dying, living] of [
      [a, b],
      [b, a],
    ] as const) {
      await Promise.all([load.waitFor(dying.name, 100), load.waitFor(living.name, 100)]);
      await dying.kill();
      await load.waitFor(living.name, 300);
      await dying.start();
    }
    await load.stop();
    const got = [...a.posts, ...b.posts];
    expect(got.length).toBe(new Set(got).size);
    // What failed did so as what was under way at the dying one: 16 at most each time, and no more.
    expect(load.failures.length).toBeLessThanOrEqual(32);
    expect(load.failures.filter((head) => !head.startsWith('HTTP/1.1 502 '))).toEqual([]);
  });

  it('answers 502 at once while both are dead, and notices when one is back', async () => {
    const sluice = await startBeforeBoth();
    const ask = async () => {
      const client = await RawClient.connect({ host: '127.0.0.1', port: sluice.port, path: null });
      await client.send(get());
      const { head, body } = await client.readResponse();
      client.close();
      return head.startsWith('HTTP/1.1 200 ') ? body.toString() : head.slice(9, 12);
    };
    expect(['a', 'b']).toContain(await ask());
    await Promise.all([a.kill(), b.kill()]);
    const startMs = performance.now();
    for (let i = 0; i < 20; i++) expect(await ask()).toBe('502');
    expect(performance.now() - startMs).toBeLessThan(2000);
    await sluice.program.said(
      /\[error\].* connect\(\) failed \(111: Connection refused\) while connecting to upstream, client: 127\.0\.0\.1, server: , request: "GET \/ HTTP\/1\.1"/,
    );
    await b.start();
    await expect.poll(ask, { timeout: 3000, interval: 50 }).toBe('b');
    await a.start();
    await expect.poll(ask, { timeout: 3000, interval: 50 }).toBe('a');
  });

  it('cuts no answer short when the proxy is told to end in the middle', async () => {
    const sluice = await startBeforeBoth();
    load = new SteadyLoad(sluice, 16, get);
    await load.waitFor('a', 200);
    sluice.program.child.kill('SIGTERM');
    const { code } = await sluice.program.ended;
    await load.stop();
    // A request that crosses the end of an idle connection gets nothing, which its client may send again.
    const cut = load.failures.filter((failure) => !/ECONNREFUSED|; 0 bytes unread/.test(failure));
    expect([cut, code]).toEqual([[], 0]);
  });
});
