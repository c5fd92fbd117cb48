// TLS with clients: who gets which certificate, who is let in, and what becomes of those who don't get through.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { SOCKETS } from '../src/net/socket-budget.js';
import { answering, type RawSocket } from '../src/testing/index.js';
import { ask, get, readAnswer, serveConf } from './conf-scene.js';
import { freePort } from './free-port.js';
import { startOrigin } from './scene.js';
import { connectTls, getTls, useAuthority } from './tls-scene.js';

const authority = useAuthority();
authority.issue('one.test');
authority.issue('two.test');
authority.issue('client');
const prefix = authority.folder;

const OWN = 'ssl_certificate one.test.crt; ssl_certificate_key one.test.key;';

describe.each([{ isOnReadDisabled: false }, { isOnReadDisabled: true }])(
  'TLS, %o',
  ({ isOnReadDisabled }) => {
    it('is spoken where listen says ssl, request after request', async () => {
      const conf = await serveConf(
        `server { listen 127.0.0.1:%PORT% ssl; server_name one.test; ${OWN}
         location / { return 200 "$scheme $https $ssl_protocol $ssl_server_name $ssl_alpn_protocol $connection_requests"; } }`,
        { prefix, isOnReadDisabled },
      );
      const client = await connectTls(conf, { servername: 'one.test', ALPNProtocols: ['h2', 'http/1.1'] });
      for (const number of ['1', '2']) {
        await client.send('GET / HTTP/1.1\r\nHost: one.test\r\n\r\n');
        const { body } = await client.readResponse();
        expect(body.toString()).toBe(`https on TLSv1.3 one.test http/1.1 ${number}`);
      }
    });

    it('carries 20 MB both ways byte for byte, at the pace of who reads', async () => {
      const origin = await startOrigin(
        answering(({ body }) =>
          Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
        ),
      );
      const conf = await serveConf(
        `server { listen 127.0.0.1:%PORT% ssl; ${OWN} client_max_body_size 0; proxy_request_buffering off;
         location / { proxy_pass http://${origin.name}; proxy_max_temp_file_size 0; } }`,
        { prefix, isOnReadDisabled },
      );
      const body = randomBytes(20_000_000);
      const client = await connectTls(conf);
      await client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`);
      await client.send(body);
      await client.waitForBytes(1000);
      // Meanwhile the answer has to wait.
      client.pause();
      await get(await serveConf('server { listen 127.0.0.1:%PORT%; return 204; }'), '/');
      expect(client.receivedBytes).toBeLessThan(body.length);
      client.resume();
      const answer = await client.readResponse();
      expect(hash(answer.body)).toBe(hash(body));
    });

    it('begins when the hello is whole, however it is cut', async () => {
      const conf = await serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${OWN} return 200 whole; }`, {
        prefix,
        isOnReadDisabled,
      });
      const { host, port } = conf.address;
      const plain = connectPlain({ host, port, noDelay: true });
      await once(plain, 'connect');
      const { write } = plain;
      let isCut = false;
      // What the client writes first goes out byte by byte.
      plain.write = ((bytes: Buffer, ...rest: unknown[]) => {
        if (isCut || !Buffer.isBuffer(bytes)) return write.call(plain, bytes as never, ...(rest as []));
        isCut = true;
        for (let i = 0; i < bytes.length; i += 100) write.call(plain, bytes.subarray(i, i + 100));
        return true;
      }) as typeof plain.write;
      const { Duplex } = await import('node:stream');
      const socket = connect({ socket: Duplex.from(plain) as never, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      socket.end('GET / HTTP/1.0\r\n\r\n');
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).toMatch(/whole$/);
    });
  },
);

