// The dashboard without a browser: who may see it, what it is made of, what the server tells it.
import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import type { Snapshot } from '../src/modules/http/dashboard/snapshot.js';
import { answering, RawClient, type TestConf } from '../src/testing/index.js';
import { type Answer, ask, get, readAnswer, serveConf } from './conf-scene.js';
import { endPrograms } from './program.js';
import { startOrigin, unusedAddress } from './scene.js';
import { startSluice } from './sluice-process.js';

const FOLDER = new URL('../dist/dashboard/', import.meta.url);
const FILES = ['', 'app.js', 'app.css', 'icon.svg', 'licenses.txt'];
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** An address of this machine that is not its own alone. */
const OTHER_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

async function snapshotOf(conf: TestConf, args = ''): Promise<Snapshot> {
  const { status, body, fields } = await get(conf, `/dashboard/data${args}`);
  expect(status).toBe(200);
  expect(fields).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  return JSON.parse(Buffer.from(body, 'latin1').toString()) as Snapshot;
}

/** Asks until the history has what was counted. */
async function historyOf(conf: TestConf): Promise<Snapshot['history']> {
  for (;;) {
    const { history } = await snapshotOf(conf);
    if (history.length > 0) return history;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function patch(conf: TestConf, fields: string): Promise<Answer> {
  const body = '{"drain":true}';
  return ask(
    conf,
    'PATCH /dashboard/api/9/http/upstreams/app/servers/0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
      `Content-Type: application/json\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

afterAll(endPrograms);

describe('the dashboard', () => {
  it('is a handful of small files that ask for nothing from elsewhere', async () => {
    const conf = await serveConf('server { listen %PORT%; location /dashboard { dashboard; } }');
    const redirect = await get(conf, '/dashboard');
    expect(redirect).toMatchObject({ status: 301, fields: { location: /\/dashboard\/$/ } });
    for (const file of FILES) {
      const { status, fields, body } = await get(conf, `/dashboard/${file}`);
      expect(status).toBe(200);
      expect(fields['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
      expect(fields).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' });
      if (file !== 'licenses.txt')
        expect(body.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:\/\/[a-z]/);
      const again = await get(conf, `/dashboard/${file}`, `If-None-Match: ${fields.etag}\r\n`);
      expect(again).toMatchObject({ status: 304, body: '' });
    }
    const bytes = FILES.map((file) => statSync(new URL(file || 'index.html', FOLDER)).size);
    expect(bytes.reduce((sum, each) => sum + each)).toBeLessThan(150_000);
    expect((await get(conf, '/dashboard/other')).status).toBe(404);
    expect((await get(conf, '/dashboardata')).status).toBe(404);
  });

  it('tells what is counted, how upstreams are, and which requests failed, try by try', async () => {
    const origin = await startOrigin(answering(() => OK));
    const { port } = await unusedAddress();
    const conf = await serveConf(`
      upstream app {
        server 127.0.0.1:${port} weight=100;
        server 127.0.0.1:${origin.address.port} backup max_conns=7;
        server 127.0.0.9:1 down;
      }
      server {
        listen %PORT%;
        server_name shop;
        location / { proxy_pass http://app; }
        location = /broken { return 503; }
        location /dashboard/ { dashboard; }
      }`);
    await get(conf, '/caf%C3%A9?q="1"', '', 'shop');
    await get(conf, '/broken', '', 'shop');
    const [row] = await historyOf(conf);
    expect(row!.slice(1, 2)[0]).toBeGreaterThan(400);
    expect(row!.slice(5, 11)).toEqual([0, 0, 1, 0, 0, 1]);
    const snapshot = await snapshotOf(conf);
    expect(row!.slice(11)).toHaveLength(snapshot.bounds.length + 1);
    expect(row!.slice(11).reduce((sum, each) => sum + each)).toBe(2);
    expect(snapshot).toMatchObject({ mayWrite: false, workers: 1, pid: process.pid });
    expect(snapshot.upstreams).toMatchObject([
      {
        name: 'app',
        queued: null,
        peers: [
          {
            address: `127.0.0.1:${port}`,
            state: 'unavailable',
            id: null,
            weight: 100,
            fails: 1,
            maxFails: 1,
          },
          { address: '127.0.0.9:1', state: 'down', isBackup: false },
          { state: 'up', isBackup: true, maxConns: 7, requests: 1, active: 0 },
        ],
      },
    ]);
    const { failed, slow, version } = snapshot.recent!;
    expect(failed.map(({ uri }) => uri)).toEqual(['/broken', '/caf%C3%A9?q="1"']);
    expect(failed[0]).toMatchObject({ status: 503, server: 'shop', location: '= /broken', tries: [] });
    expect(failed[1]).toMatchObject({ method: 'GET', host: 'shop', status: 200, client: '127.0.0.1' });
    const [first, second] = failed[1]!.tries;
    expect(first).toMatchObject({
      peer: `127.0.0.1:${port}`,
      failure: 'connect() failed (111: Connection refused)',
      connectedMs: -1,
      status: 502,
    });
    expect(second).toMatchObject({ failure: '', status: 200, bytes: OK.length });
    expect(second!.connectedMs).toBeGreaterThan(second!.startMs);
    expect(slow).toHaveLength(2);
    expect(slow[0]!.durationMs).toBeGreaterThanOrEqual(slow[1]!.durationMs);
    const known = `?since=${row![0]! + 60_000}&seen=${version}`;
    expect(await snapshotOf(conf, known)).toMatchObject({ history: [], recent: null });
  });

  it('tells of no request that succeeded at once as failed, and of none of its own', async () => {
    const conf = await serveConf(`
      server { listen %PORT%; location / { return 404; } location /dashboard/ { dashboard; } }`);
    await get(conf, '/a');
    await get(conf, '/dashboard/data');
    expect((await snapshotOf(conf)).recent).toMatchObject({ failed: [], slow: [{ uri: '/a', status: 404 }] });
  });

  it('tells of an answer that broke off as failed, with what the upstream did', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readHead();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello');
      connection.close();
    });
    const conf = await serveConf(`
      server {
        listen %PORT%;
        location / { proxy_pass http://${origin.name}; }
        location /dashboard/ { dashboard; }
      }`);
    const client = await conf.connect();
    await client.send('GET /part HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.readToEnd()).toMatch(/hello$/);
    const failure = 'upstream prematurely closed connection';
    expect((await snapshotOf(conf)).recent!.failed).toMatchObject([
      { uri: '/part', status: 200, tries: [{ status: 200, failure }] },
    ]);
  });

  it('goes on over a reload', async () => {
    const text = (more: string) => `
      server { listen %PORT%; ${more} location = /no { return 500; } location /dashboard/ { dashboard; } }`;
    const conf = await serveConf(text(''));
    await get(conf, '/no');
    const { startedAtMs } = await snapshotOf(conf);
    await conf.reload(text('server_tokens off;'));
    await get(conf, '/no');
    const after = await snapshotOf(conf);
    expect(after.startedAtMs).toBe(startedAtMs);
    expect(after.recent!.failed).toHaveLength(2);
  });

  it.skipIf(OTHER_ADDRESS === undefined)('is for this machine alone, unless told otherwise', async () => {
    const conf = await serveConf(`
      server {
        listen %PORT%;
        location /dashboard/ { dashboard write=on; }
        location /open/ { dashboard remote=on; }
      }`);
    const { port } = conf.address;
    const from = async (target: string) => {
      const client = await RawClient.connect({ host: OTHER_ADDRESS!, port, path: null });
      await client.send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      return readAnswer(await client.readToEnd());
    };
    for (const target of ['', 'data', 'app.js', 'api/9/http/upstreams']) {
      const refused = await from(`/dashboard/${target}`);
      expect(refused.status).toBe(403);
      expect(refused.body).toContain(`you come from ${OTHER_ADDRESS}`);
      expect(refused.body).toContain('remote=on');
    }
    expect((await from('/open/data')).status).toBe(200);
    const rebound = await get(conf, '/dashboard/data', '', 'evil.example');
    expect(rebound).toMatchObject({ status: 403, body: /"evil.example" may be another's name/ });
  });

  it('drains servers where it may write, for its own page alone', async () => {
    const text = (more: string) => `
      upstream app { zone app 64k; server 127.0.0.1:1; server 127.0.0.1:2; }
      server { listen %PORT%; location /dashboard/ { dashboard ${more}; } }`;
    const conf = await serveConf(text(''));
    expect((await patch(conf, '')).status).toBe(405);
    await conf.reload(text('write=on'));
    expect((await patch(conf, 'Origin: http://evil.example\r\n')).status).toBe(403);
    expect((await patch(conf, 'Sec-Fetch-Site: cross-site\r\n')).status).toBe(403);
    expect((await snapshotOf(conf)).upstreams[0]!.peers[0]).toMatchObject({ id: 0, state: 'up' });
    expect((await patch(conf, 'Origin: http://localhost\r\n')).status).toBe(200);
    const { upstreams, mayWrite } = await snapshotOf(conf);
    expect(mayWrite).toBe(true);
    expect(upstreams[0]!.peers.map(({ id, state }) => [id, state])).toEqual([
      [0, 'draining'],
      [1, 'up'],
    ]);
  });

  it('needs a location that has room for its files, and takes GET and HEAD', async () => {
    await expect(serveConf('server { listen %PORT%; location = /d { dashboard; } }')).rejects.toThrow(
      'dashboard',
    );
    const conf = await serveConf('server { listen %PORT%; location /dashboard/ { dashboard; } }');
    const post =
      'POST /dashboard/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    expect((await ask(conf, post)).status).toBe(405);
  });

  it('runs by the configuration of docs/dashboard.md', async () => {
    const page = readFileSync(new URL('../docs/dashboard.md', import.meta.url), 'utf8');
    const [, text] = /```nginx\n([^`]+)```/.exec(page)!;
    const { port } = await unusedAddress();
    const conf = await serveConf(
      text!
        .replace('listen 8080', 'listen %PORT%')
        .replace('listen 127.0.0.1:8081', `listen 127.0.0.1:${port}`)
        .replace(/server 127\.0\.0\.1:\d+/g, 'server 127.0.0.1:1'),
    );
    await get(conf, '/a', '', 'shop.example');
    const snapshot = (await (await fetch(`http://localhost:${port}/data`)).json()) as Snapshot;
    expect(snapshot).toMatchObject({ mayWrite: true, upstreams: [{ name: 'app' }] });
    expect(snapshot.recent!.failed).toMatchObject([{ uri: '/a', status: 502 }]);
  });

  it('is on the command line: sluice --dashboard', async () => {
    const { program, url } = await startSluice([1], ['--dashboard', '0,write']);
    const [, page] = await program.said(/dashboard on (http:\/\/127\.0\.0\.1:\d+\/)/);
    expect((await fetch(`${url}/a`)).status).toBe(502);
    const snapshot = (await (await fetch(`${page}data`)).json()) as Snapshot;
    expect(snapshot.mayWrite).toBe(true);
    expect(snapshot.upstreams).toMatchObject([
      { name: 'default', peers: [{ address: '127.0.0.1:1', id: 0 }] },
    ]);
    expect(snapshot.recent!.failed).toMatchObject([{ uri: '/a', status: 502 }]);
  });
});
