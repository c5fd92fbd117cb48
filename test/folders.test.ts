// Folders as answers: index files, listings, any of the files, and try_files.
import { symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TestConf } from '../src/testing/index.js';
import { ask, get, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';

function serve(folder: string, inside = ''): Promise<TestConf> {
  const text = `server { listen 127.0.0.1:%PORT%; server_name named; root ${folder}; add_header X-URI $uri always; ${inside} }`;
  return serveConf(text);
}

describe('index', () => {
  it('is index.html by default, and served as if it had been asked for', async () => {
    const conf = await serve(
      await folderOf({ 'index.html': 'home', 'a/index.html': 'a' }),
      'location /a/index {}',
    );
    expect(await get(conf, '/')).toMatchObject({ body: 'home', fields: { 'x-uri': '/index.html' } });
    expect(await get(conf, '/a/?x=1')).toMatchObject({ body: 'a', fields: { 'x-uri': '/a/index.html' } });
  });

  it('is the first that is there, with variables, below an alias or elsewhere', async () => {
    const folder = await folderOf({ 'many.html': 'many', 'named.html': 'var', 'else.html': 'else' });
    const conf = await serve(
      folder,
      `location /many/ { alias ${folder}/; index none.html many.html; }
       location /var/ { alias ${folder}/; index none \${server_name}.html; }
       location /short/ { alias ${folder}; index /many.html; }
       location /else/ { index none /else.html; }`,
    );
    const answers = [];
    for (const target of ['/many/', '/var/', '/short/', '/else/']) {
      const { fields, body, status } = await get(conf, target);
      answers.push([status, fields['x-uri'], body]);
    }
    expect(answers).toEqual([
      [200, '/many/many.html', 'many'],
      [200, '/var/named.html', 'var'],
      [200, '/many.html', 'many'],
      // A folder has to be there before its files are looked for.
      [404, '/else/', expect.anything()],
    ]);
  });

  it('missing is 403 in a folder that is there, which is told of', async () => {
    const folder = await folderOf({ 'a/b': '' });
    const conf = await serve(folder);
    expect((await get(conf, '/a/')).status).toBe(403);
    expect(conf.log('error.log').matching(/directory index of/)).toEqual([
      expect.stringContaining(`directory index of "${folder}/a/" is forbidden, client:`),
    ]);
  });

  it('that leads to itself ends in 500', async () => {
    const conf = await serve(await folderOf(), 'location / { index /; }');
    expect((await get(conf, '/')).status).toBe(500);
  });

  it('of which an absolute one is not the last gets a warning', async () => {
    const conf = await serveConf('server { listen 127.0.0.1:%PORT%; index /a b; }');
    expect((await get(conf, '/')).status).toBe(404);
  });
});

describe('autoindex', () => {
  it('lists what is there in the form asked for, links as what they point to', async () => {
    const folder = await folderOf({ 'l/file': 'x'.repeat(42), 'l/d/f': '', 'l/.hidden': '' });
    symlinkSync('file', `${folder}/l/to-file`);
    symlinkSync('nowhere', `${folder}/l/to-nothing`);
    const conf = await serve(
      folder,
      `autoindex on; location /json/ { alias ${folder}/l/; autoindex_format json; }
       location /jsonp/ { alias ${folder}/l/d/; autoindex_format jsonp; }
       location /xml/ { alias ${folder}/l/; autoindex_format xml; }`,
    );
    const html = await get(conf, '/l/');
    expect([html.status, html.fields['content-type']]).toEqual([200, 'text/html']);
    expect(html.body.match(/href="[^"]*"/g)).toEqual([
      'href="../"',
      'href="d/"',
      'href="file"',
      'href="to-file"',
      'href="to-nothing"',
    ]);
    const json = await get(conf, '/json/');
    expect(json.fields['content-type']).toBe('application/json');
    const kinds = JSON.parse(json.body).map((e: { name: string; type: string; size?: number }) => [
      e.name,
      e.type,
      e.size,
    ]);
    expect(kinds).toEqual([
      ['d', 'directory', undefined],
      ['file', 'file', 42],
      ['to-file', 'file', 42],
      ['to-nothing', 'other', undefined],
    ]);
    expect((await get(conf, '/xml/')).fields['content-type']).toBe('text/xml; charset=utf-8');
    const jsonp = await get(conf, '/jsonp/?callback=a.b_1');
    expect(jsonp.fields['content-type']).toBe('application/javascript');
    expect(jsonp.body).toMatch(/^\/\* callback \*\/\r\na\.b_1\(\[\r\n\{ "name":"f"/);
    expect((await get(conf, '/jsonp/')).fields['content-type']).toBe('application/json');
    expect((await get(conf, '/jsonp/?callback=a(b')).status).toBe(400);
    expect((await get(conf, `/jsonp/?callback=${'a'.repeat(129)}`)).status).toBe(400);
  });

  it('comes after index, and is not for folders that are not there', async () => {
    const conf = await serve(await folderOf({ 'index.html': 'home' }), 'autoindex on;');
    expect((await get(conf, '/')).body).toBe('home');
    expect((await get(conf, '/none/')).status).toBe(404);
    const head = await ask(conf, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(head.status).toBe(405);
  });

  it('lists a thousand files', async () => {
    const files = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`l/${i}`, '']));
    const conf = await serve(await folderOf(files), 'location /l/ { autoindex on; autoindex_format json; }');
    expect(JSON.parse((await get(conf, '/l/')).body)).toHaveLength(1000);
  });
});

describe('random_index', () => {
  it('answers with one of the files, no folder and none that is hidden', async () => {
    const folder = await folderOf({ 'r/a': 'A', 'r/b': 'B', 'r/.c': 'C', 'r/d/e': 'D', 'r/d/f/g': 'E' });
    const conf = await serve(folder, 'location / { random_index on; } location /r/d/f { random_index off; }');
    const seen = new Set<string>();
    for (let i = 0; i < 100 && seen.size < 2; i++) seen.add((await get(conf, '/r/')).body);
    expect([...seen].sort()).toEqual(['A', 'B']);
    expect((await get(conf, '/none/')).status).toBe(404);
    // No file at all: the others' turn.
    expect((await get(conf, '/')).status).toBe(403);
  });
});

describe('try_files', () => {
  it('takes the first file or folder that is there, and goes elsewhere at last', async () => {
    const folder = await folderOf({ 'a.html': 'A', 'd/x': '', 'fallback.html': 'F' });
    const conf = await serve(
      folder,
      `location / { try_files $uri $uri.html /fallback.html; }
       location /folder/ { try_files /a.html/ /d/ =410; }
       location /file/ { try_files /d =410; }
       location /named/ { try_files $uri/ @named; }
       location /args/ { try_files /none /text?from=$uri&more; }
       location @named { return 200 "named $uri"; }
       location /text { return 200 "$uri?$args"; }`,
    );
    const answers: Record<string, unknown> = {};
    for (const target of ['/a', '/a.html', '/x', '/folder/', '/file/', '/named/x', '/args/y?z']) {
      const { status, body, fields } = await get(conf, target);
      answers[target] = status === 200 ? body : [status, fields['x-uri']];
    }
    expect(answers).toEqual({
      '/a': 'A',
      '/a.html': 'A',
      '/x': 'F',
      // The path is the folder's now, without its slash.
      '/folder/': [301, '/d'],
      '/file/': [410, '/file/'],
      '/named/x': 'named /named/x',
      '/args/y?z': '/text?from=/args/y&more',
    });
  });

  it('works below an alias, by prefix and by regular expression', async () => {
    const folder = await folderOf({ 'real/a.html': 'A' });
    const conf = await serve(
      folder,
      `location /p/ { alias ${folder}/real/; try_files $uri $uri.html =410;
         location ~ \\.htm$ { try_files /a.html =410; } }
       location ~ ^/r/ { alias ${folder}/real; try_files /a.html =410; }`,
    );
    const answers = [];
    for (const target of ['/p/a.html', '/p/a', '/p/b', '/r/x']) {
      const { status, body } = await get(conf, target);
      answers.push(status === 200 ? body : status);
    }
    expect(answers).toEqual(['A', 'A', 410, 'A']);
  });

  it.each([
    ['try_files /a =x;', 'invalid code "=x"'],
    ['try_files /a =1000;', 'invalid code "=1000"'],
    ['try_files /a;', 'invalid number of arguments in "try_files" directive'],
  ])('%s is refused', async (directive, words) => {
    await expect(serveConf(`server { listen 127.0.0.1:%PORT%; ${directive} }`)).rejects.toThrow(words);
  });
});
