// Variables that a configuration makes of others: map, geo and split_clients.
import { describe, expect, it } from 'vitest';
import { get, serveConf } from './conf-scene.js';

/** A server that answers with a text, and what stands beside it in http. */
function serveText(text: string, beside: string) {
  return serveConf(`
    ${beside}
    server { listen 127.0.0.1:%PORT%; location / { return 200 "${text}"; } }`);
}

async function valuesOf(
  conf: Awaited<ReturnType<typeof serveText>>,
  keys: readonly string[],
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of keys) found[key] = (await get(conf, `/?k=${key}`)).body;
  return found;
}

describe('map', () => {
  it('finds equal texts in any case, then expressions in their order, then the default', async () => {
    const conf = await serveText(
      '$to',
      `map $arg_k $to {
        default none;
        "" empty;
        Text text;
        ~^t "began with t";
        ~*T "has a t";
        ~(?<digit>\\d)(.) "$digit then $2 of $arg_k";
        \\default literal;
        \\~x tilde;
      }`,
    );
    expect(await valuesOf(conf, ['', 'TEXT', 'texts', 'aT', '1b', 'default', '~x', 'x'])).toEqual({
      '': 'empty',
      TEXT: 'text',
      texts: 'began with t',
      aT: 'has a t',
      '1b': '1 then b of 1b',
      default: 'literal',
      '~x': 'tilde',
      x: 'none',
    });
  });

  it('takes names with hostnames: exact, the longest with a star in front, one at the end', async () => {
    const conf = await serveText(
      '$to',
      `map $arg_k $to {
        hostnames;
        default none;
        example.com exact;
        *.example.com sub;
        *.b.example.com deeper;
        .example.org both;
        www.example.* end;
        ~^re regex;
      }`,
    );
    expect(
      await valuesOf(conf, [
        'example.com',
        'EXAMPLE.com.',
        'a.example.com',
        'a.b.example.com',
        'example.org',
        'x.example.org',
        'www.example.net',
        'rest',
        'example.net',
      ]),
    ).toEqual({
      'example.com': 'exact',
      'EXAMPLE.com.': 'exact',
      'a.example.com': 'sub',
      'a.b.example.com': 'deeper',
      'example.org': 'both',
      'x.example.org': 'both',
      'www.example.net': 'end',
      rest: 'regex',
      'example.net': 'none',
    });
  });

  it('reads lines of an included file', async () => {
    const conf = await serveConf(
      'map $arg_k $to { include more.conf; a A; } server { listen 127.0.0.1:%PORT%; return 200 "$to"; }',
      { files: { '/nowhere/more.conf': 'b B; default D;' } },
    );
    expect(await valuesOf(conf, ['a', 'b', 'c'])).toEqual({ a: 'A', b: 'B', c: 'D' });
  });

  it('keeps its value for a request, unless it is volatile', async () => {
    const conf = await serveConf(`
      map $x $kept { default "$x"; }
      map $x $fresh { volatile; default "$x"; }
      server {
        listen 127.0.0.1:%PORT%;
        location / {
          set $x 1;
          set $before "$kept$fresh";
          set $x 2;
          return 200 "$before $kept$fresh";
        }
      }`);
    expect((await get(conf, '/')).body).toBe('11 12');
  });

  it('has no value where it leads back to itself', async () => {
    const conf = await serveText('[$a]', 'map $b $a { default "<$b>"; } map $a $b { default "$a"; }');
    expect((await get(conf, '/')).body).toBe(`[${'<'.repeat(50)}${'>'.repeat(50)}]`);
    expect(conf.log('error.log').matching(/cycle while evaluating variable "[ab]"/)).toHaveLength(1);
  });

  it.each([
    ['map $uri to { }', 'invalid variable name "to"'],
    ['map $uri $uri { }', 'the duplicate "uri" variable'],
    ['map $uri $to { a b c; }', 'invalid number of the map parameters'],
    ['map $uri $to { host; }', 'invalid number of the map parameters'],
    ['map $uri $to { a 1; A 2; }', 'conflicting parameter "A"'],
    ['map $uri $to { hostnames; a.*.b 1; }', 'invalid hostname or wildcard "a.*.b"'],
    ['map $uri $to { default 1; default 2; }', 'duplicate default map parameter'],
    ['map $uri $to { ~( 1; }', 'missing closing parenthesis'],
    ['map $uri $to { a $nosuch; }', 'unknown "nosuch" variable'],
  ])('refuses %s', async (block, words) => {
    await expect(serveText('', block)).rejects.toThrow(words);
  });
});

