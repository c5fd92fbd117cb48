// Which server of an upstream gets a request: what `server` says of each, and every way of choosing.
import { describe, expect, it, onTestFinished } from 'vitest';
import { answering, RawOrigin, type TestConf } from '../src/testing/index.js';
import { answer, startOrigins } from './answering-origins.js';
import { get, serveConf } from './conf-scene.js';

/** Serves an upstream of these lines; `$a`, `$b` ... stand for origins that answer their letter. */
async function serveUpstream(lines: string, location = ''): Promise<TestConf> {
  const letters = [...new Set([...lines.matchAll(/\$([a-f])\b/g)].map((match) => match[1]!))].sort();
  const origins = await startOrigins(...letters);
  const named = lines.replace(/\$([a-f])\b/g, (_, letter: string) => origins[letters.indexOf(letter)]!.name);
  return serveConf(`
    upstream app { ${named} }
    server {
      listen 127.0.0.1:%PORT%;
      location / { proxy_pass http://app; ${location} }
    }`);
}

/** The bodies of so many answers, one after the other. */
async function ask(conf: TestConf, count: number, target = '/'): Promise<string> {
  let bodies = '';
  for (let i = 0; i < count; i++) bodies += (await get(conf, target)).body;
  return bodies;
}

describe('an upstream', () => {
  it('is asked in smooth weighted turns', async () => {
    const conf = await serveUpstream('server $a weight=3; server $b; server $c;');
    expect(await ask(conf, 10)).toBe('abacaabaca');
  });

  it('asks no server that is down, and backups only when there is nothing else', async () => {
    const conf = await serveUpstream('server $a down; server $b; server $c backup;');
    expect(await ask(conf, 3)).toBe('bbb');
    const other = await serveUpstream('server $a down; server $b backup;');
    expect(await ask(other, 2)).toBe('bb');
  });

  it('goes on to the next server when one refuses, and leaves it out for fail_timeout', async () => {
    const [gone] = await startOrigins('gone');
    await gone!.stop();
    const conf = await serveUpstream(`server ${gone!.name} fail_timeout=1h; server $b;`);
    expect(await ask(conf, 4)).toBe('bbbb');
    expect(conf.log('error.log').matching(/connect\(\) failed/)).toHaveLength(1);
    await expect
      .poll(() => conf.log('error.log').matching(/is out for 3600 s after 1 failed try/))
      .toHaveLength(1);
  });

  it('without a server that can be asked answers 502, and says the name of the upstream', async () => {
    const conf = await serveUpstream('server $a down;', 'add_header X-Addr $upstream_addr always;');
    const { status, fields } = await get(conf, '/');
    expect(status).toBe(502);
    expect(fields['x-addr']).toBe('app');
    expect(conf.log('error.log').matching(/no live upstreams/)).toHaveLength(1);
  });

  it('sends a server no more requests at once than max_conns', async () => {
    const held: (() => void)[] = [];
    const busy = await RawOrigin.start(async (connection) => {
      await connection.readRequest();
      await new Promise<void>((resolve) => held.push(resolve));
      await connection.send(answer('busy'));
    });
    onTestFinished(() => busy.stop());
    const conf = await serveUpstream(`server ${busy.name} max_conns=2; server $b backup;`);
    const slow = [get(conf, '/'), get(conf, '/')];
    await expect.poll(() => held.length).toBe(2);
    expect(await ask(conf, 2)).toBe('bb');
    for (const go of held) go();
    expect((await Promise.all(slow)).map(({ body }) => body)).toEqual(['busy', 'busy']);
  });

  it('looks for a name in the hosts file, and has all its addresses as servers', async () => {
    const [a] = await startOrigins('a');
    const conf = await serveConf(`
      upstream app { server localhost:${a!.address.port} max_fails=0; }
      server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://app; } }`);
    expect(await ask(conf, 3)).toBe('aaa');
  });

  it('starts though a name is not known, answers 502, and says which one', async () => {
    const conf = await serveUpstream('server no-such-name.invalid:80;');
    expect((await get(conf, '/')).status).toBe(502);
    expect(conf.log('error.log').matching(/host not found in upstream "no-such-name.invalid"/)).toHaveLength(
      1,
    );
  });

  it('asks the others while a name is not known', async () => {
    const conf = await serveUpstream('server no-such-name.invalid:80; server $b;');
    expect(await ask(conf, 3)).toBe('bbb');
  });
});

