// What a message's head becomes on its way: to the byte, since what a proxy adds, drops or reorders is what
// origins and clients trip over.
import { networkInterfaces } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answering, RawClient } from '../src/testing/index.js';
import { connect, startOrigin, startProxy } from './scene.js';

/** Sends `request`, given as a head; gives the head that the origin got, with the origin's address as ORIGIN. */
async function headAtOrigin(request: string): Promise<string> {
  const heads: string[] = [];
  const origin = await startOrigin(
    answering((received) => {
      heads.push(received.head);
      return 'HTTP/1.1 204 No Content\r\n\r\n';
    }),
  );
  const proxy = await startProxy([origin]);
  const client = await connect(proxy);
  client.send(request);
  expect((await client.readResponse()).status).toBe(204);
  return heads[0]!.replaceAll(origin.name, 'ORIGIN');
}

/** Has an origin answer `response`; gives the head that the client got. */
async function headAtClient(response: string, method = 'GET'): Promise<string> {
  const proxy = await startProxy([await startOrigin(answering(response))]);
  const client = await connect(proxy);
  client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  return client.readHead();
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family }) => family === 'IPv6'),
  );
}

const FORWARDED =
  'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.org\r\n';

describe('a request at the origin', () => {
  test('has its line, Host and X-Forwarded-*, then its fields in their order, one space before each value, and no Via', async () => {
    expect(
      await headAtOrigin(
        'GET /a%20b/../c?d=e&f HTTP/1.1\r\nHOST:   example.org\t\r\nx-lower: 1\r\nX-Twice: a\r\nEmpty:\r\nX-Twice: b\r\n\r\n',
      ),
    ).toBe(
      `GET /a%20b/../c?d=e&f HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}x-lower: 1\r\nX-Twice: a\r\nEmpty: \r\nX-Twice: b\r\n\r\n`,
    );
  });

  test.each(['GET', 'PROPFIND', 'M-SEARCH', 'brew', 'OPTIONS'])('keeps the method %s', async (method) => {
    expect(await headAtOrigin(`${method} / HTTP/1.1\r\nHost: example.org\r\n\r\n`)).toBe(
      `${method} / HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}\r\n`,
    );
  });

  test.skipIf(!hasIpv6())('names a client of IPv4 so, though the socket takes IPv6 too', async () => {
    const origin = await startOrigin();
    const proxy = await startProxy([origin], { listen: [{ host: '::', port: 0, path: null }] });
    const client = await RawClient.connect({ ...proxy.address, host: '127.0.0.1' });
    onTestFinished(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const request = await (await origin.accept()).readRequest();
    expect(request.field('x-forwarded-for')).toBe('127.0.0.1');
  });

  test('has the client appended to X-Forwarded-For, the other X-Forwarded-* replaced', async () => {
    expect(
      await headAtOrigin(
        'GET / HTTP/1.1\r\nHost: example.org\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n' +
          'x-forwarded-for: 10.0.0.2, 10.0.0.3\r\nX-Forwarded-Host: evil\r\nX-Forwarded-For:\r\nX-After: 1\r\n\r\n',
      ),
    ).toBe(
      'GET / HTTP/1.1\r\nHost: example.org\r\n' +
        'X-Forwarded-For: 10.0.0.1, 10.0.0.2, 10.0.0.3, 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.org\r\n' +
        'X-After: 1\r\n\r\n',
    );
  });

  test('has none of the fields that belong to one hop, nor those that Connection names; but for Upgrade', async () => {
    expect(
      await headAtOrigin(
        'GET / HTTP/1.1\r\nHost: example.org\r\nConnection: keep-alive, X-One\r\nX-One: 1\r\nKeep-Alive: timeout=5\r\n' +
          'Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: websocket\r\nX-Two: 2\r\nconnection: x-three,,\r\nX-THREE: 3\r\nX-Kept: 1\r\n\r\n',
      ),
    ).toBe(`GET / HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}X-Two: 2\r\nX-Kept: 1\r\n\r\n`);
  });

  test('keeps fields that Connection must not take away', async () => {
    const head = await headAtOrigin(
      'POST / HTTP/1.1\r\nHost: example.org\r\nConnection: Host, X-Forwarded-For, Content-Length, Authorization, Cookie\r\n' +
        'Content-Length: 0\r\nAuthorization: Basic eDp5\r\nCookie: a=b\r\n\r\n',
    );
    expect(head).toBe(
      `POST / HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}Content-Length: 0\r\nAuthorization: Basic eDp5\r\nCookie: a=b\r\n\r\n`,
    );
  });

  test('has no field with an underscore in its name', async () => {
    expect(
      await headAtOrigin(
        'GET / HTTP/1.1\r\nHost: example.org\r\nX_Forwarded_For: evil\r\nContent_Length: 5\r\nX-Kept: a_b\r\n\r\n',
      ),
    ).toBe(`GET / HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}X-Kept: a_b\r\n\r\n`);
  });

  test('carries bytes beyond ASCII in values as they are', async () => {
    const head = await headAtOrigin(
      'GET / HTTP/1.1\r\nHost: example.org\r\nX-Name: gr\xfc\xdfe \xff\x80\r\n\r\n',
    );
    expect(head).toMatch(/\r\nX-Name: gr\xfc\xdfe \xff\x80\r\n/);
  });

  test.each([
    ['http://example.org/path?q', '/path?q'],
    ['HTTP://user:pw@example.org?q', '/?q'],
    ['https://example.org', '/'],
  ])('has the target %s in origin-form, and Host from it', async (target, sent) => {
    expect(await headAtOrigin(`GET ${target} HTTP/1.1\r\nHost: other\r\nX-A: 1\r\n\r\n`)).toBe(
      `GET ${sent} HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}X-A: 1\r\n\r\n`,
    );
  });

  test('has the target * of OPTIONS, also from an absolute form without a path', async () => {
    const first = await headAtOrigin('OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n');
    expect(first).toBe(`OPTIONS * HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}\r\n`);
    expect(await headAtOrigin('OPTIONS http://example.org HTTP/1.1\r\nHost: x\r\n\r\n')).toBe(first);
  });

  test('is HTTP/1.1, with the name of the group as Host, also when an HTTP/1.0 client named none', async () => {
    expect(await headAtOrigin('GET / HTTP/1.0\r\nX-A: 1\r\n\r\n')).toBe(
      'GET / HTTP/1.1\r\nHost: default\r\n' +
        'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: default\r\nX-A: 1\r\n\r\n',
    );
  });

  test('has the Host of an HTTP/1.0 client that named one', async () => {
    expect(await headAtOrigin('GET / HTTP/1.0\r\nHost: example.org\r\nConnection: keep-alive\r\n\r\n')).toBe(
      `GET / HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}\r\n`,
    );
  });

  test('ends its lines with CR LF also where the client left the CR out', async () => {
    expect(await headAtOrigin('GET / HTTP/1.1\nHost: example.org\nX-A:  1 \r\nX-B: 2\n\n')).toBe(
      `GET / HTTP/1.1\r\nHost: example.org\r\n${FORWARDED}X-A: 1\r\nX-B: 2\r\n\r\n`,
    );
  });
});

test.each([
  ['TRACE', '/', 405],
  ['CONNECT', 'example.org:443', 405],
  ['CONNECT', '/', 400],
])('%s %s is answered %d, and nothing goes upstream', async (method, target, status) => {
  const origin = await startOrigin();
  const proxy = await startProxy([origin]);
  const client = await connect(proxy);
  client.send(`${method} ${target} HTTP/1.1\r\nHost: example.org\r\nCookie: secret\r\n\r\n`);
  const response = await client.readResponse();
  expect(response.status).toBe(status);
  expect(response.text).not.toMatch(/secret/);
  expect(origin.connections.length).toBe(0);
});

describe('a response at the client', () => {
  test('has its status line, its fields and their order as sent, but for Server, which is ours', async () => {
    const head =
      'HTTP/1.1 299 A Reason\xe9 of its own\r\nserver: me\r\nSet-Cookie: a=b\r\nX_Under: kept\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n';
    expect(await headAtClient(head)).toBe(head.replace('server: me\r\n', ''));
  });

  test('has none of the fields that belong to one hop, nor those that Connection names', async () => {
    expect(
      await headAtClient(
        'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-One\r\nX-One: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n' +
          'Upgrade: websocket\r\nTE: x\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n',
      ),
    ).toBe('HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n');
  });

  test.each([
    ['HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n'],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['HTTP/1.1 200 OK\nContent-Length: 0\n\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ])('to %j begins with %j', async (sent, received) => {
    expect(await headAtClient(sent)).toBe(received);
  });
});
