// PUT, DELETE, MKCOL, COPY and MOVE: what they change, and what they refuse.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TestConf } from '../src/testing/index.js';
import { type Answer, ask, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';

const ALL = 'dav_methods PUT DELETE MKCOL COPY MOVE;';

function serve(folder: string, inside = ALL): Promise<TestConf> {
  return serveConf(
    `server { listen 127.0.0.1:%PORT%; root ${folder}/www; client_body_temp_path ${folder}/body;
      client_body_buffer_size 1k; absolute_redirect off; ${inside} }`,
  );
}

function send(
  conf: TestConf,
  request: string,
  fields: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  const all = body === undefined ? fields : { ...fields, 'Content-Length': String(body.length) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return ask(
    conf,
    `${request} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n${lines.join('')}\r\n${body ?? ''}`,
  );
}

async function statusOf(...args: Parameters<typeof send>): Promise<number> {
  return (await send(...args)).status;
}

describe('PUT', () => {
  it('makes files and replaces them, large ones and none', async () => {
    const folder = await folderOf({ 'www/old': 'old' });
    const conf = await serve(folder);
    const made = await send(conf, 'PUT /a%20b', {}, 'hello');
    expect([made.status, made.fields.location, made.fields['content-length']]).toEqual([201, '/a%20b', '0']);
    expect(readFileSync(`${folder}/www/a b`, 'utf8')).toBe('hello');
    expect(statSync(`${folder}/www/a b`).mode & 0o777).toBe(0o600);
    const large = 'x'.repeat(300_000);
    expect(await statusOf(conf, 'PUT /old', { Date: 'Thu, 02 Jan 2020 03:04:05 GMT' }, large)).toBe(204);
    expect(readFileSync(`${folder}/www/old`, 'utf8')).toBe(large);
    expect(statSync(`${folder}/www/old`).mtimeMs).toBe(1_577_934_245_000);
    expect(await statusOf(conf, 'PUT /empty', {}, '')).toBe(201);
    expect(readdirSync(`${folder}/body`)).toEqual([]);
  });

  it('makes folders and gives rights where it should', async () => {
    const folder = await folderOf({ 'www/d/x': '' });
    const conf = await serve(folder, `${ALL} create_full_put_path on; dav_access group:rw all:r;`);
    expect(await statusOf(conf, 'PUT /n/m/file', {}, 'x')).toBe(201);
    expect(statSync(`${folder}/www/n/m/file`).mode & 0o777).toBe(0o664);
  });

  it('refuses folders, ranges, places that are not there and other methods', async () => {
    const folder = await folderOf({ 'www/d/x': '' });
    const conf = await serve(folder, 'dav_methods PUT; location /off { dav_methods off; }');
    expect(await statusOf(conf, 'PUT /d/', {}, 'x')).toBe(409);
    expect(await statusOf(conf, 'PUT /d', {}, 'x')).toBe(409);
    expect(await statusOf(conf, 'PUT /r', { 'Content-Range': 'bytes 0-0/9' }, 'x')).toBe(501);
    expect(await statusOf(conf, 'PUT /no/such', {}, 'x')).toBe(500);
    expect(await statusOf(conf, 'PUT /off', {}, 'x')).toBe(405);
    expect(await statusOf(conf, 'DELETE /d/x')).toBe(405);
    expect(readdirSync(`${folder}/body`)).toEqual([]);
    expect(readdirSync(`${folder}/www`)).toEqual(['d']);
  });
});

describe('DELETE', () => {
  it('removes files, and folders with all in them, but nothing behind links', async () => {
    const folder = await folderOf({ 'www/a': '', 'www/d/e/f': '', 'www/d/g': '', 'outside/kept': '' });
    symlinkSync(`${folder}/outside`, `${folder}/www/d/link`);
    symlinkSync('nowhere', `${folder}/www/d/dead`);
    const conf = await serve(folder);
    expect(await statusOf(conf, 'DELETE /a')).toBe(204);
    expect(await statusOf(conf, 'DELETE /a')).toBe(404);
    expect(await statusOf(conf, 'DELETE /d')).toBe(409);
    expect(await statusOf(conf, 'DELETE /d/', { Depth: '0' })).toBe(400);
    expect(await statusOf(conf, 'DELETE /d/', { Depth: 'infinity' })).toBe(204);
    expect(readdirSync(`${folder}/www`)).toEqual([]);
    expect(readdirSync(`${folder}/outside`)).toEqual(['kept']);
  });

  it('keeps to min_delete_depth', async () => {
    const folder = await folderOf({ 'www/a/b/c': '' });
    const conf = await serve(folder, `${ALL} min_delete_depth 2;`);
    expect(await statusOf(conf, 'DELETE /a/')).toBe(409);
    expect(await statusOf(conf, 'DELETE /a/b/')).toBe(204);
    expect(await statusOf(conf, 'DELETE /a/b', {}, 'body')).toBe(415);
  });
});

describe('MKCOL', () => {
  it('makes one folder', async () => {
    const folder = await folderOf({ 'www/x': '' });
    const conf = await serve(folder);
    expect(await send(conf, 'MKCOL /c/')).toMatchObject({ status: 201, fields: { location: '/c/' } });
    expect(statSync(`${folder}/www/c`).isDirectory()).toBe(true);
    const refused = [];
    for (const path of ['/c/', '/d', '/no/such/']) refused.push(await statusOf(conf, `MKCOL ${path}`));
    expect(refused).toEqual([405, 409, 409]);
    expect(await statusOf(conf, 'MKCOL /e/', {}, 'body')).toBe(415);
  });
});

describe('COPY and MOVE', () => {
  it('take a file to another place', async () => {
    const folder = await folderOf({ 'www/a': 'A', 'www/b': 'B' });
    const conf = await serve(folder);
    expect(await statusOf(conf, 'COPY /a', { Destination: '/c' })).toBe(204);
    expect(await statusOf(conf, 'COPY /a', { Destination: '/b', Overwrite: 'F' })).toBe(412);
    expect(await statusOf(conf, 'COPY /a', { Destination: 'http://here:8080/b?x' })).toBe(204);
    expect(readFileSync(`${folder}/www/b`, 'utf8')).toBe('A');
    expect(await statusOf(conf, 'MOVE /a', { Destination: '/n/m%20o' })).toBe(204);
    expect([existsSync(`${folder}/www/a`), readFileSync(`${folder}/www/n/m o`, 'utf8')]).toEqual([
      false,
      'A',
    ]);
  });

  it('take a folder with all in it', async () => {
    const folder = await folderOf({ 'www/d/e/f': 'F', 'www/t/old': '' });
    symlinkSync('e/f', `${folder}/www/d/link`);
    const conf = await serve(folder);
    expect(await statusOf(conf, 'COPY /d/', { Destination: '/t/' })).toBe(201);
    expect(readdirSync(`${folder}/www/t`).sort()).toEqual(['e', 'link']);
    expect(readFileSync(`${folder}/www/t/link`, 'utf8')).toBe('F');
    expect(await statusOf(conf, 'MOVE /t/', { Destination: '/u/' })).toBe(201);
    expect(readFileSync(`${folder}/www/u/e/f`, 'utf8')).toBe('F');
    expect(existsSync(`${folder}/www/t`)).toBe(false);
  });

  it.each<[number, string, Record<string, string>]>([
    [400, 'COPY /a', {}],
    [400, 'COPY /a', { Destination: 'http://there/b' }],
    [400, 'COPY /a', { Destination: 'ftp://here/b' }],
    [400, 'COPY /a', { Destination: '/../b' }],
    [400, 'COPY /a', { Destination: '/%2e%2E/b' }],
    [400, 'COPY /a', { Destination: '/b%00' }],
    [400, 'COPY /a', { Destination: '/b', Depth: '1' }],
    [400, 'MOVE /a', { Destination: '/b', Depth: '0' }],
    [400, 'COPY /a', { Destination: '/b', Overwrite: 'yes' }],
    [403, 'COPY /a', { Destination: '/a' }],
    [403, 'COPY /d/', { Destination: '/d/e/' }],
    [403, 'COPY /d/e/', { Destination: '/d/' }],
    [409, 'COPY /d/', { Destination: '/e' }],
    [409, 'COPY /a', { Destination: '/d' }],
    [404, 'COPY /none', { Destination: '/b' }],
    [400, 'COPY /d', { Destination: '/b' }],
  ])('%d for %s to %o', async (status, request, fields) => {
    const folder = await folderOf({ 'www/a': '', 'www/d/e/f': '' });
    mkdirSync(`${folder}/www/empty`);
    const conf = await serve(folder);
    expect(await statusOf(conf, request, fields)).toBe(status);
    expect(readdirSync(`${folder}/www`, { recursive: true }).length).toBe(5);
  });
});