describe('the way of choosing', () => {
  it('least_conn prefers the server with fewer requests under way', async () => {
    let go = () => {};
    const slow = await RawOrigin.start(async (connection) => {
      await connection.readRequest();
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      await connection.send(answer('slow'));
    });
    onTestFinished(() => slow.stop());
    const conf = await serveUpstream(`least_conn; server ${slow.name}; server $b;`);
    const first = get(conf, '/');
    await slow.accept();
    expect(await ask(conf, 5)).toBe('bbbbb');
    go();
    expect((await first).body).toBe('slow');
  });

  it.each(['hash $arg_k;', 'hash $arg_k consistent;'])(
    '%s sends the same key to the same server',
    async (line) => {
      const conf = await serveUpstream(`${line} server $a; server $b; server $c;`);
      const picks = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const bodies = await ask(conf, 3, `/?k=${i}`);
          expect(new Set(bodies).size).toBe(1);
          return bodies[0]!;
        }),
      );
      expect(new Set(picks).size).toBe(3);
    },
  );

  it('ip_hash keeps a client with its server', async () => {
    const conf = await serveUpstream('ip_hash; server $a; server $b; server $c;');
    expect(new Set(await ask(conf, 6)).size).toBe(1);
  });

  it.each(['random;', 'random two;', 'random two least_time=header;'])(
    '%s uses all servers',
    async (line) => {
      const conf = await serveUpstream(`${line} server $a; server $b;`);
      expect(new Set(await ask(conf, 40))).toEqual(new Set('ab'));
    },
  );

  it('least_time shuns a server that was slow', async () => {
    const slow = await RawOrigin.start(async (connection) => {
      for (;;) {
        await connection.readRequest();
        await new Promise((resolve) => setTimeout(resolve, 200));
        await connection.send(answer('S'));
      }
    });
    onTestFinished(() => slow.stop());
    const conf = await serveUpstream(`least_time header; server ${slow.name}; server $b;`);
    expect(await ask(conf, 8)).toBe('Sbbbbbbb');
  });

  it('given twice is the last one, with a warning', async () => {
    const conf = await serveUpstream('hash $uri; least_conn; server $a;');
    expect(await ask(conf, 1)).toBe('a');
  });
});

describe('sticky', () => {
  it('cookie sends a client back to the server whose cookie it brings', async () => {
    const conf = await serveUpstream('server $a; server $b; server $c; sticky cookie srv path=/ httponly;');
    const first = await get(conf, '/');
    const cookie = first.fields['set-cookie']!;
    expect(cookie).toMatch(/^srv=[0-9a-f]{32}; httponly; path=\/$/);
    for (let i = 0; i < 4; i++) {
      const again = await get(conf, '/', `Cookie: ${cookie.split(';')[0]}\r\n`);
      expect(again.body).toBe(first.body);
      expect(again.fields['set-cookie']).toBe(cookie);
    }
  });

  it('cookie tells of the server that answered, not of one that failed before', async () => {
    const [gone] = await startOrigins('gone');
    await gone!.stop();
    const conf = await serveUpstream(`server ${gone!.name} route=x; server $b route=y; sticky cookie srv;`);
    expect((await get(conf, '/')).fields['set-cookie']).toBe('srv=y');
  });

  it('route goes by the first variable that says anything', async () => {
    const conf = await serveUpstream(
      'server $a route=one; server $b route=two; sticky route $arg_first $arg_second;',
    );
    expect(await ask(conf, 3, '/?second=two')).toBe('bbb');
    expect(await ask(conf, 3, '/?first=one&second=two')).toBe('aaa');
    expect(new Set(await ask(conf, 4, '/?first=three'))).toEqual(new Set('ab'));
  });

  it('learn remembers which server gave a session', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) =>
        RawOrigin.start(answering(() => answer(name, `Set-Cookie: sid=${name}1\r\n`))),
      ),
    );
    onTestFinished(async () => {
      await Promise.all([a!.stop(), b!.stop()]);
    });
    const conf = await serveUpstream(`server ${a!.name}; server ${b!.name};
      sticky learn create=$upstream_cookie_sid lookup=$cookie_sid zone=sessions:1m;`);
    expect(await ask(conf, 2)).toBe('ab');
    for (let i = 0; i < 3; i++) expect((await get(conf, '/', 'Cookie: sid=b1\r\n')).body).toBe('b');
  });

  it('drain lets a server have those alone who ask for it', async () => {
    const conf = await serveUpstream('server $a route=a drain; server $b route=b; sticky route $arg_r;');
    expect(await ask(conf, 3)).toBe('bbb');
    expect(await ask(conf, 2, '/?r=a')).toBe('aa');
  });
});

