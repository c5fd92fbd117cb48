// CONNECT, where tunnel_pass has it taken: whom it leads to, what is refused, and what the log says.
import { describe, expect, test } from 'vitest';
import { startOrigins } from './answering-origins.js';
import { ask, serveConf } from './conf-scene.js';
import { DnsServer } from './dns-server.js';
import { folderOf } from './folder.js';
import { startOrigin } from './scene.js';

/** A CONNECT for `authority`, with further field lines. */
function connectTo(authority: string, fields = '', version = '1.1'): string {
  return `CONNECT ${authority} HTTP/${version}\r\nHost: ${authority}\r\n${fields}\r\n`;
}

describe('tunnel_pass', () => {
  test('joins a client to the host and port it names, each side ending on its own', async () => {
    const origin = await startOrigin();
    const conf = await serveConf('server { listen 127.0.0.1:%PORT%; tunnel_pass; add_header X-A b; }');
    const client = await conf.connect();
    // Behind the head a client may say at once what is for the other side.
    client.send(`${connectTo(origin.name)}hello`);
    const peer = await origin.accept();
    expect(String(await peer.readBytes(5))).toBe('hello');
    expect(await client.readHead()).toMatch(
      /^HTTP\/1\.1 200 OK\r\nServer: [^\r]+\r\nDate: [^\r]+\r\nConnection: close\r\nX-A: b\r\n\r\n$/,
    );
    peer.send('GET / HTTP/1.1\r\n\r\n');
    expect(String(await client.readBytes(18))).toBe('GET / HTTP/1.1\r\n\r\n');
    client.end();
    expect(await peer.waitForEnd()).toBe('fin');
    await peer.send('bye');
    peer.end();
    expect(await client.readToEnd()).toBe('bye');
  });

  test('asks the resolver for a name', async () => {
    const [origin] = await startOrigins('named');
    const dns = await DnsServer.start({ 'a.test': ['A 127.0.0.1'] });
    const conf = await serveConf(
      `server { listen 127.0.0.1:%PORT%; resolver ${dns.name} ipv6=off; tunnel_pass $host:$request_port; }`,
    );
    const client = await conf.connect();
    client.send(connectTo(`a.test:${origin!.address.port}`));
    await client.readHead();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(String((await client.readResponse()).body)).toBe('named');
    expect((await ask(conf, connectTo('b.test:80'))).status).toBe(502);
    expect(conf.log('error.log').matching(/b\.test could not be resolved \(3: /)).toHaveLength(1);
  });

  test('leads to a group of its own choice, whatever the client names, and on from a peer that is gone', async () => {
    const gone = await startOrigin();
    const origin = await startOrigin();
    await gone.stop();
    const conf = await serveConf(`
      log_format t '$request|$status|$upstream_addr|$upstream_status|$upstream_bytes_sent|$upstream_bytes_received';
      access_log access.log t;
      upstream group { server ${gone.name}; server ${origin.name} backup; keepalive 4; }
      server { listen 127.0.0.1:%PORT%;
        location / { tunnel_pass group; }
        location /one/ { tunnel_pass group; tunnel_next_upstream off; } }`);
    const client = await conf.connect();
    client.send(connectTo('b.test:1'));
    await client.readHead();
    const peer = await origin.accept();
    client.send('one');
    expect(String(await peer.readBytes(3))).toBe('one');
    await peer.send('there');
    peer.close();
    expect(await client.readToEnd()).toBe('there');
    client.close();
    expect(await conf.log('access.log').waitFor(/CONNECT/)).toBe(
      `CONNECT b.test:1 HTTP/1.1|200|${gone.name}, ${origin.name}|502, -|0, 3|0, 5`,
    );
  });

  test('answers 502 and 504, also by error_page, where nobody can be connected to', async () => {
    const gone = await startOrigin();
    await gone.stop();
    const conf = await serveConf(`
      server { listen 127.0.0.1:%PORT%; error_page 502 /sorry; location / { tunnel_pass; }
        location /sorry { return 200 "sorry, $request_method"; } }`);
    const answer = await ask(conf, connectTo(gone.name));
    expect([answer.status, answer.body, answer.fields.connection]).toEqual([502, 'sorry, GET', 'close']);
    expect(await conf.log('error.log').waitFor(/connect\(\) failed \(111: Connection refused\)/)).toContain(
      `while connecting to upstream, client: 127.0.0.1, server: , request: "CONNECT ${gone.name} HTTP/1.1", upstream: "${gone.name}"`,
    );
  });

  test('ends a tunnel in which nothing moves for tunnel_read_timeout', async () => {
    const origin = await startOrigin();
    const conf = await serveConf(
      'server { listen 127.0.0.1:%PORT%; tunnel_pass; tunnel_read_timeout 100ms; }',
    );
    const client = await conf.connect();
    client.send(connectTo(origin.name));
    await client.readHead();
    expect(await (await origin.accept()).waitForEnd()).toBe('fin');
    expect(await client.readToEnd()).toBe('');
  });

  test('waits for a peer in the queue of its group, unless the client leaves', async () => {
    const origin = await startOrigin();
    const conf = await serveConf(`
      log_format t '$status'; access_log access.log t;
      upstream group { zone group 64k; server ${origin.name} max_conns=1; queue 2 timeout=10s; }
      server { listen 127.0.0.1:%PORT%; tunnel_pass group; }`);
    const [first, second, third] = [await conf.connect(), await conf.connect(), await conf.connect()];
    first.send(connectTo('a:9'));
    await first.readHead();
    second.send(connectTo('a:9'));
    third.send(connectTo('a:9'));
    second.reset();
    expect(await conf.log('access.log').waitFor(/./)).toBe('499');
    first.reset();
    expect(await third.readHead()).toContain('200 OK');
    expect(origin.connections).toHaveLength(2);
  });

  test('keeps to the access rules of its location, with credentials for a proxy', async () => {
    const origin = await startOrigin();
    const folder = await folderOf({ users: 'ann:{PLAIN}secret' });
    const conf = await serveConf(`
      server { listen 127.0.0.1:%PORT%; tunnel_pass; auth_basic "tunnels"; auth_basic_user_file ${folder}/users; }
      server { listen 127.0.0.1:%PORT%; server_name b.test; tunnel_pass; deny all; }`);
    const refused = await ask(conf, connectTo(origin.name));
    expect([refused.status, refused.fields['proxy-authenticate']]).toEqual([407, 'Basic realm="tunnels"']);
    expect((await ask(conf, connectTo('b.test:80'))).status).toBe(403);
    const client = await conf.connect();
    client.send(connectTo(origin.name, `Proxy-Authorization: Basic ${btoa('ann:secret')}\r\n`));
    expect(await client.readHead()).toContain('200 OK');
  });
});

describe('CONNECT', () => {
  const conf = () =>
    serveConf(`
      server { listen 127.0.0.1:%PORT%; location / { tunnel_pass 127.0.0.1:9; }
        location /page { return 200 page; } }
      server { listen 127.0.0.1:%PORT%; server_name closed.test; location / { return 200 never; } }
      server { listen 127.0.0.1:%PORT%; server_name text.test; rewrite ^ /text; location / { tunnel_pass; }
        location /text { return 200 text; } }`);

  test.each([
    ['a server without tunnel_pass', connectTo('closed.test:80'), 405],
    ['HTTP/1.0', connectTo('a.test:80', '', '1.0'), 405],
    ['a body', connectTo('a.test:80', 'Content-Length: 1\r\n'), 400],
    ['a body in chunks', connectTo('a.test:80', 'Transfer-Encoding: chunked\r\n'), 400],
    ['no port', connectTo('a.test'), 400],
    ['a port that there is not', connectTo('a.test:65536'), 400],
    ['a path', connectTo('a.test:80/'), 400],
  ])('is refused: %s', async (_, request, status) => {
    const answer = await ask(await conf(), request);
    expect([answer.status, answer.fields.connection]).toEqual([status, 'close']);
  });

  test('other methods are refused where tunnels are opened', async () => {
    const served = await conf();
    expect((await ask(served, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).status).toBe(405);
    const page = await ask(served, 'GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(page.body).toBe('page');
  });

  test('is never passed on as a request, nor answered 2xx with a body', async () => {
    const origin = await startOrigin();
    const served = await serveConf(`
      server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://${origin.name}; }
        location /t { tunnel_pass; } }`);
    expect((await ask(served, connectTo('a.test:80'))).status).toBe(405);
    expect(origin.connections).toHaveLength(0);
    const text = await ask(await conf(), connectTo('text.test:80'));
    expect([text.status, text.body]).toEqual([200, '']);
  });
});

test.each([
  ['tunnel_pass a.test;', 'no port in upstream "a.test"'],
  ['tunnel_pass a.test:x;', 'invalid port in upstream "a.test:x"'],
  ['tunnel_pass :80;', 'no host in upstream ":80"'],
])('%s is refused', async (line, message) => {
  await expect(serveConf(`server { listen 127.0.0.1:%PORT%; ${line} }`)).rejects.toThrow(message);
});
