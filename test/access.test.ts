// Who may pass: allow and deny, auth_basic, auth_request, satisfy, auth_delay, limit_except, internal.
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ask, get, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';
import { startOrigin } from './scene.js';

/** An Authorization line. */
function basic(user: string, password: string): string {
  return `Authorization: Basic ${Buffer.from(`${user}:${password}`, 'latin1').toString('base64')}\r\n`;
}

describe('allow and deny', () => {
  it('let the first rule that fits decide', async () => {
    const conf = await serveConf(`
      server {
        listen %PORT%;
        location /open { empty_gif; }
        location /all { deny all; empty_gif; }
        location /first { allow 127.0.0.0/8; deny all; empty_gif; }
        location /last { deny all; allow 127.0.0.1; empty_gif; }
        location /others { deny 10.0.0.0/8; deny ::1; deny unix:; empty_gif; }
        location /network { deny 127.0.0.2/31; deny 127.0.0.0/29; empty_gif; }
      }`);
    const statusOf = async (path: string) => (await get(conf, path)).status;
    expect(await statusOf('/open')).toBe(200);
    expect(await statusOf('/all')).toBe(403);
    expect(await statusOf('/first')).toBe(200);
    expect(await statusOf('/last')).toBe(403);
    expect(await statusOf('/others')).toBe(200);
    expect(await statusOf('/network')).toBe(403);
    expect(conf.log('error.log').matching(/\[error\] .*access forbidden by rule, client: /)).toHaveLength(3);
  });

  it('are inherited by levels that have none of their own', async () => {
    const conf = await serveConf(`
      server {
        listen %PORT%;
        deny all;
        location /same { empty_gif; }
        location /own { deny 10.0.0.1; empty_gif; }
      }`);
    expect((await get(conf, '/same')).status).toBe(403);
    expect((await get(conf, '/own')).status).toBe(200);
  });

  it.each(['10.0.0.0/33', 'localhost', 'unix', '::/129'])('know no "%s"', async (word) => {
    await expect(serveConf(`server { listen %PORT%; allow ${word}; }`)).rejects.toThrow(
      `invalid parameter "${word}"`,
    );
  });
});

describe('auth_basic', () => {
  it('asks for a password, and lets pass who knows one of the file', async () => {
    const folder = await folderOf({ users: 'ann:{PLAIN}secret\nbob:$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.\n' });
    const conf = await serveConf(
      `server {
        listen %PORT%;
        auth_basic "staff only";
        auth_basic_user_file users;
        location / { empty_gif; }
        location /open { auth_basic off; empty_gif; }
        location /by/ { auth_basic $arg_realm; auth_basic_user_file $arg_file; empty_gif; }
      }`,
      { prefix: `${folder}/` },
    );
    const asked = await get(conf, '/');
    expect(asked.status).toBe(401);
    expect(asked.fields['www-authenticate']).toBe('Basic realm="staff only"');
    const statusOf = async (path: string, user: string, password: string) =>
      (await get(conf, path, basic(user, password))).status;
    expect(await statusOf('/', 'ann', 'secret')).toBe(200);
    expect(await statusOf('/', 'bob', 'password')).toBe(200);
    expect(await statusOf('/', 'bob', 'password')).toBe(200);
    expect(await statusOf('/', 'ann', 'password')).toBe(401);
    expect(await statusOf('/', 'eve', 'secret')).toBe(401);
    expect((await get(conf, '/open')).status).toBe(200);
    expect((await get(conf, '/by/?realm=off')).status).toBe(200);
    expect((await get(conf, '/by/?realm=x&file=users')).fields['www-authenticate']).toBe('Basic realm="x"');
    expect(await statusOf('/by/?realm=x&file=users', 'ann', 'secret')).toBe(200);
    expect(await statusOf('/by/?realm=x&file=none', 'ann', 'secret')).toBe(403);
    expect(await statusOf('/by/?realm=x&file=', 'ann', 'secret')).toBe(500);
    const log = conf.log('error.log');
    expect(log.matching(/\[info\] .*no user\/password was provided for basic authentication/)).toHaveLength(
      2,
    );
    expect(log.matching(/\[error\] .*user "ann": password mismatch, client: /)).toHaveLength(1);
    expect(log.matching(/\[error\] .*user "eve" was not found in ".*\/users"/)).toHaveLength(1);
    expect(log.matching(/open\(\) ".*\/none" failed \(2: No such file or directory\)/)).toHaveLength(1);
  });

  it('reads the file anew when it has changed', async () => {
    const folder = await folderOf({ users: 'ann:{PLAIN}old' });
    const conf = await serveConf(
      `server { listen %PORT%; auth_basic x; auth_basic_user_file users; location / { empty_gif; } }`,
      { prefix: `${folder}/` },
    );
    expect((await get(conf, '/', basic('ann', 'old'))).status).toBe(200);
    writeFileSync(`${folder}/users`, 'ann:{PLAIN}new');
    utimesSync(`${folder}/users`, new Date(0), new Date(0));
    expect((await get(conf, '/', basic('ann', 'old'))).status).toBe(401);
    expect((await get(conf, '/', basic('ann', 'new'))).status).toBe(200);
  });

  it('answers 500 where it can tell nothing of the hash', async () => {
    const folder = await folderOf({ users: 'ann:$y$j9T$x$y' });
    const conf = await serveConf(
      `server { listen %PORT%; auth_basic x; auth_basic_user_file users; location / { empty_gif; } }`,
      { prefix: `${folder}/` },
    );
    expect((await get(conf, '/', basic('ann', 'old'))).status).toBe(500);
    expect(conf.log('error.log').matching(/\[crit\] .*user "ann": crypt\(\) failed/)).toHaveLength(1);
  });

  it('holds back a refusal by auth_delay', async () => {
    const folder = await folderOf({ users: 'ann:{PLAIN}secret' });
    const conf = await serveConf(
      `server {
        listen %PORT%;
        auth_basic x;
        auth_basic_user_file users;
        auth_delay 300ms;
        location / { empty_gif; }
        location /any { satisfy any; deny all; empty_gif; }
        location /deny { auth_basic off; deny all; empty_gif; }
      }`,
      { prefix: `${folder}/` },
    );
    for (const path of ['/', '/any']) {
      const startMs = performance.now();
      expect((await get(conf, path)).status).toBe(401);
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(290);
    }
    expect(conf.log('error.log').matching(/\[info\] .*delaying unauthorized request/)).toHaveLength(2);
    expect((await get(conf, '/deny')).status).toBe(403);
    expect((await get(conf, '/', basic('ann', 'secret'))).status).toBe(200);
    expect(conf.log('error.log').matching(/delaying unauthorized request/)).toHaveLength(2);
  });
});