describe('queue', () => {
  /** Holds each request until told to go on. */
  async function heldOrigin(): Promise<{ origin: RawOrigin; release: () => void; heldCount: () => number }> {
    const held: (() => void)[] = [];
    const origin = await RawOrigin.start(async (connection) => {
      for (;;) {
        await connection.readRequest();
        await new Promise<void>((resolve) => held.push(resolve));
        await connection.send(answer('x'));
      }
    });
    onTestFinished(() => origin.stop());
    return { origin, release: () => held.shift()!(), heldCount: () => held.length };
  }

  it('lets requests wait for a server that has no room', async () => {
    const { origin, release, heldCount } = await heldOrigin();
    const conf = await serveUpstream(`server ${origin.name} max_conns=1; queue 2;`);
    const answers = [get(conf, '/'), get(conf, '/'), get(conf, '/')];
    await expect.poll(heldCount).toBe(1);
    for (let i = 0; i < 3; i++) {
      await expect.poll(heldCount).toBe(1);
      release();
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('gives up after its timeout', async () => {
    const { origin, release, heldCount } = await heldOrigin();
    const conf = await serveUpstream(`server ${origin.name} max_conns=1; queue 2 timeout=100ms;`);
    const first = get(conf, '/');
    await expect.poll(heldCount).toBe(1);
    expect((await get(conf, '/')).status).toBe(502);
    release();
    expect((await first).status).toBe(200);
  });
});

describe('a configuration', () => {
  const refuse = (lines: string) =>
    serveConf(`upstream app { ${lines} } server { listen 127.0.0.1:%PORT%; }`);

  it.each([
    ['', /no servers are inside upstream/],
    ['server 127.0.0.1:1 backup;', /no servers in upstream "app"/],
    [
      'hash $uri; server 127.0.0.1:1; server 127.0.0.1:2 backup;',
      /balancing method does not support parameter "backup"/,
    ],
    [
      'random; server 127.0.0.1:1 slow_start=5s;',
      /balancing method does not support parameter "slow_start=5s"/,
    ],
    ['server a.test:80 resolve;', /requires upstream "app" to be in shared memory/],
    [
      'zone z 1m; server a.test:80 resolve;',
      /no resolver defined to resolve names at run time in upstream "app"/,
    ],
    ['zone z 1m; server a.test:80 resolve service=http;', /service upstream "a.test:80" may not have port/],
    ['server a.test service=http;', /service upstream "a.test" requires "resolve" parameter/],
    ['zone z 1k; server 127.0.0.1:1;', /zone "z" is too small/],
    ['server 127.0.0.1:1 wait=2;', /invalid parameter "wait=2"/],
    ['server 127.0.0.1:1; sticky cookie c samesite=no;', /invalid "samesite" parameter value/],
    ['server 127.0.0.1:1; sticky learn create=$a lookup=$b;', /"zone" parameter is not specified|zone/],
    ['server 127.0.0.1:1; sticky route arg;', /invalid variable name "arg"/],
    ['zone z 1m; resolver 127.0.0.1 ipv4=off ipv6=off; server a.test resolve;', /cannot both be "off"/],
  ])('with "%s" is refused', async (lines, message) => {
    await expect(refuse(lines)).rejects.toThrow(message);
  });

  it('with two upstreams of one name is refused', async () => {
    const text =
      'upstream a { server 127.0.0.1:1; } upstream A { server 127.0.0.1:1; } server { listen 127.0.0.1:%PORT%; }';
    await expect(serveConf(text)).rejects.toThrow('duplicate upstream "A"');
  });
});