describe('a server', () => {
  const two = `
    server { listen 127.0.0.1:%PORT% ssl; server_name one.test; ${OWN} return 200 "one $ssl_protocol"; }
    server { listen 127.0.0.1:%PORT% ssl; server_name two.test; ssl_protocols TLSv1.2;
      ssl_certificate two.test.crt; ssl_certificate_key two.test.key; return 200 "two $ssl_protocol"; }`;

  it('is chosen by the name of the handshake, with its certificate and protocols', async () => {
    const conf = await serveConf(two, { prefix });
    const ca = authority.read('ca.crt');
    const trusting = { ca, rejectUnauthorized: true };
    const one = await getTls(conf, '/', { servername: 'one.test', host: 'one.test', ...trusting });
    expect(one.body).toBe('one TLSv1.3');
    const other = await getTls(conf, '/', { servername: 'two.test', host: 'two.test', ...trusting });
    expect(other.body).toBe('two TLSv1.2');
    // Nobody's name, and none at all: the default server.
    for (const servername of ['three.test', '']) {
      const client = await connectTls(conf, { servername });
      expect(client.tls.getPeerCertificate().subject.CN).toBe('one.test');
    }
  });

  it('that has no certificate uses that of the default server', async () => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; server_name one.test; ${OWN} return 200 one; }
       server { listen 127.0.0.1:%PORT%; server_name bare.test; return 200 "bare $ssl_server_name"; }`,
      { prefix },
    );
    const answer = await getTls(conf, '/', { servername: 'bare.test', host: 'bare.test' });
    expect(answer.body).toBe('bare bare.test');
  });

  it('with ssl_reject_handshake turns away who names it', async () => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl default_server; ssl_reject_handshake on; }
       server { listen 127.0.0.1:%PORT% ssl; server_name one.test; ${OWN} return 200 one; }`,
      { prefix },
    );
    expect((await getTls(conf, '/', { servername: 'one.test', host: 'one.test' })).body).toBe('one');
    await expect(connectTls(conf, { servername: 'else.test' })).rejects.toThrow(/unrecognized.name/);
    await expect.poll(() => conf.log('error.log').matching(/handshake rejected/).length).toBe(1);
  });

  it('has several certificates, one for each kind of key', async () => {
    authority.issue('rsa.test', ['rsa.test'], { rsa: true });
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${OWN} ssl_protocols TLSv1.2;
         ssl_certificate rsa.test.crt; ssl_certificate_key rsa.test.key; return 204; }`,
      { prefix },
    );
    const ecdsa = await connectTls(conf, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
    expect(ecdsa.tls.getPeerCertificate().subject.CN).toBe('one.test');
    const rsa = await connectTls(conf, { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' });
    expect(rsa.tls.getPeerCertificate().subject.CN).toBe('rsa.test');
  });

  it('takes a key with a password from ssl_password_file', async () => {
    authority.run('ec', '-in', 'one.test.key', '-aes128', '-passout', 'pass:secret', '-out', 'locked.key');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(authority.path('passwords'), 'wrong\nsecret\n');
    const locked = 'ssl_certificate one.test.crt; ssl_certificate_key locked.key;';
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${locked} ssl_password_file passwords; return 200 open; }`,
      { prefix },
    );
    expect((await getTls(conf, '/')).body).toBe('open');
    await expect(serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${locked} }`, { prefix })).rejects.toThrow(
      /cannot load certificate key ".*locked.key"/,
    );
  });

  it('redirects to https', async () => {
    const conf = await serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${OWN} return 301 /there; }`, {
      prefix,
    });
    const answer = await getTls(conf, '/', { host: 'one.test' });
    expect(answer.fields.location).toBe(`https://one.test:${conf.address.port}/there`);
  });

  it('gives its new certificate to who connects after a reload', async () => {
    const conf = await serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${OWN} return 200 old; }`, {
      prefix,
    });
    const before = await connectTls(conf);
    await conf.reload(
      `server { listen 127.0.0.1:%PORT% ssl;
         ssl_certificate two.test.crt; ssl_certificate_key two.test.key; return 200 new; }`,
    );
    const after = await connectTls(conf);
    expect(before.tls.getPeerCertificate().subject.CN).toBe('one.test');
    expect(after.tls.getPeerCertificate().subject.CN).toBe('two.test');
    await after.send('GET / HTTP/1.0\r\n\r\n');
    expect(await after.readToEnd()).toMatch(/new$/);
  });
});

describe('a plain request to a port for TLS', () => {
  it('is told so', async () => {
    const conf = await serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${OWN} return 204; }`, { prefix });
    const answer = await get(conf, '/');
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('The plain HTTP request was sent to HTTPS port');
    expect(answer.fields.connection).toBe('close');
  });

  it('goes by error_page 497', async () => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${OWN} error_page 497 =301 https://$host$request_uri; }`,
      { prefix },
    );
    const answer = await get(conf, '/a?b=c', '', 'one.test');
    expect(answer.status).toBe(301);
    expect(answer.fields.location).toBe('https://one.test/a?b=c');
  });
});