describe('auth_request', () => {
  it.each(['GET', 'HEAD'])('does not wait for the body of the answer (%s)', async (method) => {
    const origin = await startOrigin();
    const conf = await serveConf(`
      server {
        listen %PORT%;
        location / { auth_request /auth; empty_gif; }
        location = /auth { proxy_pass http://${origin.name}; }
      }`);
    const answer = ask(conf, `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const upstream = await origin.accept();
    await upstream.readHead();
    await upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    expect((await answer).status).toBe(200);
    await upstream.waitForEnd();
  });

  it('lets a subrequest decide, and takes over what it asks for', async () => {
    const challenges = 'WWW-Authenticate: a\r\nWWW-Authenticate: b\r\n';
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      await connection.send(`HTTP/1.1 401 No\r\n${challenges}Content-Length: 0\r\n\r\n`);
    });
    const conf = await serveConf(`
      server {
        listen %PORT%;
        location /ask { auth_request /auth/401; empty_gif; }
        location /yes { auth_request /auth/204; empty_gif; }
        location /no { auth_request /auth/403; empty_gif; }
        location /odd { auth_request /auth/404; empty_gif; }
        location /redirect { auth_request /auth/302; empty_gif; }
        location /off { auth_request off; empty_gif; }
        location /auth/204 { internal; return 204; }
        location /auth/401 { internal; proxy_pass http://${origin.name}; }
        location /auth/403 { internal; return 403; }
        location /auth/404 { internal; return 404; }
        location /auth/302 { internal; return 302 /yes; }
      }`);
    const statusOf = async (path: string) => (await get(conf, path)).status;
    expect(await statusOf('/yes')).toBe(200);
    expect(await statusOf('/no')).toBe(403);
    expect(await statusOf('/odd')).toBe(500);
    expect(await statusOf('/redirect')).toBe(500);
    expect(await statusOf('/off')).toBe(200);
    expect(await statusOf('/auth/204')).toBe(404);
    const asked = await get(conf, '/ask');
    expect(asked.status).toBe(401);
    expect(asked.fields['www-authenticate']).toBe('a, b');
    const log = conf.log('error.log');
    expect(log.matching(/\[error\] .*auth request unexpected status: 404/)).toHaveLength(1);
    expect(log.matching(/\[error\] .*auth request unexpected status: 302/)).toHaveLength(1);
  });

  it('asks an upstream without the body, and sets variables by its answer', async () => {
    const requests: string[] = [];
    const origin = await startOrigin(async (connection) => {
      const request = await connection.readRequest();
      requests.push(`${request.startLine} ${request.text}`);
      await connection.send(
        'HTTP/1.1 200 OK\r\nX-User: ann\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole',
      );
    });
    const conf = await serveConf(`
      server {
        listen %PORT%;
        auth_request /auth;
        auth_request_set $user $upstream_http_x_user;
        location / { proxy_pass http://${origin.name}; add_header X-Seen "$user"; }
        location /other { auth_request off; add_header X-Seen "none:$user"; return 204; }
        location = /auth {
          internal;
          proxy_pass http://${origin.name};
          proxy_pass_request_body off;
          proxy_set_header Content-Length "";
        }
      }`);
    const answer = await ask(
      conf,
      'POST /form HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody',
    );
    expect(answer).toMatchObject({ status: 200, body: 'whole' });
    expect(answer.fields['x-seen']).toBe('ann');
    expect(requests).toEqual(['GET /auth HTTP/1.1 ', 'POST /form HTTP/1.1 body']);
    expect((await get(conf, '/other')).fields['x-seen']).toBe('none:');
  });

  it('takes a variable for its value only where it may be one', async () => {
    const conf = (name: string) => `server { listen %PORT%; auth_request_set ${name} x; }`;
    await expect(serveConf(conf('user'))).rejects.toThrow('invalid variable name "user"');
    await expect(serveConf(conf('$uri'))).rejects.toThrow('the duplicate "uri" variable');
  });
});

describe('satisfy', () => {
  const conf = (satisfy: string) => `
    server {
      listen %PORT%;
      satisfy ${satisfy};
      auth_basic x;
      auth_basic_user_file users;
      location /allowed { allow 127.0.0.1; deny all; empty_gif; }
      location /denied { deny all; empty_gif; }
    }`;

  it.each([
    ['all', { '/allowed': [401, 200], '/denied': [403, 403] }],
    ['any', { '/allowed': [200, 200], '/denied': [401, 200] }],
  ])('%s', async (satisfy, expected) => {
    const folder = await folderOf({ users: 'ann:{PLAIN}secret' });
    const served = await serveConf(conf(satisfy), { prefix: `${folder}/` });
    for (const [path, [without, withPassword]] of Object.entries(expected)) {
      const refused = await get(served, path);
      expect(refused.status).toBe(without);
      expect('www-authenticate' in refused.fields).toBe(without === 401);
      const passed = await get(served, path, basic('ann', 'secret'));
      expect(passed.status).toBe(withPassword);
      expect(passed.fields).not.toHaveProperty('www-authenticate');
    }
  });

  it('any: says that a rule forbade it only when nothing else let it pass', async () => {
    const served = await serveConf(`
      server {
        listen %PORT%;
        satisfy any;
        location /yes { deny all; auth_request /auth/204; empty_gif; }
        location /no { deny all; auth_request /auth/403; empty_gif; }
        location /auth/204 { return 204; }
        location /auth/403 { return 403; }
      }`);
    expect((await get(served, '/yes')).status).toBe(200);
    expect(served.log('error.log').matching(/access forbidden by rule/)).toHaveLength(0);
    expect((await get(served, '/no')).status).toBe(403);
    expect(served.log('error.log').matching(/access forbidden by rule/)).toHaveLength(1);
  });
});

it('limit_except holds for all methods but those it names', async () => {
  const conf = await serveConf(`
    server {
      listen %PORT%;
      location / { limit_except GET { deny all; } return 204; }
      location /gif { limit_except GET POST { deny all; } empty_gif; }
    }`);
  const statusOf = async (method: string) =>
    (await ask(conf, `${method} /gif HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`))
      .status;
  expect(await statusOf('GET')).toBe(200);
  expect(await statusOf('HEAD')).toBe(200);
  expect(await statusOf('PUT')).toBe(403);
  expect(await statusOf('DELETE')).toBe(403);
});

it('internal locations are for redirects and subrequests', async () => {
  const conf = await serveConf(`
    server {
      listen %PORT%;
      location / { return 404; error_page 404 = /inside; }
      location /inside { internal; empty_gif; }
    }`);
  expect((await get(conf, '/')).status).toBe(200);
  expect((await get(conf, '/inside')).status).toBe(404);
});

it('the configuration of docs/access-and-limits.md runs', async () => {
  const page = readFileSync(new URL('../docs/access-and-limits.md', import.meta.url), 'utf8');
  const [, text] = /```nginx\n([\s\S]*?)```/.exec(page)!;
  const conf = await serveConf(text!.replace('listen 8080', 'listen 127.0.0.1:%PORT%'));
  expect((await get(conf, '/office/')).status).toBe(401);
});
