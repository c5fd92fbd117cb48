// When another peer is asked, when the same one again, and when neither is safe; what the logs say of it.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { answering, type OriginScript, type TestProxy } from '../src/testing/index.js';
import { get, serveConf } from './conf-scene.js';
import { folderOf } from './folder.js';
import { connect, silentAddress, startOrigin, startProxy, unusedAddress } from './scene.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

function bodyOf(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Answers with a name and the request's body. */
function named(name: string): OriginScript {
  return answering((request) => bodyOf(`${name}${request.text}`));
}

/** Sends one request on a connection of its own; gives "status body". */
async function ask(proxy: TestProxy, request = GET): Promise<string> {
  const client = await connect(proxy);
  client.send(request);
  const response = await client.readResponse();
  client.close();
  return response.status === 200 ? response.text : String(response.status);
}

describe('a peer that refuses connections', () => {
  test('hands its request on to the next; the logs name both', async () => {
    const dead = await unusedAddress();
    const origin = await startOrigin(named('second'));
    const proxy = await startProxy([{ address: dead }, origin]);
    expect(await ask(proxy)).toBe('second');
    expect(proxy.errorLog.lines[0]).toMatch(
      new RegExp(
        '\\[error\\] \\S+ \\*1 connect\\(\\) failed \\(111: Connection refused\\) while connecting to upstream, ' +
          'client: 127\\.0\\.0\\.1, server: , request: "GET / HTTP/1\\.1", ' +
          `upstream: "http://127\\.0\\.0\\.1:${dead.port}/", host: "a"$`,
      ),
    );
    expect(proxy.accessLog.lines[0]).toMatch(
      new RegExp(
        `" 200 6 "-" "-" upstream=127\\.0\\.0\\.1:${dead.port}, ${origin.name} ustatus=502, 200 ` +
          'rt=\\d\\.\\d{3} uct=-, \\d\\.\\d{3} uht=-, \\d\\.\\d{3} urt=\\d\\.\\d{3}, \\d\\.\\d{3}$',
      ),
    );
  });

  test('is passed by afterwards, and asked again after fail_timeout', async () => {
    const dead = await unusedAddress();
    const proxy = await startProxy([await startOrigin(named('living'))], {
      peers: [{ address: dead, failTimeoutMs: 300 }],
    });
    for (let i = 0; i < 6; i++) expect(await ask(proxy)).toBe('living');
    expect(proxy.errorLog.matching(/Connection refused/).length).toBe(1);
    await proxy.errorLog.waitFor(/\[warn\].* upstream "default" .* is out for 0\.3 s after 1 failed try/);
    await startOrigin(named('revived'), dead.port);
    await delay(350);
    const answers = new Set([await ask(proxy), await ask(proxy), await ask(proxy)]);
    expect(answers).toEqual(new Set(['living', 'revived']));
    await proxy.errorLog.waitFor(/\[notice\].* answers again/);
  });

  test.each([
    ['POST', 'Content-Length: 5\r\n\r\nhello'],
    ['PATCH', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('hands on a %s too, with its body: nothing of it was sent', async (method, rest) => {
    const proxy = await startProxy([{ address: await unusedAddress() }, await startOrigin(named('got '))]);
    expect(await ask(proxy, `${method} / HTTP/1.1\r\nHost: a\r\n${rest}`)).toBe('got hello');
  });

  test('hands on a request whose body still comes, also to an idle connection', async () => {
    const origin = await startOrigin(named('got '));
    const dead = await unusedAddress();
    const proxy = await startProxy([origin, { address: dead }]);
    expect(await ask(proxy)).toBe('got ');
    expect(proxy.idleCount).toBe(1);
    const client = await connect(proxy);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    await proxy.errorLog.waitFor(/Connection refused/);
    client.send('world');
    expect((await client.readResponse()).text).toBe('got helloworld');
    expect(origin.connections.length).toBe(1);
  });

  test('hands on a large body that comes in many reads', async () => {
    const origin = await startOrigin(answering((request) => bodyOf(String(request.body.length))));
    const proxy = await startProxy([{ address: await unusedAddress() }, origin]);
    const client = await connect(proxy);
    const bytes = 3_000_000;
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    client.send(Buffer.alloc(bytes, 120));
    expect((await client.readResponse()).text).toBe(String(bytes));
  });
});

test('a peer that cannot be reached at all is told from one that refuses', async () => {
  const proxy = await startProxy([], { peers: [{ address: { host: '', port: 0, path: '/no/such.sock' } }] });
  expect(await ask(proxy)).toBe('502');
  expect(proxy.errorLog.lines[0]).toMatch(
    / connect\(\) failed \(2: No such file or directory\) while connecting to upstream, .*"http:\/\/unix:\/no\/such\.sock:\/"/,
  );
});

describe('a peer that does not answer the connection', () => {
  test('hands its request on after connectMs', async () => {
    const silent = await silentAddress();
    const proxy = await startProxy([{ address: silent }, await startOrigin(named('second'))], {
      timeouts: { connectMs: 100 },
    });
    expect(await ask(proxy)).toBe('second');
    expect(proxy.errorLog.lines[0]).toMatch(
      / upstream timed out \(110: Connection timed out\) while connecting to upstream, /,
    );
    expect(proxy.accessLog.lines[0]).toMatch(/ ustatus=504, 200 .* uct=-, \d/);
  });

  test('gives 504 when it is the only one', async () => {
    const proxy = await startProxy([{ address: await silentAddress() }], { timeouts: { connectMs: 100 } });
    expect(await ask(proxy)).toBe('504');
  });
});

describe('a kept connection that the origin closes as the next request arrives', () => {
  /** Closes each connection at its second request, by FIN or RST; answers every other with its body. */
  function closingAtSecond(isReset: boolean): OriginScript {
    return async (connection, number) => {
      const first = await connection.readRequest();
      await connection.send(bodyOf(`${number}${first.text}`));
      await connection.readHead();
      if (isReset) connection.reset();
      else connection.end();
    };
  }

  describe.each([
    ['FIN', false],
    ['RST', true],
  ])('by %s', (_how, isReset) => {
    test.each([
      ['GET', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', '2'],
      ['DELETE', 'DELETE / HTTP/1.1\r\nHost: a\r\n\r\n', '2'],
      ['PUT by length', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', '2hello'],
      [
        'PUT in chunks',
        'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
        '2hello',
      ],
    ])('%s is sent again on a new one, and the peer is not blamed', async (_which, request, answer) => {
      const origin = await startOrigin(closingAtSecond(isReset));
      const other = await startOrigin(named('other'));
      const proxy = await startProxy([], {
        peers: [
          { address: origin.address, weight: 9 },
          { address: other.address, isBackup: true },
        ],
      });
      expect(await ask(proxy)).toBe('1');
      expect(await ask(proxy, request)).toBe(answer);
      expect(proxy.errorLog.matching(/is out for/)).toEqual([]);
      expect(proxy.accessLog.lines[1]).toMatch(
        new RegExp(` upstream=${origin.name}, ${origin.name} ustatus=502, 200 `),
      );
    });

    test.each([
      ['POST', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
      ['POST without a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
      ['PATCH in chunks', 'PATCH / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
      ['a method nobody knows', 'FROBNICATE / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ])('%s is not sent twice: it gives 502', async (_which, request) => {
      const origin = await startOrigin(closingAtSecond(isReset));
      const proxy = await startProxy([origin, origin]);
      expect(await ask(proxy)).toBe('1');
      // Round robin: the second peer has the same address, but no connection yet.
      expect(await ask(proxy)).toBe('2');
      expect(await ask(proxy, request)).toBe('502');
      expect(origin.connections.length).toBe(2);
      expect(proxy.errorLog.matching(/is out for/)).toEqual([]);
    });

    test('PUT whose body came in several reads is not sent twice', async () => {
      let gotHello = () => {};
      const hasHello = new Promise<void>((resolve) => {
        gotHello = resolve;
      });
      const origin = await startOrigin(async (connection, number) => {
        const first = await connection.readRequest();
        await connection.send(bodyOf(`${number}${first.text}`));
        await connection.readUntil('hello');
        gotHello();
        await connection.readUntil('world');
        if (isReset) connection.reset();
        else connection.end();
      });
      const proxy = await startProxy([origin]);
      expect(await ask(proxy)).toBe('1');
      const client = await connect(proxy);
      client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nhello');
      await hasHello;
      client.send('world');
      expect((await client.readResponse()).status).toBe(502);
      expect(origin.connections.length).toBe(1);
    });
  });
});

test.each([
  ['FIN', false],
  ['RST', true],
])('a POST that arrives right behind the %s of the kept connection gets a new one', async (_how, isReset) => {
  const origin = await startOrigin(named('ok'));
  const proxy = await startProxy([origin]);
  const client = await connect(proxy);
  for (let round = 1; round <= 20; round++) {
    // Both arrive in one turn of the proxy's event loop, the end of the last round's connection first.
    if (isReset) origin.connections.at(-1)?.reset();
    else origin.connections.at(-1)?.close();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
    expect((await client.readResponse()).status).toBe(200);
    expect(origin.connections.length).toBe(round);
  }
});

describe('a new connection that breaks before an answer', () => {
  const breaking: [string, OriginScript][] = [
    [
      'closed',
      async (connection) => {
        await connection.readHead();
        connection.end();
      },
    ],
    [
      'reset',
      async (connection) => {
        await connection.readHead();
        connection.reset();
      },
    ],
    [
      'closed in the middle of the head',
      async (connection) => {
        await connection.readHead();
        await connection.send('HTTP/1.1 200 OK\r\nConte');
        connection.end();
      },
    ],
  ];

  test.each(breaking)('(%s) sends GET to the next peer', async (_how, script) => {
    const proxy = await startProxy([await startOrigin(script), await startOrigin(named('second'))]);
    expect(await ask(proxy)).toBe('second');
    expect(proxy.errorLog.lines[0]).toMatch(
      /(prematurely closed connection|recv\(\) failed \(104: .*\)) while reading response header from upstream/,
    );
  });

  test.each(breaking)('(%s) gives 502 for POST', async (_how, script) => {
    const second = await startOrigin(named('second'));
    const proxy = await startProxy([await startOrigin(script), second]);
    expect(await ask(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx')).toBe('502');
    expect(second.connections.length).toBe(0);
  });

  test.each(breaking)(
    '(%s) gives 502 when there is no other peer, and the peer is asked once',
    async (_how, script) => {
      const origin = await startOrigin(script);
      const proxy = await startProxy([origin]);
      expect(await ask(proxy)).toBe('502');
      expect(origin.connections.length).toBe(1);
    },
  );
});

test('what is no answer on a kept connection is held against the peer, and not asked for twice', async () => {
  const origin = await startOrigin(async (connection) => {
    await connection.readHead();
    await connection.send(bodyOf('1'));
    await connection.readHead();
    await connection.send('HTTP/1.1 2OO OK\r\n\r\n');
  });
  const proxy = await startProxy([], {
    peers: [{ address: origin.address }, { address: await unusedAddress(), isBackup: true }],
  });
  expect(await ask(proxy)).toBe('1');
  expect(await ask(proxy)).toBe('502');
  await proxy.errorLog.waitFor(/ upstream sent an invalid status code while /);
  await proxy.errorLog.waitFor(/ is out for 10 s after 1 failed try/);
  expect(origin.connections.length).toBe(1);
});

describe('a peer that is silent for upstreamReadMs', () => {
  test('hands GET on to the next', async () => {
    const proxy = await startProxy([await startOrigin(), await startOrigin(named('second'))], {
      timeouts: { upstreamReadMs: 100 },
    });
    expect(await ask(proxy)).toBe('second');
    expect(proxy.errorLog.lines[0]).toMatch(
      / upstream timed out \(110: Connection timed out\) while reading response header from upstream, /,
    );
    expect(proxy.accessLog.lines[0]).toMatch(/ ustatus=504, 200 /);
  });

  test('gives 504 for POST', async () => {
    const second = await startOrigin(named('second'));
    const proxy = await startProxy([await startOrigin(), second], { timeouts: { upstreamReadMs: 100 } });
    expect(await ask(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx')).toBe('504');
    expect(second.connections.length).toBe(0);
  });
});

test('an answer of 500 or 503 is an answer: no other peer is asked', async () => {
  const second = await startOrigin(named('second'));
  const first = await startOrigin(answering('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'));
  const proxy = await startProxy([first, second]);
  expect(await ask(proxy)).toBe('503');
  expect(second.connections.length).toBe(0);
});

test('all peers down give 502 at once, without a try once that is known, and recovery is noticed', async () => {
  const dead = [await unusedAddress(), await unusedAddress()];
  const proxy = await startProxy([], { peers: dead.map((address) => ({ address, failTimeoutMs: 300 })) });
  expect(await ask(proxy)).toBe('502');
  expect(proxy.accessLog.lines[0]).toMatch(/ ustatus=502, 502 /);
  const startMs = performance.now();
  for (let i = 0; i < 5; i++) expect(await ask(proxy)).toBe('502');
  expect(performance.now() - startMs).toBeLessThan(250);
  expect(proxy.accessLog.lines[3]).toMatch(/ 502 \d+ .* upstream=default ustatus=502 /);
  expect(
    proxy.errorLog.matching(/\[error\].* no live upstreams while connecting to upstream, client: /).length,
  ).toBe(5);
  await startOrigin(named('back'), dead[0]!.port);
  await delay(350);
  expect(await ask(proxy)).toBe('back');
});

test('a single peer that is down is asked for every request, so that recovery is noticed at once', async () => {
  const dead = await unusedAddress();
  const proxy = await startProxy([{ address: dead }]);
  for (let i = 0; i < 3; i++) expect(await ask(proxy)).toBe('502');
  await startOrigin(named('back'), dead.port);
  expect(await ask(proxy)).toBe('back');
});

test('backup peers are asked only while no other can be, peers marked down never', async () => {
  const dead = await unusedAddress();
  const down = await startOrigin(named('down'));
  const proxy = await startProxy([], {
    peers: [
      { address: dead, failTimeoutMs: 300 },
      { address: down.address, isDown: true },
      { address: (await startOrigin(named('backup'))).address, isBackup: true },
    ],
  });
  for (let i = 0; i < 3; i++) expect(await ask(proxy)).toBe('backup');
  await startOrigin(named('primary'), dead.port);
  await delay(350);
  for (let i = 0; i < 3; i++) expect(await ask(proxy)).toBe('primary');
  expect(down.connections.length).toBe(0);
});

test('peers get requests by their weights, smoothly', async () => {
  const peers = [];
  for (const [name, weight] of [
    ['a', 5],
    ['b', 1],
    ['c', 1],
  ] as const) {
    peers.push({ address: (await startOrigin(named(name))).address, weight });
  }
  const proxy = await startProxy([], { peers });
  const client = await connect(proxy);
  let order = '';
  for (let i = 0; i < 14; i++) {
    client.send(GET);
    order += (await client.readResponse()).text;
  }
  expect(order).toBe('aabacaaaabacaa');
});

test('proxy_next_upstream_timeout does not count the time that the client takes to send its body', async () => {
  const living = await startOrigin(named('got '));
  const conf = await serveConf(`
    upstream both { server 127.0.0.1:${(await unusedAddress()).port}; server ${living.name}; }
    server { listen %PORT%; location / {
      proxy_pass http://both; proxy_next_upstream_timeout 200ms; } }`);
  const client = await conf.connect();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  await delay(300);
  client.send('world');
  expect((await client.readResponse()).text).toBe('got helloworld');
});

test.each([
  ['an error page replaces', 'proxy_intercept_errors on; error_page 500 = /page;', ['page', undefined]],
  [
    'a stored one is given for',
    'proxy_cache one; proxy_cache_valid 200 1s; proxy_cache_use_stale http_500; add_header X-Cache $upstream_cache_status;',
    ['stored', 'STALE'],
  ],
])('a peer is well again by an answer that %s', async (_, settings, replaced) => {
  const folder = await folderOf({});
  let answer = () => bodyOf('stored');
  const origin = await startOrigin((connection) => answering(() => answer())(connection, 1));
  const conf = await serveConf(`
    proxy_cache_path ${folder}/cache keys_zone=one:1m;
    upstream both { server ${origin.name} fail_timeout=1s; server 127.0.0.1:1 down; }
    server { listen %PORT%; error_log error.log notice;
      location / { proxy_pass http://both; ${settings} }
      location = /page { return 200 page; } }`);
  expect((await get(conf, '/')).body).toBe('stored');
  answer = () => 'nonsense\r\n\r\n';
  expect((await get(conf, '/other')).status).toBe(502);
  answer = () => 'HTTP/1.1 500 Error\r\nContent-Length: 5\r\n\r\nerror';
  await vi.waitFor(async () => {
    const { body, fields } = await get(conf, '/');
    expect([body, fields['x-cache']]).toEqual(replaced);
  }, 5000);
  await conf.log('error.log').waitFor(/answers again/);
});
