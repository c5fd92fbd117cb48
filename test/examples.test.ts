// Every configuration of examples/ is served as it is, but for the addresses and folders of this machine, and does what
// its first lines say.

import { mkdirSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answering, type RawOrigin, type TestConf } from '../src/testing/index.js';
import { ask, get, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

const EXAMPLES = new URL('../examples/', import.meta.url).pathname;

/** An origin that answers with its name and the target it was asked for. */
function startNamed(name: string): Promise<RawOrigin> {
  return startOrigin(
    answering(({ head }) => {
      const body = `${name} ${head.split(' ')[1]}`;
      return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    }),
  );
}

/** Serves an example with its addresses replaced: each pair of `replaced` is a text in it and what to use instead. */
async function serveExample(name: string, replaced: Record<string, string> = {}): Promise<TestConf> {
  const folder = dirname(join(EXAMPLES, name));
  const main = await readFile(join(EXAMPLES, name), 'utf8');
  const files: Record<string, string> = {};
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.conf'))
      files[`/nowhere/${file}`] = adapt(await readFile(join(folder, file), 'utf8'), replaced);
  }
  return serveConf(adapt(main, replaced), { files, prefix: '/nowhere/' });
}

function adapt(text: string, replaced: Record<string, string>): string {
  let adapted = text.replace(/listen 80\b/g, 'listen 127.0.0.1:%PORT%');
  for (const [from, to] of Object.entries(replaced)) adapted = adapted.replaceAll(from, to);
  return adapted;
}

function portOf(origin: RawOrigin): string {
  return `127.0.0.1:${origin.address.port}`;
}

