// The configuration language against texts that nobody would write: random bytes, tokens in any order, and sound
// configurations with something torn out, doubled or put in. Nothing throws or hangs, every finding points into
// the text, and what parses without error prints and parses to the same tree again.
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../src/conf/diagnostics/diagnostic.js';
import { renderForLog, renderForPeople } from '../src/conf/diagnostics/render.js';
import { loadConf } from '../src/conf/load/load.js';
import { translatePcre } from '../src/conf/pcre/translate.js';
import { checkConf } from '../src/conf/schema/check.js';
import { detectContext, wrapFragment } from '../src/conf/schema/fragment.js';
import { type Item, quoteWord } from '../src/conf/syntax/ast.js';
import { parse } from '../src/conf/syntax/parser.js';
import { print } from '../src/conf/syntax/printer.js';
import { Source } from '../src/conf/syntax/source.js';
import { decodeConf, toByteString } from '../src/conf/syntax/source-text.js';
import { sampleRegistry } from '../test/sample-registry.js';
import { Random } from './random.js';

const SOUND = `# main
user www-data;
events { worker_connections 64; }

http {
    include mime.types;
    log_format main '$remote_addr - "$request" ' # first
        '$status';
    map $http_upgrade $connection { default upgrade; '' close; }
    upstream app { server 127.0.0.1:9001 weight=2; server unix:/run/a.sock backup; }
    server {
        listen 80 default_server; listen [::]:80;
        server_name example.com "*.example.com" '~^(?<sub>.+)\\.example\\.com$';
        location ~* \\.(?:png|jpe?g)$ { root /srv; etag off; }
        location / { proxy_pass http://app$request_uri; limit_except GET { deny all; } }
        if ($host = "b") { return 301 "https://\${host}\\"$request_uri"; }
        client_max_body_size 10m; send_timeout 1m30s; rewrite ^/a/(.*)$ /b/$1 last;
    }
}
`;

const PIECES = [
  ...[
    '{',
    '}',
    ';',
    '"',
    "'",
    '\\',
    '#',
    '$',
    '${',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '(',
    ')',
    '~',
    '*',
    '=',
    '\0',
    '\ufeff',
  ],
  ...[
    'include *;',
    'include x;',
    'http',
    'server {',
    'location /',
    'gzip on;',
    'listen',
    'proxy_pass',
    '\udcff',
    'é',
  ],
  ...[
    '"a b"',
    "'",
    'types { a b; }',
    '# c\n',
    '\u{1f600}',
    '99999999999999999999',
    '1y',
    '(?<n>',
    '[a',
    'a{2}',
    '\u2028',
  ],
];

function mutate(random: Random, text: string): string {
  let result = text;
  for (const _ of random.many(1, 6, () => 0)) {
    const at = random.below(result.length + 1);
    const length = random.below(12);
    const end = random.oneIn(3) ? at : at + length;
    const put = random.oneIn(4) ? result.slice(at, at + 60) + result.slice(at, at + 60) : random.pick(PIECES);
    result = result.slice(0, at) + (random.oneIn(3) ? '' : put) + result.slice(end);
  }
  return result;
}

function makeText(random: Random): string {
  switch (random.below(4)) {
    case 0:
      return decodeConf(Uint8Array.from(random.many(0, 300, () => random.below(256))));
    case 1:
      return random.many(0, 80, () => random.pick(PIECES)).join('');
    default:
      return mutate(random, SOUND);
  }
}

/** Items without the places they stand at, and the names without whether they start a line. */
function withoutPlaces(items: readonly Item[]): unknown {
  const dropped = new Set(['source', 'start', 'end', 'headEnd', 'word']);
  return JSON.parse(JSON.stringify(items, (key, value) => (dropped.has(key) ? undefined : value)));
}

function expectInText({ span, logOffset, notes }: Diagnostic): void {
  for (const place of [span, ...notes.map((note) => note.span)]) {
    if (place === null) continue;
    expect(place.start).toBeGreaterThanOrEqual(0);
    expect(place.end).toBeGreaterThanOrEqual(place.start);
    expect(place.source.text.length).toBeGreaterThanOrEqual(place.end);
  }
  if (span !== null) expect(logOffset).toBeLessThanOrEqual(span.source.text.length);
}

/** Runs a case for each of many seeds; the seed stands in the failure. */
function forSeeds(count: number, run: (random: Random) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      run(new Random(seed));
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
}