describe('geo', () => {
  it('has the value of the smallest network that an address is in', async () => {
    const conf = await serveText(
      '$to',
      `geo $arg_k $to {
        default none;
        10.0.0.0/8 ten;
        10.1.0.0/16 inner;
        10.1.1.1 one;
        2001:db8::/32 six;
        255.255.255.255 no-address;
        10.2.0.0/16 gone;
        delete 10.2.0.0/16;
      }`,
    );
    expect(
      await valuesOf(conf, [
        '10.9.9.9',
        '10.1.9.9',
        '10.1.1.1',
        '10.2.0.1',
        '11.0.0.0',
        '2001:db8::1',
        'a01::',
        '::ffff:10.1.1.1',
        'junk',
        '',
      ]),
    ).toEqual({
      '10.9.9.9': 'ten',
      '10.1.9.9': 'inner',
      '10.1.1.1': 'one',
      '10.2.0.1': 'ten',
      '11.0.0.0': 'none',
      '2001:db8::1': 'six',
      'a01::': 'none',
      '::ffff:10.1.1.1': 'one',
      junk: 'no-address',
      '': 'no-address',
    });
  });

  it('with ranges takes those of IPv4, one within another', async () => {
    const conf = await serveText(
      '$to',
      `geo $arg_k $to {
        ranges;
        default none;
        10.0.0.0-10.0.255.255 a;
        10.0.1.0-10.0.1.9 b;
        10.1.0.0-10.1.0.1 gone;
        delete 10.1.0.0-10.1.0.1;
      }`,
    );
    expect(await valuesOf(conf, ['10.0.0.255', '10.0.1.9', '10.0.1.10', '10.1.0.0', '::1'])).toEqual({
      '10.0.0.255': 'a',
      '10.0.1.9': 'b',
      '10.0.1.10': 'a',
      '10.1.0.0': 'none',
      '::1': 'none',
    });
  });

  it('asks X-Forwarded-For behind its proxies', async () => {
    const networks = 'default none; 192.0.2.0/24 far; 10.0.0.0/8 near;';
    const conf = await serveText(
      '$plain $once $all',
      `geo $plain { ${networks} }
      geo $once { proxy 127.0.0.1; proxy 10.0.0.0/8; ${networks} }
      geo $all { proxy 127.0.0.1; proxy 10.0.0.0/8; proxy_recursive; ${networks} }`,
    );
    const answer = await get(conf, '/', 'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n');
    expect(answer.body).toBe('none near far');
    expect((await get(conf, '/')).body).toBe('none none none');
  });

  it.each([
    ['geo $to { 10.0.0.0/8; }', 'invalid number of the geo parameters'],
    ['geo $to { 10.0.0.0/33 a; }', 'invalid network "10.0.0.0/33"'],
    [
      'geo $to { 10.0.0.0/8 a; ranges; }',
      'the "ranges" directive must be the first directive inside "geo" block',
    ],
    ['geo $to { ranges; 10.0.0.9-10.0.0.1 a; }', 'invalid range "10.0.0.9-10.0.0.1"'],
    [
      'geo $to { ranges; 10.0.0.1-10.0.0.5 a; 10.0.0.4-10.0.0.9 b; }',
      'range "10.0.0.4-10.0.0.9" overlaps "10.0.0.1-10.0.0.5"',
    ],
    ['geo addr $to { }', 'invalid variable name "addr"'],
    ['geo $nosuch $to { }', 'unknown "nosuch" variable'],
  ])('refuses %s', async (block, words) => {
    await expect(serveText('', block)).rejects.toThrow(words);
  });

  it('serves with what is only odd: bits behind a prefix, a network twice', async () => {
    const conf = await serveText('$to', 'geo $arg_k $to { 10.0.0.1/8 a; 10.0.0.0/8 b; delete 11.0.0.0/8; }');
    expect((await get(conf, '/?k=10.9.9.9')).body).toBe('b');
  });
});

describe('split_clients', () => {
  it('gives each share of texts its value, always the same for a text', async () => {
    const conf = await serveText('$to', 'split_clients $arg_k $to { 25% a; 0.5% b; * c; }');
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (let i = 0; i < 400; i++) {
      const { body } = await get(conf, `/?k=client-${i}`);
      counts[body]!++;
    }
    expect(counts.a).toBeGreaterThan(70);
    expect(counts.a).toBeLessThan(130);
    expect(counts.b).toBeLessThan(10);
    expect((await get(conf, '/?k=client-42')).body).toBe((await get(conf, '/?k=client-42')).body);
  });

  it('has an empty value for what no share is left', async () => {
    const conf = await serveText('[$to]', 'split_clients $arg_k $to { 0.01% a; }');
    expect((await get(conf, '/?k=1')).body).toBe('[]');
  });

  it.each([
    ['split_clients $uri $to { 5 a; }', 'invalid percent value "5"'],
    ['split_clients $uri $to { 0% a; }', 'invalid percent value "0%"'],
    ['split_clients $uri $to { 1.234% a; }', 'invalid percent value "1.234%"'],
    ['split_clients $uri $to { 60% a; 60% b; }', 'percent total is greater than 100%'],
  ])('refuses %s', async (block, words) => {
    await expect(serveText('', block)).rejects.toThrow(words);
  });
});
