// proxy_store: answers that become files, which of them do, where, and whose they are.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answering } from '../src/testing/index.js';
import { get, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';
import { startOrigin } from './scene.js';

/** All files below a folder. */
function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name)).isFile()).sort();
}

test('an answer becomes a file under the root, with its time, and is served from there afterwards', async () => {
  const folder = await folderOf({});
  const origin = await startOrigin(
    answering(
      'HTTP/1.1 200 OK\r\nLast-Modified: Mon, 28 Sep 1970 06:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n',
    ),
  );
  const conf = await serveConf(`
    server { listen 127.0.0.1:%PORT%; root ${folder}/files; proxy_temp_path ${folder}/temp;
      error_page 404 = @origin;
      location / { }
      location @origin { proxy_pass http://${origin.name}; proxy_store on; proxy_store_access user:rw group:rw all:r; } }`);
  expect((await get(conf, '/a/b?c')).body).toBe('onetwo');
  await expect.poll(() => filesIn(`${folder}/files`)).toEqual(['a/b']);
  const stats = statSync(`${folder}/files/a/b`);
  expect([stats.mode & 0o777, stats.mtimeMs]).toEqual([0o664, 23_349_600_000]);
  expect(statSync(`${folder}/files/a`).mode & 0o777).toBe(0o775 & ~process.umask());
  const again = await get(conf, '/a/b');
  expect([again.body, again.fields['last-modified']]).toEqual(['onetwo', 'Mon, 28 Sep 1970 06:00:00 GMT']);
  expect(origin.connections).toHaveLength(1);
  expect(filesIn(`${folder}/temp`)).toEqual([]);
});

test('the path may have variables; what is there already is replaced, and nothing else is saved', async () => {
  const folder = await folderOf({ 'one:': 'old' });
  const bodies: Record<string, string> = {
    '/one': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew',
    '/empty': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    '/other': 'HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nnew',
  };
  const origin = await startOrigin(answering(({ head }) => bodies[head.split(' ')[1]!] ?? null));
  const conf = await serveConf(`
    server { listen 127.0.0.1:%PORT%; proxy_temp_path ${folder}/temp; proxy_store ${folder}$uri:$args;
      location / { proxy_pass http://${origin.name}; }
      location /off/ { proxy_store off; proxy_pass http://${origin.name}/; } }`);
  for (const target of ['/one', '/empty', '/other', '/off/one', '/broken']) await get(conf, target);
  await expect.poll(() => readFileSync(`${folder}/one:`, 'latin1')).toBe('new');
  await expect.poll(() => existsSync(`${folder}/empty:`)).toBe(true);
  expect(filesIn(folder)).toEqual(['empty:', 'one:']);
});

test('an answer that breaks off leaves nothing, one whose client leaves is saved all the same', async () => {
  const folder = await folderOf({});
  const origin = await startOrigin();
  const conf = await serveConf(`
    server { listen 127.0.0.1:%PORT%; root ${folder}/files; proxy_temp_path ${folder}/temp;
      access_log access.log;
      location / { proxy_pass http://${origin.name}; proxy_store on; } }`);
  for (const target of ['/broken', '/left']) {
    const client = await conf.connect();
    client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const upstream = await origin.accept();
    await upstream.readHead();
    await upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.readHead();
    if (target === '/broken') upstream.close();
    else {
      client.reset();
      await conf.log('access.log').waitFor(/GET \/left/);
      await upstream.send('world');
    }
  }
  await expect.poll(() => existsSync(`${folder}/files/left`)).toBe(true);
  expect(readFileSync(`${folder}/files/left`, 'latin1')).toBe('helloworld');
  expect(filesIn(folder)).toEqual(['files/left']);
});

test('what can not be saved is served nevertheless, and told of in the error log', async () => {
  const folder = await folderOf({ file: '' });
  const origin = await startOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  const conf = await serveConf(`
    server { listen 127.0.0.1:%PORT%; proxy_temp_path ${folder}/temp; proxy_store ${folder}/file$uri;
      location / { proxy_pass http://${origin.name}; }
      location /temp { proxy_pass http://${origin.name}; proxy_temp_path ${folder}/file; } }`);
  expect((await get(conf, '/a')).body).toBe('ok');
  await conf.log('error.log').waitFor(/\[crit\].* rename\(\) .*\/file\/a" failed \(20: Not a directory\)/);
  expect((await get(conf, '/temp')).body).toBe('ok');
  await conf.log('error.log').waitFor(/\[crit\].* open\(\) ".*\/file\/\d+.*" failed /);
  await expect.poll(() => filesIn(folder)).toEqual(['file']);
});

test('of proxy_store and proxy_cache the nearer one counts, and both at a level are refused', async () => {
  const folder = await folderOf({});
  const origin = await startOrigin(
    answering('HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nContent-Length: 2\r\n\r\nok'),
  );
  const http = `proxy_cache_path ${folder}/cache keys_zone=one:1m; proxy_temp_path ${folder}/temp; root ${folder}/files;`;
  const conf = await serveConf(`${http} proxy_cache one;
    server { listen 127.0.0.1:%PORT%; add_header X-Cache $upstream_cache_status;
      location / { proxy_pass http://${origin.name}; }
      location /stored { proxy_store on; proxy_pass http://${origin.name}; } }`);
  expect((await get(conf, '/cached')).fields['x-cache']).toBe('MISS');
  expect((await get(conf, '/stored')).fields).not.toHaveProperty('x-cache');
  await expect.poll(() => filesIn(`${folder}/files`)).toEqual(['stored']);
  const both = `${http} server { listen 127.0.0.1:%PORT%; proxy_cache one; proxy_store on; location / { proxy_pass http://a.test:1; } }`;
  await expect(serveConf(both)).rejects.toThrow('"proxy_store" is incompatible with "proxy_cache"');
});