describe('a certificate of the client', () => {
  const identity = (name: string) => ({
    cert: authority.read(`${name}.crt`),
    key: authority.read(`${name}.key`),
  });
  const verifying = (mode: string, more = '') => `server { listen 127.0.0.1:%PORT% ssl; ${OWN}
    ssl_verify_client ${mode}; ssl_client_certificate ca.crt; ${more}
    return 200 "$ssl_client_verify $ssl_client_s_dn"; }`;

  it('is needed by ssl_verify_client on', async () => {
    const conf = await serveConf(verifying('on'), { prefix });
    const good = await getTls(conf, '/', identity('client'));
    expect(good.body).toBe('SUCCESS CN=client,O=Test,C=DE');
    const none = await getTls(conf, '/');
    expect(none.status).toBe(400);
    expect(none.body).toContain('No required SSL certificate was sent');
    authority.makeSelfSigned('stranger');
    const bad = await getTls(conf, '/', identity('stranger'));
    expect(bad.status).toBe(400);
    expect(bad.body).toContain('The SSL certificate error');
    expect(conf.log('error.log').matching(/verify error: \(18:self-signed certificate\)/)).toHaveLength(1);
  });

  it('is needed for the page of an error too, whatever is wrong with the request', async () => {
    const page = 'error_page 400 = @page; location @page { return 200 inside; }';
    const conf = await serveConf(verifying('on', page), { prefix });
    const send = async (options: ConnectionOptions = {}) => {
      const { host, port } = conf.address;
      const client = await connectTls(conf, { ...options, host, port });
      await client.send(
        'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n',
      );
      return readAnswer(await client.readToEnd());
    };
    expect((await send(identity('client'))).body).toBe('inside');
    expect((await send()).body).toContain('No required SSL certificate was sent');
  });

  it('may be left out with optional, and be anybody’s with optional_no_ca', async () => {
    const optional = await serveConf(verifying('optional'), { prefix });
    expect((await getTls(optional, '/')).body).toBe('NONE ');
    expect((await getTls(optional, '/', identity('client'))).body).toMatch(/^SUCCESS /);
    expect((await getTls(optional, '/', identity('stranger'))).status).toBe(400);
    const anybody = await serveConf(verifying('optional_no_ca'), { prefix });
    expect((await getTls(anybody, '/', identity('stranger'))).body).toBe(
      'FAILED:self-signed certificate CN=stranger',
    );
  });

  it('is not to be revoked, nor too far from whom one trusts', async () => {
    authority.issue('revoked');
    authority.revoke('revoked');
    const conf = await serveConf(verifying('on', 'ssl_crl ca.crl;'), { prefix });
    expect((await getTls(conf, '/', identity('client'))).status).toBe(200);
    expect((await getTls(conf, '/', identity('revoked'))).status).toBe(400);
    expect(conf.log('error.log').matching(/\(23:certificate revoked\)/)).toHaveLength(1);

    authority.issue('middle', [], { isCa: true });
    authority.issue('far', ['far'], { by: 'middle' });
    authority.chain('far', 'middle');
    const near = await serveConf(verifying('on', 'ssl_verify_depth 0;'), { prefix });
    expect((await getTls(near, '/', identity('client'))).status).toBe(200);
    expect((await getTls(near, '/', identity('far'))).status).toBe(400);
    // A session that was given before the certificate was looked at changes nothing.
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await connectTls(near, { ...identity('far'), maxVersion });
      let session = client.tls.getSession();
      client.tls.on('session', (given) => {
        session = given;
      });
      await client.send('GET / HTTP/1.0\r\n\r\n');
      await client.readToEnd();
      const again = await connectTls(near, { ...identity('far'), maxVersion, session });
      expect(again.tls.isSessionReused()).toBe(true);
      await again.send('GET / HTTP/1.0\r\n\r\n');
      expect(await again.readToEnd()).toContain('The SSL certificate error');
    }
    const wide = await serveConf(verifying('on', 'ssl_verify_depth 1;'), { prefix });
    expect((await getTls(wide, '/', identity('far'))).status).toBe(200);
  });

  it('of one server lets nobody into another', async () => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; server_name open.test; ${OWN} return 200 open; }
       server { listen 127.0.0.1:%PORT% ssl; server_name closed.test; ${OWN}
         ssl_verify_client on; ssl_client_certificate ca.crt; return 200 closed; }`,
      { prefix },
    );
    const answer = await getTls(conf, '/', { servername: 'open.test', host: 'closed.test' });
    expect(answer.status).toBe(421);
  });

  it('is told of in variables', async () => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${OWN} ssl_verify_client on; ssl_client_certificate ca.crt;
         return 200 "$ssl_client_i_dn|$ssl_client_s_dn_legacy|$ssl_client_serial|$ssl_client_fingerprint|$ssl_client_v_remain|$ssl_client_escaped_cert"; }`,
      { prefix },
    );
    const client = await connectTls(conf, identity('client'));
    const own = client.tls.getCertificate() as { fingerprint: string; serialNumber: string };
    await client.send('GET / HTTP/1.0\r\n\r\n');
    const body = (await client.readToEnd()).split('\r\n\r\n')[1]!.split('|');
    expect(body.slice(0, 2)).toEqual(['CN=ca', '/C=DE/O=Test/CN=client']);
    expect(body[2]).toBe(own.serialNumber);
    expect(body[3]).toBe(own.fingerprint.replaceAll(':', '').toLowerCase());
    expect(body[4]).toBe('2');
    expect(decodeURIComponent(body[5]!)).toBe(authority.read('client.crt').trimEnd());
  });
});