describe('the configuration language', () => {
  it('takes any text without throwing, and all it says points into the text', () => {
    const codes = new Set<string>();
    forSeeds(700, (random) => {
      const texts = [makeText(random), makeText(random)];
      const reader = {
        readFile: (path: string) => texts[path === 'nginx.conf' ? 0 : 1] ?? { code: 'ENOENT', number: 2 },
        listFolder: () => ['x', 'y'],
      };
      const conf = loadConf('nginx.conf', reader, random.oneIn(10) ? makeText(random).slice(0, 50) : '');
      const whole = wrapFragment(conf, detectContext(conf, sampleRegistry));
      const { diagnostics } = checkConf(whole, sampleRegistry, { probeFile: () => null });
      for (const one of diagnostics) {
        codes.add(one.code);
        expectInText(one);
        expect(renderForLog(one).length).toBeLessThan(1200);
        expect(renderForPeople(one, { withSource: true })).not.toMatch(/(?![\n\t])\p{Cc}|[\ud800-\udfff]/u);
      }
    });
    // The texts are worth something only if they reach most of what can be said.
    expect(codes.size).toBeGreaterThan(15);
  });

  it('prints what it parsed so that it parses to the same, and prints that the same', () => {
    let sound = 0;
    forSeeds(1500, (random) => {
      const parsed = parse(new Source('a.conf', makeText(random)));
      if (parsed.diagnostics.length > 0) return;
      sound++;
      const printed = print(parsed.items);
      const again = parse(new Source('a.conf', printed));
      expect(again.diagnostics).toEqual([]);
      expect(withoutPlaces(again.items)).toEqual(withoutPlaces(parsed.items));
      expect(print(again.items)).toBe(printed);
    });
    expect(sound).toBeGreaterThan(100);
  });

  it('reads back every word that it quotes', () => {
    forSeeds(1500, (random) => {
      const text = random.many(0, 12, () => random.pick([...PIECES, 'a', 'n', 't'])).join('');
      const parsed = parse(new Source('a.conf', `x ${quoteWord(text)};`));
      expect(parsed.diagnostics).toEqual([]);
      expect(parsed.items).toMatchObject([{ args: [{ text }] }]);
    });
  });

  it('gives back the bytes of any file', () => {
    forSeeds(500, (random) => {
      const bytes = random.many(0, 60, () =>
        random.pick([0x61, 0x0a, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98]),
      );
      expect([...toByteString(decodeConf(Uint8Array.from(bytes)))].map((one) => one.charCodeAt(0))).toEqual(
        bytes,
      );
    });
  });

  it('takes any pattern without throwing, and points into it', () => {
    const pieces = [
      ..."aAb1()[]{}|?*+\\^$.-,:=!<>'#dQEkgxPRné",
      '(?:',
      '(?<n>',
      '[[:alpha:]]',
      '\\K',
      '{1,2}',
      '(?i)',
    ];
    let usable = 0;
    forSeeds(3000, (random) => {
      const pattern = random.many(0, 14, () => random.pick(pieces)).join('');
      const result = translatePcre(pattern, random.oneIn(2));
      if ('regexp' in result) {
        usable++;
        expect(result.groupIndexes.length).toBe(result.groupCount + 1);
        result.regexp.test('aAb1\xc3\xa9');
      } else expect(result.at).toBeLessThanOrEqual(pattern.length);
    });
    expect(usable).toBeGreaterThan(300);
  });

  // Each takes a second at most on an idle machine; a quadratic way through any of them would take minutes.
  it.each([
    [
      '10,000 locations',
      `http{${`server{${'location /a{proxy_pass http://$host;}'.repeat(10)}}`.repeat(1000)}}`,
    ],
    ['100,000 unknown directives', Array.from({ length: 100_000 }, (_, i) => `na${i}me_x on;`).join('\n')],
    ['100,000 bad values', `http{${'gzip x;'.repeat(100_000)}}`],
    ['a directive of 300,000 words', `x ${'"a" '.repeat(300_000)};`],
    ['a directive of 300,000 bad values', `http{upstream u{server a ${'x '.repeat(300_000)};}}`],
    ['200,000 lines of a map', `http{map $a $b{${'a b;'.repeat(200_000)}}}`],
    ['a million quotes', '"'.repeat(1_000_000)],
    ['a million semicolons', ';'.repeat(1_000_000)],
    ['200,000 blocks in each other', 'a{'.repeat(200_000)],
    ['200,000 comments in a directive', `${'a#\n'.repeat(200_000)};`],
    ['one word of a megabyte', `user ${'x'.repeat(1_000_000)};`],
    ['a text of a megabyte of variables', `http{root ${'$a'.repeat(500_000)};}`],
  ])('takes %s in seconds', { timeout: 10_000 }, (_, text) => {
    const conf = loadConf('nginx.conf', { readFile: () => text, listFolder: () => null });
    const { diagnostics } = checkConf(conf, sampleRegistry);
    for (const one of diagnostics) renderForPeople(one, { withSource: true });
    expect(print(conf.items).length).toBeGreaterThanOrEqual(0);
  });
});
