// A reload under a client's feet: what was under way ends as it began, what comes next is served by the new configuration.
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RawClient, type TestConf } from '../src/testing/index.js';
import { serveConf } from './conf-scene.js';
import { freePort } from './free-port.js';
import { startOrigin } from './scene.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const WHOLE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const answering = (text: string, listen = '127.0.0.1:%PORT%') =>
  `server { listen ${listen}; location / { return 200 ${text}; } }`;
const passing = (name: string) =>
  `server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://${name}; } }`;

/** A whole file: only the main level's log tells of cycles that end. */
const file = (...servers: string[]) => `error_log error.log notice; events {} http { ${servers.join('\n')} }`;

async function connect(conf: TestConf): Promise<RawClient> {
  const client = await conf.connect();
  onTestFinished(() => client.close());
  return client;
}

/** Text and Connection of the answer to one more GET. */
async function ask(client: RawClient): Promise<[string, string | null]> {
  await client.send(GET);
  const answer = await client.readResponse();
  return [answer.text, answer.field('connection')];
}

/** Waits until so many cycles have ended. */
const waitForEnds = (conf: TestConf, count: number) =>
  expect.poll(() => conf.log('error.log').matching(/configuration before.*exited/).length).toBe(count);

describe('after a reload', () => {
  it('a connection that waits goes on under the new configuration, behind its first request if need be', async () => {
    const conf = await serveConf(file(answering('one')));
    const kept = await connect(conf);
    const silent = await connect(conf);
    expect(await ask(kept)).toEqual(['one', 'keep-alive']);
    await expect.poll(() => conf.server.connectionCount).toBe(2);
    await conf.reload(file(answering('two')));
    expect(await ask(kept)).toEqual(['two', 'keep-alive']);
    expect(await ask(silent)).toEqual(['one', 'keep-alive']);
    await waitForEnds(conf, 1);
    expect(await ask(silent)).toEqual(['two', 'keep-alive']);
  });

  it('a request ends under the configuration it began in, its connection goes on under the newest', async () => {
    const origin = await startOrigin();
    const conf = await serveConf(file(passing(origin.name)));
    const [headless, inBody] = [await connect(conf), await connect(conf)];
    await headless.send(GET);
    const first = await origin.accept();
    await first.readHead();
    await inBody.send(GET);
    const second = await origin.accept();
    await second.readHead();
    await second.send(WHOLE.slice(0, -1));
    await inBody.readUntil('\r\n\r\no');
    await conf.reload(file(answering('two')));
    await conf.reload(file(answering('three')));
    await waitForEnds(conf, 1);
    await first.send(WHOLE);
    await second.send('k');
    const answer = await headless.readResponse();
    expect([answer.text, answer.field('connection')]).toEqual(['ok', 'keep-alive']);
    await inBody.readUntil('k');
    await waitForEnds(conf, 2);
    expect(await ask(headless)).toEqual(['three', 'keep-alive']);
    expect(await ask(inBody)).toEqual(['three', 'keep-alive']);
  });

  it('requests that were pipelined behind the running one are answered', async () => {
    const origin = await startOrigin();
    const conf = await serveConf(file(passing(origin.name)));
    const client = await connect(conf);
    await client.send(GET + GET + GET);
    const upstream = await origin.accept();
    await upstream.readHead();
    await conf.reload(file(answering('two')));
    await upstream.send(WHOLE);
    const texts = [];
    for (let i = 0; i < 3; i++) texts.push((await client.readResponse()).text);
    expect(texts).toEqual(['ok', 'two', 'two']);
  });

  it('connections end whose address is listened on no more, or begins with a PROXY header now', async () => {
    const conf = await serveConf(file(answering('one')));
    const first = await connect(conf);
    await ask(first);
    await conf.reload(file(answering('two', '127.0.0.1:%PORT% proxy_protocol')));
    expect(await first.waitForEnd()).toBe('fin');
    await conf.reload(file(answering('three')));
    const second = await connect(conf);
    await ask(second);
    await conf.reload(file(answering('four', `127.0.0.1:${await freePort()}`)));
    expect(await second.waitForEnd()).toBe('fin');
  });
});

/** A name makes listening take a while: clients of the addresses before it come in meanwhile. */
describe('a client of a new address, while others are still being opened', () => {
  const NAMES = 20;

  /** `last` is opened after many others. */
  async function manyAddresses(port: number, last: number): Promise<string> {
    const others = await Promise.all(Array.from({ length: NAMES }, freePort));
    const listens = [`127.0.0.1:${port}`, ...[...others, last].map((other) => `localhost:${other}`)];
    return file(answering('one'), ...listens.map((listen) => answering('new', listen)));
  }

  async function connectEarly(port: number, reload: Promise<void>): Promise<RawClient> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    reload.then(over, over);
    for (;;) {
      expect(isOver, 'the reload was over before anybody could come in').toBe(false);
      const address = { host: '127.0.0.1', port, path: null };
      const client = await RawClient.connect(address).catch(() => null);
      if (client !== null) return client;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('is served by the new configuration', async () => {
    const conf = await serveConf(file(answering('one')));
    const port = await freePort();
    const reload = conf.reload(await manyAddresses(port, await freePort()));
    const client = await connectEarly(port, reload);
    onTestFinished(() => client.close());
    await reload;
    expect(await ask(client)).toEqual(['new', 'keep-alive']);
  });

  it('is let go when one of them can not be had, and the old configuration serves on', async () => {
    const conf = await serveConf(file(answering('one')));
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    onTestFinished(() => void taken.close());
    const port = await freePort();
    const reload = conf.reload(await manyAddresses(port, (taken.address() as { port: number }).port));
    const failed = expect(reload).rejects.toThrow(/Cannot listen on "localhost:\d+": Address already in use/);
    const client = await connectEarly(port, reload);
    onTestFinished(() => client.close());
    await failed;
    await client.waitForEnd();
    expect(await ask(await connect(conf))).toEqual(['one', 'keep-alive']);
    expect(conf.server.connectionCount).toBe(1);
  });
});