/** A folder with these files, gone after the test. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-example-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

it('each example has a test', async () => {
  const names = readdirSync(EXAMPLES).filter((name) => name.endsWith('.conf') || !name.includes('.'));
  const source = await readFile(new URL(import.meta.url).pathname, 'utf8');
  for (const name of names) expect(source).toContain(`serveExample('${name}`);
});

describe('examples', () => {
  it('wordpress-front.conf: files from disk, scripts and unknown paths from the application, secrets from nowhere', async () => {
    const php = await startNamed('php');
    const root = await folderOf({
      'wp-content/style.css': 'css',
      'wp-content/uploads/evil.php': 'x',
      '.git/config': 'secret',
    });
    const conf = await serveExample('wordpress-front.conf', {
      '127.0.0.1:9000': portOf(php),
      '/var/www/blog': root,
    });
    const css = await get(conf, '/wp-content/style.css');
    expect(css).toMatchObject({ status: 200, body: 'css' });
    expect(css.fields['cache-control']).toContain('public');
    expect((await get(conf, '/2026/a-post/?x=1')).body).toBe('php /index.php?x=1');
    expect((await get(conf, '/wp-login.php')).body).toBe('php /wp-login.php');
    expect((await get(conf, '/wp-content/gone.css')).body).toBe('php /wp-content/gone.css');
    expect((await get(conf, '/.git/config')).status).toBe(403);
    expect((await get(conf, '/wp-content/uploads/evil.php')).status).toBe(403);
  });

  it('spa-with-api.conf: the API without its prefix, and index.html for every path of the application', async () => {
    const first = await startNamed('api');
    const root = await folderOf({ 'index.html': '<app>', 'assets/a.1f.js': 'js'.repeat(500) });
    const conf = await serveExample('spa-with-api.conf', {
      '127.0.0.1:3000': portOf(first),
      '127.0.0.1:3001': portOf(first),
      '/srv/app/dist': root,
    });
    expect((await get(conf, '/api/users?id=1')).body).toBe('api /users?id=1');
    expect(await get(conf, '/some/route')).toMatchObject({ status: 200, body: '<app>' });
    const asset = await get(conf, '/assets/a.1f.js', 'Accept-Encoding: gzip\r\n');
    expect(asset.fields).toMatchObject({
      'content-encoding': 'gzip',
      expires: 'Thu, 31 Dec 2037 23:55:55 GMT',
    });
    expect(gunzipSync(Buffer.from(asset.body, 'latin1')).toString()).toBe('js'.repeat(500));
  });

  it('sites-enabled: each site by its name, nothing for names that are unknown', async () => {
    const conf = await serveExample('sites-enabled/nginx.conf');
    expect((await get(conf, '/', '', 'shop.example.com')).body).toBe('the shop\n');
    expect((await get(conf, '/', '', 'www.example.com')).body).toBe('welcome\n');
    const redirect = await get(conf, '/a?b', '', 'example.com');
    expect(redirect).toMatchObject({ status: 301, fields: { location: 'http://www.example.com/a?b' } });
    const client = await conf.connect();
    await client.send('GET / HTTP/1.1\r\nHost: other\r\n\r\n');
    expect(await client.readToEnd()).toBe('');
  });

  it('docker-reverse-proxy.conf: containers by name, with the fields they need', async () => {
    const grafana = await startOrigin();
    const gitea = await startNamed('gitea');
    const conf = await serveExample('docker-reverse-proxy.conf', {
      '127.0.0.1:3000': portOf(grafana),
      '127.0.0.1:3001': portOf(gitea),
    });
    const answer = get(conf, '/d', 'Proxy: evil\r\n', 'grafana.example.com:8080');
    const origin = await grafana.accept();
    const { head } = await origin.readRequest();
    expect(head).toContain('\r\nHost: grafana.example.com:8080\r\n');
    expect(head).toContain('\r\nX-Forwarded-For: 127.0.0.1\r\n');
    expect(head).not.toContain('evil');
    await origin.send('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ng');
    expect((await answer).body).toBe('g');
    expect((await get(conf, '/x', '', 'git.example.com')).body).toBe('gitea /x');
    expect((await get(conf, '/x', '', 'unknown')).status).toBe(503);
  });

  it('rate-limited-api.conf: a burst passes, what is more gets 429 as JSON', async () => {
    const api = await startNamed('api');
    const conf = await serveExample('rate-limited-api.conf', { '127.0.0.1:3000': portOf(api) });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await get(conf, '/login')).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const refused = await get(conf, '/login');
    expect(refused.body).toBe('{"error":"too many requests"}');
    expect(refused.fields['content-type']).toBe('application/json');
    expect((await get(conf, '/api/x')).body).toBe('api /api/x');
  });

  it('static-site.conf: pretty URLs, caching by media type, compression, a page for what is not there', async () => {
    const root = await folderOf({
      'index.html': 'home',
      'about.html': 'about',
      'style.css': 'a{}'.repeat(100),
      '404.html': 'lost',
    });
    const conf = await serveExample('static-site.conf', { '/srv/site': root });
    const about = await get(conf, '/about');
    expect(about).toMatchObject({ status: 200, body: 'about' });
    expect(about.fields).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    const css = await get(conf, '/style.css', 'Accept-Encoding: gzip\r\n');
    expect(css.fields).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(css.fields['cache-control']).toBe('max-age=315360000');
    const lost = await get(conf, '/none');
    expect(lost).toMatchObject({ status: 404, body: 'lost' });
    expect(lost.fields['x-content-type-options']).toBe('nosniff');
    expect((await get(conf, '/404.html')).status).toBe(404);
  });

  it('canary.conf: a client stays with its version, and the cookie chooses', async () => {
    const stable = await startNamed('stable');
    const canary = await startNamed('canary');
    const conf = await serveExample('canary.conf', {
      '127.0.0.1:3000': portOf(stable),
      '127.0.0.1:3001': portOf(canary),
    });
    expect((await get(conf, '/x', 'Cookie: version=canary\r\n')).body).toBe('canary /x');
    expect((await get(conf, '/x', 'Cookie: version=stable\r\n')).body).toBe('stable /x');
    const versions = new Set<string | undefined>();
    for (let i = 0; i < 60; i++) {
      const { fields, body } = await get(conf, '/', `User-Agent: agent-${i}\r\n`);
      expect(body).toBe(`${fields['x-version']} /`);
      versions.add(fields['x-version']);
    }
    expect([...versions].sort()).toEqual(['canary', 'stable']);
    const again = await get(conf, '/', 'User-Agent: agent-7\r\n');
    expect((await get(conf, '/', 'User-Agent: agent-7\r\n')).body).toBe(again.body);
  });

  it('maintenance.conf: the page for all but us while the file is there', async () => {
    const app = await startNamed('app');
    const root = await folderOf({ 'maintenance.html': 'back soon' });
    const replaced = { '127.0.0.1:3000': portOf(app), '/srv/app': root };
    const conf = await serveExample('maintenance.conf', replaced);
    expect((await get(conf, '/x')).body).toBe('app /x');
    await writeFile(join(root, 'maintenance.on'), '');
    const closed = await get(conf, '/x');
    expect(closed).toMatchObject({ status: 503, body: 'back soon' });
    expect(closed.fields['retry-after']).toBe('600');
    const ours = await serveExample('maintenance.conf', { ...replaced, '10.0.0.0/8': '127.0.0.0/8' });
    expect((await get(ours, '/x')).body).toBe('app /x');
  });

  it('admin-basic-auth.conf: a password or an address inside opens the admin pages', async () => {
    const app = await startNamed('app');
    const replaced = { '127.0.0.1:3000': portOf(app), 'admin.htpasswd': join(EXAMPLES, 'admin.htpasswd') };
    const conf = await serveExample('admin-basic-auth.conf', replaced);
    expect((await get(conf, '/')).body).toBe('app /');
    const refused = await get(conf, '/admin/');
    expect(refused.status).toBe(401);
    expect(refused.fields['www-authenticate']).toBe('Basic realm="Administration"');
    const login = `Authorization: Basic ${Buffer.from('ada:test').toString('base64')}\r\n`;
    expect((await get(conf, '/admin/', login)).body).toBe('app /admin/');
    const inside = await serveExample('admin-basic-auth.conf', { ...replaced, '10.0.0.0/8': '127.0.0.0/8' });
    expect((await get(inside, '/admin/')).body).toBe('app /admin/');
    expect((await get(conf, '/status')).body).toContain('Active connections: ');
  });

  it('websocket-app.conf: an Upgrade becomes a tunnel, plain requests stay requests', async () => {
    const app = await startOrigin();
    const conf = await serveExample('websocket-app.conf', {
      '127.0.0.1:3000': portOf(app),
      '127.0.0.1:3001': portOf(app),
    });
    const client = await conf.connect();
    await client.send(
      'GET /ws/chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    const origin = await app.accept();
    const { head } = await origin.readRequest();
    expect(head).toContain('\r\nUpgrade: websocket\r\n');
    expect(head.toLowerCase()).toContain('\r\nconnection: upgrade\r\n');
    await origin.send(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello',
    );
    expect(await client.readHead()).toContain('101 Switching Protocols');
    expect((await client.readBytes(5)).toString()).toBe('hello');
    await client.send('hi');
    expect((await origin.readBytes(2)).toString()).toBe('hi');
    const plain = ask(conf, 'GET /ws/chat HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const second = await app.accept();
    expect((await second.readRequest()).head).not.toContain('Upgrade');
    await second.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await plain).body).toBe('ok');
  });
});
