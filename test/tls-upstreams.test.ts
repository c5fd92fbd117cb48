// TLS to upstreams: what they are told, whom we trust, and what becomes of requests when there is no trust.
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answering, type RawSocket } from '../src/testing/index.js';
import { get, readAnswer, serveConf } from './conf-scene.js';
import { startOrigin } from './scene.js';
import { getTls, startSecureOrigin, useAuthority } from './tls-scene.js';

const authority = useAuthority();
authority.issue('app.test', ['app.test', '*.app.test']);
authority.issue('old.test', ['old.test'], { days: -1 });
authority.issue('client');
const prefix = authority.folder;

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const identity = (name: string) => ({
  cert: authority.read(`${name}.crt`),
  key: authority.read(`${name}.key`),
});

function startApp(
  script: (connection: RawSocket) => void | Promise<void> = (socket) => answering(OK)(socket, 1),
) {
  return startSecureOrigin(identity('app.test'), script);
}

/** A server with one location that passes to `url`. */
const passing = (url: string, more = '', outside = '') =>
  serveConf(`${outside} server { listen 127.0.0.1:%PORT%; location / { proxy_pass ${url}; ${more} } }`, {
    prefix,
  });

const TRUST = 'proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.crt;';

describe('an upstream', () => {
  it('is asked by https, and told its name only if that is wanted', async () => {
    const app = await startApp();
    const plain = await passing(`https://${app.name}`);
    expect((await get(plain, '/')).body).toBe('ok');
    const named = await passing(
      `https://${app.name}`,
      'proxy_ssl_server_name on; proxy_ssl_name a.app.test:1;',
    );
    expect((await get(named, '/')).body).toBe('ok');
    expect(app.sockets.map(({ servername }) => servername)).toEqual([false, 'a.app.test']);
  });

  it('of a URL with variables is too', async () => {
    const app = await startApp();
    const conf = await passing(
      '$arg_schema://$arg_to',
      'proxy_ssl_server_name on; proxy_ssl_name $arg_name;',
    );
    const answer = await get(conf, `/?schema=https&to=${app.name}&name=b.app.test`);
    expect(answer.body).toBe('ok');
    expect(app.sockets[0]!.servername).toBe('b.app.test');
  });

  it('shows a certificate that is for the name and from whom we trust', async () => {
    const app = await startApp();
    const conf = await passing(`https://${app.name}`, `${TRUST} proxy_ssl_name x.app.test;`);
    expect((await get(conf, '/')).body).toBe('ok');
  });

  it.each([
    [
      'of another name',
      'app.test',
      'proxy_ssl_name other.test;',
      'upstream SSL certificate does not match "other.test"',
    ],
    ['that expired', 'old.test', 'proxy_ssl_name old.test;', 'verify error: (10:certificate has expired)'],
    ['of nobody known', 'stranger', 'proxy_ssl_name stranger;', 'verify error: (18:self-signed certificate)'],
    [
      'that is revoked',
      'revoked',
      'proxy_ssl_name revoked; proxy_ssl_crl ca.crl;',
      'verify error: (23:certificate revoked)',
    ],
  ])('with a certificate %s is not asked', async (_, name, more, words) => {
    if (name === 'stranger') authority.makeSelfSigned('stranger');
    if (name === 'revoked') {
      authority.issue('revoked');
      authority.revoke('revoked');
    }
    const requests: string[] = [];
    const origin = await startSecureOrigin(
      identity(name),
      async (socket) => void requests.push(await socket.readHead()),
    );
    const conf = await passing(`https://${origin.name}`, `${TRUST} ${more}`);
    // Twice: a session that the first handshake gave must not help.
    for (let i = 0; i < 2; i++) expect((await get(conf, '/')).status).toBe(502);
    expect(requests).toEqual([]);
    const [line] = conf.log('error.log').matching(/ while SSL handshaking to upstream, client: /);
    expect(line).toContain(words);
  });

  it('that speaks no TLS is explained', async () => {
    const origin = await startOrigin(answering('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'), 0);
    const silent = await startOrigin(async (socket) => {
      await socket.readBytes(1);
      await socket.send('SSH-2.0-nothing\r\n');
    });
    const conf = await passing(`https://${silent.name}`);
    expect((await get(conf, '/')).status).toBe(502);
    expect(
      conf
        .log('error.log')
        .matching(
          /SSL_do_handshake\(\) failed \(SSL: error:0A00010B:SSL routines::wrong version number\) while SSL handshaking to upstream/,
        ),
    ).toHaveLength(1);
    expect(origin.openCount).toBe(0);
  });

  it('that closes or resets within the handshake has failed', async () => {
    const closing = await startOrigin(async (socket) => {
      await socket.readBytes(1);
      socket.end();
    });
    const resetting = await startOrigin(async (socket) => {
      await socket.readBytes(1);
      socket.reset();
    });
    for (const origin of [closing, resetting]) {
      const conf = await passing(`https://${origin.name}`);
      expect((await get(conf, '/')).status).toBe(502);
      expect(
        conf
          .log('error.log')
          .matching(/peer closed connection in SSL handshake while SSL handshaking to upstream/),
      ).toHaveLength(1);
    }
  });

  it('has proxy_connect_timeout for connection and handshake', async () => {
    const mute = await startOrigin();
    const conf = await passing(`https://${mute.name}`, 'proxy_connect_timeout 60ms;');
    expect((await get(conf, '/')).status).toBe(504);
    expect(
      conf.log('error.log').matching(/upstream timed out .* while SSL handshaking to upstream/),
    ).toHaveLength(1);
    await (await mute.accept()).waitForEnd();
  });

  it('whose handshake fails is followed by the next', async () => {
    const bad = await startOrigin(async (socket) => {
      await socket.readBytes(1);
      socket.end();
    });
    const app = await startApp();
    const conf = await passing(
      'https://group',
      '',
      `upstream group { server ${bad.name}; server ${app.name}; }`,
    );
    for (let i = 0; i < 3; i++) expect((await get(conf, '/')).body).toBe('ok');
  });

  it('gets our certificate', async () => {
    const strict = await startSecureOrigin(
      {
        ...identity('app.test'),
        ca: authority.read('ca.crt'),
        requestCert: true,
        rejectUnauthorized: true,
      } as never,
      (socket) => answering(OK)(socket, 1),
    );
    const own = 'proxy_ssl_certificate client.crt; proxy_ssl_certificate_key client.key;';
    expect((await get(await passing(`https://${strict.name}`, own), '/')).body).toBe('ok');
    expect(strict.clients).toEqual(['client']);
    // Refused behind the handshake, as TLS 1.3 has it.
    expect((await get(await passing(`https://${strict.name}`), '/')).status).toBe(502);
    const chosen = 'proxy_ssl_certificate $arg_who.crt; proxy_ssl_certificate_key $arg_who.key;';
    const conf = await passing(`https://${strict.name}`, chosen);
    expect((await get(conf, '/?who=client')).body).toBe('ok');
    expect((await get(conf, '/?who=nobody')).status).toBe(500);
  });

  it('is asked by health checks as by requests', async () => {
    const app = await startApp();
    const plain = await startOrigin(answering(OK));
    const conf = await passing(
      'https://group',
      'health_check interval=50ms;',
      `upstream group { zone group 64k; server ${app.name}; server ${plain.name}; }`,
    );
    await expect.poll(() => conf.log('error.log').matching(/is unhealthy/).length).toBe(1);
    expect(conf.log('error.log').matching(/is unhealthy/)[0]).toContain(plain.name);
  });
});

