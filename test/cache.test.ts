// proxy_cache: answers that are stored and served again, and what is neither.
import { readdirSync, statSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { TestConf } from '../src/testing/index.js';
import { answering } from '../src/testing/index.js';
import { ask, get, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-cache-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** All files below a folder. */
function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name)).isFile());
}

/** What an origin is asked, and an origin that answers by `fields` with a number that grows. */
async function startCounting(fields: (head: string) => string) {
  const heads: string[] = [];
  const origin = await startOrigin(
    answering(({ head }) => {
      heads.push(head);
      const body = `answer ${heads.length}`;
      return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields(head)}\r\n${body}`;
    }),
  );
  return { name: origin.name, heads };
}

function conf(folder: string, origin: string, more = '', path = 'levels=1:2', http = ''): string {
  return `
    proxy_cache_path ${folder} keys_zone=one:1m ${path};
    ${http}
    server {
      listen %PORT%;
      location / {
        proxy_pass http://${origin};
        proxy_cache one;
        add_header X-Cache $upstream_cache_status always;
        ${more}
      }
    }`;
}

/** `MISS answer 1`: how it was answered, and what. */
async function seen(served: TestConf, target: string, fields = ''): Promise<string> {
  const answer = await get(served, target, fields);
  return `${answer.fields['x-cache']} ${answer.body}`;
}

it('serves an answer again while it is fresh, by key, from a file in its folders', async () => {
  const folder = await makeFolder();
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\n');
  const served = await serveConf(conf(folder, origin.name));
  expect(await seen(served, '/a')).toBe('MISS answer 1');
  expect(await seen(served, '/a')).toBe('HIT answer 1');
  expect(await seen(served, '/b')).toBe('MISS answer 2');
  const files = filesIn(folder);
  expect(files).toHaveLength(2);
  for (const file of files) expect(file).toMatch(/^(.)\/(..)\/[0-9a-f]{29}\2\1$/);
});

it('knows what an earlier run stored, and leaves files alone that are none of its own', async () => {
  const folder = await makeFolder();
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\n');
  const first = await serveConf(conf(folder, origin.name, '', 'inactive=1h'));
  expect(await seen(first, '/a')).toBe('MISS answer 1');
  await writeFile(join(folder, '0123456789abcdef0123456789abcdef'), 'of somebody else');
  const second = await serveConf(conf(folder, origin.name, '', 'max_size=1'));
  expect(await seen(second, '/a')).toBe('HIT answer 1');
  await vi.waitFor(() => expect(filesIn(folder)).toEqual(['0123456789abcdef0123456789abcdef']), 5000);
});

it('answers HEAD as soon as the head is there, and stores nothing of a body that breaks off', async () => {
  const folder = await makeFolder();
  const origin = await startOrigin(async (connection) => {
    await connection.readHead();
    await connection.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=100\r\nContent-Length: 100\r\n\r\nsome');
    connection.close();
  });
  const served = await serveConf(conf(folder, origin.name));
  for (let i = 0; i < 2; i++) {
    const answer = await ask(served, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect([answer.status, answer.fields['x-cache'], answer.fields['content-length']]).toEqual([
      200,
      'MISS',
      '100',
    ]);
  }
});

it('stores nothing that an answer says is not to be stored, or says nothing of', async () => {
  const folder = await makeFolder();
  const answers: Record<string, string> = {
    '/cookie': 'Cache-Control: max-age=100\r\nSet-Cookie: a=b\r\n',
    '/vary': 'Cache-Control: max-age=100\r\nVary: *\r\n',
    '/no-store': 'Cache-Control: no-store\r\nExpires: Thu, 31 Dec 2037 23:55:55 GMT\r\n',
    '/private': 'Cache-Control: max-age=100, private\r\n',
    '/expired': 'Expires: Thu, 01 Jan 1970 00:00:01 GMT\r\n',
    '/zero': 'X-Accel-Expires: 0\r\nCache-Control: max-age=100\r\n',
    '/silent': '',
  };
  const origin = await startCounting((head) => answers[head.split(' ')[1]!]!);
  const served = await serveConf(conf(folder, origin.name));
  for (const target of Object.keys(answers)) {
    expect(await seen(served, target), target).toMatch(/^MISS/);
    expect(await seen(served, target), target).toMatch(/^MISS/);
  }
  expect(filesIn(folder)).toEqual([]);
});

it('stores them nevertheless by proxy_ignore_headers and proxy_cache_valid', async () => {
  const folder = await makeFolder();
  const origin = await startCounting(() => 'Cache-Control: no-store\r\nSet-Cookie: a=b\r\n');
  const more = 'proxy_ignore_headers Cache-Control Set-Cookie; proxy_cache_valid 200 1m;';
  const served = await serveConf(conf(folder, origin.name, more));
  expect(await seen(served, '/')).toBe('MISS answer 1');
  expect(await seen(served, '/')).toBe('HIT answer 1');
});

it('keeps an answer for each value of the fields in Vary', async () => {
  const folder = await makeFolder();
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\nVary: Accept-Language\r\n');
  const served = await serveConf(conf(folder, origin.name));
  expect(await seen(served, '/', 'Accept-Language: en\r\n')).toBe('MISS answer 1');
  expect(await seen(served, '/', 'Accept-Language: de\r\n')).toBe('MISS answer 2');
  expect(await seen(served, '/', 'Accept-Language: en\r\n')).toBe('HIT answer 1');
  expect(await seen(served, '/', 'Accept-Language: de\r\n')).toBe('HIT answer 2');
});

it('asks for the whole, with GET, and answers HEAD, ranges and conditions from what is stored', async () => {
  const folder = await makeFolder();
  const origin = await startCounting(
    () => 'Cache-Control: max-age=100\r\nETag: "x"\r\nAccept-Ranges: bytes\r\n',
  );
  const served = await serveConf(conf(folder, origin.name));
  const head = await ask(
    served,
    'HEAD / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n',
  );
  expect(head).toMatchObject({ body: '', fields: { 'x-cache': 'MISS' } });
  expect(origin.heads[0]).toMatch(/^GET \/ /);
  expect(origin.heads[0]).not.toMatch(/range/i);
  expect(await get(served, '/', 'Range: bytes=7-\r\n')).toMatchObject({ status: 206, body: '1' });
  expect(await get(served, '/', 'If-None-Match: "x"\r\n')).toMatchObject({ status: 304, body: '' });
  expect(origin.heads).toHaveLength(1);
});

it('fetches an answer again when it is too old, or asks whether it is still right', async () => {
  const folder = await makeFolder();
  const origin = await startOrigin(
    answering(({ head }) =>
      /If-None-Match: "x"/.test(head)
        ? 'HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=100\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: "x"\r\nX-Accel-Expires: @1\r\n\r\na',
    ),
  );
  const served = await serveConf(conf(folder, origin.name));
  expect(await seen(served, '/')).toBe('MISS a');
  expect(await seen(served, '/')).toBe('EXPIRED a');
  const again = await serveConf(conf(folder, origin.name, 'proxy_cache_revalidate on;'));
  expect(await seen(again, '/')).toBe('REVALIDATED a');
  expect(await seen(again, '/')).toBe('HIT a');
});

it('serves what is too old if the upstream fails and proxy_cache_use_stale says so', async () => {
  const folder = await makeFolder();
  let status = '200 OK';
  const origin = await startOrigin(
    answering(() => `HTTP/1.1 ${status}\r\nContent-Length: 1\r\nX-Accel-Expires: @1\r\n\r\na`),
  );
  const served = await serveConf(conf(folder, origin.name, 'proxy_cache_use_stale http_500;'));
  expect(await seen(served, '/')).toBe('MISS a');
  status = '500 Oh';
  expect(await get(served, '/')).toMatchObject({ status: 200, fields: { 'x-cache': 'STALE' } });
  status = '503 Oh';
  expect(await get(served, '/')).toMatchObject({ status: 503 });
});

it('leaves the cache aside where proxy_cache_bypass and proxy_no_cache say so', async () => {
  const folder = await makeFolder();
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\n');
  const more = 'proxy_cache_bypass $arg_b; proxy_no_cache $arg_n; proxy_cache_key $uri;';
  const served = await serveConf(conf(folder, origin.name, more));
  expect(await seen(served, '/?n=1')).toBe('MISS answer 1');
  expect(await seen(served, '/')).toBe('MISS answer 2');
  expect(await seen(served, '/?b=0')).toBe('HIT answer 2');
  expect(await seen(served, '/?b=1')).toBe('BYPASS answer 3');
  expect(await seen(served, '/')).toBe('HIT answer 3');
});

it('has one of several requests fetch an answer, and the others wait for it', async () => {
  const folder = await makeFolder();
  const origin = await startOrigin();
  const served = await serveConf(conf(folder, origin.name, 'proxy_cache_lock on;'));
  const first = get(served, '/');
  const connection = await origin.accept();
  await connection.readRequest();
  const others = [get(served, '/'), get(served, '/')];
  await connection.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nContent-Length: 4\r\n\r\nbo');
  await connection.send('dy');
  expect(await first).toMatchObject({ body: 'body', fields: { 'x-cache': 'MISS' } });
  for (const other of await Promise.all(others))
    expect(other).toMatchObject({ body: 'body', fields: { 'x-cache': 'HIT' } });
});

it('keeps within max_size, the longest unused going first', async () => {
  const folder = await makeFolder();
  const origin = await startOrigin(
    answering(
      () => `HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`,
    ),
  );
  const served = await serveConf(conf(folder, origin.name, '', 'max_size=5k'));
  for (const target of ['/1', '/2', '/1', '/3']) await get(served, target);
  expect(filesIn(folder)).toHaveLength(2);
  expect(await seen(served, '/1')).toMatch(/^HIT/);
  expect(await seen(served, '/2')).toMatch(/^MISS/);
});

it('passes answers on where they cannot be stored, and says so', async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, 'file'), '');
  await chmod(folder, 0o700);
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\n');
  const served = await serveConf(
    conf(join(folder, 'file/cache'), origin.name, '', '', 'error_log error.log;'),
  );
  expect(await seen(served, '/')).toBe('MISS answer 1');
  expect(await seen(served, '/')).toBe('MISS answer 2');
  expect(served.log('error.log').matching(/\[crit\].*failed \(20: Not a directory\)/).length).toBeGreaterThan(
    0,
  );
});

it('leaves nothing of an answer that is not whole', async () => {
  const folder = await makeFolder();
  const origin = await startOrigin();
  const served = await serveConf(conf(folder, origin.name));
  const start = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nContent-Length: 4\r\n\r\nbo';
  const broken = await served.connect();
  await broken.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const one = await origin.accept();
  await one.readRequest();
  await one.send(start);
  await vi.waitFor(() => expect(filesIn(folder)).toHaveLength(1));
  one.close();
  await vi.waitFor(() => expect(filesIn(folder)).toEqual([]));
  broken.close();
});

it('stores the rest for a client that left', async () => {
  const folder = await makeFolder();
  const origin = await startOrigin();
  const served = await serveConf(conf(folder, origin.name));
  const leaving = await served.connect();
  await leaving.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const upstream = await origin.accept();
  await upstream.readRequest();
  await upstream.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nContent-Length: 4\r\n\r\nbo');
  await leaving.readUntil('\r\n\r\nbo');
  leaving.close();
  await upstream.send('dy');
  await vi.waitFor(() => expect(filesIn(folder)[0]).toMatch(/[0-9a-f]{32}$/));
  expect(await seen(served, '/')).toBe('HIT body');
});

it('removes what was not used for longest until min_free bytes of the file system are free', async () => {
  const folder = await makeFolder();
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\n');
  const served = await serveConf(conf(folder, origin.name, '', 'min_free=100000g'));
  expect(await seen(served, '/')).toBe('MISS answer 1');
  await vi.waitFor(() => expect(filesIn(folder)).toEqual([]), 5000);
});

it('asks by HEAD for HEAD where proxy_cache_convert_head is off', async () => {
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\n');
  const head = 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  for (const [more, method] of [
    ['', 'GET'],
    ['proxy_cache_convert_head off; proxy_cache_key $request_method$uri;', 'HEAD'],
  ] as const) {
    const served = await serveConf(conf(await makeFolder(), origin.name, more));
    expect((await ask(served, head)).fields['x-cache']).toBe('MISS');
    expect(origin.heads.at(-1)).toMatch(new RegExp(`^${method} / `));
    expect((await ask(served, head)).fields['x-cache']).toBe('HIT');
  }
});

it.each([
  ['proxy_cache_max_range_offset 10;', 'bytes=9-', 'MISS -', 'HIT'],
  ['proxy_cache_max_range_offset 10;', 'bytes=10-', 'MISS bytes=10-', 'MISS'],
  ['proxy_cache_max_range_offset 10;', 'bytes=-5', 'MISS bytes=-5', 'MISS'],
  ['proxy_cache_max_range_offset 0;', 'bytes=0-1', 'MISS bytes=0-1', 'MISS'],
  ['proxy_cache_min_uses 2;', 'bytes=0-1', 'MISS bytes=0-1', 'MISS'],
  ['', 'bytes=99-', 'MISS -', 'HIT'],
])('with "%s" has %s asked for as "%s", and then %s', async (more, range, first, then) => {
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\n');
  const served = await serveConf(conf(await makeFolder(), origin.name, more));
  const answer = await get(served, '/', `Range: ${range}\r\n`);
  const asked = /^range: (.*)$/im.exec(origin.heads[0]!)?.[1] ?? '-';
  expect(`${answer.fields['x-cache']} ${asked}`).toBe(first);
  expect((await get(served, '/')).fields['x-cache']).toBe(then);
});

it('answers 500 where the cache that variables name is not there', async () => {
  const origin = await startCounting(() => 'Cache-Control: max-age=100\r\n');
  const text = conf(await makeFolder(), origin.name).replace('proxy_cache one;', 'proxy_cache $arg_cache;');
  const served = await serveConf(text);
  expect((await get(served, '/?cache=one')).fields['x-cache']).toBe('MISS');
  expect((await get(served, '/?cache=off')).fields['x-cache']).toBeUndefined();
  expect((await get(served, '/?cache=two')).status).toBe(500);
});

it('serves what is stale at once by proxy_cache_background_update, and fetches it anew behind that', async () => {
  const origin = await startOrigin();
  const more = 'proxy_cache_background_update on;';
  const served = await serveConf(conf(await makeFolder(), origin.name, more));
  const answer = async (body: string) => {
    const upstream = await origin.accept();
    const { head } = await upstream.readRequest();
    await upstream.send(
      `HTTP/1.1 200 OK\r\nCache-Control: max-age=1, stale-while-revalidate=100\r\nContent-Length: 3\r\n\r\n${body}`,
    );
    return head;
  };
  const [first] = await Promise.all([seen(served, '/a%2Fb?c'), answer('one')]);
  expect(first).toBe('MISS one');
  const client = await served.connect();
  await vi.waitFor(async () => {
    client.send('GET /a%2Fb?c HTTP/1.1\r\nHost: a\r\n\r\n');
    const { head, body } = await client.readResponse();
    expect([String(body), head.includes('X-Cache: STALE')]).toEqual(['one', true]);
  }, 5000);
  expect(await seen(served, '/a%2Fb?c')).toBe('UPDATING one');
  expect(await answer('two')).toMatch(/^GET \/a%2Fb\?c HTTP/);
  await vi.waitFor(async () => expect(await seen(served, '/a%2Fb?c')).toBe('HIT two'), 5000);
});

it('serves what is stale by stale-if-error where no answer comes, and passes on what is answered', async () => {
  const fields = 'Cache-Control: max-age=1, stale-if-error=100\r\n';
  const origin = await startOrigin(
    answering(({ head }) => {
      if (head.includes('X-Fail: close')) return null;
      const status = head.includes('X-Fail: 500') ? '500 Error' : '200 OK';
      return `HTTP/1.1 ${status}\r\nContent-Length: 3\r\n${fields}\r\none`;
    }),
  );
  const served = await serveConf(conf(await makeFolder(), origin.name));
  expect(await seen(served, '/')).toBe('MISS one');
  await vi.waitFor(async () => expect(await seen(served, '/', 'X-Fail: close\r\n')).toBe('STALE one'), 5000);
  expect((await get(served, '/', 'X-Fail: 500\r\n')).status).toBe(500);
});

it.each([
  ['condition', 'If-Match: "y"', 412],
  ['range', 'Range: bytes=100-', 416],
])('stores nothing of an answer that is not given since a %s does not hold', async (_, field, status) => {
  let goOn = () => {};
  const isRefused = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const origin = await startOrigin(async (connection, number) => {
    await connection.readRequest();
    const fields = 'Cache-Control: max-age=100\r\nETag: "x"\r\nAccept-Ranges: bytes\r\nContent-Length: 9\r\n';
    await connection.send(`HTTP/1.1 200 OK\r\n${fields}\r\nwhole`);
    if (number === 1) await isRefused;
    await connection.send(' one').catch(() => {});
    await connection.waitForEnd();
    connection.close();
  });
  const served = await serveConf(conf(await makeFolder(), origin.name));
  expect((await get(served, '/', `${field}\r\n`)).status).toBe(status);
  goOn();
  await expect.poll(() => origin.openCount).toBe(0);
  expect(await seen(served, '/')).toBe('MISS whole one');
  expect(await seen(served, '/')).toBe('HIT whole one');
});

it('refuses caches that are not declared, or badly', async () => {
  const refused = (text: string) => expect(serveConf(text)).rejects;
  await refused(
    'server { listen %PORT%; location / { proxy_pass http://127.0.0.1; proxy_cache no; } }',
  ).toThrow('zero size shared memory zone "no"');
  await refused('proxy_cache_path /tmp/x levels=1:2; server { listen %PORT%; }').toThrow(
    '"proxy_cache_path" must have "keys_zone" parameter',
  );
  await refused('proxy_cache_path /tmp/x levels=3 keys_zone=a:1m; server { listen %PORT%; }').toThrow(
    'levels',
  );
});