describe('a handshake', () => {
  it.each(['', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc'])(
    'that does not come on in time ends: %j',
    async (start) => {
      const conf = await serveConf(
        `server { listen 127.0.0.1:%PORT% ssl; ${OWN} client_header_timeout 50ms; }`,
        { prefix },
      );
      const client = await conf.connect();
      if (start !== '') await client.send(start);
      expect(await client.waitForEnd()).toBe('fin');
      expect(conf.log('error.log').matching(/timed out .* while SSL handshaking/)).toHaveLength(1);
    },
  );

  it('that is broken off leaves nothing behind', async () => {
    const conf = await serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${OWN} return 204; }`, { prefix });
    const before = SOCKETS.openCount;
    const { port } = conf.address;
    for (const howMuch of [1, 100, Number.POSITIVE_INFINITY]) {
      const plain = connectPlain({ host: '127.0.0.1', port });
      await once(plain, 'connect');
      const hello = await helloBytes();
      plain.write(hello.subarray(0, Math.min(howMuch, hello.length)));
      await expect.poll(() => conf.server.connectionCount).toBe(1);
      if (howMuch > hello.length) await once(plain, 'data');
      plain.resetAndDestroy();
      await expect.poll(() => conf.server.connectionCount).toBe(0);
    }
    expect(SOCKETS.openCount).toBe(before);
    await expect.poll(() => conf.deadlineCount).toBe(0);
  });

  it('of a client that makes no sense is ended with a line in the log', async () => {
    const conf = await serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${OWN} }`, { prefix });
    const client = await conf.connect();
    await client.send(`\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00`);
    await client.waitForEnd();
    expect(
      conf
        .log('error.log')
        .matching(
          /SSL_do_handshake\(\) failed \(SSL: error:[0-9A-F]{8}:SSL routines::.* while SSL handshaking/,
        ),
    ).toHaveLength(1);
  });

  it('under way is ended by a stop, and bounded by a drain', async () => {
    const conf = await serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${OWN} }`, { prefix });
    const client = await conf.connect();
    await client.send('\x16\x03\x01');
    await expect.poll(() => conf.server.connectionCount).toBe(1);
    await conf.server.drain();
    expect(conf.server.connectionCount).toBe(0);
  });

  async function helloBytes(): Promise<Buffer> {
    const { Duplex } = await import('node:stream');
    return new Promise((resolve) => {
      const catching = new Duplex({ read() {}, write: (chunk: Buffer) => resolve(chunk) });
      connect({ socket: catching as never, servername: 'one.test' }).on('error', () => {});
    });
  }
});

describe('a session', () => {
  const reuse = async (more: string, options = {}) => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${OWN} ${more} return 200 "$ssl_session_reused"; }`,
      { prefix },
    );
    const first = await connectTls(conf, options);
    let session = first.tls.getSession();
    first.tls.on('session', (given) => {
      session = given;
    });
    await first.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await first.readResponse();
    return (await getTls(conf, '/', { ...options, session })).body;
  };

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is gone on with by tickets or by the cache (%s)',
    async (maxVersion) => {
      const options = { maxVersion };
      expect(await reuse('', options)).toBe('r');
      expect(await reuse('ssl_session_tickets off; ssl_session_cache shared:SSL:1m;', options)).toBe('r');
      expect(await reuse('ssl_session_tickets off; ssl_session_cache builtin;', options)).toBe('r');
      expect(await reuse('ssl_session_tickets off;', options)).toBe('.');
    },
  );
});