describe('a kept connection', () => {
  it('carries several requests', async () => {
    const app = await startApp();
    const conf = await passing('https://group', '', `upstream group { server ${app.name}; keepalive 4; }`);
    for (let i = 0; i < 4; i++) expect((await get(conf, '/')).body).toBe('ok');
    expect(app.acceptedCount).toBe(1);
  });

  it('is never used where another name, or none by TLS, is asked for', async () => {
    const app = await startApp();
    const conf = await serveConf(
      `upstream group { server ${app.name}; keepalive 4; }
       server { listen 127.0.0.1:%PORT%; proxy_ssl_server_name on;
         location / { proxy_pass $arg_schema://group; proxy_ssl_name $arg_name; } }`,
      { prefix },
    );
    expect((await get(conf, '/?schema=https&name=a.app.test')).body).toBe('ok');
    expect((await get(conf, '/?schema=https&name=b.app.test')).body).toBe('ok');
    expect(app.sockets.map(({ servername }) => servername)).toEqual(['a.app.test', 'b.app.test']);
    expect((await get(conf, '/?schema=http')).status).toBe(502);
  });

  it('that the upstream closed is replaced', async () => {
    const app = await startApp(async (socket) => {
      await socket.readHead();
      await socket.send(OK);
      socket.end();
    });
    const conf = await passing('https://group', '', `upstream group { server ${app.name}; keepalive 4; }`);
    for (let i = 0; i < 3; i++) expect((await get(conf, '/')).body).toBe('ok');
  });
});

it('sessions are gone on with unless proxy_ssl_session_reuse is off', async () => {
  const app = await startApp();
  const conf = await passing(`https://${app.name}`, TRUST + ' proxy_ssl_name app.test;');
  for (let i = 0; i < 2; i++) expect((await get(conf, '/')).body).toBe('ok');
  expect(app.reuses).toEqual([false, true]);
  const without = await passing(`https://${app.name}`, 'proxy_ssl_session_reuse off;');
  for (let i = 0; i < 2; i++) expect((await get(without, '/')).body).toBe('ok');
  expect(app.reuses).toEqual([false, true, false, false]);
});

it('20 MB go both ways byte for byte, at the pace of who reads', async () => {
  let received = '';
  const sent = randomBytes(20_000_000);
  const app = await startApp(async (socket) => {
    socket.pause();
    setTimeout(() => socket.resume(), 50);
    const { body } = await socket.readRequest();
    received = hash(body);
    await socket.send(`HTTP/1.1 200 OK\r\nContent-Length: ${sent.length}\r\n\r\n`);
    await socket.send(sent);
  });
  const conf = await passing(
    `https://${app.name}`,
    'client_max_body_size 0; proxy_request_buffering off; proxy_max_temp_file_size 0;',
  );
  const client = await conf.connect();
  const body = randomBytes(20_000_000);
  await client.send(`POST / HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n`);
  await client.send(body);
  await client.waitForBytes(1);
  client.pause();
  expect(received).toBe(hash(body));
  // As much as fits into what lies between, and no more.
  await get(conf, '/nothing').catch(() => null);
  expect(client.receivedBytes).toBeLessThan(sent.length);
  client.resume();
  const answer = readAnswer(await client.readToEnd());
  expect(hash(Buffer.from(answer.body, 'latin1'))).toBe(hash(sent));
});

it('a certificate file that changes is used without a reload where its name has variables', async () => {
  const asking = await startSecureOrigin(
    { ...identity('app.test'), requestCert: true, rejectUnauthorized: false } as never,
    (socket) => answering(OK)(socket, 1),
  );
  const copy = (from: string) => {
    for (const kind of ['crt', 'key'])
      copyFileSync(authority.path(`${from}.${kind}`), authority.path(`moving.${kind}`));
  };
  copy('client');
  const conf = await passing(
    `https://${asking.name}`,
    'proxy_ssl_certificate $arg_who.crt; proxy_ssl_certificate_key $arg_who.key;',
  );
  await get(conf, '/?who=moving');
  copy('app.test');
  await get(conf, '/?who=moving');
  expect(asking.clients).toEqual(['client', 'app.test']);
});

it.each([
  ['proxy_ssl_verify on;', 'no proxy_ssl_trusted_certificate for proxy_ssl_verify'],
  [
    'proxy_ssl_certificate client.crt;',
    'no "proxy_ssl_certificate_key" is defined for certificate "client.crt"',
  ],
  ['proxy_ssl_certificate client.crt; proxy_ssl_certificate_key app.test.key;', 'key values mismatch'],
  ['proxy_ssl_verify on; proxy_ssl_trusted_certificate client.key;', 'SSL_CTX_load_verify_locations'],
])('a configuration that can’t be is refused with the reason: %s', async (more, words) => {
  await expect(passing('https://127.0.0.1:1', more)).rejects.toThrow(words);
});

it('the configuration of docs/tls.md runs', async () => {
  const page = readFileSync(new URL('../docs/tls.md', import.meta.url), 'utf8');
  const [, text] = /```nginx\n([\s\S]*?)```/.exec(page)!;
  for (const name of ['www.example.com', 'partners.example.com', 'app.internal']) authority.issue(name);
  for (const name of ['internal-ca', 'partners-ca'])
    copyFileSync(authority.path('ca.crt'), authority.path(`${name}.crt`));
  const app = await startSecureOrigin(identity('app.internal'), (socket) => answering(OK)(socket, 1));
  const conf = await serveConf(
    text!
      .replace('listen 80;', `listen unix:${prefix}plain.sock;`)
      .replaceAll('listen 443', 'listen 127.0.0.1:%PORT%')
      .replaceAll('/etc/ssl/', prefix)
      .replace('127.0.0.1:9443', app.name),
    { prefix },
  );
  const address = conf.server.addresses[1]!;
  const secure = { ...conf, address };
  const www = await getTls(secure, '/', { servername: 'www.example.com', host: 'www.example.com' });
  expect(www.body).toBe('ok');
  expect(www.fields['strict-transport-security']).toBe('max-age=31536000');
  const partner = { servername: 'partners.example.com', host: 'partners.example.com' };
  expect((await getTls(secure, '/', partner)).status).toBe(400);
  expect((await getTls(secure, '/', { ...partner, ...identity('client') })).body).toBe(
    'CN=client,O=Test,C=DE\n',
  );
  expect((await get(conf, '/a', '', 'b')).fields.location).toBe('https://b/a');
});

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