it('a session goes on at another server with the same certificate, and nowhere else', async () => {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const [same, other, strict] = ports;
  const conf = await serveConf(
    `server { listen 127.0.0.1:%PORT% ssl; ${OWN} return 200 $ssl_session_reused; }
     server { listen 127.0.0.1:${same} ssl; ${OWN} return 200 $ssl_session_reused; }
     server { listen 127.0.0.1:${other} ssl; ssl_certificate two.test.crt; ssl_certificate_key two.test.key;
       return 200 $ssl_session_reused; }
     server { listen 127.0.0.1:${strict} ssl; ${OWN} ssl_verify_client optional_no_ca; return 200 $ssl_session_reused; }`,
    { prefix },
  );
  const first = await connectTls(conf);
  const session = new Promise<Buffer>((resolve) => first.tls.once('session', resolve));
  await first.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await first.readResponse();
  const at = async (port: number) =>
    (await getTls({ ...conf, address: { ...conf.address, port } }, '/', { session: await session })).body;
  expect(await Promise.all([conf.address.port, ...ports].map(at))).toEqual(['r', 'r', '.', '.']);
});

describe('a configuration', () => {
  const fails = (more: string) =>
    expect(serveConf(`server { listen 127.0.0.1:%PORT% ssl; ${more} }`, { prefix })).rejects;

  it.each([
    ['', 'no "ssl_certificate" is defined for the "listen ... ssl" directive'],
    ['ssl_certificate one.test.crt;', 'no "ssl_certificate_key" is defined'],
    ['ssl_certificate none.crt; ssl_certificate_key one.test.key;', 'none.crt": BIO_new_file() failed'],
    ['ssl_certificate one.test.crt; ssl_certificate_key two.test.key;', 'key values mismatch'],
    ['ssl_certificate one.test.key; ssl_certificate_key one.test.key;', 'cannot load certificate "'],
    [`${OWN} ssl_ciphers NONE;`, 'SSL_CTX_set_cipher_list("NONE") failed'],
    [`${OWN} ssl_protocols SSLv3;`, 'none of SSLv3'],
    [`${OWN} ssl_ecdh_curve none;`, 'SSL_CTX_set1_curves_list("none") failed'],
    [`${OWN} ssl_dhparam none.pem;`, 'none.pem": '],
    [`${OWN} ssl_crl one.test.crt;`, 'X509_LOOKUP_load_file("one.test.crt") failed'],
    [`${OWN} ssl_verify_client on;`, 'no ssl_client_certificate or ssl_trusted_certificate'],
    [`${OWN} ssl_early_data on;`, '"ssl_early_data" is not supported'],
    [`${OWN} ssl_session_ticket_key one.test.crt;`, 'must be 48 or 80 bytes'],
    [`${OWN} ssl_conf_command Nothing on;`, 'SSL_CONF_cmd("Nothing", "on") failed'],
    ['ssl_certificate $ssl_server_name.crt; ssl_certificate_key one.test.key;', 'variables in their names'],
  ])('that can’t be is refused with the reason: %s', async (more, words) => {
    await fails(more).toThrow(words);
  });

  it('that asks for HTTP/2 is served by HTTP/1.1', async () => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl http2; http2 on; ${OWN} return 204; }`,
      { prefix },
    );
    const client = await connectTls(conf, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(client.tls.alpnProtocol).toBe('http/1.1');
  });

  it('has settings of OpenSSL', async () => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${OWN} ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;
         ssl_conf_command MinProtocol TLSv1.3; return 200 $ssl_cipher; }`,
      { prefix },
    );
    expect((await getTls(conf, '/')).body).toBe('TLS_CHACHA20_POLY1305_SHA256');
    await expect(connectTls(conf, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
  });

  it('serves plain clients beside on another address', async () => {
    const conf = await serveConf(
      `server { listen unix:${prefix}plain.sock; listen 127.0.0.1:%PORT% ssl; ${OWN} return 200 "$scheme$https$ssl_protocol"; }`,
      { prefix },
    );
    expect((await ask(conf, 'GET / HTTP/1.0\r\n\r\n')).body).toBe('http');
  });

  it('reads the PROXY protocol before the handshake', async () => {
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl proxy_protocol; ${OWN} return 200 "$proxy_protocol_addr $scheme"; }`,
      { prefix },
    );
    const { host, port } = conf.address;
    const plain = connectPlain({ host, port });
    await once(plain, 'connect');
    plain.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n');
    const socket = connect({ socket: plain, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.write('GET / HTTP/1.0\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/192\.0\.2\.1 https$/);
  });
});

describe('a connection by TLS', () => {
  const serving = (body: string, more = '') =>
    `server { listen 127.0.0.1:%PORT% ssl; ${OWN} ${more} return 200 ${body}; }`;
  const askOn = async (client: RawSocket) => {
    await client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    return (await client.readResponse()).body.toString();
  };

  it('goes on under a new configuration', async () => {
    const conf = await serveConf(serving('old'), { prefix });
    const client = await connectTls(conf);
    expect(await askOn(client)).toBe('old');
    await conf.reload(serving('new'));
    expect(await askOn(client)).toBe('new');
  });

  it('of a client with a certificate ends, since the new one may trust others', async () => {
    const trusting = (ca: string) => `ssl_verify_client on; ssl_client_certificate ${ca};`;
    const conf = await serveConf(serving('old', trusting('ca.crt')), { prefix });
    const identity = { cert: authority.read('client.crt'), key: authority.read('client.key') };
    const client = await connectTls(conf, identity);
    expect(await askOn(client)).toBe('old');
    await conf.reload(serving('new', trusting('two.test.crt')));
    await client.waitForEnd();
    expect((await getTls(conf, '/', identity)).status).toBe(400);
  });

  it('ends before a new configuration under which its address is plain', async () => {
    const conf = await serveConf(serving('old'), { prefix });
    const client = await connectTls(conf);
    expect(await askOn(client)).toBe('old');
    await conf.reload('server { listen 127.0.0.1:%PORT%; return 200 plain; }');
    await client.waitForEnd();
    expect((await get(conf, '/')).body).toBe('plain');
  });

  it('is never ended as if an answer that broke off were whole', async () => {
    const origin = await startOrigin(async (socket) => {
      await socket.readHead();
      await socket.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      socket.close();
    });
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${OWN} location / { proxy_pass http://${origin.name}; } }`,
      { prefix },
    );
    const client = await connectTls(conf);
    await client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(await client.readToEnd()).toMatch(/Content-Length: 100\r\n[\s\S]*half$/);
  });

  it('becomes a tunnel', async () => {
    const origin = await startOrigin(async (socket) => {
      await socket.readHead();
      await socket.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n');
      await socket.send(await socket.readBytes(5));
      socket.end();
    });
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${OWN} location / { proxy_pass http://${origin.name};
         proxy_set_header Upgrade $forwarded_upgrade; proxy_set_header Connection $forwarded_connection; } }`,
      { prefix },
    );
    const client = await connectTls(conf);
    await client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    await client.send('hello');
    expect(await client.readToEnd()).toBe('hello');
  });

  it('whose client reads nothing holds the upstream up, and ends by send_timeout', async () => {
    let sentBytes = 0;
    const origin = await startOrigin(async (socket) => {
      await socket.readHead();
      await socket.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
      while (sentBytes < 100_000_000 && !socket.isClosed) {
        await socket.send(Buffer.alloc(100_000));
        await nextTurn();
        if (!socket.isClosed) sentBytes += 100_000;
      }
    });
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT% ssl; ${OWN} send_timeout 500ms;
         location / { proxy_pass http://${origin.name}; proxy_max_temp_file_size 0; } }`,
      { prefix },
    );
    const client = await connectTls(conf);
    client.pause();
    await client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await expect
      .poll(() => conf.log('error.log').matching(/timed out .* while sending to client/).length, {
        timeout: 10_000,
      })
      .toBe(1);
    expect(sentBytes).toBeLessThan(50_000_000);
    await expect.poll(() => conf.server.connectionCount).toBe(0);
  });
});

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
